// SPDX-License-Identifier: GPL-2.0-or-later

package neovim_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgtest"
)

// patience bounds all scenarios together.
const patience = 3 * time.Minute

// repositories are those that the scenarios use.
var repositories = []string{"linear", "bookmarks-tags", "merging", "names"}

// TestNeovim runs test/scenarios.lua in a headless Neovim, with the broker built
// from this tree on PATH. Each of its lines "ok NAME" or "not ok NAME: WHY" is a
// test here.
func TestNeovim(t *testing.T) {
	nvim, err := exec.LookPath("nvim")
	if err != nil {
		t.Skip("no Neovim: nvim is not on PATH")
	}
	// Not t.TempDir, whose path may be too long for a socket.
	base, err := os.MkdirTemp("", "hgb")
	if err != nil {
		t.Fatal(err)
	}
	if base, err = filepath.EvalSymlinks(base); err != nil {
		t.Fatal(err)
	}
	bin, runtime, repos := filepath.Join(base, "bin"), filepath.Join(base, "rt"), filepath.Join(base, "repos")
	for _, dir := range []string{bin, runtime, repos} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", bin+string(filepath.Separator), "../../broker/hgbroker")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the broker: %v\n%s", err, out)
	}
	env := []string{"HGRCPATH=", "HGUSER=test", "LC_ALL=C.UTF-8", "HOME=" + base, "TMPDIR=" + base,
		"HGBROKER_RUNTIME_DIR=" + runtime, "HGBROKER_TEST_TREE=" + tree, "HGBROKER_TEST_REPOS=" + repos,
		"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH")}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "HG") && !strings.HasPrefix(name, "XDG_") && !strings.HasPrefix(name, "NVIM") && name != "VIMRUNTIME" {
			env = append([]string{kv}, env...)
		}
	}
	t.Cleanup(func() {
		stop := exec.Command(filepath.Join(bin, "hgbroker"), "stop")
		stop.Env = env
		_ = stop.Run()
		os.RemoveAll(base)
	})
	for _, name := range repositories {
		if err := os.Rename(hgtest.Extract(t, name), filepath.Join(repos, name)); err != nil {
			t.Fatal(err)
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out []byte
	for range 2 {
		cmd := exec.CommandContext(ctx, nvim, "--headless", "-n", "-i", "NONE", "-u", filepath.Join(tree, "test", "init.lua"))
		cmd.Env, cmd.Dir = env, base
		if out, err = cmd.CombinedOutput(); !bytes.Contains(out, []byte("not ok ")) {
			break
		}
		// Some scenarios are about time, and a loaded machine has none: what fails
		// twice is wrong.
		t.Logf("once more, after\n%s", bytes.TrimSpace(out))
	}
	passed, failed := 0, 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "ok "); ok {
			passed++
			t.Run(name, func(*testing.T) {})
		} else if rest, ok := strings.CutPrefix(line, "not ok "); ok {
			failed++
			name, why, _ := strings.Cut(rest, ": ")
			t.Run(name, func(t *testing.T) { t.Error(strings.ReplaceAll(why, " | ", "\n")) })
		}
	}
	if err != nil || passed == 0 {
		t.Errorf("Neovim: %v, %d scenarios passed\n%s", err, passed, bytes.TrimSpace(out))
	}
	left, err := filepath.Glob(filepath.Join(repos, "*", ".hg", "*lock"))
	if err != nil || len(left) > 0 {
		t.Errorf("locks were left behind: %q, %v", left, err)
	}
	t.Logf("%s: %d scenarios passed, %d failed", strings.SplitN(version(nvim), "\n", 2)[0], passed, failed)
}

func version(nvim string) string {
	out, _ := exec.Command(nvim, "--version").Output()
	return string(out)
}

// TestLuacheck holds the Lua files against luacheck, where that is installed.
func TestLuacheck(t *testing.T) {
	luacheck, err := exec.LookPath("luacheck")
	if err != nil {
		t.Skip("no luacheck on PATH")
	}
	if out, err := exec.Command(luacheck, "--no-color", "--globals", "vim", "--no-max-line-length", ".").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestLuaFiles holds the Lua files to the tree's rules.
func TestLuaFiles(t *testing.T) {
	const spdx, maxLines = "-- SPDX-License-Identifier: GPL-2.0-or-later\n", 700
	found := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".lua" {
			return err
		}
		found++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(text), spdx) {
			return errors.New(path + ": the first line must be " + spdx)
		}
		if n := bytes.Count(text, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines, at most %d are allowed", path, n, maxLines)
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Errorf("%d Lua files: %v", found, err)
	}
}
