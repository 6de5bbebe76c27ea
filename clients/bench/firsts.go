// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// The moments when nobody is warm: the first command of all, those right after
// it, and the first one after a commit that somebody else made.

// typical is the command line that Mercurial's own cache was measured with.
var typical = []string{"log", "-G", "-l10"}

// persistent are the contenders that keep something, and hg, which does not.
var persistent = []string{"stdio", "drop-in", "hg", "chg", "chg-cache", "hglib"}

// following is how many commands are sent right after the first.
const following = 10

// first is what one contender needed from nothing on.
type first struct {
	Contender string `json:"contender"`
	First     times  `json:"first"` // with the start of whatever stays
	Next      times  `json:"next"`  // of the ones after it

	Places []float64 `json:"placesUs"` // the median of the ones right after the first, of the second ones after it...
	Warm   int       `json:"warm"`     // how many of those found everything ready
	Of     int       `json:"of"`
}

// firsts starts every contender anew and asks it the first command and ten more
// back to back. One is warm if it took at most a quarter of the first, and if the
// contender, where it says anything, says so too.
func (w *world) firsts(p pace) ([]first, error) {
	var all []first
	for _, name := range persistent {
		var begun []time.Duration
		var next [][]time.Duration // by repeat
		f := first{Contender: name}
		for i, since := 0, time.Now(); i == 0 || i < p.repeats() && time.Since(since) < 2*p.budget; i++ {
			b, err := w.below(fmt.Sprintf("first-%s-%d", name, i))
			if err != nil {
				return nil, err
			}
			start := time.Now()
			err = b.enter(name)
			if err != nil || len(b.entries) == 0 {
				if err = errors.Join(err, b.leave()); err != nil {
					return nil, err
				}
				break // not here
			}
			took, more, err := b.first(&f, start)
			begun, next = append(begun, took), append(next, more)
			if err = errors.Join(err, b.leave()); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if len(begun) > 0 {
			f.First, f.Next = summary(begun), summary(slices.Concat(next...))
			for place := range next[0] {
				var there []time.Duration
				for _, n := range next {
					there = append(there, n[place])
				}
				f.Places = append(f.Places, summary(there).P50)
			}
			all = append(all, f)
		}
	}
	fmt.Fprintf(w.notes, "measured first commands\n")
	return all, nil
}

// repeats is how often a moment is made, if the budget lasts.
func (p pace) repeats() int { return min(5, p.rounds) }

// commits is how many commits are made for each contender, if the budget lasts: hg
// takes a second for one where there are many markers.
func (p pace) commits() int { return min(20, p.rounds) }

// pauseBefore is how long nobody asks anything before what comes after a pause: as
// long as the end of hg commit takes, when it has written all.
const pauseBefore = 100 * time.Millisecond

// fewCommits are enough for a contender that takes long to answer.
const fewCommits = 3

// first asks the one contender of a world.
func (w *world) first(f *first, start time.Time) (begun time.Duration, next []time.Duration, err error) {
	e := w.entries[0]
	if _, _, err = e.ask(typical); err != nil {
		return 0, nil, err
	}
	begun = time.Since(start)
	more := following
	if stateless(e) {
		more = 1
	}
	for range more {
		_, took, err := e.ask(typical)
		if err != nil {
			return begun, nil, err
		}
		next = append(next, took)
		warm := took <= begun/4
		if s, ok := e.contender.(server); ok {
			warm = warm && s.served() == "warm"
		}
		if warm {
			f.Warm++
		}
		f.Of++
	}
	return begun, next, nil
}

// stateless tells that a contender keeps nothing, so that asking it ten times
// more shows nothing.
func stateless(e entry) bool {
	_, ok := e.contender.(*process)
	return ok
}

// after is what one contender needed for its first answer after a commit.
type after struct {
	Contender string `json:"contender"`
	After     times  `json:"after"`
	Warm      times  `json:"warm"`  // the same line once more
	Pause     times  `json:"pause"` // and after a pause, in which nothing happened
}

// committed matches what hg commit --debug says last.
var committed = regexp.MustCompile(`committed changeset \d+:([0-9a-f]{40})`)

// afterCommit has hg commit to a copy of the repository's .hg, again and again,
// and each time asks one contender for the newest changeset at once.
func (w *world) afterCommit(p pace) ([]after, error) {
	b, err := w.below("commit")
	if err != nil {
		return nil, err
	}
	b.repo = filepath.Join(b.temp, "repo")
	if err := os.Mkdir(b.repo, 0o700); err != nil {
		return nil, err
	}
	if text, err := exec.CommandContext(w.ctx, "cp", "-a", filepath.Join(w.repo, ".hg"), b.repo).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy the repository: %w: %s", err, text)
	}
	defer os.RemoveAll(b.repo)
	if err := b.enter(persistent...); err != nil {
		return nil, errors.Join(err, b.leave())
	}
	all, err := b.commits(p)
	if err = errors.Join(err, b.leave()); err != nil {
		return nil, err
	}
	fmt.Fprintf(w.notes, "measured after commits\n")
	return all, nil
}

func (w *world) commits(p pace) ([]after, error) {
	line := []string{"log", "-l1", "-T", "{node}"}
	first, again, paused := map[string][]time.Duration{}, map[string][]time.Duration{}, map[string][]time.Duration{}
	for _, e := range w.entries {
		if _, _, err := e.ask(line); err != nil {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
	}
	spent := map[string]time.Duration{}
	for i, since := 0, time.Now(); i == 0 || i < p.commits() && time.Since(since) < 12*p.budget; i++ {
		for _, e := range w.entries {
			if i >= fewCommits && spent[e.name] > p.budget/2 {
				continue // it is slow, and not for chance
			}
			name := fmt.Sprintf("bench-%s-%d", e.name, i)
			if err := os.WriteFile(filepath.Join(w.repo, name), []byte(name+"\n"), 0o600); err != nil {
				return nil, err
			}
			text, err := w.command(w.hg, "commit", "--debug", "-A", "-u", "bench", "-m", name, name).CombinedOutput()
			if err != nil {
				return nil, fmt.Errorf("hg commit: %w: %s", err, text)
			}
			m := committed.FindSubmatch(text)
			if m == nil {
				return nil, fmt.Errorf("hg commit said: %s", text)
			}
			got, took, err := e.ask(line)
			if err == nil && string(got) != string(m[1]) {
				err = fmt.Errorf("after the commit of %s the newest changeset is %q", m[1], got)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
			first[e.name] = append(first[e.name], took)
			spent[e.name] += took
			for range 5 {
				_, took, err := e.ask(line)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", e.name, err)
				}
				if again[e.name] = append(again[e.name], took); took > p.budget/10 {
					break
				}
			}
			time.Sleep(pauseBefore)
			if _, took, err = e.ask(line); err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
			paused[e.name] = append(paused[e.name], took)
		}
	}
	var all []after
	for _, e := range w.entries {
		if slices.Contains(persistent, e.name) && len(first[e.name]) > 0 {
			all = append(all, after{e.name, summary(first[e.name]), summary(again[e.name]), summary(paused[e.name])})
		}
	}
	return all, nil
}
