// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import "hgbroker/worker/hg/node"

// NodeFilter tells of most nodes that they are not in a set, by their first 16 bits.
// The zero NodeFilter is that of the empty set.
type NodeFilter [1 << 10]uint64

// Add puts a node into the set.
func (f *NodeFilter) Add(id node.ID) {
	f[uint16(id[0])<<2|uint16(id[1]>>6)] |= 1 << (id[1] & 63)
}

// Sift calls found for the revisions whose nodes may be in the filter's set, the
// newest first, until it returns false.
func (x Index) Sift(f *NodeFilter, found func(rev node.Rev) bool) {
	entries, tail := x.Pieces()
	first := len(entries) / EntrySize
	_ = sift(tail, f, func(i int) bool { return found(node.Rev(first + i)) }) && sift(entries, f, func(i int) bool { return found(node.Rev(i)) })
}

func sift(entries []byte, f *NodeFilter, found func(i int) bool) bool {
	for i := len(entries)/EntrySize - 1; i >= 0; i-- {
		e := (*[EntrySize]byte)(entries[i*EntrySize:])
		if f[uint16(e[32])<<2|uint16(e[33]>>6)]&(1<<(e[33]&63)) != 0 && !found(i) {
			return false
		}
	}
	return true
}
