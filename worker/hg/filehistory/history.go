// SPDX-License-Identifier: GPL-2.0-or-later

// Package filehistory walks the history of files across renames, and tells
// which changeset brought each revision of a file.
//
// A filelog links each of its revisions to one changeset, the first that had
// it. When a changeset on another branch makes the same revision again, the
// link leads there all the same; seen from this branch it is wrong. Mercurial
// corrects that when it knows from where it looks (filectx._adjustlinkrev in
// mercurial/context.py), so a Revision here carries its point of view, and what
// its changeset is can depend on the way by which it was reached.
//
// The package reads and compares no contents. Hidden changesets are not told
// from others, as in hg. A History belongs to one goroutine.
package filehistory

import (
	"bytes"
	"fmt"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

// Repo is what a History asks of a repository.
type Repo interface {
	// Len is the number of changesets.
	Len() int
	// Parents are a changeset's parents, NullRev where there is none.
	Parents(rev node.Rev) (p1, p2 node.Rev)
	// WdirParents are the working directory's parents.
	WdirParents() (p1, p2 node.Rev)
	Changeset(rev node.Rev) (changelog.Changeset, error)
	ManifestOf(rev node.Rev) (manifest.Manifest, error)
	// Filelog opens the history of a path; the caller closes it.
	Filelog(path string) (*filelog.File, error)
}

// A History keeps the filelogs open that a walk has met.
type History struct {
	repo   Repo
	logs   []*filelog.File
	byPath map[string]int32
}

// New is a History of a repository's files; the caller closes it.
func New(r Repo) *History { return &History{repo: r, byPath: map[string]int32{}} }

// Close closes the filelogs.
func (h *History) Close() {
	for _, f := range h.logs {
		f.Close()
	}
	h.logs, h.byPath = nil, map[string]int32{}
}

// A Revision is one revision of a file, seen from somewhere in the history.
type Revision struct {
	file int32
	// Rev is the number in the filelog; NullRev is the file in the working
	// directory.
	Rev  node.Rev
	view view
	// at is the changeset for bound and the descendant for below; WdirRev is the
	// working directory.
	at node.Rev
	// within, when not nil, are the changesets that a link may lead to.
	within *Ancestry
}

// view is what is known of the changeset that a Revision belongs to.
type view uint8

const (
	linked view = iota // nothing: the filelog's link has to do
	below              // that it is an ancestor of one
	bound              // which one it is
)

// Key tells revisions apart, whatever they are seen from.
type Key struct {
	file int32
	rev  node.Rev
}

// Key is the same for revisions of the same file and number.
func (r *Revision) Key() Key { return Key{r.file, r.Rev} }

// Wdir tells whether it is the file in the working directory.
func (r *Revision) Wdir() bool { return r.Rev == node.NullRev }

// Within says what changesets links may lead to: the others are corrected. It
// holds for the revision and its ancestors.
func (r *Revision) Within(a *Ancestry) { r.within = a }

// See looks at a revision from a descendant.
func (r *Revision) See(from node.Rev) { r.view, r.at = below, from }

// Path is a revision's path.
func (h *History) Path(r *Revision) string { return h.logs[r.file].Path() }

// Log is a revision's filelog.
func (h *History) Log(r *Revision) *filelog.File { return h.logs[r.file] }

// Node is a revision's ID; that of the working directory's file is Null.
func (h *History) Node(r *Revision) node.ID {
	if r.Wdir() {
		return node.Null
	}
	return h.logs[r.file].Node(r.Rev)
}

// Link is the changeset that the filelog has for a revision.
func (h *History) Link(r *Revision) node.Rev {
	if r.Wdir() {
		return node.WdirRev
	}
	return h.logs[r.file].LinkRev(r.Rev)
}

func (h *History) open(path string) (int32, error) {
	if i, ok := h.byPath[path]; ok {
		return i, nil
	}
	f, err := h.repo.Filelog(path)
	if err != nil {
		return 0, err
	}
	i := int32(len(h.logs))
	h.logs = append(h.logs, f)
	h.byPath[path] = i
	return i, nil
}

// find is the revision of a path with an ID, seen from nowhere.
func (h *History) find(path string, id node.ID) (Revision, error) {
	file, err := h.open(path)
	if err != nil {
		return Revision{}, err
	}
	rev, err := h.logs[file].FindRev(id)
	return Revision{file: file, Rev: rev}, err
}

// At is the revision of a path with an ID as it stands in a changeset.
func (h *History) At(rev node.Rev, path string, id node.ID) (Revision, error) {
	r, err := h.find(path, id)
	r.view, r.at = bound, rev
	return r, err
}

// File is the file of a path in the working directory.
func (h *History) File(path string) (Revision, error) {
	file, err := h.open(path)
	return Revision{file: file, Rev: node.NullRev, view: bound, at: node.WdirRev}, err
}

// Changeset is the changeset of a revision, WdirRev for the working directory.
// It is remembered in r.
func (h *History) Changeset(r *Revision) (node.Rev, error) {
	switch r.view {
	case linked:
		r.view, r.at = bound, h.Link(r)
	case below:
		rev, err := h.adjust(r, r.at, false)
		if err != nil {
			return rev, err
		}
		r.view, r.at = bound, rev
	}
	return r.at, nil
}

// Introduced is the changeset that brought a revision, as far as r can see.
func (h *History) Introduced(r *Revision) (node.Rev, error) {
	if r.view != bound || r.Wdir() {
		return h.Changeset(r)
	}
	return h.adjust(r, r.at, true)
}

// Intro is the revision in the changeset that brought it.
func (h *History) Intro(r Revision) (Revision, error) {
	at, err := h.Introduced(&r)
	if err != nil || r.view == bound && r.at == at {
		return r, err
	}
	return Revision{file: r.file, Rev: r.Rev, view: bound, at: at}, nil
}

// Parents appends the revisions that a revision was made from: what it was
// copied from, then its parents in the filelog. Those of the working directory's
// file are not known here.
func (h *History) Parents(out []Revision, r *Revision) ([]Revision, error) {
	start := len(out)
	f := h.logs[r.file]
	src, id, copied, err := f.Renamed(r.Rev)
	if err != nil {
		return out, err
	}
	if copied {
		p, err := h.find(src, id)
		if err != nil {
			return out, err
		}
		out = append(out, p)
	}
	p1, p2 := f.Parents(r.Rev)
	for _, p := range [2]node.Rev{p1, p2} {
		if p >= r.Rev {
			return out, hgerr.Damagef("read", f.Display(), "revision %d has the parent %d", r.Rev, p)
		}
		if p >= 0 {
			out = append(out, Revision{file: r.file, Rev: p})
		}
	}
	if r.view != linked {
		for i := start; i < len(out); i++ {
			out[i].view, out[i].at, out[i].within = below, r.at, r.within
		}
	}
	return out, nil
}

// WdirParents appends the revisions that the working directory's file has come
// from: source is what the dirstate says that it is a copy of, "" if nothing.
func (h *History) WdirParents(out []Revision, r *Revision, source string) ([]Revision, error) {
	p1, p2 := h.repo.WdirParents()
	for i, p := range [2]node.Rev{p1, p2} {
		if i == 1 && p < 0 {
			break
		}
		path := h.Path(r)
		if i == 0 && source != "" {
			path = source
		}
		m, err := h.repo.ManifestOf(p)
		if err != nil {
			return out, err
		}
		e, ok, err := m.Lookup(path)
		if err != nil {
			return out, err
		}
		if !ok {
			continue
		}
		parent, err := h.find(path, e.Node)
		if err != nil {
			return out, err
		}
		parent.view, parent.at, parent.within = below, node.WdirRev, r.within
		out = append(out, parent)
	}
	return out, nil
}

// adjust is the changeset at or above src that brought a revision. src counts
// only if inclusive. What cannot be found is the link itself.
func (h *History) adjust(r *Revision, src node.Rev, inclusive bool) (node.Rev, error) {
	if r.Wdir() {
		return node.WdirRev, nil
	}
	link := h.Link(r)
	if link == src || link < 0 || int(link) >= h.repo.Len() {
		return link, nil
	}
	heads, own := []node.Rev{src}, (*Ancestry)(nil)
	if src == node.WdirRev {
		p1, p2 := h.repo.WdirParents()
		heads, inclusive = []node.Rev{p1, p2}, true
	} else if p1, p2 := h.repo.Parents(src); r.within == nil && (p1 == link || p2 == link) {
		return link, nil
	}
	within := r.within
	if within == nil {
		own = NewAncestry(h.repo, link, heads...)
		within = own
	}
	if within.Has(link) {
		return link, nil
	}
	if own == nil {
		own = NewAncestry(h.repo, link, heads...)
	}
	path, id := h.Path(r), h.Node(r)
	for rev := range own.Descending() {
		if rev == src && !inclusive {
			continue
		}
		brought, err := h.brought(rev, path, id)
		if err != nil {
			return link, fmt.Errorf("look for the changeset of %s: %w", path, err)
		}
		if brought {
			return rev, nil
		}
	}
	return link, nil
}

// brought tells whether a changeset names a path, and has that revision of it.
func (h *History) brought(rev node.Rev, path string, id node.ID) (bool, error) {
	cs, err := h.repo.Changeset(rev)
	if err != nil {
		return false, err
	}
	named := false
	for f := range cs.Files() {
		if string(f) == path {
			named = true
			break
		}
	}
	if !named {
		return false, nil
	}
	m, err := h.repo.ManifestOf(rev)
	if err != nil {
		return false, err
	}
	e, ok, err := m.Lookup(path)
	return ok && bytes.Equal(e.Node[:], id[:]), err
}

// Linked is another revision in the filelog of r, seen from nowhere: its
// changeset is the one that the filelog has.
func (h *History) Linked(r *Revision, rev node.Rev) Revision {
	return Revision{file: r.file, Rev: rev}
}
