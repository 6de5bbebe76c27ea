// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// What follows from an environment is kept for another one as long as nothing that
// was asked for differs, and a configuration for another directory, as long as that
// says nothing about it.
func TestAnotherEnvironment(t *testing.T) {
	dir := hgtest.Extract(t, "merges-renames")
	below := filepath.Join(dir, "below")
	if err := os.Mkdir(below, 0o777); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	hgrc := func(text string) {
		if err := os.WriteFile(filepath.Join(home, ".hgrc"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	hgrc("[alias]\nhere = log -r 0 -T '$WHERE\\n'\n")
	e := New(Options{})
	defer func() { e.Close() }()
	ask := func(dir string, args []string, more ...string) string {
		t.Helper()
		env := append([]string{"HOME=" + home, "LANG=C.UTF-8", "PATH=/usr/bin:/bin"}, more...)
		out, errOut, _, err := runEngine(e, dir, args, env, Installation{Version: "6.3.2"})
		if err != nil || len(errOut) > 0 {
			t.Fatalf("%v: %v, %s", args, err, errOut)
		}
		return string(out)
	}
	kept := func(environments, configs int) {
		t.Helper()
		if len(e.environments) != environments || len(e.configs.entries) != configs {
			t.Errorf("%d environments and %d configurations are kept, not %d and %d", len(e.environments), len(e.configs.entries), environments, configs)
		}
	}
	root := []string{"root"}
	ask(dir, root, "PWD="+dir)
	kept(1, 1)
	ask(below, root, "PWD="+below, "OLDPWD="+dir)
	ask(dir, root, "PWD="+dir, "OLDPWD="+below, "WHERE=there")
	kept(1, 1)

	// Each answer is that of the command's own environment.
	for _, where := range []string{"here", "there", "here"} {
		if got := ask(dir, []string{"here"}, "WHERE="+where); got != where+"\n" {
			t.Errorf("an alias shows %q in place of %q", got, where)
		}
	}
	if got := ask(dir, root, "HGPLAIN=1"); got != dir+"\n" {
		t.Errorf("root is %q", got)
	}
	if len(e.environments) < 2 {
		t.Error("HGPLAIN makes no difference")
	}

	// A relative path on the command line is one below the directory that the command
	// was given in.
	e.Close()
	e = New(Options{})
	ask(dir, root)
	ask(below, root)
	kept(1, 1)
	for _, from := range []string{dir, below, dir} {
		paths := ask(from, []string{"paths", "--config", "paths.side=beside"})
		if want := "side = " + from + "/beside\n"; paths != want {
			t.Errorf("in %s: %q, not %q", from, paths, want)
		}
	}
}

// BenchmarkAnotherEnvironment is a command of a shell that has been in another
// directory before each.
func BenchmarkAnotherEnvironment(b *testing.B) {
	dir := hgtest.Extract(b, "merges-renames")
	e := New(Options{})
	defer e.Close()
	env := append(os.Environ(), "HOME="+b.TempDir(), "")
	for i := 0; b.Loop(); i++ {
		env[len(env)-1] = "OLDPWD=/" + strconv.Itoa(i)
		if _, _, _, err := runEngine(e, dir, []string{"root"}, env, Installation{Version: "6.3.2"}); err != nil {
			b.Fatal(err)
		}
	}
}
