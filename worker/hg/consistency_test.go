// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

// watched are the questions whose answers real hg gives for every state that
// the writer leaves.
var watched = [][]string{
	{"log", "--hidden", "-T", `{rev}:{node}\n`},
	{"log", "-T", `{rev}:{node} {phase} {branch} [{tags}] [{bookmarks}] {p1.rev} {desc|firstline}\n`},
	{"log", "-G", "-T", `{rev}:{node|short} {desc|firstline}\n`},
	{"heads", "-T", `{rev}:{node}\n`},
	{"branches"}, {"tags"}, {"bookmarks"},
	{"identify"}, {"summary"}, {"parents", "-T", `{rev}:{node}\n`},
	{"files", "-r", "tip"}, {"cat", "-r", "tip", "f"},
	{"status"},
}

// history is what the writer did. A state is what real hg answers to all that is
// watched; states[i] holds from the end of change i to the start of the next one.
type history struct {
	begun, ended atomic.Int64 // changes; equal while nothing changes

	states [][]string
	desc   map[string]string // by node
}

// record asks real hg about the state that it has just made.
func (h *history) record(w *work) {
	var state []string
	for _, args := range watched {
		out, stderr, code := w.Run(w.t, args...)
		state = append(state, answerText([]byte(out), []byte(stderr), code))
	}
	desc := map[string]string{}
	for line := range strings.Lines(w.do("log", "--hidden", "-T", `{node} {desc|firstline}\n`)) {
		node, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		desc[node] = text
	}
	h.states = append(h.states, state)
	maps.Copy(h.desc, desc)
}

func answerText(stdout, stderr []byte, code int) string {
	return fmt.Sprintf("%s%s[%d]\n", stdout, stderr, code)
}

// nodesOf are the nodes of "REV:NODE" lines that go down to 0, oldest first; ok
// is false when the numbers have gaps.
func nodesOf(answer string) (nodes []string, ok bool) {
	for line := range strings.Lines(answer) {
		line = strings.TrimSuffix(line, "\n")
		if line == "[0]" {
			break
		}
		rev, rest, found := strings.Cut(line, ":")
		if !found {
			return nil, false
		}
		node, _, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(rev)
		if err != nil || len(nodes) > 0 && n != mustAtoi(nodes[len(nodes)-1])-1 {
			return nil, false
		}
		nodes = append(nodes, rev+":"+node)
	}
	if len(nodes) > 0 && mustAtoi(nodes[len(nodes)-1]) != 0 {
		return nil, false
	}
	slices.Reverse(nodes)
	return nodes, true
}

func mustAtoi(pair string) int {
	rev, _, _ := strings.Cut(pair, ":")
	return must(strconv.Atoi(rev))
}

func isPrefix(short, long []string) bool {
	return len(short) <= len(long) && slices.Equal(short, long[:len(short)])
}

// writer changes the repository with one random command of real hg after
// another until stop is closed.
func (h *history) writer(w, other *work, rng *rand.Rand, stop <-chan struct{}) {
	change := func(fn func()) {
		h.begun.Add(1)
		fn()
		h.ended.Add(1)
		h.record(w)
	}
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		any := func() string { return strings.TrimSpace(w.do("log", "-r", "all()", "-T", `{rev}\n`)) }
		revs := strings.Fields(any())
		pick := func() string { return revs[rng.IntN(len(revs))] }
		switch rng.IntN(12) {
		case 0, 1, 2:
			change(func() { w.commit() })
		case 3:
			to := pick()
			change(func() { w.do("update", "-q", "-C", "-r", to); w.commit() })
		case 4:
			change(func() {
				w.do("update", "-q", "-C", "-r", "0")
				w.do("strip", "--no-backup", "--hidden", "-r", strconv.Itoa(1+rng.IntN(len(revs))%max(1, len(revs)-1)))
			})
		case 5:
			change(func() {
				w.do("update", "-q", "-C", "-r", "0")
				w.do("strip", "--no-backup", "--hidden", "-r", "tip")
				w.commit()
			})
		case 6:
			if other.n++; other.n%3 == 0 {
				other.do("update", "-q", "-C", "-r", "null")
			}
			other.commit()
			change(func() { w.do("pull", "-q", "--force", other.Dir) })
		case 7:
			to := pick()
			change(func() { w.do("phase", "--draft", "--force", "-r", to) })
		case 8:
			to := pick()
			change(func() { w.do("phase", "--public", "-r", to) })
		case 9:
			to := pick()
			change(func() { w.do("bookmark", "--force", "-r", to, "mark") })
		case 10:
			to := pick()
			change(func() { w.do("tag", "--force", "-r", to, "v"+to) })
		case 11:
			name := fmt.Sprintf("branch%d", rng.IntN(3))
			change(func() { w.do("branch", "--force", name); w.commit() })
		}
	}
}

