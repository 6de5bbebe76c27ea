// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"cmp"
	"slices"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// children is the reverse of the parents' column: the children of rev, among the
// changesets that the table was made of, are list[first[rev+1]:first[rev+2]],
// ascending. Slot 0 is for the null revision.
type children struct {
	first []int32 // nil when nothing is known
	list  []int32
	// more are parents and children that came later, ordered: parent<<32 | child,
	// the parent plus one.
	more []uint64
}

// Children are a changeset's children, hidden ones included, ascending.
func (s *Snapshot) Children(rev node.Rev) []int32 {
	if s.kids.first == nil {
		s.kids = computeChildren(s.index)
	}
	c := &s.kids
	var old []int32
	if int(rev)+2 < len(c.first) {
		old = c.list[c.first[rev+1]:c.first[rev+2]]
	}
	if len(c.more) == 0 {
		return old
	}
	at, _ := slices.BinarySearch(c.more, uint64(rev+1)<<32)
	if at == len(c.more) || node.Rev(c.more[at]>>32) != rev+1 {
		return old
	}
	out := slices.Clone(old)
	for ; at < len(c.more) && node.Rev(c.more[at]>>32) == rev+1; at++ {
		out = append(out, int32(uint32(c.more[at])))
	}
	return out
}

// computeChildren counts, then fills.
func computeChildren(x revlog.Index) children {
	n := x.Len()
	c := children{first: make([]int32, n+3)}
	each := func(do func(parent, child int32)) {
		for i := range n {
			p1, p2 := x.Parents(node.Rev(i))
			do(int32(p1), int32(i))
			if p2 >= 0 && p2 != p1 {
				do(int32(p2), int32(i))
			}
		}
	}
	each(func(p, _ int32) { c.first[p+3]++ })
	for i := 1; i < len(c.first); i++ {
		c.first[i] += c.first[i-1]
	}
	c.list = make([]int32, c.first[len(c.first)-1])
	each(func(p, child int32) {
		c.list[c.first[p+2]] = child
		c.first[p+2]++
	})
	c.first = c.first[:n+2]
	return c
}

// grown is the table with the changesets from from on.
func (c *children) grown(x revlog.Index, from int) children {
	g := *c
	if from == x.Len() {
		return g
	}
	var more []uint64
	for rev := node.Rev(from); int(rev) < x.Len(); rev++ {
		p1, p2 := x.Parents(rev)
		more = append(more, uint64(p1+1)<<32|uint64(rev))
		if p2 >= 0 && p2 != p1 {
			more = append(more, uint64(p2+1)<<32|uint64(rev))
		}
	}
	slices.Sort(more)
	g.more = mergeSorted(c.more, more, cmp.Compare[uint64])
	return g
}
