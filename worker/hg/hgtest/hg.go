// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Version is one installed real Mercurial.
type Version struct {
	Path   string // of its hg
	Number string // such as "6.3.2"
}

// BaseEnv is the environment that every reference command runs in: no
// configuration but the repository's own, UTF-8, UTC. Extra entries follow it.
func BaseEnv(extra ...string) []string {
	env := []string{
		"HGRCPATH=",
		"LANG=C.UTF-8",
		"LC_ALL=C.UTF-8",
		"TZ=UTC",
		"HOME=/nonexistent",
		"PATH=" + os.Getenv("PATH"),
	}
	return append(env, extra...)
}

// Hg returns the path of a real hg: HGBROKER_TEST_HG, or the first hg on
// PATH. Without one the test is skipped.
func Hg(t testing.TB) string {
	t.Helper()
	path, err := FindHg()
	if err != nil {
		t.Skipf("needs a real hg to compare with: %v (set HGBROKER_TEST_HG to one)", err)
	}
	return path
}

// FindHg is Hg for a program that is no test. On PATH it passes over what is
// called hg but is not Mercurial, such as our own client.
func FindHg() (string, error) {
	if path := os.Getenv("HGBROKER_TEST_HG"); path != "" {
		_, err := HgNumber(path)
		return path, err
	}
	failed := exec.ErrNotFound
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, "hg")
		if fi, err := os.Stat(path); err != nil || fi.IsDir() || !filepath.IsAbs(path) {
			continue
		}
		_, err := HgNumber(path)
		if err == nil {
			return path, nil
		}
		failed = err
	}
	return "", fmt.Errorf("find hg on PATH: %w", failed)
}

// HgVersions lists the real hgs to compare with: Hg's, and the one that
// HGBROKER_TEST_HG72 (a path) or HGBROKER_TEST_VENV (a virtual environment)
// name. Without any the test is skipped.
func HgVersions(t testing.TB) []Version {
	t.Helper()
	list := []Version{version(t, Hg(t))}
	second := os.Getenv("HGBROKER_TEST_HG72")
	if venv := os.Getenv("HGBROKER_TEST_VENV"); second == "" && venv != "" {
		second = filepath.Join(venv, "bin", "hg")
	}
	if second != "" {
		list = append(list, version(t, second))
	}
	return list
}

func version(t testing.TB, path string) Version {
	t.Helper()
	number, err := HgNumber(path)
	if err != nil {
		t.Fatal(err)
	}
	return Version{path, number}
}

var (
	numbers     sync.Map // path -> string
	versionLine = regexp.MustCompile(`^Mercurial Distributed SCM \(version (\d[^)]*)\)`)
)

// HgNumber asks the hg at path for its version number, and refuses whatever
// does not look like Mercurial in Python: its debuginstall must name a Python
// interpreter, which no imitation has.
func HgNumber(path string) (string, error) {
	if n, ok := numbers.Load(path); ok {
		return n.(string), nil
	}
	out, err := output(path, "version", "-q")
	if err != nil {
		return "", err
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s version: not Mercurial: %.80q", path, out)
	}
	if _, err := HgPython(path); err != nil {
		return "", err
	}
	numbers.Store(path, string(m[1]))
	return string(m[1]), nil
}

var pythons sync.Map // path of hg -> path of its interpreter

// HgPython returns the Python interpreter that the hg at path runs in, which
// is the one that can import its Mercurial.
func HgPython(path string) (string, error) {
	if p, ok := pythons.Load(path); ok {
		return p.(string), nil
	}
	// debuginstall exits 1 on a problem such as a missing editor.
	out, err := output(path, "debuginstall", "-T", "{pythonexe}\n{pythonver}\n{hgmodules}\n")
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", err
	}
	lines := strings.Split(string(out), "\n")
	if len(lines) < 3 || !filepath.IsAbs(lines[0]) || lines[2] == "" {
		return "", fmt.Errorf("%s debuginstall: no Python behind it: %.80q", path, out)
	}
	pythons.Store(path, lines[0])
	return lines[0], nil
}

func output(path string, args ...string) ([]byte, error) {
	cmd := exec.Command(path, args...)
	cmd.Env = BaseEnv("HGPLAIN=1")
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w", path, strings.Join(args, " "), err)
	}
	return out, err
}
