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
	recent, older map[node.Rev]changelog.Changeset
	large         keptChangeset // the last one that was too large to stay
	// stored is the last one out of the image of texts. It is forgotten when the
	// image goes.
	stored keptChangeset
}

type keptChangeset struct {
	rev node.Rev
	c   changelog.Changeset
}

// Changeset reads a changeset; that of NullRev is empty.
func (v *View) Changeset(rev node.Rev) (changelog.Changeset, error) {
	if rev < 0 {
		return changelog.Changeset{}, nil
	}
	t := &v.Repo.texts
	if open := v.columns.open; open != nil && int(rev) < open.Len() && t.stored.rev != rev {
		if c, err := changelog.Parse(open.Text(rev)); err == nil && c.Size() > 0 {
			t.stored = keptChangeset{rev, c}
			return c, nil
		}
	}
	if t.stored.rev == rev && t.stored.c.Size() > 0 {
		return t.stored.c, nil
	}
	if c, ok := t.recent[rev]; ok {
		return c, nil
	}
	if c, ok := t.older[rev]; ok {
		t.keep(rev, c)
		return c, nil
	}
	if t.large.rev == rev && t.large.c.Size() > 0 {
		return t.large.c, nil
	}
	if text, ok := v.storedText(rev); ok {
		if c, err := changelog.Parse(text); err == nil {
			t.stored = keptChangeset{rev, c}
			return c, nil
		}
	}
	c, err := v.changesetLog().Changeset(rev)
	if err != nil {
		return c, err
	}
	if c.Size() > keptText {
		t.large = keptChangeset{rev, c}
		return c, nil
	}
	t.keep(rev, c)
	return c, nil
}

func (t *changesets) keep(rev node.Rev, c changelog.Changeset) {
	if t.recent == nil || len(t.recent) == keptChangesets/2 {
		spare := t.older
		if spare == nil {
			spare = map[node.Rev]changelog.Changeset{}
		}
		clear(spare)
		t.recent, t.older = spare, t.recent
	}
	t.recent[rev] = c
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
