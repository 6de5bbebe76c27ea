// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"

	"hgbroker/worker/hg/node"
)

// addSet is a union: all of a, then what only b has. Once sorted it merges the
// two, as lazily as they can be read in that direction.
type addSet struct {
	a, b    smartset
	order   direction
	full    *baseSet   // all elements, once they were needed in the order a, b
	ascRevs []node.Rev // full, sorted
}

func union(a, b smartset) smartset { return &addSet{a: a, b: b} }

func (s *addSet) contains(r node.Rev) bool { return s.a.contains(r) || s.b.contains(r) }

func (s *addSet) all() *baseSet {
	if s.full == nil || len(s.full.revs) == 0 {
		s.full = newListSet(list(s))
	}
	return s.full
}

func (s *addSet) sorted() []node.Rev {
	if s.full != nil && s.ascRevs == nil {
		s.ascRevs = slices.Clone(s.full.revs)
		slices.Sort(s.ascRevs)
	}
	return s.ascRevs
}

func (s *addSet) iter() iterator {
	if s.order == unordered {
		if s.full != nil && len(s.full.revs) > 0 {
			return s.full.iter()
		}
		first, it := true, s.a.iter()
		return func() (node.Rev, bool) {
			for {
				r, ok := it()
				if !ok && first {
					first, it = false, s.b.iter()
					continue
				}
				if !ok || first || !s.a.contains(r) {
					return r, ok
				}
			}
		}
	}
	if s.order == ascending {
		if it := s.asc(); it != nil {
			return it
		}
		return merge(true, ordered(s.a, s.a.asc(), true), ordered(s.b, s.b.asc(), true))
	}
	if it := s.desc(); it != nil {
		return it
	}
	return merge(false, ordered(s.a, s.a.desc(), false), ordered(s.b, s.b.desc(), false))
}

// ordered is it, or if it is nil, all of s sorted.
func ordered(s smartset, it iterator, up bool) iterator {
	if it != nil {
		return it
	}
	revs := list(s)
	slices.Sort(revs)
	if up {
		return sliceIter(revs)
	}
	return reverseIter(revs)
}

// merge interleaves two iterators of one direction, without repetitions.
func merge(up bool, a, b iterator) iterator {
	x, haveX := a()
	y, haveY := b()
	return func() (node.Rev, bool) {
		switch {
		case !haveX && !haveY:
			return 0, false
		case haveX && haveY && x == y:
			r := x
			x, haveX = a()
			y, haveY = b()
			return r, true
		case haveX && (!haveY || (x < y) == up):
			r := x
			x, haveX = a()
			return r, true
		default:
			r := y
			y, haveY = b()
			return r, true
		}
	}
}

func (s *addSet) asc() iterator {
	if revs := s.sorted(); revs != nil {
		return sliceIter(revs)
	}
	a, b := s.a.asc(), s.b.asc()
	if a == nil || b == nil {
		return nil
	}
	return merge(true, a, b)
}

func (s *addSet) desc() iterator {
	if revs := s.sorted(); revs != nil {
		return reverseIter(revs)
	}
	a, b := s.a.desc(), s.b.desc()
	if a == nil || b == nil {
		return nil
	}
	return merge(false, a, b)
}

func (s *addSet) isAsc() bool  { return s.order == ascending }
func (s *addSet) isDesc() bool { return s.order == descending }
func (s *addSet) isTopo() bool { return false }
func (s *addSet) empty() bool  { return s.a.empty() && s.b.empty() }
func (s *addSet) len() int     { return s.all().len() }

func (s *addSet) first() (node.Rev, bool) { return s.iter()() }

func (s *addSet) last() (node.Rev, bool) {
	s.reverse()
	r, ok := s.first()
	s.reverse()
	return r, ok
}

func (s *addSet) reverse() {
	if s.order == unordered {
		s.all().reverse()
		return
	}
	s.order = reversed(s.order)
}

func (s *addSet) sort(reverse bool)              { s.order = directionOf(reverse) }
func (s *addSet) slice(start, stop int) smartset { return takeSlice(s, start, stop) }
