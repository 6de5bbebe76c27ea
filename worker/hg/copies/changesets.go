// SPDX-License-Identifier: GPL-2.0-or-later

package copies

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"hgbroker/worker/hg/filehistory"
	"hgbroker/worker/hg/node"
)

// Copies in changesets stand in the extra fields "p1copies" and "p2copies"
// (mercurial/metadata.py): lines of
//
//	INDEX "\0" SOURCE
//
// without a newline after the last one, where INDEX counts in the changeset's
// list of files, and SOURCE is a path in that parent. "filesremoved" is lines of
// such numbers.

// decodeCopies reads such a field; ok is false if it is something else.
func decodeCopies(files []string, text string) (map[string]string, bool) {
	out := map[string]string{}
	if text == "" {
		return out, true
	}
	for line := range strings.SplitSeq(text, "\n") {
		index, src, ok := strings.Cut(line, "\x00")
		i, err := strconv.Atoi(strings.TrimSpace(index))
		if !ok || err != nil || strings.Contains(src, "\x00") {
			return nil, false
		}
		if i < 0 { // counts from the end, as indexes do in Python
			i += len(files)
		}
		if i < 0 || i >= len(files) {
			return nil, false
		}
		out[files[i]] = src
	}
	return out, true
}

func decodeFiles(files []string, text string) ([]string, bool) {
	var out []string
	if text == "" {
		return nil, true
	}
	for line := range strings.SplitSeq(text, "\n") {
		i, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || i < 0 || i >= len(files) {
			return nil, false
		}
		out = append(out, files[i])
	}
	return out, true
}

// edges are what a changeset says of the way from its parents to it.
type edges struct {
	copies  [2]map[string]string // by parent
	removed []string
}

// OfChangeset are the copies that one changeset made, for each of its parents.
func (t *Tracer) OfChangeset(rev node.Rev) (p1copies, p2copies map[string]string, err error) {
	cs, err := t.Repo.Changeset(rev)
	if err != nil {
		return nil, nil, err
	}
	if t.From != Filelogs {
		first, ok, err := Recorded(cs, 1)
		if err != nil {
			return nil, nil, err
		}
		if ok || t.From == Changesets {
			second, _, err := Recorded(cs, 2)
			return first, second, err
		}
	}
	return t.computed(rev, cs.FileList())
}

// computed reads from filelogs which files a changeset copied from which parent.
func (t *Tracer) computed(rev node.Rev, files []string) (p1copies, p2copies map[string]string, err error) {
	p1copies, p2copies = map[string]string{}, map[string]string{}
	m, err := t.Repo.ManifestOf(rev)
	if err != nil {
		return nil, nil, err
	}
	parents := [2]node.Rev{node.NullRev, node.NullRev}
	parents[0], parents[1] = t.Repo.Parents(rev)
	has := func(p node.Rev, path string, id node.ID) (bool, error) {
		pm, err := t.Repo.ManifestOf(p)
		if err != nil {
			return false, err
		}
		e, ok, err := pm.Lookup(path)
		return ok && e.Node == id, err
	}
	for _, path := range files {
		e, ok, err := m.Lookup(path)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			continue
		}
		src, id, copied, err := t.renamed(rev, path, e.Node, parents, has)
		if err != nil {
			return nil, nil, err
		}
		if !copied {
			continue
		}
		for i, into := range [2]map[string]string{p1copies, p2copies} {
			same, err := has(parents[i], src, id)
			if err != nil {
				return nil, nil, err
			}
			if same {
				into[path] = src
				break
			}
		}
	}
	return p1copies, p2copies, nil
}

// renamed is what a file was copied from in this changeset. A filelog tells it
// once, for the changeset that is linked; another one with the same revision
// made the copy too unless a parent has that revision.
func (t *Tracer) renamed(rev node.Rev, path string, id node.ID, parents [2]node.Rev, has func(node.Rev, string, node.ID) (bool, error)) (src string, srcID node.ID, ok bool, err error) {
	f, err := t.Repo.Filelog(path)
	if err != nil {
		return "", node.Null, false, err
	}
	defer f.Close()
	flrev, err := f.FindRev(id)
	if err != nil {
		return "", node.Null, false, err
	}
	src, srcID, ok, err = f.Renamed(flrev)
	if err != nil || !ok || f.LinkRev(flrev) == rev {
		return src, srcID, ok, err
	}
	for _, p := range parents {
		if same, err := has(p, path, id); err != nil || same {
			return "", node.Null, false, err
		}
	}
	return src, srcID, true, nil
}

func (t *Tracer) edgesOf(rev node.Rev) (e edges, err error) {
	if e.copies[0], e.copies[1], err = t.OfChangeset(rev); err != nil {
		return e, err
	}
	cs, err := t.Repo.Changeset(rev)
	if err != nil {
		return e, err
	}
	text, ok, err := cs.Extra("filesremoved")
	if err != nil {
		return e, err
	}
	if ok {
		if e.removed, ok = decodeFiles(cs.FileList(), text); ok {
			return e, nil
		}
	}
	if t.From == Compatibility {
		e.removed, err = t.RemovedFiles(rev)
	}
	return e, err
}

