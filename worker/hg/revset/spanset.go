// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import "hgbroker/worker/hg/node"

// spanSet is the visible revisions of a range.
type spanSet struct {
	repo       Repo
	start, end node.Rev // start <= r < end
	ascending  bool
	filtered   bool // there are hidden revisions
	// full marks the set of all revisions, the universe that an expression
	// starts from. Revisions outside of it, null and wdir(), join it when
	// named.
	full bool
}

// newSpan covers start up to end exclusively, descending if end is below.
func (ev *evaluator) newSpan(start, end node.Rev) *spanSet {
	s := &spanSet{repo: ev.repo, start: start, end: end, ascending: true, filtered: ev.repo.HiddenCount() > 0}
	if start > end {
		s.start, s.end, s.ascending = end+1, start+1, false
	}
	return s
}

// all is a fresh set of all revisions.
func (ev *evaluator) all() *spanSet {
	s := ev.newSpan(0, node.Rev(ev.repo.Len()))
	s.full = true
	return s
}

func (s *spanSet) hidden(r node.Rev) bool {
	return s.filtered && r >= 0 && int(r) < s.repo.Len() && s.repo.Hidden(r)
}

func (s *spanSet) contains(r node.Rev) bool {
	return s.start <= r && r < s.end && !s.hidden(r)
}

func (s *spanSet) iter() iterator {
	if s.ascending {
		return s.asc()
	}
	return s.desc()
}

func (s *spanSet) asc() iterator {
	next := s.start
	return func() (node.Rev, bool) {
		for next < s.end && s.hidden(next) {
			next++
		}
		if next >= s.end {
			return 0, false
		}
		next++
		return next - 1, true
	}
}

func (s *spanSet) desc() iterator {
	next := s.end - 1
	return func() (node.Rev, bool) {
		for next >= s.start && s.hidden(next) {
			next--
		}
		if next < s.start {
			return 0, false
		}
		next--
		return next + 1, true
	}
}

func (s *spanSet) isAsc() bool  { return s.ascending }
func (s *spanSet) isDesc() bool { return !s.ascending }
func (s *spanSet) isTopo() bool { return false }

func (s *spanSet) first() (node.Rev, bool) { return s.iter()() }

func (s *spanSet) last() (node.Rev, bool) {
	if s.ascending {
		return s.desc()()
	}
	return s.asc()()
}

func (s *spanSet) empty() bool {
	_, ok := s.first()
	return !ok
}

func (s *spanSet) len() int {
	n := max(int(s.end)-int(s.start), 0)
	if !s.filtered {
		return n
	}
	n = 0
	it := s.asc()
	for _, ok := it(); ok; _, ok = it() {
		n++
	}
	return n
}

func (s *spanSet) reverse()          { s.ascending = !s.ascending }
func (s *spanSet) sort(reverse bool) { s.ascending = !reverse }

func (s *spanSet) slice(start, stop int) smartset {
	if s.filtered {
		return takeSlice(s, start, stop)
	}
	n := s.len()
	start, stop = min(start, n), min(stop, n)
	stop = max(start, stop)
	sub := *s
	sub.full = false
	if s.ascending {
		sub.start, sub.end = s.start+node.Rev(start), s.start+node.Rev(stop)
	} else {
		sub.start, sub.end = s.end-node.Rev(stop), s.end-node.Rev(start)
	}
	return &sub
}
