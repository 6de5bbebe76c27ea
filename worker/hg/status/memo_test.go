// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

// everyFile finds every path in a manifest, with one node.
type everyFile struct{ id node.ID }

func (f everyFile) Lookup(path string) (manifest.Entry, bool, error) {
	return manifest.Entry{Path: []byte(path), Node: f.id}, true, nil
}

// TestComparedOnce looks at a file of which the dirstate does not know enough, in
// the states that it passes through.
func TestComparedOnce(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "f")
	// write writes until the file system's clock has gone on.
	write := func(text string) {
		t.Helper()
		var before, after unix.Stat_t
		_ = unix.Lstat(path, &before)
		for after.Ctim == before.Ctim || after.Ino == 0 {
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := unix.Lstat(path, &after); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("same")
	files := everyFile{node.ID{1}}
	memo := &Memo{}
	compared := 0
	check := func(began time.Time, wantModified bool, wantCompared int) {
		t.Helper()
		compared = 0
		d := dirstate.New(node.Null, node.Null, []dirstate.Entry{{Path: strings.Clone("f"), Item: dirstate.Item{Flags: dirstate.WdirTracked | dirstate.P1Tracked}}})
		r, err := Status(context.Background(), &WorkingCopy{Root: root, Dirstate: d, P1: files, Memo: memo, Began: began,
			Differs: func(context.Context, string, manifest.Entry) (bool, error) {
				compared++
				text, err := os.ReadFile(path)
				return string(text) != "same", err
			}})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(r.Modified, "f"); got != wantModified || compared != wantCompared {
			t.Errorf("modified %v after %d comparisons, want %v after %d", got, compared, wantModified, wantCompared)
		}
	}
	now := time.Now()
	later := now.Add(time.Minute)
	check(now, false, 1)
	check(now, false, 1) // it was written just now: another write may look the same
	check(later, false, 1)
	check(later, false, 0)
	check(now, false, 0)

	// As long as before, and with the time set back.
	times, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write("SAME")
	if err := os.Chtimes(path, times.ModTime(), times.ModTime()); err != nil {
		t.Fatal(err)
	}
	check(later, true, 1)
	check(later, true, 0)
	write("same")
	check(later, false, 1)
	check(later, false, 0)

	files.id = node.ID{2} // another revision is the parent's
	check(later, false, 1)
	check(later, false, 0)

	// Without the time of the command nothing is remembered.
	memo = &Memo{}
	check(time.Time{}, false, 1)
	check(time.Time{}, false, 1)
	memo = nil
	check(later, false, 1)
	check(later, false, 1)
}
