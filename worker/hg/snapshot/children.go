// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import "hgbroker/worker/hg/node"

// children is the reverse of the parents' column: the children of rev are
// list[first[rev]:first[rev+1]], ascending.
type children struct {
	first []int32
	list  []int32
}

// Children are a changeset's children, hidden ones included, ascending. The
// table is computed at the first question, in one pass over the index.
func (s *Snapshot) Children(rev node.Rev) []int32 {
	if s.derived.children == nil {
		s.derived.children = s.computeChildren()
	}
	c := s.derived.children
	return c.list[c.first[rev+1]:c.first[rev+2]]
}

// computeChildren counts, then fills; slot 0 is for the null revision.
func (s *Snapshot) computeChildren() *children {
	n := s.Len()
	c := &children{first: make([]int32, n+3)}
	each := func(do func(parent, child int32)) {
		for i := range n {
			p1, p2 := s.index.Parents(node.Rev(i))
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
	return c
}
