// SPDX-License-Identifier: GPL-2.0-or-later

// Package python_test runs the Python package's own tests, which are unittest's,
// against a broker built from this tree.
package python_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// envPython names another interpreter than python3.
const envPython = "HGBROKER_TEST_PYTHON"

var ran = regexp.MustCompile(`(?m)^Ran ([1-9][0-9]*) tests? in `)

func TestPython(t *testing.T) {
	python := os.Getenv(envPython)
	if python == "" {
		python = "python3"
	}
	python, err := exec.LookPath(python)
	if err != nil {
		t.Skipf("no Python (%s, or python3 on PATH)", envPython)
	}
	if exec.Command(python, "-c", "import sys; sys.exit(sys.version_info < (3, 9))").Run() != nil {
		t.Skipf("%s is older than Python 3.9", python)
	}
	exe := filepath.Join(t.TempDir(), "hgbroker")
	build := exec.Command("go", "build", "-o", exe, "../../broker/hgbroker")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build hgbroker: %v\n%s", err, out)
	}
	cmd := exec.Command(python, "-W", "error::ResourceWarning", "-m", "unittest", "-v")
	cmd.Env = append(os.Environ(), "HGBROKER_TEST_EXE="+exe, "PYTHONDONTWRITEBYTECODE=1", "PYTHONASYNCIODEBUG=0")
	if testing.Short() {
		cmd.Env = append(cmd.Env, "HGBROKER_TEST_HG="+os.DevNull) // no hg: its starts are most of the time
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !ran.Match(out) {
		t.Fatalf("no test was run\n%s", out)
	}
	t.Logf("%s", bytes.TrimSpace(out))
}
