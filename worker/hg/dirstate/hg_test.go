// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgtest"
)

// makeRepo makes a repository in the middle of a merge, with a file in every
// state that hg records.
func makeRepo(t *testing.T, hg *hgtest.Real, v2 bool) string {
	t.Helper()
	root := t.TempDir()
	format := fmt.Sprintf("format.use-dirstate-v2=%v", v2)
	run := func(args ...string) {
		t.Helper()
		args = append([]string{"--config", format, "--config", "storage.dirstate-v2.slow-path=allow"}, args...)
		out, stderr, code, _, err := hg.Run(root, args, hgtest.BaseEnv())
		if err != nil || code > 1 {
			t.Fatalf("hg %q: %d, %v\n%s%s", args, code, err, out, stderr)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(root+"/"+name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+"/"+name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	run("init")
	for _, name := range []string{"a", "a-b", "a.d/x", "a.d/deep/er/y", "b", "both", "c", "d/e", "exec", "keep", "\xe9\xff", "removed", "theirs", "gone"} {
		write(name, name+"\n")
	}
	os.Chmod(root+"/exec", 0o755)
	os.Symlink("b", root+"/link")
	run("commit", "-q", "-A", "-m", "base", "-u", "me")
	write("both", "one\n")
	write("theirs", "other\n")
	write("new/file", "other\n")
	run("rm", "c")
	run("commit", "-q", "-A", "-m", "other", "-u", "me")
	run("update", "-q", "0")
	write("both", "two\n")
	run("commit", "-q", "-m", "mine", "-u", "me")
	run("merge", "-q", "--tool", ":local")
	write("added", "")
	run("add", "added")
	run("cp", "a", "copied")
	run("mv", "b", "d/moved")
	run("rm", "removed")
	run("rm", "-f", "both")
	run("forget", "gone")
	run("status", "-q")
	return root
}

// show prints a dirstate as `hg debugstate --no-dates` does.
func show(d *dirstate.Dirstate, umask int32) string {
	var files, copies []string
	for i := range d.Len() {
		e := d.At(i)
		mode, size, mtime := e.Item.V1()
		kind := fmt.Sprintf("%3o", mode&0o777&^umask)
		if mode&0o20000 != 0 {
			kind = "lnk"
		}
		when := "set                 "
		if mtime == -1 {
			when = "unset               "
		}
		files = append(files, fmt.Sprintf("%c %s %10d %s%s\n", e.Item.State(), kind, size, when, e.Path))
	}
	for to, from := range d.Copies() {
		copies = append(copies, fmt.Sprintf("copy: %s -> %s\n", from, to))
	}
	slices.Sort(copies)
	return strings.Join(files, "") + strings.Join(copies, "")
}

func TestAgainstDebugstate(t *testing.T) {
	for _, v := range hgtest.HgVersions(t) {
		hg := hgtest.NewReal(t, v.Path)
		for _, v2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/v2=%v", v.Number, v2), func(t *testing.T) {
				root := makeRepo(t, hg, v2)
				d, err := dirstate.Open(root+"/.hg", v2)
				if err != nil {
					t.Fatal(err)
				}
				args := []string{"--config", "storage.dirstate-v2.slow-path=allow", "debugstate", "--no-dates"}
				out, stderr, code, _, err := hg.Run(root, args, hgtest.BaseEnv())
				if err != nil || code != 0 {
					t.Fatalf("%d %v %s", code, err, stderr)
				}
				lines := strings.SplitAfter(string(out), "\n")
				at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "copy: ") })
				slices.Sort(lines[at : len(lines)-1])
				want := strings.Join(lines, "")
				if got := show(d, 0o022); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
				for _, state := range []string{"n ", "m ", "a ", "r "} {
					if !strings.Contains("\n"+want, "\n"+state) {
						t.Errorf("no file in state %s", state)
					}
				}
				p1, p2 := d.Parents()
				out, _, _, _, err = hg.Run(root, append(args[:2], "parents", "-T", "{node}\n"), hgtest.BaseEnv())
				if err != nil || string(out) != p1.Hex()+"\n"+p2.Hex()+"\n" {
					t.Errorf("parents %s %s, want %s (%v)", p1, p2, out, err)
				}
				for i := range d.Len() {
					if at, ok := d.Index(d.Path(i)); !ok || at != i {
						t.Errorf("Index(%q) = %d, %v; want %d", d.Path(i), at, ok, i)
					}
				}
				for dir, want := range map[string]bool{"": true, "a.d": true, "a.d/deep": true, "a": false, "a.": false, "d": true, "nosuch": false} {
					if got := d.HasDir(dir); got != want {
						t.Errorf("HasDir(%q) = %v", dir, got)
					}
				}
			})
		}
	}
}

func TestEmpty(t *testing.T) {
	for _, v2 := range []bool{false, true} {
		d, err := dirstate.Open(t.TempDir(), v2)
		if err != nil || d.Len() != 0 || d.HasDir("") {
			t.Errorf("v2=%v: %+v, %v", v2, d, err)
		}
	}
}