// origin is where a file came from, and the changeset that says so; src is ""
// for a file that was removed.
type origin struct {
	at  node.Rev
	src string
}

// byChangesets chains the copies of all changesets that are ancestors of b and
// not of a, from below: what is known of a parent, and of the way from it, is
// what is known of the child, and at merges both ways are put together.
func (t *Tracer) byChangesets(a, b node.Rev, match func(string) bool) (map[string]string, error) {
	if a == node.NullRev || a == b {
		return nil, nil
	}
	below := filehistory.NewAncestry(t.Repo, 0, a)
	var revs []node.Rev
	isRoot := map[node.Rev]bool{}
	unrelated := false
	for rev := range filehistory.NewAncestry(t.Repo, 0, b).Descending() {
		if below.Has(rev) {
			continue
		}
		revs = append(revs, rev)
		p1, p2 := t.Repo.Parents(rev)
		if p1 == node.NullRev && p2 == node.NullRev {
			unrelated = true
			continue
		}
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= 0 && below.Has(p) {
				isRoot[p] = true
			}
		}
	}
	if len(isRoot) == 0 {
		return nil, nil
	}
	slices.Reverse(revs)
	if unrelated {
		revs = t.reached(revs, isRoot)
	}
	children := map[node.Rev][]node.Rev{}
	for rev := range isRoot {
		children[rev] = nil
	}
	for _, rev := range revs {
		p1, p2 := t.Repo.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p < 0 {
				continue
			}
			if _, ok := children[rev]; !ok {
				children[rev] = nil
			}
			if list, ok := children[p]; ok {
				children[p] = append(list, rev)
			}
		}
	}
	visit := slices.Collect(maps.Keys(isRoot))
	for _, rev := range revs {
		if rev != b {
			visit = append(visit, rev)
		}
	}
	slices.Sort(visit)
	return t.combine(visit, children, b, match)
}

// reached leaves those changesets that descend from a root.
func (t *Tracer) reached(revs []node.Rev, isRoot map[node.Rev]bool) []node.Rev {
	ok := maps.Clone(isRoot)
	var out []node.Rev
	for _, rev := range revs {
		if p1, p2 := t.Repo.Parents(rev); isRoot[rev] || ok[p1] || ok[p2] {
			ok[rev] = true
			out = append(out, rev)
		}
	}
	return out
}

func (t *Tracer) combine(visit []node.Rev, children map[node.Rev][]node.Rev, b node.Rev, match func(string) bool) (map[string]string, error) {
	known := map[node.Rev]map[string]origin{}
	for _, rev := range visit {
		if t.Check != nil {
			if err := t.Check(); err != nil {
				return nil, err
			}
		}
		before := known[rev]
		delete(known, rev)
		for _, child := range children[rev] {
			e, err := t.edgesOf(child)
			if err != nil {
				return nil, err
			}
			parent := 0
			if p1, _ := t.Repo.Parents(child); p1 != rev {
				parent = 1
			}
			after := maps.Clone(before)
			if after == nil {
				after = map[string]origin{}
			}
			for dest, src := range e.copies[parent] {
				if match != nil && !match(dest) {
					continue
				}
				if o, ok := before[src]; ok && o.src != "" {
					src = o.src
				}
				after[dest] = origin{child, src}
			}
			for _, f := range e.removed {
				if _, ok := after[f]; ok {
					after[f] = origin{child, ""}
				}
			}
			other, ok := known[child]
			switch {
			case !ok:
				known[child] = after
			case parent == 0:
				err = t.merge(child, other, after)
			default:
				known[child] = after
				err = t.merge(child, after, other)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	out := map[string]string{}
	for dest, o := range known[b] {
		if o.src != "" {
			out[dest] = o.src
		}
	}
	return out, nil
}

// merge puts what major knows into minor. Where they differ major counts, unless
// it is older than what minor knows.
func (t *Tracer) merge(child node.Rev, minor, major map[string]origin) error {
	for dest, value := range major {
		have, ok := minor[dest]
		if ok {
			if have.src == value.src {
				continue
			}
			if have.at != value.at && filehistory.NewAncestry(t.Repo, value.at, have.at).Has(value.at) {
				merged, err := t.mergedFile(child, dest)
				if err != nil {
					return err
				}
				if !merged {
					continue
				}
			}
		}
		minor[dest] = value
	}
	return nil
}

// mergedFile tells whether a file has two parents in a changeset that names it.
func (t *Tracer) mergedFile(rev node.Rev, path string) (bool, error) {
	cs, err := t.Repo.Changeset(rev)
	if err != nil || !slices.Contains(cs.FileList(), path) {
		return false, err
	}
	m, err := t.Repo.ManifestOf(rev)
	if err != nil {
		return false, err
	}
	e, ok, err := m.Lookup(path)
	if err != nil || !ok {
		return false, err
	}
	f, err := t.Repo.Filelog(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	flrev, err := f.FindRev(e.Node)
	if err != nil {
		return false, err
	}
	p1, p2 := f.Parents(flrev)
	return p1 >= 0 && p2 >= 0, nil
}
