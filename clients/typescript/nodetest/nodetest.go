// SPDX-License-Identifier: GPL-2.0-or-later

// Package nodetest runs the tests of the clients that are written for Node. It
// builds hgbroker, copies what the tests are made of into a temporary folder (the
// source tree stays as it is), installs the packages that package-lock.json names
// and runs a package's own `npm test`. Without Node, or where the npm registry
// cannot be reached, it skips.
package nodetest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	// oldest is the first version of Node that has all that the tests use.
	oldest = 20
	// patience bounds each of npm's commands.
	patience = 5 * time.Minute
)

// unreachable are npm's codes for a registry that is not there.
var unreachable = regexp.MustCompile(`\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT|E403|E407|E502|E503|E504|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)\b`)

// Run runs `npm test` in the folder clients/NAME, which is that of the calling
// test. needs are other such folders that are copied beside it and built first.
func Run(t *testing.T, name string, needs ...string) {
	if testing.Short() {
		t.Skip("npm installs packages: not with -short")
	}
	node(t)
	tree, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	tmp, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	readAgain(t, tree)
	build := exec.Command("go", "build", "-o", tmp+string(filepath.Separator), "./broker/hgbroker", "./clients/hg")
	build.Dir, build.Env = tree, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build hgbroker: %v\n%s", err, out)
	}
	env := append(clean(os.Environ()), "HGBROKER_TEST_TREE="+tree, "HGBROKER_TEST_EXE="+filepath.Join(tmp, "hgbroker"),
		"NO_COLOR=1", "npm_config_update_notifier=false", "npm_config_audit=false", "npm_config_fund=false",
		"npm_config_fetch_retries=1", "npm_config_fetch_retry_mintimeout=2000")
	for _, folder := range append(needs, name) {
		at := filepath.Join(tmp, "clients", folder)
		copySources(t, at, filepath.Join(tree, "clients", folder))
		if out, err := npm(at, env, "ci"); err != nil {
			if code := unreachable.Find(out); code != nil {
				t.Skipf("the npm registry cannot be reached (%s): no packages, no tests in Node", code)
			}
			t.Fatalf("npm ci in %s: %v\n%s", folder, err, tail(out))
		}
		if folder == name {
			break
		}
		if out, err := npm(at, env, "run", "build"); err != nil {
			t.Fatalf("npm run build in %s: %v\n%s", folder, err, tail(out))
		}
	}
	out, err := npm(filepath.Join(tmp, "clients", name), env, "test")
	if err != nil {
		t.Fatalf("npm test: %v\n%s", err, out)
	}
	passed := count(out, "pass")
	t.Logf("%d tests passed in Node, %d skipped", passed, count(out, "skipped"))
	if passed == 0 || count(out, "fail") != 0 {
		t.Fatalf("npm test did not report what it ran:\n%s", tail(out))
	}
}

// readAgain lists all folders with sources of the broker's, as `go test` notices:
// it takes a result from its cache only when nothing there has changed. What the
// go command below reads it does not notice.
func readAgain(t *testing.T, tree string) {
	t.Helper()
	for _, top := range []string{"broker", "clients", "master", "protocol", "testdata", "worker"} {
		err := filepath.WalkDir(filepath.Join(tree, top), func(_ string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// node skips without a Node that is new enough.
func node(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s on PATH: Node %d or newer is needed", program, oldest)
		}
	}
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		t.Skipf("node --version: %v", err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldest {
		t.Skipf("Node is %s: %d or newer is needed", bytes.TrimSpace(out), oldest)
	}
}

// clean is an environment without what would change hg or hgbroker.
func clean(env []string) []string {
	var kept []string
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasPrefix(name, "HG") || name == "HGBROKER_TEST_HG" {
			kept = append(kept, kv)
		}
	}
	return kept
}

// copySources copies a folder without what is installed or built.
func copySources(t *testing.T, to, from string) {
	t.Helper()
	copied := 0
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "node_modules" || rel == "out" {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		copied++
		return os.WriteFile(filepath.Join(to, rel), text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	if copied == 0 {
		t.Fatalf("%s is empty", from)
	}
}

// npm runs one of npm's commands and returns all that it printed.
func npm(dir string, env []string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, env, 5*time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = errors.Join(err, ctx.Err())
	}
	return out, err
}

// count reads one of the numbers at the end of node --test's report, in either
// of its formats.
func count(out []byte, what string) int {
	m := regexp.MustCompile(`(?m)^(?:#|ℹ) ` + what + ` (\d+)$`).FindSubmatch(out)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

func tail(b []byte) []byte { return bytes.TrimSpace(b[max(0, len(b)-8<<10):]) }
