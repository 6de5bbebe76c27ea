// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"slices"
	"strings"
	"testing"
)

// checkTree compares a tree with what the paths alone say.
func checkTree(t *testing.T, d *Dirstate) {
	t.Helper()
	tree := d.Tree()
	seen := make([]bool, d.Len())
	for n := range tree.Len() {
		dir := tree.Dir(n)
		if n > 0 && dir.Path != "" {
			if at, ok := tree.Find(dir.Path); !ok || at != n {
				t.Errorf("directory %q is number %d, Find says %d, %v", dir.Path, n, at, ok)
			}
		}
		var names []string
		for _, i := range tree.Files(n) {
			path := d.Path(int(i))
			name := path[dir.Skip:]
			if seen[i] || strings.Contains(name, "/") || n > 0 && path[:dir.Skip] != dir.Path+"/" {
				t.Errorf("file %q in directory %q", path, dir.Path)
			}
			seen[i] = true
			names = append(names, name)
		}
		if !slices.IsSorted(names) {
			t.Errorf("files of %q are not sorted: %q", dir.Path, names)
		}
		names = nil
		for _, m := range tree.Subdirs(n) {
			names = append(names, tree.Dir(int(m)).Path)
		}
		if !slices.IsSorted(names) {
			t.Errorf("directories in %q are not sorted: %q", dir.Path, names)
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Errorf("file %q is in no directory", d.Path(i))
	}
}

func ofPaths(paths []string) *Dirstate {
	slices.Sort(paths)
	var entries []Entry
	for _, p := range slices.Compact(paths) {
		entries = append(entries, Entry{Path: p, Item: Item{Flags: WdirTracked}})
	}
	return New([20]byte{}, [20]byte{}, entries)
}

func TestTree(t *testing.T) {
	d := ofPaths([]string{"a", "a-b/x", "a/x", "a/b/c/d", "a.b/y", "z", "a/b-c/x", "a/b/d"})
	checkTree(t, d)
	n, ok := d.Tree().Find("a/b")
	if !ok || len(d.Tree().Files(n)) != 1 || len(d.Tree().Subdirs(n)) != 1 {
		t.Errorf("a/b: %d, %v", n, ok)
	}
	for _, missing := range []string{"a/x", "b", "a/b/c/d/e", "a/"} {
		if n, ok := d.Tree().Find(missing); ok {
			t.Errorf("%q is directory %d", missing, n)
		}
	}
}

// FuzzTree makes trees of whatever a damaged dirstate may name.
func FuzzTree(f *testing.F) {
	f.Add("a\nb/c\nb/d/e")
	f.Add("/x\nb\n\na//b\na/b")
	f.Add("a/\na\n/\n//")
	f.Fuzz(func(t *testing.T, text string) {
		checkTree(t, ofPaths(strings.Split(text, "\n")))
	})
}
