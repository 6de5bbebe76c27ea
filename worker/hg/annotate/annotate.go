// SPDX-License-Identifier: GPL-2.0-or-later

// Package annotate finds for each line of a file the changeset that brought it
// (filectx.annotate and dagop.annotate in Mercurial).
//
// A file's versions are gone through from the oldest on. A version first owns
// all of its lines; then those that are equal to lines of a parent, as package
// bdiff matches them, take over what is known of these. With two parents the
// second one has the last word. A version that is to be skipped gives away its
// own lines as well, to those that they probably replaced.
//
// Lines are compared by number, texts are read as deltas of the version before,
// and of a version only its lines are kept, as long as a child needs them: time
// grows with what changed, beside a few passes over the line numbers of each
// version.
//
// The package prints nothing, and does not say who wrote a changeset. What
// experimental.xdiff finds is Unsupported.
package annotate

import (
	"bytes"
	"errors"
	"fmt"

	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/filehistory"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// Query says what to annotate.
type Query struct {
	Path string
	// Rev is the changeset; WdirRev is the working directory.
	Rev node.Rev
	// Node is the file's revision in Rev. It is not used for WdirRev.
	Node node.ID
	// Contents are those of the working directory's file, or of a buffer that is
	// not saved. CopySource is what that file is a copy of, "" if nothing.
	Contents   []byte
	CopySource string

	Binary   bool                    // annotate a binary file as well
	NoFollow bool                    // copies and renames end the history
	Skip     func(rev node.Rev) bool // changesets that lines are not attributed to; nil: none
	Compare  bdiff.Options           // whitespace
	// Newer is how hg 7.0 and later look for the changeset of a file revision
	// that several changesets have.
	Newer bool
	// Check is called now and then; an error ends the walk.
	Check func() error
	// Cache may be nil.
	Cache *Cache
}

// Annotation is a file with the origin of each line.
type Annotation struct {
	Lines   []Line
	Origins []Origin // what Line.Origin counts in
	// Binary tells that the file is binary, and was left alone.
	Binary bool
}

// Line is one line.
type Line struct {
	Text   []byte // with its newline, if it has one
	Origin int32
	Number int32 // of the line in its origin, from 1
	// Guessed tells that a changeset that was to be skipped brought the line.
	Guessed bool
}

// Origin is one version of the file.
type Origin struct {
	Rev  node.Rev // WdirRev: not committed
	Path string
}

// File annotates a file.
func File(repo filehistory.Repo, q Query) (*Annotation, error) {
	if q.Compare.Xdiff {
		return nil, hgerr.NewUnsupported("annotate with experimental.xdiff")
	}
	if a := q.remembered(repo); a != nil {
		return a, nil
	}
	h := filehistory.New(repo)
	defer h.Close()
	w := &walk{h: h, q: q, index: map[filehistory.Key]int32{}}
	defer w.texts.close()
	base, err := w.base(repo)
	if err != nil {
		return nil, fmt.Errorf("annotate %s: %w", q.Path, err)
	}
	if !q.Binary {
		text, err := w.text(&base)
		if err != nil {
			return nil, fmt.Errorf("annotate %s: %w", q.Path, err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			return &Annotation{Binary: true}, nil
		}
	}
	if err := w.discover(repo, base); err != nil {
		return nil, fmt.Errorf("annotate %s: %w", q.Path, err)
	}
	w.order()
	last, err := w.trace()
	if err != nil {
		return nil, fmt.Errorf("annotate %s: %w", q.Path, err)
	}
	a, err := w.result(last)
	if err == nil {
		w.remember(repo, a, last)
	}
	return a, err
}

// walk is one annotation under way.
type walk struct {
	h *filehistory.History
	q Query

	seen  []filehistory.Revision // file revisions, once for each way to them
	of    []int32                // the node of each
	index map[filehistory.Key]int32
	nodes []fileNode
	steps []int32 // nodes in the order in which they are computed

	texts reader
	// adjusted tells that a changeset is not the one that a filelog has.
	adjusted bool
	// extra are origins of versions that were known before; version.from counts
	// down from -1 in them.
	extra []Origin
}

// fileNode is a file revision in the walk.
type fileNode struct {
	parents  [2]int32 // in walk.seen
	nparents int
	known    bool  // its parents are
	done     bool  // it has its place in the order
	view     int32 // the way to it that says which changeset it is, in walk.seen
	needed   int32 // how many children are still to be computed
	version  *version
	cached   *cached // what is known of it already; it has no parents then
}

// base is the revision to annotate, as seen from the changeset that brought it.
func (w *walk) base(repo filehistory.Repo) (filehistory.Revision, error) {
	if w.q.Rev == node.WdirRev {
		base, err := w.h.File(w.q.Path)
		if err != nil {
			return base, err
		}
		parents, err := w.h.WdirParents(nil, &base, w.q.CopySource)
		if err != nil {
			return base, err
		}
		var revs []node.Rev
		for _, p := range parents {
			rev, err := w.h.Changeset(&p)
			if err != nil {
				return base, err
			}
			revs = append(revs, rev)
		}
		base.Within(filehistory.NewAncestry(repo, 0, revs...))
		return base, nil
	}
	r, err := w.h.At(w.q.Rev, w.q.Path, w.q.Node)
	if err != nil {
		return r, err
	}
	base, err := w.h.Intro(r)
	if err != nil {
		return base, err
	}
	from, err := w.h.Changeset(&base)
	if w.q.Newer {
		from = w.q.Rev
	}
	base.Within(filehistory.NewAncestry(repo, 0, from))
	return base, err
}

// add is a way to a file revision, and its node.
func (w *walk) add(r filehistory.Revision) int32 {
	n, ok := w.index[r.Key()]
	if !ok {
		n = int32(len(w.nodes))
		w.index[r.Key()] = n
		w.nodes = append(w.nodes, fileNode{})
	}
	w.seen = append(w.seen, r)
	w.of = append(w.of, n)
	return int32(len(w.seen) - 1)
}

// discover finds all file revisions that base came from. Which way to one is
// taken first decides about the changesets of its ancestors, so the order of the
// visits is hg's.
func (w *walk) discover(repo filehistory.Repo, base filehistory.Revision) error {
	cache, ids := w.q.cache(repo)
	visit := []int32{w.add(base)}
	w.nodes[0].needed = 1
	var parents []filehistory.Revision
	for steps := 0; len(visit) > 0; steps++ {
		at := visit[len(visit)-1]
		visit = visit[:len(visit)-1]
		n := w.of[at]
		if w.nodes[n].known {
			continue
		}
		if steps%256 == 255 && w.q.Check != nil {
			if err := w.q.Check(); err != nil {
				return err
			}
		}
		rev, err := w.h.Changeset(&w.seen[at])
		if err != nil {
			return err
		}
		if rev != w.h.Link(&w.seen[at]) {
			w.adjusted = true
		} else if cache != nil && !w.seen[at].Wdir() {
			r := &w.seen[at]
			if e := cache.find(w.q.key(w.h.Path(r), w.h.Node(r)), ids, repo.Len()); e != nil && e.link == rev {
				w.nodes[n].known, w.nodes[n].cached = true, e
				continue
			}
		}
		if r := &w.seen[at]; r.Wdir() {
			parents, err = w.h.WdirParents(parents[:0], r, w.q.CopySource)
		} else {
			parents, err = w.h.Parents(parents[:0], r)
		}
		if err != nil {
			return err
		}
		path := w.h.Path(&w.seen[at])
		w.nodes[n].known = true
		for _, p := range parents {
			if w.q.NoFollow && w.h.Path(&p) != path {
				continue
			}
			i := w.add(p)
			f := &w.nodes[n]
			if f.nparents == len(f.parents) {
				return hgerr.NewUnsupported("file revision with more than two parents")
			}
			f.parents[f.nparents] = i
			f.nparents++
			parent := &w.nodes[w.of[i]]
			parent.needed++
			if !parent.known {
				visit = append(visit, i)
			}
		}
	}
	return nil
}

// order puts parents before children, as hg's second walk does, which also
// decides through which child a revision's changeset is seen.
func (w *walk) order() {
	visit := []int32{0}
	for len(visit) > 0 {
		at := visit[len(visit)-1]
		f := &w.nodes[w.of[at]]
		if f.done {
			visit = visit[:len(visit)-1]
			continue
		}
		ready := true
		for _, p := range f.parents[:f.nparents] {
			if !w.nodes[w.of[p]].done {
				ready = false
				visit = append(visit, p)
			}
		}
		if ready {
			visit = visit[:len(visit)-1]
			f.done, f.view = true, at
			w.steps = append(w.steps, w.of[at])
		}
	}
}

// trace computes all versions in order and returns the last one.
func (w *walk) trace() (*version, error) {
	table := newLineTable(cleaner(w.q.Compare))
	var d differ
	var free []*version
	var last *version
	for _, n := range w.steps {
		if r := &w.seen[w.nodes[n].view]; !r.Wdir() {
			w.texts.expect(w.h.Log(r), r.Rev)
		}
	}
	w.texts.start()
	for step, n := range w.steps {
		if step%64 == 63 && w.q.Check != nil {
			if err := w.q.Check(); err != nil {
				return nil, err
			}
		}
		f := &w.nodes[n]
		text, err := w.text(&w.seen[f.view])
		if err != nil {
			return nil, err
		}
		v := new(version)
		if k := len(free); k > 0 {
			v, free = free[k-1], free[:k-1]
		}
		var parents [2]*version
		for i, p := range f.parents[:f.nparents] {
			parents[i] = w.nodes[w.of[p]].version
		}
		table.read(v, text, parents[0])
		v.begin(n)
		if f.cached != nil {
			w.recall(v, f.cached)
		}
		if err := w.take(v, n, parents[:f.nparents], &d, table); err != nil {
			return nil, err
		}
		for _, p := range f.parents[:f.nparents] {
			parent := &w.nodes[w.of[p]]
			if parent.needed--; parent.needed == 0 {
				free = append(free, parent.version)
				parent.version = nil
			}
		}
		f.version, last = v, v
	}
	return last, nil
}

// text is the content of a version.
func (w *walk) text(r *filehistory.Revision) ([]byte, error) {
	if r.Wdir() {
		return w.q.Contents, nil
	}
	return w.texts.read(w.h.Log(r), r.Rev)
}

// take attributes the lines of v that parents have as well.
func (w *walk) take(v *version, self int32, parents []*version, d *differ, table *lineTable) error {
	skip := false
	if w.q.Skip != nil && !w.seen[w.nodes[self].view].Wdir() {
		rev, err := w.h.Changeset(&w.seen[w.nodes[self].view])
		if err != nil {
			return err
		}
		skip = w.q.Skip(rev)
	}
	var kept [2][]block
	for i, p := range parents {
		start, end := common(p.ids, v.ids)
		blocks := d.blocks(p.ids, v.ids, start, end, table.n)
		for _, b := range blocks {
			copy(v.from[b.b1:b.b2], p.from[b.a1:b.a2])
			copy(v.number[b.b1:b.b2], p.number[b.a1:b.a2])
			switch {
			case p.skipped != nil && b.b1 < b.b2:
				v.guess()
				copy(v.skipped[b.b1:b.b2], p.skipped[b.a1:b.a2])
			case v.skipped != nil:
				clear(v.skipped[b.b1:b.b2])
			}
		}
		if skip {
			kept[i] = append(kept[i], blocks...)
		}
	}
	if skip {
		return v.giveAway(self, parents, kept)
	}
	return nil
}

// recall attributes the lines of a version that is known already.
func (w *walk) recall(v *version, e *cached) {
	if len(e.lines) != len(v.from) {
		return // cannot be: the same ID is the same text
	}
	start := int32(len(w.extra))
	for _, o := range e.origins {
		w.extra = append(w.extra, o.Origin)
	}
	for i, l := range e.lines {
		v.from[i], v.number[i] = -1-start-l.origin, l.number
	}
}

// result is the last version for the caller.
func (w *walk) result(v *version) (*Annotation, error) {
	a := &Annotation{Lines: make([]Line, len(v.ends))}
	origin := map[int32]int32{}
	for i := range a.Lines {
		n := v.from[i]
		o, ok := origin[n]
		if !ok && n < 0 {
			o, ok = int32(len(a.Origins)), true
			origin[n] = o
			a.Origins = append(a.Origins, w.extra[-1-n])
		}
		if !ok {
			r := &w.seen[w.nodes[n].view]
			rev, err := w.h.Changeset(r)
			if err != nil {
				return nil, err
			}
			o = int32(len(a.Origins))
			origin[n] = o
			a.Origins = append(a.Origins, Origin{Rev: rev, Path: w.h.Path(r)})
		}
		a.Lines[i] = Line{Text: v.text[v.start(i):v.ends[i]], Origin: o, Number: v.number[i], Guessed: v.skipped != nil && v.skipped[i]}
	}
	return a, nil
}

// errEmptyParent is a version to be skipped whose lines nobody can take.
var errEmptyParent = errors.New("a skipped version has an empty parent")
