// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import "hgbroker/worker/hg/node"

// filteredSet is the elements of source that keep is true for. Its order is
// that of source, which it shares.
type filteredSet struct {
	source smartset
	keep   func(node.Rev) bool
}

func (s *filteredSet) contains(r node.Rev) bool { return s.source.contains(r) && s.keep(r) }

func (s *filteredSet) filter(it iterator) iterator {
	if it == nil {
		return nil
	}
	return func() (node.Rev, bool) {
		for {
			r, ok := it()
			if !ok || s.keep(r) {
				return r, ok
			}
		}
	}
}

func (s *filteredSet) iter() iterator { return s.filter(s.source.iter()) }
func (s *filteredSet) asc() iterator  { return s.filter(s.source.asc()) }
func (s *filteredSet) desc() iterator { return s.filter(s.source.desc()) }
func (s *filteredSet) isAsc() bool    { return s.source.isAsc() }
func (s *filteredSet) isDesc() bool   { return s.source.isDesc() }
func (s *filteredSet) isTopo() bool   { return s.source.isTopo() }

func (s *filteredSet) first() (node.Rev, bool) { return s.iter()() }

func (s *filteredSet) last() (node.Rev, bool) {
	var it iterator
	switch {
	case s.isAsc():
		it = s.desc()
	case s.isDesc():
		it = s.asc()
	}
	if it != nil {
		return it()
	}
	var last node.Rev
	found := false
	it = s.iter()
	for r, ok := it(); ok; r, ok = it() {
		last, found = r, true
	}
	return last, found
}

// empty looks in the direction of the set first, then in any that is cheap.
func (s *filteredSet) empty() bool {
	var it iterator
	if s.isAsc() {
		it = s.asc()
	}
	if it == nil && s.isDesc() {
		it = s.desc()
	}
	if it == nil {
		it = s.asc()
	}
	if it == nil {
		it = s.desc()
	}
	if it == nil {
		it = s.iter()
	}
	_, ok := it()
	return !ok
}

func (s *filteredSet) len() int {
	n := 0
	it := s.iter()
	for _, ok := it(); ok; _, ok = it() {
		n++
	}
	return n
}

func (s *filteredSet) reverse()                       { s.source.reverse() }
func (s *filteredSet) sort(reverse bool)              { s.source.sort(reverse) }
func (s *filteredSet) slice(start, stop int) smartset { return takeSlice(s, start, stop) }

// memo remembers the answers of an expensive filter.
func memo(keep func(node.Rev) bool) func(node.Rev) bool {
	known, yes := newBitset(0), newBitset(0)
	return func(r node.Rev) bool {
		if known.has(r) {
			return yes.has(r)
		}
		known.add(r)
		ok := keep(r)
		if ok {
			yes.add(r)
		}
		return ok
	}
}
