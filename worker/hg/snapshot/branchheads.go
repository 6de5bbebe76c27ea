// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"encoding/binary"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
)

// BranchHeads are the heads of one branch while they are being found, changeset
// by changeset, among what is not hidden (package repo, branchmap.go).
type BranchHeads struct {
	Branch uint32 // number of its name
	Heads  []BranchHead
}

// BranchHead is a changeset of a branch without a child on it.
type BranchHead struct {
	Rev node.Rev
	// Reached says that a changeset of the branch descends from it through
	// another one, so that it is no head in the end.
	Reached bool
}

// branchState is the heads of all branches, in the order of their first changesets,
// as far as the first upTo changesets go. upTo is 0 when nothing is known.
type branchState struct {
	heads []BranchHeads
	upTo  int
}

// branchHeads is what is known of them: the newest state, and one from a while
// before, which stays when something is rewritten since.
type branchHeads struct {
	now, before branchState
}

// rewind forgets what does not hold when a changeset is no more, or is again, one
// that counts.
func (b *branchHeads) rewind(rev node.Rev) {
	if b.before.upTo > int(rev) {
		b.before = branchState{}
	}
	if b.now.upTo > int(rev) {
		b.now = b.before
	}
}

// BranchLag is how many changesets a state stays behind the newest one, at least.
// Tests, whose histories are short, make it less.
var BranchLag = 2048

// BranchHeads are the branches in the order of their first changesets, as far as
// the first upTo changesets go. upTo is 0 when nothing is known. Neither is to
// be modified.
func (s *Snapshot) BranchHeads() (heads []BranchHeads, upTo int) {
	return s.branches.now.heads, s.branches.now.upTo
}

// BranchHeadsBefore is the state to go on from to one that stays BranchLag behind,
// which is given to SetBranchHeads, too. ok is false when there is one that will do.
func (s *Snapshot) BranchHeadsBefore() (heads []BranchHeads, upTo, to int, ok bool) {
	from, to := s.branches.before, s.Len()-BranchLag
	if now := s.branches.now; now.upTo <= to {
		from = now
	} else if from.upTo == 0 {
		return nil, 0, 0, false // it would take all from the beginning
	}
	return from.heads, from.upTo, to, to-s.branches.before.upTo > BranchLag
}

// SetBranchHeads notes what BranchHeads is to return, or, if it stays behind, what
// BranchHeadsBefore is.
func (s *Snapshot) SetBranchHeads(heads []BranchHeads, upTo int) {
	state := branchState{heads, upTo}
	if upTo < s.Len() {
		s.branches.before = state
	}
	if upTo > s.branches.now.upTo {
		s.branches.now = state
	}
}

var branchSections = [...]image.ID{secBranchHeads, secBranchBefore}

// add puts them into an image.
func (b *branchHeads) add(to *image.Builder) {
	for i, state := range [...]branchState{b.now, b.before} {
		if state.upTo > 0 {
			to.Add(branchSections[i], encodeBranchHeads(state.heads, state.upTo))
		}
	}
}

// openBranchHeads is the reverse, for a store of n changesets and so many branches.
func openBranchHeads(section func(image.ID) ([]byte, bool), n, branches int) (b branchHeads, err error) {
	for i, state := range [...]*branchState{&b.now, &b.before} {
		if text, ok := section(branchSections[i]); ok {
			if state.heads, state.upTo, err = decodeBranchHeads(text, n, branches); err != nil {
				return branchHeads{}, err
			}
		}
	}
	return b, nil
}

// The sections branch-heads and branch-before:
//
//	u32    number of changesets that it stands for
//	then for each branch
//	u32    number of its name
//	u32    number of heads
//	u32    each head, ascending: changeset<<1 | reached
func encodeBranchHeads(list []BranchHeads, upTo int) []byte {
	le := binary.LittleEndian
	out := le.AppendUint32(nil, uint32(upTo))
	for _, b := range list {
		out = le.AppendUint32(out, b.Branch)
		out = le.AppendUint32(out, uint32(len(b.Heads)))
		for _, h := range b.Heads {
			v := uint32(h.Rev) << 1
			if h.Reached {
				v |= 1
			}
			out = le.AppendUint32(out, v)
		}
	}
	return out
}

// decodeBranchHeads is the reverse, for a store of n changesets and so many
// branches.
func decodeBranchHeads(b []byte, n, branches int) (list []BranchHeads, upTo int, err error) {
	le := binary.LittleEndian
	bad := func() ([]BranchHeads, int, error) { return nil, 0, malformed("section branch-heads is not valid") }
	if len(b) < 4 || int64(le.Uint32(b)) > int64(n) {
		return bad()
	}
	upTo = int(le.Uint32(b))
	for b = b[4:]; len(b) > 0; {
		if len(b) < 8 || int64(le.Uint32(b[4:])) > int64(len(b)-8)/4 || int64(le.Uint32(b)) >= int64(branches) || le.Uint32(b[4:]) == 0 {
			return bad()
		}
		heads := BranchHeads{Branch: le.Uint32(b), Heads: make([]BranchHead, le.Uint32(b[4:]))}
		b = b[8:]
		last := node.NullRev
		for i := range heads.Heads {
			v := le.Uint32(b[4*i:])
			h := BranchHead{node.Rev(v >> 1), v&1 != 0}
			if h.Rev <= last || int(h.Rev) >= upTo {
				return bad()
			}
			heads.Heads[i], last = h, h.Rev
		}
		b = b[4*len(heads.Heads):]
		list = append(list, heads)
	}
	return list, upTo, nil
}
