// SPDX-License-Identifier: GPL-2.0-or-later

package repo

// Fork makes another View of the same state, on which another goroutine may ask
// for columns of changesets while v is used: IDs, parents, phases, texts, and
// names if names says so. It is for printing many changesets at once, when v has
// printed some already; ok is false when something is not known yet that both
// would find out. What became of an obsolete changeset is no column: more about
// markers than their flags is worked out as it is asked. Join ends it.
func (v *View) Fork(names bool) (fork *View, ok bool) {
	if v.Len() == 0 || v.UnsaidMarkers() {
		return nil, false
	}
	if names && (!v.names.tagsKnown || v.names.marksByRev == nil) {
		return nil, false
	}
	v.filter()
	v.snap.Phase(0)
	v.snap.Flags(0)
	v.snap.HiddenCount()
	r := *v.Repo
	r.texts = changesets{}
	r.changelog, r.manifests, r.filelogs = nil, nil, filelogs{}
	r.parent = parentManifest{open: v.parent.open, fork: true}
	wd := v.checkout.worktree.dirstate
	r.checkout.worktree.dirstate = keptDirstate{known: wd.known, stamp: wd.stamp, value: wd.value, fork: true}
	r.columns = texts{open: v.columns.open, asked: true}
	f := *v
	f.Repo, f.words = &r, nil
	return &f, true
}

// Join ends a fork, which nobody uses any more.
func (v *View) Join(fork *View) {
	v.columns.read += fork.columns.read
	fork.closeLogs()
	fork.filelogs.close()
}
