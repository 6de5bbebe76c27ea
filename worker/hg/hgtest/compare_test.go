// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
)

// witness is a testing.TB that remembers what it was told.
type witness struct {
	testing.TB
	failed   bool
	said     strings.Builder
	cleanups []func()
}

func (w *witness) Helper()           {}
func (w *witness) Skipped() bool     { return false }
func (w *witness) Cleanup(f func())  { w.cleanups = append(w.cleanups, f) }
func (w *witness) Fail()             { w.failed = true }
func (w *witness) Error(args ...any) { w.Errorf("%s", fmt.Sprint(args...)) }
func (w *witness) Logf(format string, args ...any) {
	fmt.Fprintf(&w.said, format+"\n", args...)
}
func (w *witness) Errorf(format string, args ...any) {
	w.failed = true
	w.Logf(format, args...)
}
func (w *witness) end() {
	for _, f := range w.cleanups {
		f()
	}
}

func says(stdout string, code int, err error) Runner {
	return RunnerFunc(func(string, []string, []string) ([]byte, []byte, int, bool, error) {
		return []byte(stdout), nil, code, true, err
	})
}

func TestTallyOfNothingFails(t *testing.T) {
	t.Parallel()
	w := &witness{TB: t}
	NewTally(w)
	w.end()
	if !w.failed {
		t.Error("a test that compared nothing passed")
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	writer := RunnerFunc(func(dir string, _, _ []string) ([]byte, []byte, int, bool, error) {
		os.WriteFile(filepath.Join(dir, ".hg/written"), nil, 0o644)
		return []byte("same\n"), nil, 0, true, nil
	})
	reference := says("same\n", 0, nil)
	for _, c := range []struct {
		name   string
		runner Runner
		fails  bool
		says   string
	}{
		{"the same", says("same\n", 0, nil), false, "total               1         0           0"},
		{"other output", says("sum\n", 0, nil), true, "stdout differs at line 1"},
		{"other code", says("same\n", 1, nil), true, "exit code: - 1, + 0"},
		{"an error", says("", 0, os.ErrClosed), true, "file already closed"},
		{"unsupported", says("", 0, hgerr.NewUnsupported("tides")), true, "not native: tides"}, // for nothing was compared
		{"unsupported too late", says("sa", 0, hgerr.NewUnsupported("tides")), true, "printed \"sa\""},
		{"writes", writer, true, "wrote into"},
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, ".hg"), 0o755); err != nil {
			t.Fatal(err)
		}
		w := &witness{TB: t}
		Compare(w, NewTally(w), dir, []Command{{Args: []string{"log"}}}, Named{"tested", c.runner}, Named{"hg", reference})
		w.end()
		if w.failed != c.fails || !strings.Contains(w.said.String(), c.says) {
			t.Errorf("%s: failed is %v, it said:\n%s", c.name, w.failed, w.said.String())
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add(`cd 'a b' && X=1 hg log -T "{rev}\n" $'\xff\n' \' ''`)
	f.Add(`hg`)
	f.Add(`hg "`)
	f.Add(`' '= hg`)
	f.Fuzz(func(t *testing.T, line string) {
		c, err := ParseCommand(line)
		if err != nil {
			return
		}
		back, err := ParseCommand(c.String())
		if err != nil || back.String() != c.String() || strings.Join(back.Args, "\x00") != strings.Join(c.Args, "\x00") {
			t.Fatalf("%q became %s and then %s, %v", line, c, back, err)
		}
	})
}
