// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAbsences(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "bookmarks")
	long := time.Now().Add(2 * settledAfter)
	a := &Absences{Dir: dir}
	missing := func(when time.Time) bool {
		t.Helper()
		a.Look(when)
		st, err := a.StampOf(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(name); (err == nil) != st.Exists {
			t.Errorf("it exists: %v, but the stamp says %v", err == nil, st.Exists)
		}
		return a.Lacks(name)
	}
	if missing(time.Now()) {
		t.Error("a directory that was just made is believed")
	}
	if !missing(long) {
		t.Error("what was missing is asked for again")
	}
	for range 3 {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if missing(long) {
			t.Error("a new file is not seen")
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if !missing(long) {
			t.Error("a file that went is not known to be missing")
		}
	}
	a.Note(filepath.Join(dir, "merge", "state"))
	if a.Lacks(filepath.Join(dir, "merge", "state")) {
		t.Error("a file of another directory is remembered")
	}
	if err := os.Rename(dir, dir+"-gone"); err != nil {
		t.Fatal(err)
	}
	if missing(long) {
		t.Error("the directory is gone")
	}
	var none *Absences
	if st, err := none.StampOf(dir + "-gone"); err != nil || !st.Exists {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestOpenDirectory looks at files of a directory that is replaced meanwhile.
func TestOpenDirectory(t *testing.T) {
	top := t.TempDir()
	dir, name := filepath.Join(top, "dot"), filepath.Join(top, "dot", "requires")
	write := func(text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, "store"), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{name, filepath.Join(dir, "store", "requires")} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	a := &Absences{Dir: dir}
	size := func(stamp func(string) (Stamp, error), path string) int64 {
		t.Helper()
		st, err := stamp(path)
		if err != nil || !st.Exists {
			t.Fatal(path, st, err)
		}
		return st.Size
	}
	write("one")
	a.Look(time.Now())
	if once, now := size(a.StampOnce, name), size(a.StampOf, name); once != 3 || now != 3 {
		t.Error(once, now)
	}
	write("number two")
	if once, now := size(a.StampOnce, name), size(a.StampOf, name); once != 3 || now != 10 {
		t.Errorf("%d bytes for the whole command, %d now", once, now)
	}
	if err := os.Rename(dir, dir+"-gone"); err != nil {
		t.Fatal(err)
	}
	write("three")
	for _, path := range []string{name, filepath.Join(dir, "store", "requires")} {
		if now := size(a.StampOf, path); now != 10 {
			t.Errorf("%s: %d bytes, in another directory than the command began with", path, now)
		}
	}
	a.Leave()
	if now := size(a.StampOf, name); now != 5 {
		t.Error(now)
	}
	a.Look(time.Now())
	if once := size(a.StampOnce, name); once != 5 {
		t.Error(once)
	}
	a.Leave()
	a.Leave()
	if _, err := a.StampOf(filepath.Join(dir, "a\x00b")); err == nil {
		t.Error("a zero byte in a name")
	}
	if st, err := a.StampOf(filepath.Join(dir, strings.Repeat("x/", shortName))); err != nil || st.Exists {
		t.Error(st, err)
	}
}

// TestOpenReal opens directories by paths of all kinds.
func TestOpenReal(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	opens := func(path string) bool {
		fd := OpenReal(path)
		if fd < 0 {
			return false
		}
		unix.Close(fd)
		return true
	}
	if err := os.MkdirAll(filepath.Join(top, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if !opens(filepath.Join(top, "a", "b")) {
		t.Skip("a kernel without openat2")
	}
	if err := os.Symlink("a", filepath.Join(top, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(top, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"link", "link/b", "a/../a", "a/", "a//b", "./a", "file", "none"} {
		if opens(top + "/" + path) {
			t.Errorf("%s opens", path)
		}
	}
	if opens("a") || opens("") || !opens("/") {
		t.Error("a relative path opens, or the root does not")
	}
	// A link in the place of a directory.
	if err := os.Rename(filepath.Join(top, "a"), filepath.Join(top, "c")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("c", filepath.Join(top, "a")); err != nil {
		t.Fatal(err)
	}
	if opens(filepath.Join(top, "a", "b")) {
		t.Error("a path opens in which a directory became a link")
	}
}
