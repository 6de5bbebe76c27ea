// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"math"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

const (
	// keptChangesets is how many changesets, at most, a repository remembers, of
	// those that were asked for last.
	keptChangesets = 1024
	// keptText bounds the size of one that is remembered, in bytes.
	keptText = 4 << 10
)

// changesets remembers changesets, between commands as well: a text never changes
// while the changelog's stamp does not. When recent is full, it takes the place of
// older.
type changesets struct {
	recent, older map[node.Rev]*keptChangeset
	large         *keptChangeset // the last one that was too large to stay
	// stored is the last one out of the image of texts. It is forgotten when the
	// image goes.
	stored keptChangeset
}

// keptChangeset is a changeset, and what printing it has found out about its text.
type keptChangeset struct {
	rev   node.Rev
	c     changelog.Changeset
	facts facts
}

// Changeset reads a changeset; that of NullRev is empty.
func (v *View) Changeset(rev node.Rev) (changelog.Changeset, error) {
	k, err := v.changeset(rev)
	return k.c, err
}

// noChangeset is that of NullRev, and of whatever could not be read.
var noChangeset = &keptChangeset{rev: node.NullRev, facts: facts{known: true}}

// changeset is Changeset with what is known about the text. It is never nil. That of
// stored is good until another one is asked for; the others stay.
func (v *View) changeset(rev node.Rev) (*keptChangeset, error) {
	if rev < 0 {
		return noChangeset, nil
	}
	t := &v.Repo.texts
	if t.stored.rev == rev && t.stored.c.Size() > 0 {
		return &t.stored, nil
	}
	if k, ok := v.stored(rev); ok {
		t.stored = k
		return &t.stored, nil
	}
	if k := t.recent[rev]; k != nil {
		return k, nil
	}
	if k := t.older[rev]; k != nil {
		t.keep(k)
		return k, nil
	}
	if t.large != nil && t.large.rev == rev && t.large.c.Size() > 0 {
		return t.large, nil
	}
	if v.countText() {
		if k, ok := v.stored(rev); ok {
			t.stored = k
			return &t.stored, nil
		}
	}
	c, err := v.changesetLog().Changeset(rev)
	if err != nil {
		return noChangeset, err
	}
	k := &keptChangeset{rev: rev, c: c}
	if c.Size() > keptText {
		t.large = k
	} else {
		t.keep(k)
	}
	return k, nil
}

func (t *changesets) keep(k *keptChangeset) {
	if t.recent == nil || len(t.recent) == keptChangesets/2 {
		spare := t.older
		if spare == nil {
			spare = map[node.Rev]*keptChangeset{}
		}
		clear(spare)
		t.recent, t.older = spare, t.recent
	}
	t.recent[k.rev] = k
}

// BranchOf takes a changeset's branch, in UTF-8, out of its extra fields.
func BranchOf(c changelog.Changeset) (name string, closes bool, err error) {
	return c.Branch()
}

// ManifestOf is the manifest of a changeset, for as long as the command runs; that
// of NullRev is empty.
func (v *View) ManifestOf(rev node.Rev) (manifest.Manifest, error) {
	id, err := v.manifestID(rev)
	if err != nil || id.IsNull() {
		return manifest.Manifest{}, err
	}
	m, _, err := v.manifestOf(id, rev)
	return m, err
}

// FileNode is the filenode of a path in a changeset, Null when it has no such
// file.
func (v *View) FileNode(rev node.Rev, path string) (node.ID, error) {
	m, err := v.ManifestOf(rev)
	if err != nil {
		return node.Null, err
	}
	e, _, err := m.Lookup(path)
	return e.Node, err
}

// Filelog opens the history of a file, all of it; the caller closes it.
func (v *View) Filelog(path string) (*filelog.File, error) { return filelog.Open(v.store, path) }

// seconds and offset are a changeset's date as whole numbers. hg keeps a
// fraction that some conversions have written; nothing here prints one.
func seconds(c changelog.Changeset) (int64, int, error) {
	d, err := c.Date()
	if err != nil {
		return 0, 0, err
	}
	if d.Time != math.Trunc(d.Time) {
		return 0, 0, hgerr.NewUnsupported("a date with a fraction of a second")
	}
	return int64(d.Time), d.TZ, nil
}
