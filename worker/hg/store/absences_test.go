// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"
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
