// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"encoding/binary"

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

// BranchHeads are the branches in the order of their first changesets, as far as
// the first upTo changesets go. upTo is 0 when nothing is known. Neither is to
// be modified.
func (s *Snapshot) BranchHeads() (heads []BranchHeads, upTo int) {
	return s.branchHeads, s.branchUpTo
}

// SetBranchHeads notes what BranchHeads is to return.
func (s *Snapshot) SetBranchHeads(heads []BranchHeads, upTo int) {
	s.branchHeads, s.branchUpTo = heads, upTo
}

// The section branch-heads:
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
