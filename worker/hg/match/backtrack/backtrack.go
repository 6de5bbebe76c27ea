// SPDX-License-Identifier: GPL-2.0-or-later

// Package backtrack is Python's re module for bytes patterns, with what no
// automaton can do: groups, back-references, look-ahead and look-behind. It finds
// the very match that Python finds, by trying alternatives in Python's order.
//
// The syntax is read as strictly as Python reads it: what every version of
// Python refuses is a pyre.InvalidError. Conditionals, atomic groups, possessive
// repeats, verbose and locale flags, and what Python versions treat differently
// or warn of, is hgerr.Unsupported.
//
// Backtracking may take time beyond measure for a short text. So every search
// has a budget of steps and of depth, and one that runs out of it returns an
// hgerr.Unsupported; it never returns a guess. Where a yes or no is enough and the
// pattern is regular, package pyre answers in linear time.
//
// A Pattern is safe for concurrent use.
package backtrack

import (
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match/pyre"
)

// Bounds of what is compiled and of what one search may do.
const (
	maxNesting = 200     // of groups in a pattern
	maxGroups  = 100     // Python's own limit is higher, what patterns need is lower
	maxProgram = 1 << 16 // instructions
	maxRepeat  = 1 << 16 // in {m,n}
	maxSteps   = 1 << 22 // instructions run by one search
	maxDepth   = 1 << 16 // nested tries of one search
)

// Pattern is a compiled pattern.
type Pattern struct {
	code   []instruction
	groups int
	names  []string
	loops  int
	text   string
	counts bool
}

// Groups counts the groups, without that of the whole match.
func (p *Pattern) Groups() int { return p.groups }

// Names lists the names of groups by number; unnamed ones, and 0, are empty.
func (p *Pattern) Names() []string { return p.names }

// Match tells whether re.match finds something: a match at the start of s.
func (p *Pattern) Match(s string) (bool, error) {
	m := p.matcher(s)
	if !p.counts {
		m.tried = map[uint64]struct{}{}
	}
	ok := m.try(0, false)
	return ok && m.err == nil, m.err
}

// Polynomial tells that Match always answers: there are no back-references and no
// groups that are repeated a limited number of times, so that nothing is tried
// twice at one place. (Only \B in an empty text remains as an error.)
func (p *Pattern) Polynomial() bool { return !p.counts }

// Search finds the first match that begins at from or later, as re.search does:
// where it and each group begin and end, -1 for a group that took no part; nil
// when there is none. With advance, the match must not be empty if it begins at
// from.
func (p *Pattern) Search(s string, from int, advance bool) ([]int, error) {
	m := p.matcher(s)
	for at := from; at <= len(s); at++ {
		if m.try(at, advance && at == from) {
			loc := append([]int{at, m.end}, m.marks...)
			for g := 2; g < len(loc); g += 2 {
				if loc[g] < 0 || loc[g+1] < loc[g] {
					loc[g], loc[g+1] = -1, -1
				}
			}
			return loc, nil
		}
		if m.err != nil {
			return nil, m.err
		}
	}
	return nil, nil
}

func invalid(pattern, cause string) error { return &pyre.InvalidError{Pattern: pattern, Cause: cause} }

func unsupported(pattern, what string) error {
	if len(pattern) > 200 {
		pattern = pattern[:200] + "..."
	}
	return hgerr.NewUnsupported("%s in regular expression %q", what, pattern)
}
