// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// shell is a repository's directory in which real hg answers.
type shell struct{ *hgtest.Shell }

// crashed is what run returns as stderr when hg ended with a Python traceback,
// which some expressions make it do.
const crashed = "crashed"

func startHg(t testing.TB, dir string) *shell {
	t.Helper()
	return &shell{hgtest.NewShell(t, hgtest.Hg(t), dir, "HGUSER=test")}
}

// initHg is startHg in a new repository.
func initHg(t testing.TB, dir string) *shell {
	t.Helper()
	s := startHg(t, dir)
	s.Must(t, "init")
	return s
}

// run runs one command and returns its stdout and stderr.
func (s *shell) run(t testing.TB, args ...string) (stdout, stderr string) {
	t.Helper()
	stdout, stderr, _ = s.Run(t, args...)
	if hgtest.Crashed(stderr) {
		return "", crashed
	}
	return stdout, stderr
}
