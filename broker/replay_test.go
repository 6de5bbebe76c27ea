// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
	"hgbroker/worker/hg/hgtest"
)

// session is somebody who edits, at human speed, with a terminal beside it in
// which real hg commits and updates. Every answer is held against real hg's, asked
// of a copy of the repository, so that asking changes nothing.
type session struct {
	*person
	pause  time.Duration // between two things, at least; it may be four times that
	rng    *rand.Rand
	dir    string
	buffer []string // lines of the file that is edited
	saved  bool
	nodes  []string // that can be updated to

	told     chan protocol.DidChangeParams
	counts   map[string]int
	answers  int // compared
	changes  int // made by the terminal
	notices  int // repository/didChange
	idle     time.Duration
	idleCPU  time.Duration
	busyCPU  time.Duration
	lastCPU  time.Duration
	slowest  map[string]time.Duration
	quiet    time.Time // since when nothing is asked
	mistakes int
}

const (
	edited = "src/main.c"
	// humanPause is the time between two things that somebody does, hurryPause that
	// of the short form.
	humanPause = 800 * time.Millisecond
	hurryPause = 150 * time.Millisecond
	// settleTime is how long after the last answer the processes may still have
	// something to do: a loader, and the end of a burst of changes.
	settleTime = 400 * time.Millisecond
)

// replayLength is read before TestMain takes such variables away.
var replayLength = os.Getenv("HGBROKER_REPLAY")

