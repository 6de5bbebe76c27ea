// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"encoding/binary"
	"math/bits"

	"hgbroker/worker/hg/node"
)

// lookup finds revisions by node. One or two look-ups are cheapest as a plain
// search from the newest revision on; when searching has cost about as much as
// a table would, the table is made: open addressing over revision numbers,
// hashed by the node's own first bytes, a quarter to half full.
type lookup struct {
	visited int // entries compared so far
	table   []int32
}

// A search that has compared this many entries more than twice the index is
// followed by a table.
const lookupSlack = 4096

// Rev returns the revision with the given node. NullRev is found for node.Null.
func (r *Revlog) Rev(id node.ID) (node.Rev, bool) {
	return r.RevNear(id, node.Rev(r.Len()-1))
}

// RevNear is Rev for a caller who knows about where the revision is (a
// manifest's number is close to its changeset's): the search goes outward from
// there.
func (r *Revlog) RevNear(id node.ID, hint node.Rev) (node.Rev, bool) {
	if id.IsNull() {
		return node.NullRev, true
	}
	n := node.Rev(r.Len())
	if r.lookup.table != nil {
		return r.lookup.find(r.Index, id)
	}
	down := max(0, min(hint, n-1)) // next to compare below
	up := down + 1                 // and above
	if n == 0 {
		return node.NullRev, false
	}
	visited := 0
	found := node.NullRev
	for down >= 0 || up < n {
		if down >= 0 {
			visited++
			if r.Node(down) == id {
				found = down
				break
			}
			down--
		}
		if up < n {
			visited++
			if r.Node(up) == id {
				found = up
				break
			}
			up++
		}
	}
	r.lookup.visited += visited
	if r.lookup.visited > 2*int(n)+lookupSlack {
		r.lookup.build(r.Index)
	}
	return found, found != node.NullRev
}

// FindRev is Rev with hg's error for a node that is not there.
func (r *Revlog) FindRev(id node.ID) (node.Rev, error) {
	rev, ok := r.Rev(id)
	if ok {
		return rev, nil
	}
	if r.pages != nil && r.pages.err != nil {
		return node.NullRev, r.pages.err
	}
	return node.NullRev, r.NoNode(id)
}

func (l *lookup) slot(id node.ID) int {
	return int(binary.BigEndian.Uint64(id[:]) >> (64 - bits.TrailingZeros(uint(len(l.table)))))
}

func (l *lookup) build(x Index) {
	n := x.Len()
	l.table = make([]int32, 1<<bits.Len(uint(2*n)))
	for i := range n {
		id := x.Node(node.Rev(i))
		s := l.slot(id)
		for l.table[s] != 0 {
			s = (s + 1) & (len(l.table) - 1)
		}
		l.table[s] = int32(i) + 1
	}
}

func (l *lookup) find(x Index, id node.ID) (node.Rev, bool) {
	for s := l.slot(id); l.table[s] != 0; s = (s + 1) & (len(l.table) - 1) {
		if rev := node.Rev(l.table[s] - 1); x.Node(rev) == id {
			return rev, true
		}
	}
	return node.NullRev, false
}
