// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import "hgbroker/worker/hg/node"

// genSet is what a generator yields in one direction, kept as it is read.
type genSet struct {
	gen       iterator
	up        bool       // the generator's direction
	read      []node.Rev // so far
	members   bitset
	done      bool
	ascending bool // the set's direction
}

// newGenSet takes a generator that is ascending (up) or descending. Whatever
// its direction, the set starts ascending.
func newGenSet(gen iterator, up bool) *genSet { return &genSet{gen: gen, up: up, ascending: true} }

func (s *genSet) pull() (node.Rev, bool) {
	if s.done {
		return 0, false
	}
	r, ok := s.gen()
	if !ok {
		s.done = true
		return 0, false
	}
	s.read = append(s.read, r)
	s.members.add(r)
	return r, true
}

func (s *genSet) contains(r node.Rev) bool {
	if s.members.has(r) {
		return true
	}
	if n := len(s.read); n > 0 {
		if last := s.read[n-1]; s.up && last > r || !s.up && last < r {
			return false
		}
	}
	for {
		x, ok := s.pull()
		switch {
		case !ok:
			return false
		case x == r:
			return true
		case s.up && x > r || !s.up && x < r:
			return false
		}
	}
}

// forward reads along the generator.
func (s *genSet) forward() iterator {
	i := 0
	return func() (node.Rev, bool) {
		if i >= len(s.read) {
			if _, ok := s.pull(); !ok {
				return 0, false
			}
		}
		i++
		return s.read[i-1], true
	}
}

// backward reads against it, which is possible at its end only.
func (s *genSet) backward() iterator {
	if !s.done {
		return nil
	}
	return reverseIter(s.read)
}

func (s *genSet) asc() iterator {
	if s.up {
		return s.forward()
	}
	return s.backward()
}

func (s *genSet) desc() iterator {
	if s.up {
		return s.backward()
	}
	return s.forward()
}

func (s *genSet) exhaust() {
	for _, ok := s.pull(); ok; _, ok = s.pull() {
	}
}

func (s *genSet) iter() iterator {
	if s.ascending == s.up {
		return s.forward()
	}
	s.exhaust()
	return s.backward()
}

func (s *genSet) isAsc() bool  { return s.ascending }
func (s *genSet) isDesc() bool { return !s.ascending }
func (s *genSet) isTopo() bool { return false }

func (s *genSet) first() (node.Rev, bool) { return s.iter()() }

func (s *genSet) last() (node.Rev, bool) {
	if s.ascending != s.up {
		return s.forward()()
	}
	s.exhaust()
	return s.backward()()
}

func (s *genSet) empty() bool {
	_, ok := s.forward()()
	return !ok
}

func (s *genSet) len() int {
	s.exhaust()
	return len(s.read)
}

func (s *genSet) reverse()          { s.ascending = !s.ascending }
func (s *genSet) sort(reverse bool) { s.ascending = !reverse }

func (s *genSet) slice(start, stop int) smartset { return takeSlice(s, start, stop) }
