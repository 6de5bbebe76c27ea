// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
)

// answer is what one command line came to.
type answer struct {
	stdout, stderr []byte
	code           int
	err            error
}

// Compare runs cmds in the repository at dir (an absolute path) with every
// runner and reports each command line whose stdout, stderr or exit code is
// not the same in all of them. The last runner is the reference.
//
// Each runner runs the whole list before the next one starts, the reference
// last: real hg writes into a repository that it reads (caches, and the
// dirstate after a status), and that must not help those under test. A runner
// before the reference that changes anything under dir/.hg is an error.
func Compare(t testing.TB, y *Tally, dir string, cmds []Command, runners ...Named) {
	t.Helper()
	if len(runners) < 2 {
		t.Fatalf("hgtest.Compare: %d runners, needs at least 2", len(runners))
	}
	if len(cmds) == 0 {
		t.Fatalf("hgtest.Compare: no command lines for %s", dir)
	}
	y.repository()
	answers := make([][]answer, len(runners))
	for i, r := range runners {
		if i == len(runners)-1 || realHg(r) {
			answers[i] = runAll(r, dir, cmds)
			continue
		}
		before := metadata(dir)
		answers[i] = runAll(r, dir, cmds)
		if before != metadata(dir) {
			t.Errorf("%s wrote into %s/.hg; a read command must not", r.Name, dir)
		}
	}
	last := len(runners) - 1
	for n, c := range cmds {
		want := answers[last][n]
		if want.err != nil {
			t.Errorf("%s in %s: the reference %s failed: %v", c, dir, runners[last].Name, want.err)
			continue
		}
		want.stderr = uncrash(want.stderr)
		for i := range last {
			if got := answers[i][n]; got.err == nil && !got.same(want) && got.same(fresh(runners[last].Runner, dir, c)) {
				y.same(c)
				continue
			}
			judge(t, y, dir, c, runners[i].Name, answers[i][n], runners[last].Name, want, isCrash(want.stderr), func() Command {
				return shrink(dir, c, runners[i], runners[last].Runner)
			})
		}
	}
}

func (a answer) same(b answer) bool {
	return a.err == nil && b.err == nil && a.code == b.code && bytes.Equal(a.stdout, b.stdout) && bytes.Equal(a.stderr, b.stderr)
}

// fresh asks a new process of a reference that is hg's command server, which
// remembers some of what it was asked before: that it has warned, for example.
func fresh(reference Runner, dir string, c Command) answer {
	real, ok := reference.(*Real)
	if !ok {
		return answer{err: errors.ErrUnsupported}
	}
	a := runAll(Named{"hg", CLI(real.hg)}, dir, []Command{c})[0]
	a.stderr = uncrash(a.stderr)
	return a
}

// CompareGoldens runs the goldens of the recorded repository name, which must
// lie freshly extracted at dir, with r and reports each that came out
// differently. version selects the Mercurial whose output counts.
func CompareGoldens(t testing.TB, y *Tally, name, version, dir string, r Named) {
	t.Helper()
	y.repository()
	for g := range Goldens(t, name, version) {
		g = g.Expand(dir)
		got := runAll(r, dir, []Command{g.Command})[0]
		judge(t, y, dir, g.Command, r.Name, got, "hg "+version, answer{g.Stdout, g.Stderr, g.Code, nil}, g.Crash, nil)
	}
}

// metadata is the fingerprint of the repository at dir, and of the one that
// Generate made beside it to be shared.
func metadata(dir string) string {
	return fingerprint(filepath.Join(dir, ".hg")) + fingerprint(filepath.Join(dir+"-source", ".hg"))
}

func realHg(r Named) bool {
	switch r.Runner.(type) {
	case *Real:
		return true
	case CLI:
		_, err := HgNumber(string(r.Runner.(CLI)))
		return err == nil
	}
	return false
}

func runAll(r Named, dir string, cmds []Command) []answer {
	answers := make([]answer, len(cmds))
	for n, c := range cmds {
		a := &answers[n]
		a.stdout, a.stderr, a.code, _, a.err = r.Run(filepath.Join(dir, c.Sub), c.Args, BaseEnv(c.Env...))
	}
	return answers
}

// judge compares one answer with the reference's. Where real hg crashed, only
// the exit code (255 or 1, as any failure) says something: the answer must be
// a failure too, or Unsupported. shorter finds a shorter line that differs; it
// may be nil.
func judge(t testing.TB, y *Tally, dir string, c Command, name string, got answer, refname string, want answer, crash bool, shorter func() Command) {
	t.Helper()
	var unsupported *hgerr.Unsupported
	switch {
	case errors.As(got.err, &unsupported):
		if len(got.stdout)+len(got.stderr) > 0 {
			y.different(t, c, fmt.Sprintf("%s in %s: %s printed %q and then said %v", c, dir, name, got.stdout, got.err))
			return
		}
		y.unsupported(t, dir, c, unsupported.What)
	case crash:
		if got.err == nil && got.code == 0 {
			y.different(t, c, fmt.Sprintf("%s in %s: %s succeeded where %s crashes; it printed\n%s", c, dir, name, refname, got.stdout))
			return
		}
		y.same(c)
	case got.err != nil:
		y.different(t, c, fmt.Sprintf("%s in %s: %s failed: %v", c, dir, name, got.err))
	case got.code != want.code || !bytes.Equal(got.stdout, want.stdout) || !bytes.Equal(got.stderr, want.stderr):
		var b strings.Builder
		fmt.Fprintf(&b, "%s\n  in %s: %s (-) is not %s (+)\n", c, dir, name, refname)
		if got.code != want.code {
			fmt.Fprintf(&b, "exit code: - %d, + %d\n", got.code, want.code)
		}
		diff(&b, "stdout", got.stdout, want.stdout)
		diff(&b, "stderr", got.stderr, want.stderr)
		if shorter != nil && y.prints() {
			fmt.Fprintf(&b, "shorter: %s\n", shorter())
		}
		y.different(t, c, b.String())
	default:
		y.same(c)
	}
}

// isCrash reports whether stderr is that of a Mercurial that died of an
// exception it did not expect.
func isCrash(stderr []byte) bool {
	return bytes.Contains(stderr, []byte("Traceback (most recent call last)")) ||
		bytes.HasPrefix(stderr, []byte("** "))
}

// uncrash reduces the stderr of such a death, which is full of the machine's
// paths, to its first line.
func uncrash(stderr []byte) []byte {
	if !isCrash(stderr) {
		return stderr
	}
	return []byte("Traceback (most recent call last):\n")
}
