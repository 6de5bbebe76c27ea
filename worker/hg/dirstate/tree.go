// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"slices"
	"strings"
)

// Tree is the entries arranged by directory, for whoever walks the working
// directory beside it. It never changes.
type Tree struct {
	dirs    []Dir
	files   []int32 // positions among the entries, the files of one directory together
	subdirs []int32 // positions among dirs, those of one directory together
}

// Dir is a directory that has entries below it; the first is the root.
type Dir struct {
	Path string // "" for the root
	// Skip is where, in the path of something in it, its own name begins.
	Skip           int
	file, fileEnd  int32 // in Tree.files
	child, lastEnd int32 // in Tree.subdirs
}

// Tree returns the entries by directory. It is made when it is first asked for.
func (d *Dirstate) Tree() *Tree {
	d.treeOnce.Do(func() { d.tree = plant(d.entries) })
	return d.tree
}

// plant makes the tree in two passes: one that finds the directories and counts,
// and one that fills in. In sorted paths all that lies below a directory stands
// together, so that the directories that are open form a stack.
func plant(entries []Entry) *Tree {
	t := &Tree{dirs: []Dir{{}}}
	parents := []int32{-1}
	of := make([]int32, len(entries)) // the directory of each entry
	stack := []int32{0}
	for i := range entries {
		path := entries[i].Path
		for top := &t.dirs[stack[len(stack)-1]]; !top.holds(path); top = &t.dirs[stack[len(stack)-1]] {
			stack = stack[:len(stack)-1]
		}
		for {
			top := stack[len(stack)-1]
			slash := strings.IndexByte(path[t.dirs[top].Skip:], '/')
			if slash < 0 {
				break
			}
			end := t.dirs[top].Skip + slash
			t.dirs[top].lastEnd++
			stack = append(stack, int32(len(t.dirs)))
			t.dirs = append(t.dirs, Dir{Path: path[:end], Skip: end + 1})
			parents = append(parents, top)
		}
		top := stack[len(stack)-1]
		of[i] = top
		t.dirs[top].fileEnd++
	}
	var files, children int32
	for i := range t.dirs {
		d := &t.dirs[i]
		d.file, files = files, files+d.fileEnd
		d.child, children = children, children+d.lastEnd
		d.fileEnd, d.lastEnd = d.file, d.child
	}
	t.files, t.subdirs = make([]int32, files), make([]int32, children)
	for i := range entries {
		d := &t.dirs[of[i]]
		t.files[d.fileEnd] = int32(i)
		d.fileEnd++
	}
	for i := 1; i < len(t.dirs); i++ {
		d := &t.dirs[parents[i]]
		t.subdirs[d.lastEnd] = int32(i)
		d.lastEnd++
	}
	for i := range t.dirs {
		// Below the root "a-b/x" comes before "a/x", but "a" before "a-b".
		slices.SortFunc(t.Subdirs(i), func(x, y int32) int { return strings.Compare(t.dirs[x].Path, t.dirs[y].Path) })
	}
	return t
}

// holds tells whether a path lies below the directory.
func (d *Dir) holds(path string) bool {
	return d.Skip == 0 || len(path) > len(d.Path) && path[len(d.Path)] == '/' && path[:len(d.Path)] == d.Path
}

// Len is the number of directories, the root included.
func (t *Tree) Len() int { return len(t.dirs) }

// Dir returns directory n; the root is 0.
func (t *Tree) Dir(n int) Dir { return t.dirs[n] }

// Files are the positions among the entries of the files that are directly in
// directory n, sorted by name.
func (t *Tree) Files(n int) []int32 { return t.files[t.dirs[n].file:t.dirs[n].fileEnd] }

// Subdirs are the directories directly in directory n, sorted by name.
func (t *Tree) Subdirs(n int) []int32 { return t.subdirs[t.dirs[n].child:t.dirs[n].lastEnd] }

// Find returns the directory with a path.
func (t *Tree) Find(path string) (n int, ok bool) {
	for path != t.dirs[n].Path {
		rest := path[t.dirs[n].Skip:]
		name, _, _ := strings.Cut(rest, "/")
		skip := t.dirs[n].Skip
		below := t.Subdirs(n)
		i, found := slices.BinarySearchFunc(below, name, func(d int32, name string) int {
			return strings.Compare(t.dirs[d].Path[skip:], name)
		})
		if !found {
			return 0, false
		}
		n = int(below[i])
	}
	return n, true
}
