// SPDX-License-Identifier: GPL-2.0-or-later

package status

import "hgbroker/worker/hg/dirstate"

// Memo remembers from one status to the next which directories of a dirstate
// are ignored. The zero Memo knows nothing; it notices by itself that the
// dirstate or the rules are others. It is for one status at a time.
type Memo struct {
	rules Ignorer
	tree  *dirstate.Tree
	dirs  []byte
}

// What is known of a directory.
const (
	unasked = iota
	spared
	ignored
)

// directories is what is known of each directory of a tree. Different ones may
// be asked about, and recorded, at the same time.
func (m *Memo) directories(rules Ignorer, tree *dirstate.Tree) []byte {
	if m == nil || rules == nil {
		return nil
	}
	if m.rules != rules || m.tree != tree {
		*m = Memo{rules, tree, make([]byte, tree.Len())}
	}
	return m.dirs
}
