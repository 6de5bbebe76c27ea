// SPDX-License-Identifier: GPL-2.0-or-later

package manifest

import (
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// Log is the history of the manifest. It is not safe for concurrent use.
type Log struct {
	*revlog.Revlog
	store *store.Store
	tree  bool    // there is a manifest for each directory
	last  written // the tree that was read last
}

// Open opens a store's manifest; tree says that each directory has one of its
// own. Of a long index those parts are read that hold what is asked for.
func Open(s *store.Store, tree bool) (*Log, error) {
	r, err := revlog.OpenPaged(s.Manifest())
	if err != nil {
		return nil, err
	}
	return &Log{Revlog: r, store: s, tree: tree}, nil
}

// OpenWithIndex is the flat manifest of a store whose index is held already; stamp
// as in revlog.OpenWithIndex.
func OpenWithIndex(s *store.Store, x revlog.Index, stamp store.Stamp) *Log {
	return &Log{Revlog: revlog.OpenWithIndex(s.Manifest(), x, stamp)}
}

// Manifest reads a revision, that of a tree with all that is in it.
func (l *Log) Manifest(mfrev node.Rev) (Manifest, error) {
	text, err := l.Text(mfrev)
	if err == nil && l.tree {
		return l.flatten(l.Node(mfrev), text)
	}
	return Manifest{text: text}, err
}

// Read reads the manifest with the given node, as a changeset names it. clrev is
// that changeset's revision, near which the manifest is looked for first; any
// number finds it.
func (l *Log) Read(id node.ID, clrev node.Rev) (Manifest, error) {
	mfrev, ok := l.RevNear(id, clrev)
	if !ok {
		return Manifest{}, l.NoNode(id)
	}
	return l.Manifest(mfrev)
}

// ParentNodes are the nodes that a manifest's own is made of, beside its text; ok is
// false when there is no such manifest. clrev is as for Read.
func (l *Log) ParentNodes(id node.ID, clrev node.Rev) (p1, p2 node.ID, ok bool) {
	mfrev, ok := l.RevNear(id, clrev)
	a, b := l.Parents(mfrev)
	return l.Node(a), l.Node(b), ok
}
