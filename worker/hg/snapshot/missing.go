// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"slices"

	"hgbroker/worker/hg/node"
)

// Missing is how many ancestors of Heads, themselves among them, are neither
// ancestors of Common nor in it. Both ascend and are without the null revision, and
// no head is in Common. As long as changesets only come, that stays true.
type Missing struct {
	Heads, Common []node.Rev
	N             int
}

// The section missing is a few records of i32: the number of heads, of common, and
// the answer, then the heads and common.
const missingHead = 3

// MostMissing is how many answers an image keeps, each for at most
// mostMissingRevs changesets.
const (
	MostMissing     = 4
	mostMissingRevs = 1024
)

// Missing are the answers that are known, the newest first.
func (s *Snapshot) Missing() (list []Missing) {
	for rest := s.missing; len(rest) > 0; {
		m, after, ok := nextMissing(rest, s.Len())
		if !ok {
			break
		}
		list, rest = append(list, m), after
	}
	return list
}

// AddMissing adds an answer. It tells whether an image has room for it.
func (s *Snapshot) AddMissing(m Missing) bool {
	if len(m.Heads)+len(m.Common) > mostMissingRevs {
		return false
	}
	known := s.Missing()
	s.missing = nil
	for _, m := range append([]Missing{m}, known[:min(len(known), MostMissing-1)]...) {
		s.missing = append(s.missing, int32(len(m.Heads)), int32(len(m.Common)), int32(m.N))
		for _, r := range slices.Concat(m.Heads, m.Common) {
			s.missing = append(s.missing, int32(r))
		}
	}
	return true
}

// nextMissing reads the first record of raw; it is false for one that is wrong in a
// history of total changesets.
func nextMissing(raw []int32, total int) (m Missing, rest []int32, ok bool) {
	if len(raw) < missingHead {
		return m, nil, false
	}
	heads, common, n := int64(raw[0]), int64(raw[1]), int(raw[2])
	raw = raw[missingHead:]
	if heads < 1 || common < 0 || heads+common > int64(len(raw)) || n < 1 || n > total {
		return m, nil, false
	}
	read := func(raw []int32) []node.Rev {
		revs := make([]node.Rev, len(raw))
		for i, r := range raw {
			if r < 0 || int(r) >= total || i > 0 && r <= raw[i-1] {
				ok = false
			}
			revs[i] = node.Rev(r)
		}
		return revs
	}
	ok = true
	m = Missing{read(raw[:heads]), read(raw[heads : heads+common]), n}
	return m, raw[heads+common:], ok
}

// checkMissing refuses a section of which a record is wrong.
func checkMissing(raw []int32, total int) error {
	for i := 0; len(raw) > 0; i++ {
		var ok bool
		if _, raw, ok = nextMissing(raw, total); !ok || i == MostMissing {
			return malformed("number %d of missing changesets", i)
		}
	}
	return nil
}
