// SPDX-License-Identifier: GPL-2.0-or-later

package emacs_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgtest"
)

// patience bounds each Emacs.
const patience = 3 * time.Minute

// repositories are those that the scenarios use.
var repositories = []string{"linear", "bookmarks-tags", "merging", "names", "binary"}

func emacs(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("emacs")
	if err != nil {
		t.Skip("no Emacs: emacs is not on PATH")
	}
	return path
}

// batch runs Emacs without any configuration.
func batch(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, emacs(t), append([]string{"-Q", "--batch"}, args...)...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// result is a line of ert's about one scenario.
var result = regexp.MustCompile(`^\s+(passed|FAILED|ABORTED|skipped)\s+\d+/\d+\s+(\S+)`)

// TestEmacs runs test/hgbroker-tests.el in a batch Emacs, with the broker built
// from this tree on PATH. Each of its ert tests is a test here.
func TestEmacs(t *testing.T) {
	emacs(t)
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
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "HG") && !strings.HasPrefix(name, "XDG_") && !strings.HasPrefix(name, "EMACS") {
			env = append(env, kv)
		}
	}
	env = append(env, "HGRCPATH=", "HGUSER=test", "LC_ALL=C.UTF-8", "HOME="+base, "TMPDIR="+base,
		"HGBROKER_RUNTIME_DIR="+runtime, "HGBROKER_TEST_REPOS="+repos,
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
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

	out, err := batch(t, env, "-L", tree, "-l", filepath.Join(tree, "test", "hgbroker-tests.el"), "-f", "ert-run-tests-batch-and-exit")
	passed, failed := 0, 0
	for line := range strings.Lines(out) {
		m := result.FindStringSubmatch(line)
		if m == nil || !strings.Contains(line, " sec)") {
			continue
		}
		if m[1] == "passed" {
			passed++
		} else {
			failed++
		}
		t.Run(strings.TrimPrefix(m[2], "hgbroker-"), func(t *testing.T) {
			switch m[1] {
			case "passed":
			case "skipped":
				t.Skip("the scenario skipped itself")
			default:
				t.Error(m[1])
			}
		})
	}
	if err != nil || passed == 0 {
		t.Errorf("Emacs: %v, %d scenarios passed\n%s", err, passed, strings.TrimSpace(out))
	}
	version, _ := exec.Command(emacs(t), "--version").Output()
	t.Logf("%s: %d scenarios passed, %d failed", strings.SplitN(string(version), "\n", 2)[0], passed, failed)
}

// TestByteCompile compiles every file and takes warnings for errors.
func TestByteCompile(t *testing.T) {
	emacs(t)
	dir := t.TempDir()
	files, err := filepath.Glob("*.el")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %q, %v", files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		out, err := batch(t, os.Environ(), "-L", dir, "--eval", "(setq byte-compile-error-on-warn t)",
			"-f", "batch-byte-compile", filepath.Join(dir, f))
		if err != nil || strings.TrimSpace(out) != "" {
			t.Errorf("%s: %v\n%s", f, err, out)
		}
	}
}

// TestAutoloads makes the autoloads as a package manager does, and uses one.
func TestAutoloads(t *testing.T) {
	emacs(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	out, err := batch(t, os.Environ(), "-l", "package", "--eval", `(progn
  (let ((inhibit-message t)) (package-generate-autoloads 'hgbroker "`+dir+`"))
  (load "`+dir+`/hgbroker-autoloads.el" nil t)
  (dolist (f '(global-hgbroker-mode hgbroker-mode hgbroker-log hgbroker-log-file hgbroker-annotate
               hgbroker-stop hgbroker-restart hgbroker-next-change hgbroker-previous-change))
    (unless (autoloadp (symbol-function f)) (error "%s is not autoloaded" f)))
  (global-hgbroker-mode 1))`)
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestLispFiles holds the Lisp files to the tree's rules.
func TestLispFiles(t *testing.T) {
	const spdx, maxLines = "\n;; SPDX-License-Identifier: GPL-2.0-or-later\n", 700
	files, err := filepath.Glob("*.el")
	more, _ := filepath.Glob("test/*.el")
	if files = append(files, more...); err != nil || len(files) < 4 {
		t.Fatalf("found %q, %v", files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if head := text[:min(len(text), 300)]; !bytes.Contains(head, []byte(spdx)) || !bytes.Contains(head, []byte("lexical-binding: t")) {
			t.Errorf("%s: the header needs lexical-binding and %s", f, strings.TrimSpace(spdx))
		}
		if n := bytes.Count(text, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines, at most %d are allowed", f, n, maxLines)
		}
	}
}
