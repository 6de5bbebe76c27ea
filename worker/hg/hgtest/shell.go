// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import "testing"

// Shell is where a test types its commands: a directory and an environment in
// which a real hg runs.
type Shell struct {
	Hg  Runner
	Dir string
	Env []string // the whole of it
}

// NewShell returns a Shell in dir, over command servers of the hg at path that
// end with the test, in BaseEnv with extra entries.
func NewShell(t testing.TB, path, dir string, extra ...string) *Shell {
	t.Helper()
	return &Shell{NewReal(t, path), dir, BaseEnv(extra...)}
}

// Run runs a command and returns what it prints and its exit code. Only an hg
// that could not be run fails the test.
func (s *Shell) Run(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	out, errs, code, _, err := s.Hg.Run(s.Dir, args, s.Env)
	if err != nil {
		t.Fatalf("hg %q: %v", args, err)
	}
	return string(out), string(errs), code
}

// Must runs a command that has to succeed and returns what it prints.
func (s *Shell) Must(t testing.TB, args ...string) string {
	t.Helper()
	out, stderr, code := s.Run(t, args...)
	if code != 0 {
		t.Fatalf("hg %q: exit code %d\n%s", args, code, stderr)
	}
	return out
}

// Crashed tells whether stderr is that of an hg that died of an exception it
// did not expect.
func Crashed(stderr string) bool { return isCrash([]byte(stderr)) }
