// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"

	"hgbroker/worker/hg/node"
)

// iterator yields the next revision, or false at the end.
type iterator func() (node.Rev, bool)

// smartset is an ordered set of revisions that is evaluated as far as it is
// read. Sorting and reversing change the set in place, and a filter shares its
// source: Mercurial's sets do so too, and it is visible. In
// "reverse(author(x)) + author(y)" both sides are filters of one set.
type smartset interface {
	contains(node.Rev) bool
	// iter iterates in the order of the set.
	iter() iterator
	// asc and desc iterate in that direction without evaluating more than is
	// read; nil when the set cannot.
	asc() iterator
	desc() iterator
	isAsc() bool
	isDesc() bool
	isTopo() bool
	first() (node.Rev, bool)
	last() (node.Rev, bool)
	empty() bool
	len() int
	reverse()
	sort(reverse bool)
	// slice returns the elements with indexes from start to stop-1.
	slice(start, stop int) smartset
}

// minimum returns the lowest revision of s.
func minimum(s smartset) (node.Rev, bool) {
	if it := s.asc(); it != nil {
		return it()
	}
	return extreme(s, func(a, b node.Rev) bool { return a < b })
}

// maximum returns the highest revision of s.
func maximum(s smartset) (node.Rev, bool) {
	if it := s.desc(); it != nil {
		return it()
	}
	return extreme(s, func(a, b node.Rev) bool { return a > b })
}

func extreme(s smartset, better func(a, b node.Rev) bool) (best node.Rev, ok bool) {
	it := s.iter()
	for r, more := it(); more; r, more = it() {
		if !ok || better(r, best) {
			best, ok = r, true
		}
	}
	return best, ok
}

// intersect returns the elements of a that are in b, in the order of a; only
// the set of all revisions leaves b as it is, sorted in its own direction.
func intersect(a, b smartset) smartset {
	if full, ok := a.(*spanSet); ok && full.full {
		b.sort(!full.ascending)
		return b
	}
	if other, ok := b.(*spanSet); ok && other.full {
		return a
	}
	if r := setOperation(a, b, true); r != nil {
		return r
	}
	return &filteredSet{source: a, keep: b.contains}
}

// subtract returns the elements of a that are not in b, in the order of a.
func subtract(a, b smartset) smartset {
	if r := setOperation(a, b, false); r != nil {
		return r
	}
	return &filteredSet{source: a, keep: func(r node.Rev) bool { return !b.contains(r) }}
}

// setOperation computes what Mercurial computes at once, on two plain sets,
// and what then does not share the order of its source.
func setOperation(a, b smartset, keep bool) smartset {
	x, ok := a.(*baseSet)
	if !ok || x.order == unordered || !x.hashed {
		return nil
	}
	y, ok := b.(*baseSet)
	if !ok || !y.hashed {
		return nil
	}
	var revs []node.Rev
	for _, r := range x.sorted() {
		if y.contains(r) == keep {
			revs = append(revs, r)
		}
	}
	s := newSortedSet(revs)
	s.order = x.order
	s.topo = x.topo
	return s
}

// withRevs is intersect(a, ...) for a plain set of revisions without an order,
// given in any order and with repetitions. hidden ones are dropped where
// nothing else would.
func (ev *evaluator) withRevs(a smartset, revs []node.Rev) smartset {
	s := newSetOf(revs)
	if full, ok := a.(*spanSet); ok && full.full {
		if ev.repo.HiddenCount() > 0 {
			s.revs = slices.DeleteFunc(s.revs, func(r node.Rev) bool { return ev.hidden(r) })
		}
		s.sort(!full.ascending)
		return s
	}
	return &filteredSet{source: a, keep: s.contains}
}

func list(s smartset) []node.Rev {
	var revs []node.Rev
	switch s := s.(type) {
	case *baseSet:
		switch s.order {
		case unordered:
			return slices.Clone(s.revs)
		case ascending:
			return slices.Clone(s.sorted())
		}
		revs = slices.Clone(s.sorted())
		slices.Reverse(revs)
		return revs
	case *spanSet:
		if s.start >= s.end {
			return nil
		}
		if revs = make([]node.Rev, 0, s.end-s.start); !s.filtered {
			revs = revs[:s.end-s.start]
			for i := range revs {
				revs[i] = s.start + node.Rev(i)
			}
			if !s.ascending {
				slices.Reverse(revs)
			}
			return revs
		}
	case *genSet:
		s.exhaust()
		revs = slices.Clone(s.read)
		if s.ascending != s.up {
			slices.Reverse(revs)
		}
		return revs
	}
	it := s.iter()
	for r, ok := it(); ok; r, ok = it() {
		revs = append(revs, r)
	}
	return revs
}

// takeSlice is slice for sets that only iterate.
func takeSlice(s smartset, start, stop int) smartset {
	var revs []node.Rev
	it := s.iter()
	for i := 0; i < stop; i++ {
		r, ok := it()
		if !ok {
			break
		}
		if i >= start {
			revs = append(revs, r)
		}
	}
	return newListSet(revs)
}

func sliceIter(revs []node.Rev) iterator {
	i := 0
	return func() (node.Rev, bool) {
		if i >= len(revs) {
			return 0, false
		}
		i++
		return revs[i-1], true
	}
}

func reverseIter(revs []node.Rev) iterator {
	i := len(revs)
	return func() (node.Rev, bool) {
		if i == 0 {
			return 0, false
		}
		i--
		return revs[i], true
	}
}
