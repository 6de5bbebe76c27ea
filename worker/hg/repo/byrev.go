// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import "hgbroker/worker/hg/node"

// byRev has lists for a few of the changesets.
type byRev[T any] struct {
	lists map[node.Rev][]T
	// some has a bit for all those with the same low bits, and tells of most
	// changesets that they have no list.
	some [64]uint64
}

func newByRev[T any]() *byRev[T] { return &byRev[T]{lists: map[node.Rev][]T{}} }

func (b *byRev[T]) add(rev node.Rev, item T) {
	b.some[rev>>6&63] |= 1 << (rev & 63)
	b.lists[rev] = append(b.lists[rev], item)
}

// at is the list of a changeset; nil has none.
func (b *byRev[T]) at(rev node.Rev) []T {
	if b == nil || b.some[rev>>6&63]>>(rev&63)&1 == 0 {
		return nil
	}
	return b.lists[rev]
}
