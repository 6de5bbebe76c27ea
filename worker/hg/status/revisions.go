// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"context"
	"maps"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
)

// Revisions compares two revisions: what is in b and not in a is Added. m may
// be nil; clean asks for the files that are the same. hg does not compare
// contents here: a file with another node is modified.
func Revisions(ctx context.Context, a, b manifest.Manifest, m match.Matcher, clean bool) (*Result, error) {
	r := &Result{}
	tree := a.IsTree() || b.IsTree()
	if namesNothing(m) && !tree {
		return r, nil
	}
	selected := func(path string) bool { return m == nil || m.Match(path) }
	if tree && m != nil && !m.Always() {
		if clean {
			return nil, hgerr.NewUnsupported("clean files that match, between revisions with tree manifests")
		}
		selected = (&match.Trees{M: m}).Selects
	}
	changed := map[string]struct{}{}
	for c, err := range manifest.Diff(a, b) {
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		path := string(c.Path)
		if clean {
			changed[path] = struct{}{}
		}
		if !selected(path) {
			continue
		}
		switch {
		case c.A == nil:
			r.Added = append(r.Added, path)
		case c.B == nil:
			r.Removed = append(r.Removed, path)
		default:
			r.Modified = append(r.Modified, path)
		}
	}
	if clean {
		for e, err := range a.All() {
			if err != nil {
				return nil, err
			}
			path := string(e.Path)
			if _, ok := changed[path]; ok || !selected(path) {
				continue
			}
			if tree && a.SameDir(b, path[:max(strings.LastIndexByte(path, '/'), 0)]) {
				continue // hg passes over the whole directory
			}
			r.Clean = append(r.Clean, path)
		}
	}
	return r, nil
}

// namesNothing tells of a matcher that would match names and what is below them,
// and has none: that of a subrepository below a directory that is named. hg takes
// it to match nothing where it can go by the names alone.
func namesNothing(m match.Matcher) bool {
	return m != nil && !m.Always() && m.Prefix() && len(m.Files()) == 0
}

// AgainstRevision compares the working directory with any revision, other, but
// for its first parent, whose manifest is p1: Status and Against in one. Nothing
// is said before the answer is known, and of files that are named and not
// there, Bad is told only when other does not have them either, as in hg.
func AgainstRevision(ctx context.Context, wc *WorkingCopy, p1, other manifest.Manifest) (*Result, error) {
	w := newWalker(wc)
	r, err := w.status(ctx)
	if err == nil {
		r, err = Against(ctx, wc, r, p1, other)
	}
	if hgerr.IsUnsupported(err) {
		return nil, err
	}
	w.said = slices.DeleteFunc(w.said, func(m message) bool {
		return m.bad && (other.Has(m.name) || other.HasDir(m.name))
	})
	w.tell()
	return r, err
}

// Against compares the working directory with any revision, other. s is its
// Status against the first parent, whose manifest is p1, made with the same
// WorkingCopy. The deleted, unknown and ignored files are s's, but for those
// that other has.
func Against(ctx context.Context, wc *WorkingCopy, s *Result, p1, other manifest.Manifest) (*Result, error) {
	r := &Result{Deleted: s.Deleted, Unknown: s.Unknown, Ignored: s.Ignored}
	tree := p1.IsTree() || other.IsTree()
	if tree && wc.ListClean {
		return nil, hgerr.NewUnsupported("clean files against another revision, with tree manifests")
	}
	if namesNothing(wc.Match) && !tree {
		return r, nil
	}
	// What is not as in p1, and whether it is there at all.
	special := map[string]bool{}
	deleted := map[string]struct{}{}
	for _, list := range [][]string{s.Modified, s.Added} {
		for _, path := range list {
			special[path] = true
		}
	}
	for _, list := range [][]string{s.Deleted, s.Removed} {
		for _, path := range list {
			special[path] = false
		}
	}
	for _, path := range s.Deleted {
		deleted[path] = struct{}{}
	}
	base, err := Revisions(ctx, other, p1, wc.Match, wc.ListClean)
	if err != nil {
		return nil, err
	}
	plain := func(list []string) []string {
		var kept []string
		for _, path := range list {
			if _, ok := special[path]; !ok {
				kept = append(kept, path)
			}
		}
		return kept
	}
	r.Modified, r.Added, r.Removed, r.Clean = plain(base.Modified), plain(base.Added), plain(base.Removed), plain(base.Clean)
	for _, path := range slices.Sorted(maps.Keys(special)) {
		present := special[path]
		if _, ok := deleted[path]; ok {
			continue
		}
		e, ok, err := other.Lookup(path)
		if err != nil {
			return nil, err
		}
		switch {
		case !ok && present:
			r.Added = append(r.Added, path)
		case ok && !present:
			r.Removed = append(r.Removed, path)
		case ok:
			differs, err := wc.differs(ctx, path, e)
			switch {
			case err != nil:
				return nil, err
			case differs:
				r.Modified = append(r.Modified, path)
			case wc.ListClean:
				r.Clean = append(r.Clean, path)
			}
		}
	}
	if len(r.Removed) > 0 {
		if r.Unknown, err = without(r.Unknown, other); err == nil {
			r.Ignored, err = without(r.Ignored, other)
		}
	}
	r.sort()
	return r, err
}

// without returns the files of list that m does not have.
func without(list []string, m manifest.Manifest) ([]string, error) {
	var kept []string
	for _, path := range list {
		_, ok, err := m.Lookup(path)
		if err != nil {
			return nil, err
		}
		if !ok {
			kept = append(kept, path)
		}
	}
	return kept, nil
}