// answer is what an engine said to watched[q] between the end of change from
// and the start of what follows change to.
type answer struct {
	q        int
	from, to int64
	text     string
	err      error
}

// reader asks an engine, and judges the answers when the writer has told what
// was true.
type reader struct {
	t       *testing.T
	h       *history
	e       *Engine
	answers []answer
	during  int // answers while something changed
	native  int // of those, not left to hg
}

func (r *reader) ask(dir string, inst Installation, q int) {
	a := answer{q: q, from: r.h.ended.Load()}
	stdout, stderr, res, err := runEngine(r.e, dir, watched[q], hgtest.BaseEnv(), inst)
	a.to = r.h.begun.Load()
	a.text, a.err = answerText(stdout, stderr, res.ExitCode), err
	if err != nil && len(stdout)+len(stderr) > 0 {
		r.t.Errorf("hg %q printed %q %q and then said %v", watched[q], stdout, stderr, err)
	}
	r.answers = append(r.answers, a)
}

func (r *reader) judgeAll() {
	for _, a := range r.answers {
		switch {
		case a.from == a.to && a.err != nil:
			r.t.Errorf("hg %q while nothing changes: %v", watched[a.q], a.err)
		case a.from == a.to:
			if want := r.h.states[a.from][a.q]; a.text != want {
				r.t.Errorf("hg %q after change %d says\n%s\nreal hg\n%s", watched[a.q], a.from, a.text, want)
			}
		case a.err != nil:
			r.during++
			if !hgerr.IsUnsupported(a.err) {
				r.t.Errorf("hg %q while something changes: %v", watched[a.q], a.err)
			}
		default:
			r.during++
			r.native++
			r.judge(a)
		}
	}
}

// judge checks an answer that was given while changes were under way. What the
// end of each left is known; in between, a strip leaves the changesets that it
// keeps, and then puts others back.
func (r *reader) judge(a answer) {
	states := r.h.states[a.from : a.to+1]
	for _, s := range states {
		if s[a.q] == a.text {
			return
		}
	}
	fail := func(format string, args ...any) {
		r.t.Errorf("hg %q during changes %d to %d: %s\n%s", watched[a.q], a.from+1, a.to, fmt.Sprintf(format, args...), a.text)
	}
	switch a.q {
	case 0, 1:
		nodes, ok := nodesOf(a.text)
		if !ok {
			fail("no consecutive revisions")
			return
		}
		if !slices.ContainsFunc(states, func(s []string) bool {
			all, _ := nodesOf(s[0])
			return isPrefix(nodes, all)
		}) {
			fail("no state begins so")
		}
		if a.q == 1 {
			r.checkDescriptions(a.text)
		}
	default:
		// Each changeset must be one that a state has under that number.
		for _, word := range strings.Fields(a.text) {
			rev, node, ok := strings.Cut(word, ":")
			if _, err := strconv.Atoi(rev); !ok || err != nil || len(node) < 12 {
				continue
			}
			if !slices.ContainsFunc(states, func(s []string) bool { return strings.Contains("\n"+s[0], "\n"+word) }) {
				fail("%s is in no state", word)
			}
		}
		if strings.Contains(a.text, "unknown working parent") || strings.Contains(a.text, "[255]") {
			fail("real hg has no reason to say so")
		}
	}
}

