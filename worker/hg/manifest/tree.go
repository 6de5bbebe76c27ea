// SPDX-License-Identifier: GPL-2.0-or-later

package manifest

import (
	"bytes"
	"slices"
	"sort"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// # Tree manifests
//
// With the requirement treemanifest each directory has a manifest, in a revlog of
// its own, meta/DIR/00manifest.i; that of the root is where the flat one would be.
// A line names a file of the directory, without a slash, or with the flag 't' a
// directory and the revision of its manifest:
//
//	README\0b789fdd96dc2f3bd229c1dd8eedf0fc60e2b68e3\n
//	tools\05d2f5c1f9d9bdfa4a54b93b0f35fa4d5c0bbb9a2t\n
//
// Lines are sorted by name. Everything else here wants one text with whole paths,
// in their order: "tools" comes before "tools.txt" in the one, and "tools.txt"
// before "tools/run" in the other. So a tree is written out flat. What
// it has in common with the one read before, directory by directory, is copied
// from there, so that the next one costs the revlogs of those directories that
// changed, and a copy of memory.

// maxDepth bounds directories in directories.
const maxDepth = 1000

// subtree is where a directory stands in a text that was written out.
type subtree struct {
	dir        string // with a slash at its end
	id         node.ID
	start, end int
}

type subtreeKey struct {
	dir string
	id  node.ID
}

// written is a tree as a flat text. Its subtrees are in order, each before those
// within it.
type written struct {
	root  node.ID
	text  []byte
	trees []subtree
	index map[subtreeKey]int // into trees
}

// flatten writes out the tree whose root is id and has the given text.
func (l *Log) flatten(id node.ID, root []byte) (Manifest, error) {
	w := &treeWriter{store: l.store, old: l.last}
	w.root = id
	w.text = make([]byte, 0, max(len(root), len(l.last.text)+len(l.last.text)/64))
	if err := w.write("", root, 0); err != nil {
		return Manifest{}, err
	}
	w.index = make(map[subtreeKey]int, len(w.trees))
	for i, t := range w.trees {
		w.index[subtreeKey{t.dir, t.id}] = i
	}
	l.last = w.written
	return Manifest{w.text[:len(w.text):len(w.text)], &w.written}, nil
}

// IsTree tells that this is a tree manifest, which hg walks and compares
// directory by directory.
func (m Manifest) IsTree() bool { return m.tree != nil }

// SameDir tells whether a directory (without a slash at its end, "" is the root)
// has the same manifest in both trees, which hg then does not compare.
func (m Manifest) SameDir(b Manifest, dir string) bool {
	x, inA := m.dirID(dir)
	y, inB := b.dirID(dir)
	return inA && inB && x == y
}

func (m Manifest) dirID(dir string) (node.ID, bool) {
	switch {
	case m.tree == nil:
		return node.Null, false
	case dir == "":
		return m.tree.root, true
	}
	dir += "/"
	i := sort.Search(len(m.tree.trees), func(i int) bool { return m.tree.trees[i].dir >= dir })
	if i == len(m.tree.trees) || m.tree.trees[i].dir != dir {
		return node.Null, false
	}
	return m.tree.trees[i].id, true
}

// treeWriter writes out one tree.
type treeWriter struct {
	written
	store *store.Store
	old   written // what it may have in common with it
	last  string  // the last path
}

func (w *treeWriter) write(dir string, text []byte, depth int) error {
	if depth > maxDepth {
		return hgerr.NewUnsupported("tree manifests nested %d deep", depth)
	}
	lines, err := linesOf(text)
	if err != nil {
		return err
	}
	for _, l := range lines {
		path := dir + l.key
		if l.tree {
			if err := w.subtree(path, l.id, depth); err != nil {
				return err
			}
			continue
		}
		if path <= w.last {
			return hgerr.NewUnsupported("a tree manifest that is not in order at %s", path)
		}
		w.last = path
		w.text = append(w.text, dir...)
		w.text = append(w.text, text[l.start:l.end]...)
	}
	return nil
}

// treeLine is a line of a tree manifest.
type treeLine struct {
	key        string // the name, a directory's with a slash behind it
	tree       bool
	id         node.ID
	start, end int
}

// linesOf are the lines in the order of the paths that come of them. In the text
// "lib" comes before "lib.o", and what is in lib after it.
func linesOf(text []byte) ([]treeLine, error) {
	lines := make([]treeLine, 0, bytes.Count(text, []byte{'\n'}))
	m := Manifest{text: text}
	for pos := 0; pos < len(text); {
		e, next, err := m.line(pos)
		if err != nil {
			return nil, err
		}
		l := treeLine{string(e.Path), e.Flag == Tree, e.Node, pos, next}
		if l.tree {
			l.key += "/"
		}
		lines = append(lines, l)
		pos = next
	}
	byKey := func(a, b treeLine) int { return strings.Compare(a.key, b.key) }
	if !slices.IsSortedFunc(lines, byKey) {
		slices.SortStableFunc(lines, byKey)
	}
	return lines, nil
}

// subtree writes out a directory.
func (w *treeWriter) subtree(dir string, id node.ID, depth int) error {
	start, first := len(w.text), len(w.trees)
	w.trees = append(w.trees, subtree{dir, id, start, start})
	if i, ok := w.old.index[subtreeKey{dir, id}]; ok {
		same := w.old.trees[i]
		w.text = append(w.text, w.old.text[same.start:same.end]...)
		for _, t := range w.old.trees[i+1:] {
			if !strings.HasPrefix(t.dir, dir) {
				break
			}
			w.trees = append(w.trees, subtree{t.dir, t.id, t.start - same.start + start, t.end - same.start + start})
		}
		if same.end > same.start {
			if dir <= w.last {
				return hgerr.NewUnsupported("a tree manifest that is not in order at %s", dir)
			}
			end := bytes.LastIndexByte(w.text[:len(w.text)-1], '\n') + 1
			path, _, _ := bytes.Cut(w.text[end:], []byte{0})
			w.last = string(path)
		}
	} else {
		text, err := w.read(dir, id)
		if err == nil {
			err = w.write(dir, text, depth+1)
		}
		if err != nil {
			return err
		}
	}
	w.trees[first].end = len(w.text)
	return nil
}

// read reads a revision of a directory's manifest.
func (w *treeWriter) read(dir string, id node.ID) ([]byte, error) {
	if id.IsNull() {
		return nil, nil
	}
	r, err := revlog.OpenPaged(w.store.TreeManifest(dir))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	rev, ok := r.RevNear(id, node.Rev(r.Len()-1))
	if !ok {
		return nil, r.NoNode(id)
	}
	return r.Text(rev)
}
