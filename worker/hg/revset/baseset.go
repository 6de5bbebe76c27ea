// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"

	"hgbroker/worker/hg/node"
)

type direction int8

const (
	unordered direction = iota // in the order given
	ascending
	descending
)

func reversed(d direction) direction {
	switch d {
	case ascending:
		return descending
	case descending:
		return ascending
	}
	return unordered
}

func directionOf(reverse bool) direction {
	if reverse {
		return descending
	}
	return ascending
}

// baseSet is a list of revisions in memory.
type baseSet struct {
	revs    []node.Rev // in the order given; nil when only asc is known
	ascRevs []node.Rev // sorted, made when needed
	order   direction
	topo    bool
	// hashed tells that Mercurial would hold a hash set of it: it was made from
	// one, or asked for membership. It decides how two such sets intersect.
	hashed  bool
	members *bitset
}

// smallSet is the length up to which membership is a scan.
const smallSet = 8

// newListSet keeps the order of revs, which it owns.
func newListSet(revs []node.Rev) *baseSet { return &baseSet{revs: revs} }

// newSetOf makes an ascending set of revs, which it owns: any order, with
// repetitions.
func newSetOf(revs []node.Rev) *baseSet {
	slices.Sort(revs)
	return newSortedSet(slices.Compact(revs))
}

// newSortedSet makes an ascending set of revs, which are ascending and unique.
func newSortedSet(revs []node.Rev) *baseSet {
	return &baseSet{revs: revs, ascRevs: nil, order: ascending, hashed: true}
}

func (s *baseSet) sorted() []node.Rev {
	if s.ascRevs == nil {
		if slices.IsSorted(s.revs) {
			// Reversing an unordered set works in place, so keep a copy.
			if s.order != unordered {
				s.ascRevs = s.revs
				return s.ascRevs
			}
		}
		s.ascRevs = slices.Clone(s.revs)
		slices.Sort(s.ascRevs)
	}
	return s.ascRevs
}

func (s *baseSet) contains(r node.Rev) bool {
	s.hashed = true
	if len(s.revs) <= smallSet {
		return slices.Contains(s.revs, r)
	}
	if s.members == nil {
		s.members = new(bitset)
		for _, x := range s.revs {
			s.members.add(x)
		}
	}
	return s.members.has(r)
}

func (s *baseSet) iter() iterator {
	switch s.order {
	case ascending:
		return sliceIter(s.sorted())
	case descending:
		return reverseIter(s.sorted())
	default:
		return sliceIter(s.revs)
	}
}

func (s *baseSet) asc() iterator  { return sliceIter(s.sorted()) }
func (s *baseSet) desc() iterator { return reverseIter(s.sorted()) }
func (s *baseSet) isAsc() bool    { return len(s.revs) <= 1 || s.order == ascending }
func (s *baseSet) isDesc() bool   { return len(s.revs) <= 1 || s.order == descending }
func (s *baseSet) isTopo() bool   { return len(s.revs) <= 1 || s.topo }
func (s *baseSet) empty() bool    { return len(s.revs) == 0 }
func (s *baseSet) len() int       { return len(s.revs) }

func (s *baseSet) first() (node.Rev, bool) { return s.iter()() }

func (s *baseSet) last() (node.Rev, bool) {
	switch s.order {
	case ascending:
		return s.desc()()
	case descending:
		return s.asc()()
	default:
		return reverseIter(s.revs)()
	}
}

func (s *baseSet) reverse() {
	if s.order == unordered {
		slices.Reverse(s.revs)
	}
	s.order = reversed(s.order)
	s.topo = false
}

func (s *baseSet) sort(reverse bool) {
	s.order = directionOf(reverse)
	s.topo = false
}

func (s *baseSet) slice(start, stop int) smartset {
	var revs []node.Rev
	switch s.order {
	case unordered:
		revs = slices.Clone(s.revs[min(start, len(s.revs)):max(min(stop, len(s.revs)), min(start, len(s.revs)))])
	default:
		all := s.sorted()
		if s.order == descending {
			start, stop = max(len(all)-stop, 0), max(len(all)-start, 0)
		}
		start, stop = min(start, len(all)), min(stop, len(all))
		revs = slices.Clone(all[start:max(start, stop)])
	}
	return &baseSet{revs: revs, order: s.order, topo: s.topo}
}