func (r *reader) checkDescriptions(got string) {
	for line := range strings.Lines(got) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		node, rest, _ := strings.Cut(rest, " ")
		if want, ok := r.h.desc[node]; ok && !strings.HasSuffix(rest, " "+want) {
			r.t.Errorf("%s has the description of another changeset: %q, not %q", node, rest, want)
		}
	}
}

// TestConsistency reads while real hg writes: every answer is one that real hg
// gives for some state in between, or a clear error.
//
//	HGBROKER_CONSISTENCY    for how long, in each of the two formats (3s)
func TestConsistency(t *testing.T) {
	shortLag(t)
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	duration := 3 * time.Second
	if text := os.Getenv("HGBROKER_CONSISTENCY"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(number(t, "HGBROKER_SEED", 1))
	for _, c := range []struct{ name, config string }{
		{"plain", ""},
		{"evolution", "[experimental]\nevolution=all\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, other := newWork(t, version.Path), newWork(t, version.Path)
			for _, x := range []*work{w, other} {
				x.do("init")
				x.write(".hg/hgrc", c.config)
			}
			other.n = 1000
			other.commit()
			for range 3 {
				w.commit()
			}
			h := &history{desc: map[string]string{}}
			h.record(w)
			stop := make(chan struct{})
			var all sync.WaitGroup
			all.Go(func() { h.writer(w, other, rand.New(rand.NewPCG(seed, 1)), stop) })
			readers := []*reader{
				{e: New(Options{})},
				{e: New(Options{Images: newShelf(t)})},
			}
			end := time.Now().Add(duration)
			for i, r := range readers {
				r.t, r.h = t, h
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				all.Go(func() {
					pace := time.NewTicker(2 * time.Millisecond) // leaves the writer a turn
					defer pace.Stop()
					for time.Now().Before(end) {
						<-pace.C
						r.ask(w.Dir, inst, rng.IntN(len(watched)))
					}
				})
			}
			time.AfterFunc(time.Until(end), func() { close(stop) })
			all.Wait()
			for _, r := range readers {
				r.e.Close()
				r.judgeAll()
				t.Logf("%d answers, %d of them during one of %d changes; %d of those native", len(r.answers), r.during, h.ended.Load(), r.native)
				if r.during == 0 || r.native == 0 {
					t.Error("nothing was read while something changed")
				}
			}
		})
	}
}

// TestSameSizeOtherChangesets replaces changesets by as many others, in files of
// the same names and nearly the same sizes.
func TestSameSizeOtherChangesets(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	w := newWork(t, version.Path)
	w.do("init")
	for range 5 {
		w.commit()
	}
	e := New(Options{})
	defer e.Close()
	ask := func(args ...string) string {
		t.Helper()
		stdout, stderr, res, err := runEngine(e, w.Dir, args, hgtest.BaseEnv(), inst)
		if err != nil {
			t.Fatalf("hg %q: %v", args, err)
		}
		return answerText(stdout, stderr, res.ExitCode)
	}
	real := func(args ...string) string {
		t.Helper()
		out, stderr, code := w.Run(t, args...)
		return answerText([]byte(out), []byte(stderr), code)
	}
	same := func(args ...string) {
		t.Helper()
		if got, want := ask(args...), real(args...); got != want {
			t.Errorf("hg %q says\n%s\nreal hg\n%s", args, got, want)
		}
	}
	same("log", "-T", `{rev}:{node} {desc}\n`)
	w.do("update", "-q", "-r", "2")
	w.do("strip", "--no-backup", "-r", "3")
	w.commit()
	w.commit()
	same("log", "-T", `{rev}:{node} {desc}\n`)
	same("cat", "-r", "tip", "f")
	same("files", "-r", "tip", "-v")
}