// TestEditingSession replays an editing session once, and for 20 seconds at least; or for as long as
// HGBROKER_REPLAY says: HGBROKER_REPLAY=10m go test -run EditingSession -v -timeout 20m ./broker
func TestEditingSession(t *testing.T) {
	length, pause := 20*time.Second, hurryPause
	if replayLength != "" {
		var err error
		if length, err = time.ParseDuration(replayLength); err != nil {
			t.Fatal(err)
		}
		pause = humanPause
	} else if testing.Short() {
		t.Skip("takes 20 seconds")
	}
	real := hgtest.Hg(t)
	t.Parallel()
	s := newSession(t, real)
	s.pause = pause
	steps := []struct {
		name string
		do   func()
	}{
		{"line diff", s.lineDiff}, {"line diff", s.lineDiff}, {"save", s.save}, {"status", s.status}, {"annotate", s.annotate},
		{"line diff", s.lineDiff}, {"annotate", s.annotateBuffer}, {"save", s.save}, {"status", s.status}, {"commit", s.commit}, {"line diff", s.lineDiff},
		{"save", s.save}, {"line diff", s.lineDiff}, {"status", s.status}, {"commit", s.commit}, {"update", s.update}, {"annotate", s.annotate}, {"status", s.status},
	}
	start := time.Now()
	for n := 0; (time.Since(start) < length || n < len(steps)) && !t.Failed(); n++ {
		s.rest()
		step := steps[n%len(steps)]
		s.counts[step.name]++
		step.do()
	}
	s.rest()
	t.Logf("%s: %d things done: %v", time.Since(start).Round(time.Second), sum(s.counts), s.counts)
	t.Logf("%d answers compared with real hg's, %d stale or wrong; %d changes by real hg, %d repository/didChange", s.answers, s.mistakes, s.changes, s.notices)
	percent := 100 * s.idleCPU.Seconds() / s.idle.Seconds()
	t.Logf("broker, master and workers: %.2f %% CPU between events (%s in %s), %s within them", percent, s.idleCPU, s.idle.Round(time.Millisecond), s.busyCPU)
	t.Logf("slowest answers: %v", s.slowest)
	if !t.Failed() && (s.counts["commit"] == 0 || s.counts["update"] == 0) {
		t.Error("the session did too little")
	}
	if s.notices != s.changes {
		t.Errorf("%d changes and %d notifications", s.changes, s.notices)
	}
	if percent > 0.5 {
		t.Errorf("%.2f %% CPU between events", percent)
	}
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func newSession(t *testing.T, real string) *session {
	t.Helper()
	w := newWorld(t)
	w.flags = append(w.flags, "--hg="+real, "--fallback=never")
	s := &session{person: &person{w: w, real: real, env: hgtest.BaseEnv(userName)}, rng: rand.New(rand.NewPCG(6, 3)), dir: filepath.Join(w.dir, "repository"),
		told: make(chan protocol.DidChangeParams, 1000), counts: map[string]int{}, slowest: map[string]time.Duration{}}
	s.must(w.dir, "init", s.dir)
	if err := os.Mkdir(filepath.Join(s.dir, "src"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		s.buffer = append(s.buffer, fmt.Sprintf("line %d of the beginning\n", i))
	}
	s.write(filepath.Join(s.dir, edited), strings.Join(s.buffer, ""))
	s.write(filepath.Join(s.dir, ".hgignore"), "syntax: glob\n*.o\n")
	s.must(s.dir, "commit", "-q", "-A", "-m", "begin")
	s.node()

	c, err := client.Start(client.Options{Executable: w.exe, Args: w.flags, Env: s.env, Dir: s.dir, Stderr: os.Stderr,
		Notify: func(method string, params json.RawMessage) {
			var p protocol.DidChangeParams
			if method == protocol.MethodDidChange && json.Unmarshal(params, &p) == nil {
				s.told <- p
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	s.c = c
	w.initialize(c)
	var open protocol.OpenResult
	if err := c.Call(w.context(), protocol.MethodOpen, protocol.OpenParams{Place: s.place()}, &open); err != nil || !open.Watched || !open.Native {
		t.Fatalf("%+v, %v", open, err)
	}
	s.quiet = time.Now()
	return s
}

func (s *session) place() protocol.Place {
	return protocol.Place{Repository: protocol.Text(s.dir)}
}

// rest is the pause of somebody who thinks. Nothing may happen meanwhile.
func (s *session) rest() {
	time.Sleep(time.Until(s.quiet.Add(settleTime)))
	before, start := s.cpu(), time.Now()
	s.busyCPU += before - s.lastCPU
	time.Sleep(s.pause + time.Duration(s.rng.Int64N(int64(3*s.pause))))
	after := s.cpu()
	s.idle += time.Since(start)
	s.idleCPU += after - before
	s.lastCPU = after
	select {
	case p := <-s.told:
		s.wrong("told %+v with no change to tell", p)
		s.notices++
	default:
	}
}

// cpu is the processor time of the broker, the master and all workers that run,
// as /proc/PID/stat has it: in hundredths of a second.
func (s *session) cpu() time.Duration {
	ticks := 0
	for _, p := range s.w.processes() {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
		if err != nil {
			continue
		}
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		if f := strings.Fields(string(rest)); len(f) > 12 {
			user, _ := strconv.Atoi(f[11])
			system, _ := strconv.Atoi(f[12])
			ticks += user + system
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func (s *session) wrong(format string, args ...any) {
	s.w.t.Helper()
	s.mistakes++
	s.w.t.Errorf(format, args...)
}

// ask calls a typed method, which must be native.
func (s *session) ask(method string, params, result any) {
	s.w.t.Helper()
	start := time.Now()
	if err := s.c.Call(s.w.context(), method, params, result); err != nil {
		s.w.t.Fatal(err)
	}
	s.slowest[method] = max(s.slowest[method], time.Since(start).Round(100*time.Microsecond))
	s.quiet = time.Now()
}

// same compares an answer with real hg's.
func (s *session) same(what, got, want string) {
	s.w.t.Helper()
	s.answers++
	if got != want {
		s.wrong("%s:\n%s\nreal hg:\n%s", what, got, want)
	}
}

// really asks real hg, in a copy.
func (s *session) really(args ...string) string {
	s.w.t.Helper()
	copied := filepath.Join(s.w.dir, "copy")
	if out, err := exec.Command("cp", "-a", s.dir, copied).CombinedOutput(); err != nil {
		s.w.t.Fatalf("cp: %v: %s", err, out)
	}
	defer os.RemoveAll(copied)
	return s.must(copied, args...)
}

// edit changes the buffer a little.
func (s *session) edit() {
	at := s.rng.IntN(len(s.buffer))
	switch s.rng.IntN(3) {
	case 0:
		s.buffer[at] = fmt.Sprintf("changed to %d\n", s.rng.Int32())
	case 1:
		s.buffer = slices.Insert(s.buffer, at, fmt.Sprintf("inserted %d\n", s.rng.Int32()))
	case 2:
		if len(s.buffer) > 20 {
			s.buffer = slices.Delete(s.buffer, at, at+1)
		}
	}
	s.saved = false
}

// lineDiff is a keystroke: the gutter is drawn anew.
func (s *session) lineDiff() {
	s.edit()
	text := protocol.Text(strings.Join(s.buffer, ""))
	var r protocol.LineDiffResult
	s.ask(protocol.MethodLineDiff, protocol.LineDiffParams{Place: s.place(), URI: edited, Content: &text}, &r)
	// The hunks must make the buffer of what real hg has, and leave the rest alone.
	old := slices.Collect(strings.Lines(s.really("cat", "-r", ".", edited)))
	var built []string
	at := 0
	for _, h := range r.Hunks {
		from, to := h.OldStart-1, h.NewStart-1
		if h.OldLines == 0 {
			from++
		}
		if h.NewLines == 0 {
			to++
		}
		if from < at || from+h.OldLines > len(old) || to+h.NewLines > len(s.buffer) {
			s.wrong("line diff: hunks %+v do not fit", r.Hunks)
			return
		}
		built = append(append(built, old[at:from]...), s.buffer[to:to+h.NewLines]...)
		at = from + h.OldLines
	}
	s.same("line diff", strings.Join(append(built, old[at:]...), ""), string(text))
}

func (s *session) save() {
	if s.saved {
		s.edit()
	}
	s.write(filepath.Join(s.dir, edited), strings.Join(s.buffer, ""))
	s.saved = true
	s.status()
	// Of what is on disk, real hg's own hunks.
	var r protocol.LineDiffResult
	s.ask(protocol.MethodLineDiff, protocol.LineDiffParams{Place: s.place(), URI: edited}, &r)
	var got strings.Builder
	for _, h := range r.Hunks {
		fmt.Fprintf(&got, "%d,%d %d,%d\n", h.OldStart, h.OldLines, h.NewStart, h.NewLines)
	}
	var want strings.Builder
	for _, m := range hunkHead.FindAllStringSubmatch(s.really("diff", "-U0", edited), -1) {
		for i := range m {
			if m[i] == "" {
				m[i] = "1"
			}
		}
		fmt.Fprintf(&want, "%s,%s %s,%s\n", m[1], m[2], m[3], m[4])
	}
	s.same("line diff", got.String(), want.String())
}

var hunkHead = regexp.MustCompile(`(?m)^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@`)

func (s *session) status() {
	var r protocol.StatusResult
	s.ask(protocol.MethodStatus, protocol.StatusParams{Place: s.place()}, &r)
	var got strings.Builder
	for _, f := range r.Files {
		got.WriteString(f.Status + " " + string(f.Path) + "\n")
	}
	s.same("status", got.String(), s.really("status"))
}

func (s *session) annotate() { s.annotated(nil) }

// annotateBuffer annotates what is not saved; real hg can only annotate what is.
func (s *session) annotateBuffer() {
	text := protocol.Text(strings.Join(s.buffer, ""))
	s.annotated(&text)
}

func (s *session) annotated(content *protocol.Text) {
	var r protocol.AnnotateResult
	s.ask(protocol.MethodAnnotate, protocol.AnnotateParams{Place: s.place(), URI: edited, Content: content}, &r)
	var got strings.Builder
	for _, l := range r.Lines {
		node := strings.Repeat("f", 40)
		if l.Commit >= 0 {
			node = r.Commits[l.Commit].Node
		}
		fmt.Fprintf(&got, "%s %d\n", node, l.Line)
	}
	if content != nil {
		on, err := os.ReadFile(filepath.Join(s.dir, edited))
		if err != nil {
			s.w.t.Fatal(err)
		}
		if string(on) != string(*content) {
			// Its file is saved for real hg, in the copy only.
			s.same("annotate of the buffer", got.String(), s.reallyWith(string(*content), "annotate", "-r", "wdir()", "-T", `{lines % "{node} {lineno}\n"}`, edited))
			return
		}
	}
	s.same("annotate", got.String(), s.really("annotate", "-r", "wdir()", "-T", `{lines % "{node} {lineno}\n"}`, edited))
}

// reallyWith asks real hg in a copy in which the buffer is saved.
func (s *session) reallyWith(text string, args ...string) string {
	s.w.t.Helper()
	copied := filepath.Join(s.w.dir, "saved")
	if out, err := exec.Command("cp", "-a", s.dir, copied).CombinedOutput(); err != nil {
		s.w.t.Fatalf("cp: %v: %s", err, out)
	}
	defer os.RemoveAll(copied)
	s.write(filepath.Join(copied, edited), text)
	return s.must(copied, args...)
}

// commit commits in the terminal.
func (s *session) commit() {
	if !s.saved {
		s.write(filepath.Join(s.dir, edited), strings.Join(s.buffer, ""))
		s.saved = true
	}
	if s.really("status", "-m") == "" {
		s.edit()
		s.write(filepath.Join(s.dir, edited), strings.Join(s.buffer, ""))
		s.saved = true
	}
	s.must(s.dir, "commit", "-m", fmt.Sprintf("change %d", s.changes))
	s.node()
	s.changed("commits")
}

// update updates in the terminal, to any changeset but the one that is there.
func (s *session) update() {
	here := s.must(s.dir, "log", "-r", ".", "-T", "{node}")
	others := slices.DeleteFunc(slices.Clone(s.nodes), func(n string) bool { return n == here })
	s.must(s.dir, "update", "-q", "-C", "-r", others[s.rng.IntN(len(others))])
	text, err := os.ReadFile(filepath.Join(s.dir, edited))
	if err != nil {
		s.w.t.Fatal(err)
	}
	s.buffer, s.saved = slices.Collect(strings.Lines(string(text))), true // the editor loads it again
	s.changed("state")
}

func (s *session) node() { s.nodes = append(s.nodes, s.must(s.dir, "log", "-r", ".", "-T", "{node}")) }

// changed waits for the one notification, and asks what an editor asks then.
func (s *session) changed(kind string) {
	s.w.t.Helper()
	s.changes++
	select {
	case p := <-s.told:
		s.notices++
		if string(p.Root) != s.dir || !slices.Contains(p.Kinds, kind) {
			s.wrong("told %+v of a change of %s", p, kind)
		}
	case <-time.After(patience):
		s.w.t.Fatal("not told")
	}
	var state protocol.StateResult
	s.ask(protocol.MethodState, protocol.StateParams{Place: s.place()}, &state)
	got := string(state.Branch)
	for _, p := range state.Parents {
		got += " " + p.Node + " " + string(p.Desc)
	}
	s.same("state", got, s.really("log", "-r", ".", "-T", "{branch} {node} {desc}"))
	var log protocol.LogResult
	s.ask(protocol.MethodLog, protocol.LogParams{Place: s.place(), Limit: 5}, &log)
	got = ""
	for _, c := range log.Commits {
		got += c.Node + " " + string(c.Desc) + "\n"
	}
	s.same("log", got, s.really("log", "-l", "5", "-T", `{node} {desc}\n`))
	s.status()
}
