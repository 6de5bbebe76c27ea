// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Tree is the entries arranged by directory, for whoever walks the working
// directory beside it. It never changes.
type Tree struct {
	dirs    words
	files   []int32 // positions among the entries, the files of one directory together
	subdirs []int32 // positions among dirs, those of one directory together
	text    string
}

// Dir is a directory that has entries below it; the first is the root.
type Dir struct {
	Path string // "" for the root
	// Skip is where, in the path of something in it, its own name begins.
	Skip int
}

// The words of a directory's record.
const (
	dirPath = iota
	dirLength
	dirSkip
	dirFile
	dirFileEnd
	dirChild
	dirChildEnd
)

// planted is a tree that is made when it is first asked for.
type planted struct {
	making sync.Mutex
	tree   atomic.Pointer[Tree]
}

// Tree returns the entries by directory. It is made when it is first asked for.
func (d *Dirstate) Tree() *Tree {
	p := &d.planted
	if t := p.tree.Load(); t != nil {
		return t
	}
	p.making.Lock()
	defer p.making.Unlock()
	if p.tree.Load() == nil {
		p.tree.Store(plant(d))
	}
	return p.tree.Load()
}

// plant makes the tree in two passes: one that finds the directories and counts,
// and one that fills in. In sorted paths all that lies below a directory stands
// together, so that the directories that are open form a stack.
func plant(d *Dirstate) *Tree {
	t := &Tree{dirs: make(words, dirWords), text: d.text}
	parents := []int32{-1}
	of := make([]int32, d.Len()) // the directory of each entry
	stack := []int32{0}
	for i := range of {
		path := d.Path(i)
		for !t.holds(stack[len(stack)-1], path) {
			stack = stack[:len(stack)-1]
		}
		for {
			top := stack[len(stack)-1]
			r := t.record(int(top))
			skip := int(r[dirSkip])
			slash := strings.IndexByte(path[skip:], '/')
			if slash < 0 {
				of[i] = top
				r[dirFileEnd]++
				break
			}
			r[dirChildEnd]++
			stack = append(stack, int32(t.Len()))
			parents = append(parents, top)
			t.dirs = append(t.dirs, d.entries[i*entryWords], uint32(skip+slash), uint32(skip+slash+1), 0, 0, 0, 0)
		}
	}
	var files, children uint32
	for n := range t.Len() {
		r := t.record(n)
		r[dirFile], files = files, files+r[dirFileEnd]
		r[dirChild], children = children, children+r[dirChildEnd]
		r[dirFileEnd], r[dirChildEnd] = r[dirFile], r[dirChild]
	}
	t.files, t.subdirs = make([]int32, files), make([]int32, children)
	for i, n := range of {
		r := t.record(int(n))
		t.files[r[dirFileEnd]] = int32(i)
		r[dirFileEnd]++
	}
	for n := 1; n < t.Len(); n++ {
		r := t.record(int(parents[n]))
		t.subdirs[r[dirChildEnd]] = int32(n)
		r[dirChildEnd]++
	}
	for n := range t.Len() {
		// Below the root "a-b/x" comes before "a/x", but "a" before "a-b".
		slices.SortFunc(t.Subdirs(n), func(x, y int32) int { return strings.Compare(t.path(int(x)), t.path(int(y))) })
	}
	return t
}

// holds tells whether a path lies below directory n.
func (t *Tree) holds(n int32, path string) bool {
	dir := t.Dir(int(n))
	return dir.Skip == 0 || len(path) > len(dir.Path) && path[len(dir.Path)] == '/' && path[:len(dir.Path)] == dir.Path
}

func (t *Tree) record(n int) words { return t.dirs.record(n, dirWords) }

func (t *Tree) path(n int) string {
	r := t.dirs[n*dirWords:][:2]
	return t.text[r[dirPath]:][:r[dirLength]]
}

// Len is the number of directories, the root included.
func (t *Tree) Len() int { return len(t.dirs) / dirWords }

// Dir returns directory n; the root is 0.
func (t *Tree) Dir(n int) Dir { return Dir{t.path(n), int(t.dirs[n*dirWords+dirSkip])} }

// Files are the positions among the entries of the files that are directly in
// directory n, sorted by name.
func (t *Tree) Files(n int) []int32 {
	r := t.record(n)
	return t.files[r[dirFile]:r[dirFileEnd]]
}

// Subdirs are the directories directly in directory n, sorted by name.
func (t *Tree) Subdirs(n int) []int32 {
	r := t.record(n)
	return t.subdirs[r[dirChild]:r[dirChildEnd]]
}

// Find returns the directory with a path.
func (t *Tree) Find(path string) (n int, ok bool) {
	for path != t.path(n) {
		skip := t.Dir(n).Skip
		name, _, _ := strings.Cut(path[skip:], "/")
		below := t.Subdirs(n)
		i, found := slices.BinarySearchFunc(below, name, func(d int32, name string) int {
			return strings.Compare(t.path(int(d))[skip:], name)
		})
		if !found {
			return 0, false
		}
		n = int(below[i])
	}
	return n, true
}
