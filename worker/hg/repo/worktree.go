// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"slices"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/ignore"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/status"
	"hgbroker/worker/hg/store"
)

// worktree is what a status needs beside the working directory itself, all of
// it in proportion to the number of files and none of it different from one
// status to the next as long as nobody commits or updates.
type worktree struct {
	dirstate keptDirstate
	ignore   keptRules
	manifest keptManifest
	memo     status.Memo
}

// keptRules are compiled ignore rules with what they were made of.
type keptRules struct {
	version config.Version
	files   []string
	rules   *ignore.Rules
}

// keptManifest is a manifest by the name of its revision.
type keptManifest struct {
	id       node.ID
	manifest manifest.Manifest
}

// maxKeptManifest bounds the manifest that stays in memory, in bytes.
const maxKeptManifest = 64 << 20

// IgnoreRules are the rules of .hgignore and of the files that ui.ignore names.
// warn is given hg's warnings, each time.
func (v *View) IgnoreRules(files []string, warn func(string)) (*ignore.Rules, error) {
	k := &v.checkout.worktree.ignore
	version := v.Config.Version()
	if k.rules != nil && k.version == version && slices.Equal(k.files, files) && !slices.ContainsFunc(k.rules.Inputs(), stale) {
		for _, text := range k.rules.Warnings() {
			warn(text)
		}
		return k.rules, nil
	}
	k.rules = nil
	rules, err := ignore.Load(ignore.Options{Root: v.Layout.Root, Files: files, Warn: warn, Version: version})
	if err != nil {
		return nil, err
	}
	*k = keptRules{version: version, files: files, rules: rules}
	return rules, nil
}

func stale(s store.Stamped) bool { return !s.Fresh() }

// StatusMemo is what earlier statuses leave to later ones.
func (v *View) StatusMemo() *status.Memo { return &v.checkout.worktree.memo }

// LazyManifest is the manifest of a changeset that is read when it is first
// asked about a file, and kept for later commands.
func (v *View) LazyManifest(rev node.Rev) *LazyManifest { return &LazyManifest{v: v, rev: rev} }

// LazyManifest is a manifest that may never be read.
type LazyManifest struct {
	v    *View
	rev  node.Rev
	read bool
	m    manifest.Manifest
}

// Manifest reads the manifest.
func (l *LazyManifest) Manifest() (manifest.Manifest, error) {
	if l.read {
		return l.m, nil
	}
	c, err := l.v.manifestID(l.rev)
	if err != nil {
		return l.m, err
	}
	k := &l.v.checkout.worktree.manifest
	if c != k.id || c.IsNull() {
		var m manifest.Manifest
		shared := false
		if !c.IsNull() {
			if m, shared, err = l.v.manifestOf(c, l.rev); err != nil {
				return m, err
			}
		}
		*k = keptManifest{}
		if !shared && len(m.Text()) <= maxKeptManifest {
			*k = keptManifest{c, m}
		}
		l.m = m
	} else {
		l.m = k.manifest
	}
	l.read = true
	return l.m, nil
}

// Lookup finds a file.
func (l *LazyManifest) Lookup(path string) (manifest.Entry, bool, error) {
	m, err := l.Manifest()
	if err != nil {
		return manifest.Entry{}, false, err
	}
	return m.Lookup(path)
}

// manifestID is the manifest's name in a changeset; null for none.
func (v *View) manifestID(rev node.Rev) (node.ID, error) {
	if rev < 0 {
		return node.Null, nil
	}
	c, err := v.Changeset(rev)
	if err != nil {
		return node.Null, err
	}
	return c.Manifest()
}
