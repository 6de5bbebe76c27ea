// SPDX-License-Identifier: GPL-2.0-or-later

// Package copies finds out which files of one changeset are copies or renames
// of files of another (pathcopies in mercurial/copies.py).
//
// There are two sources. Filelogs tell for each file revision what it was copied
// from; files that one side has and the other lacks are followed back through
// them. Repositories may have the copies in the changesets instead, in extra
// fields (experimental.copies.write-to); then the copies of all changesets
// between the two are chained. Which source counts is experimental.copies.
// read-from. Copies in sidedata, and what merges do with copies, are not here.
//
// Copies are a map from the path of the copy to that of its source.
package copies

import (
	"fmt"
	"maps"
	"slices"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/filehistory"
	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

// Repo is what copy tracing asks of a repository.
type Repo interface {
	filehistory.Repo
	// CommonAncestorHeads are the highest changesets that both are or descend
	// from.
	CommonAncestorHeads(a, b node.Rev) []node.Rev
}

// Source is where copies are read from.
type Source uint8

// The values of experimental.copies.read-from.
const (
	Filelogs      Source = iota // "filelog-only", or anything that hg does not know
	Changesets                  // "changeset-only"
	Compatibility               // "compatibility": changesets that have them, else filelogs
)

// SourceOf reads experimental.copies.read-from.
func SourceOf(value string) Source {
	switch value {
	case "changeset-only":
		return Changesets
	case "compatibility":
		return Compatibility
	}
	return Filelogs
}

// Checkout is what the dirstate says.
type Checkout interface {
	// Tracked tells whether a file is tracked in the working directory.
	Tracked(path string) bool
	// Copies are the copies that are not committed yet.
	Copies() map[string]string
}

// Tracer finds copies in one repository.
type Tracer struct {
	Repo Repo
	From Source
	// Off is experimental.copytrace=off: renames are not followed backwards.
	Off bool
	// Ancestor chooses one of several common ancestors.
	Ancestor func(a, b node.Rev) (node.Rev, error)
	// Checkout reads the dirstate; it is asked only if a side is the working
	// directory.
	Checkout func() (Checkout, error)
	// RemovedFiles are the files that a changeset removes, for changeset sources.
	RemovedFiles func(rev node.Rev) ([]string, error)
	// Check is called now and then; an error ends the search.
	Check func() error
}

// Between finds what the files of y that match are copies of in x. NullRev has
// no files; WdirRev is the working directory. A nil match is all files.
func (t *Tracer) Between(x, y node.Rev, match func(path string) bool) (map[string]string, error) {
	if x == y || x == node.NullRev || y == node.NullRev {
		return nil, nil
	}
	wp1, _ := t.Repo.WdirParents()
	if y == node.WdirRev && x == wp1 {
		return t.uncommitted(match)
	}
	a, err := t.common(committed(x, wp1), committed(y, wp1))
	if err != nil {
		return nil, err
	}
	var found map[string]string
	switch a {
	case x:
		found, err = t.forward(x, y, x, match)
	case y:
		found, err = t.backward(x, y, match)
	default:
		found, err = t.across(a, x, y, match)
	}
	if err != nil || len(found) == 0 {
		return nil, err
	}
	in, err := t.files(x)
	if err != nil {
		return nil, err
	}
	out, err := t.files(y)
	if err != nil {
		return nil, err
	}
	// What chaining leaves over: a file that came back to its name, a copy of
	// what x does not have, and one that y does not have any more.
	maps.DeleteFunc(found, func(dest, src string) bool { return dest == src || !in(src) || !out(dest) })
	return found, nil
}

// committed is a changeset, the first parent for the working directory.
func committed(rev, wp1 node.Rev) node.Rev {
	if rev == node.WdirRev {
		return wp1
	}
	return rev
}

func (t *Tracer) common(a, b node.Rev) (node.Rev, error) {
	heads := t.Repo.CommonAncestorHeads(a, b)
	switch len(heads) {
	case 0:
		return node.NullRev, nil
	case 1:
		return heads[0], nil
	}
	return t.Ancestor(a, b)
}

// files tells which files a side has.
func (t *Tracer) files(rev node.Rev) (func(string) bool, error) {
	if rev == node.WdirRev {
		c, err := t.Checkout()
		if err != nil {
			return nil, err
		}
		return c.Tracked, nil
	}
	m, err := t.Repo.ManifestOf(rev)
	return m.Has, err
}

// uncommitted are the copies in the dirstate.
func (t *Tracer) uncommitted(match func(string) bool) (map[string]string, error) {
	c, err := t.Checkout()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for dest, src := range c.Copies() {
		if c.Tracked(dest) && (match == nil || match(dest)) {
			out[dest] = src
		}
	}
	return out, nil
}

// forward finds the copies made between a and its descendant b. base is another
// changeset whose file revisions end a search.
func (t *Tracer) forward(a, b, base node.Rev, match func(string) bool) (map[string]string, error) {
	if b != node.WdirRev {
		return t.recorded(a, b, base, match)
	}
	wp1, _ := t.Repo.WdirParents()
	found, err := t.recorded(a, wp1, base, match)
	if err != nil {
		return nil, err
	}
	last, err := t.uncommitted(match)
	return chain(found, last), err
}

func (t *Tracer) recorded(a, b, base node.Rev, match func(string) bool) (map[string]string, error) {
	if t.From != Filelogs {
		return t.byChangesets(a, b, match)
	}
	if a == node.NullRev && base == node.NullRev {
		return map[string]string{}, nil // nothing to be a copy of
	}
	return t.byFilelogs(a, b, base, match)
}

// backward finds renames made between y and its descendant x, turned round.
func (t *Tracer) backward(x, y node.Rev, match func(string) bool) (map[string]string, error) {
	if t.Off {
		return nil, nil
	}
	found, err := t.forward(y, x, y, nil)
	if err != nil {
		return nil, err
	}
	return t.reverse(found, x, match)
}

// reverse turns copies to dst into renames from there: what dst still has under
// the old name was not renamed. Of several copies the last by name counts.
func (t *Tracer) reverse(found map[string]string, dst node.Rev, match func(string) bool) (map[string]string, error) {
	out := map[string]string{}
	if len(found) == 0 {
		return out, nil
	}
	has, err := t.files(dst)
	if err != nil {
		return nil, err
	}
	for _, dest := range slices.Sorted(maps.Keys(found)) {
		src := found[dest]
		if (match == nil || match(src)) && !has(src) {
			out[src] = dest
		}
	}
	return out, nil
}

// across goes from x back to the common ancestor a, and forward to y.
func (t *Tracer) across(a, x, y node.Rev, match func(string) bool) (map[string]string, error) {
	base := x
	switch {
	case a == node.NullRev:
		base = a
	case x == node.WdirRev && t.From == Filelogs:
		return nil, hgerr.NewUnsupported("copies from the working directory to another branch")
	}
	xs, err := t.forward(a, x, a, nil)
	if err != nil {
		return nil, err
	}
	ys, err := t.forward(a, y, base, match)
	if err != nil {
		return nil, err
	}
	for dest, src := range ys {
		if have, ok := xs[dest]; ok && have == src {
			delete(xs, dest) // both sides made the same copy
			delete(ys, dest)
		}
	}
	back, err := t.reverse(xs, x, match)
	if err != nil {
		return nil, err
	}
	return chain(back, ys), nil
}

// chain follows the sources of later copies through earlier ones.
func chain(earlier, later map[string]string) map[string]string {
	out := make(map[string]string, len(earlier)+len(later))
	maps.Copy(out, earlier)
	for dest, src := range later {
		if first, ok := earlier[src]; ok {
			src = first
		}
		out[dest] = src
	}
	return out
}

// byFilelogs follows the files that b has and a lacks back to one that a or base
// has. What became of files that b lacks is not looked for, as in hg.
func (t *Tracer) byFilelogs(a, b, base node.Rev, match func(string) bool) (map[string]string, error) {
	from, err := t.Repo.ManifestOf(a)
	if err != nil {
		return nil, err
	}
	to, err := t.Repo.ManifestOf(b)
	if err != nil {
		return nil, err
	}
	ends := []manifest.Manifest{from}
	if base != a {
		m, err := t.Repo.ManifestOf(base)
		if err != nil {
			return nil, err
		}
		ends = append(ends, m)
	}
	missing, err := t.missing(a, b, from, to, match)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	tr := tracer{repo: t.Repo, ends: ends, logs: map[string]*filelog.File{}}
	defer tr.close()
	for _, e := range missing {
		if t.Check != nil {
			if err := t.Check(); err != nil {
				return nil, err
			}
		}
		src, err := tr.trace(e.path, e.id)
		if err != nil {
			return nil, fmt.Errorf("trace %s: %w", e.path, err)
		}
		if src != "" {
			out[e.path] = src
		}
	}
	return out, nil
}

type missingFile struct {
	path string
	id   node.ID
}

// missing lists the matching files of b that a lacks.
func (t *Tracer) missing(a, b node.Rev, from, to manifest.Manifest, match func(string) bool) ([]missingFile, error) {
	var out []missingFile
	if p1, p2 := t.Repo.Parents(b); p1 == a && p2 == node.NullRev {
		// A changeset names what it changes, which is much less than it has.
		cs, err := t.Repo.Changeset(b)
		if err != nil {
			return nil, err
		}
		for _, path := range cs.FileList() {
			if match != nil && !match(path) || from.Has(path) {
				continue
			}
			e, ok, err := to.Lookup(path)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, missingFile{path, e.Node})
			}
		}
		return out, nil
	}
	for change, err := range manifest.Diff(from, to) {
		if err != nil {
			return nil, err
		}
		if change.A != nil || change.B == nil {
			continue
		}
		if path := string(change.Path); match == nil || match(path) {
			out = append(out, missingFile{path, change.B.Node})
		}
	}
	return out, nil
}

// Recorded are the copies that a changeset's extra fields name, for one parent.
func Recorded(cs changelog.Changeset, parent int) (copies map[string]string, ok bool, err error) {
	text, ok, err := cs.Extra(fmt.Sprintf("p%dcopies", parent))
	if err != nil || !ok {
		return nil, false, err
	}
	copies, ok = decodeCopies(cs.FileList(), text)
	return copies, ok, nil
}
