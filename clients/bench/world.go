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

// errOther is the answer of a contender that knows no such question.
var errOther = errors.New("knows no such question")

// Some contenders can say more.
type (
	// server says how its last answer was served.
	server interface{ served() string }
	// accountable says what CPU time it used so far, by its parts.
	accountable interface {
		cpu() (map[string]time.Duration, error)
	}
	// expecting is told what the others answered.
	expecting interface{ expect(text string) error }
)

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
	twin    string // the same history in git, "" without it
	hg      string // the real one, "" without it
	env     []string
	without []string
	entries []entry
}

// starts are all contenders, in the order of the table.
var starts = []struct {
	name  string
	start func(*world) (contender, error)
}{
	{"stdio", startStdio}, {"channel", startChannel}, {"drop-in", startDropIn}, {"cold", startCold},
	{"hg", startHg}, {"chg", startChg}, {"chg-cache", startChgCache}, {"hglib", startHglib}, {"rhg", startRhg}, {"git", startGit},
	{"socketpair", startSocketpair}, {"print", startPrinter}, {"walk", startWalk},
}

// below is a world for another part of the run, where nothing is started yet.
func (w *world) below(name string) (*world, error) {
	b := *w
	b.temp, b.entries, b.notes = filepath.Join(w.temp, name), nil, io.Discard
	return &b, os.Mkdir(b.temp, 0o700)
}

// enter starts the contenders that this machine has, or those of them that are
// named.
func (w *world) enter(names ...string) error {
	for _, s := range starts {
		if slices.Contains(w.without, s.name) || len(names) > 0 && !slices.Contains(names, s.name) {
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

// leave ends all contenders.
func (w *world) leave() error {
	var errs []error
	for _, e := range slices.Backward(w.entries) {
		if err := e.close(); err != nil {
			errs = append(errs, fmt.Errorf("end %s: %w", e.name, err))
		}
	}
	w.entries = nil
	return errors.Join(errs...)
}

// close ends all contenders, and waits until none of our executables runs.
func (w *world) close() error {
	err := w.leave()
	ours := func(link string) bool {
		to, _ := os.Readlink(link)
		return strings.HasPrefix(to, w.bin+"/")
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		links, _ := filepath.Glob("/proc/[0-9]*/exe")
		left := slices.DeleteFunc(links, func(l string) bool { return !ours(l) })
		if len(left) == 0 {
			return err
		}
		if time.Now().After(end) {
			return errors.Join(err, fmt.Errorf("still running: %s", strings.Join(left, " ")))
		}
	}
}

// command prepares a process in the repository.
func (w *world) command(program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.ctx, program, args...)
	cmd.Dir, cmd.Env = w.repo, w.env
	return cmd
}
