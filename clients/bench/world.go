// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// contender is one way to ask a command line.
type contender interface {
	// ask asks once. took is the time that counts: what it takes to get
	// ready, where that is not part of the question, is left out.
	ask(args []string) (stdout []byte, took time.Duration, err error)
	// close ends what was started for it, and waits for that.
	close() error
}

// bare is a contender that is no way to ask hg anything.
type bare interface{ bare() }

// entry is a contender with its name.
type entry struct {
	name string
	contender
}

// world is what the contenders have in common.
type world struct {
	ctx     context.Context
	notes   io.Writer
	temp    string
	bin     string // hgbroker and the drop-in hg
	repo    string
	hg      string // the real one, "" without it
	env     []string
	entries []entry
}

// enter starts the contenders that this machine has.
func (w *world) enter(without []string) error {
	starts := []struct {
		name  string
		start func(*world) (contender, error)
	}{
		{"stdio", startStdio}, {"channel", startChannel}, {"drop-in", startDropIn}, {"cold", startCold}, {"hg", startHg}, {"chg", startChg},
		{"hglib", startHglib}, {"socketpair", startSocketpair},
	}
	for _, s := range starts {
		if slices.Contains(without, s.name) {
			continue
		}
		c, err := s.start(w)
		var absent *absentError
		if errors.As(err, &absent) {
			fmt.Fprintf(w.notes, "without %s: %v\n", s.name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("start %s: %w", s.name, err)
		}
		w.entries = append(w.entries, entry{s.name, c})
	}
	return nil
}

// absentError says that a contender is not installed.
type absentError struct{ what string }

func (e *absentError) Error() string { return e.what }

func absent(format string, args ...any) error { return &absentError{fmt.Sprintf(format, args...)} }

// close ends all contenders, and waits until none of our executables runs.
func (w *world) close() error {
	var errs []error
	for _, e := range slices.Backward(w.entries) {
		if err := e.close(); err != nil {
			errs = append(errs, fmt.Errorf("end %s: %w", e.name, err))
		}
	}
	ours := func(link string) bool {
		to, _ := os.Readlink(link)
		return strings.HasPrefix(to, w.bin+"/")
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		links, _ := filepath.Glob("/proc/[0-9]*/exe")
		left := slices.DeleteFunc(links, func(l string) bool { return !ours(l) })
		if len(left) == 0 {
			break
		}
		if time.Now().After(end) {
			errs = append(errs, fmt.Errorf("still running: %s", strings.Join(left, " ")))
			break
		}
	}
	return errors.Join(errs...)
}

// command prepares a process in the repository.
func (w *world) command(program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.ctx, program, args...)
	cmd.Dir, cmd.Env = w.repo, w.env
	return cmd
}

// questions are the usual command lines, with a file that the repository has.
func (w *world) questions() ([][]string, error) {
	lines := [][]string{
		{"root"}, // the emptiest one: the path's own cost
		{"log", "-r", ".", "-T", "{node}"}, {"log", "-l10"}, {"log", "-G", "-l10"}, {"log", "-l50", "-Tjson"},
		{"status"}, {"identify"}, {"branches"}, {"heads"}, {"tags"}, {"bookmarks"},
	}
	for _, e := range w.entries {
		if _, ok := e.contender.(bare); ok {
			continue
		}
		text, _, err := e.ask([]string{"files", "-r", "tip"})
		if err != nil {
			return nil, err
		}
		if file, _, _ := strings.Cut(string(text), "\n"); file != "" {
			lines = append(lines, []string{"cat", "-r", "tip", file})
		}
		break
	}
	return lines, nil
}

// most is how many times a contender is asked in one turn at most.
const most = 50

// measure asks every contender every line, turn by turn.
func (w *world) measure(lines [][]string, rounds int, slice time.Duration) (*result, error) {
	res := &result{Repository: w.repo, Rounds: rounds}
	for _, e := range w.entries {
		res.Contenders = append(res.Contenders, e.name)
	}
	for _, line := range lines {
		samples, remarks, err := w.contest(line, rounds, slice)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(line, " "), err)
		}
		r := row{Command: strings.Join(line, " "), Times: map[string]times{}, Remarks: remarks}
		for i, s := range samples {
			if len(s) > 0 {
				r.Times[w.entries[i].name] = summary(s)
			}
		}
		res.Rows = append(res.Rows, r)
		fmt.Fprintf(w.notes, "measured %s\n", r.Command)
	}
	return res, nil
}

// contest measures one line. Each contender first answers once beside the
// measurement; one that cannot, is left out with a remark.
func (w *world) contest(line []string, rounds int, slice time.Duration) (samples [][]time.Duration, remarks []string, err error) {
	samples = make([][]time.Duration, len(w.entries))
	answers := map[string][]byte{}
	able := make([]bool, len(w.entries))
	for i, e := range w.entries {
		text, _, err := e.ask(line)
		if err != nil {
			remarks = append(remarks, fmt.Sprintf("%s: %v", e.name, err))
			continue
		}
		able[i] = true
		if _, ok := e.contender.(bare); !ok {
			answers[e.name] = text
		}
	}
	if want, ok := answers["hg"]; ok {
		for _, e := range w.entries {
			if got, ok := answers[e.name]; ok && string(got) != string(want) {
				remarks = append(remarks, e.name+" answers differently from hg")
			}
		}
	}
	for round := range rounds {
		for k := range w.entries {
			i := (k + round) % len(w.entries)
			if !able[i] {
				continue
			}
			if err := w.ctx.Err(); err != nil {
				return nil, nil, err
			}
			spent := time.Duration(0)
			for n := 0; n == 0 || spent < slice && n < most; n++ {
				_, took, err := w.entries[i].ask(line)
				if err != nil {
					return nil, nil, fmt.Errorf("%s: %w", w.entries[i].name, err)
				}
				spent += took
				samples[i] = append(samples[i], took)
			}
		}
	}
	return samples, remarks, nil
}
