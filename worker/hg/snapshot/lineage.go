// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"encoding/binary"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// Ancestor names an earlier state of a changelog by how many changesets it had
// and a hash of their nodes, in order. What was made of it holds for every
// changelog that has it in its lineage.
type Ancestor struct {
	Len  int
	Hash uint64
}

// maxLineage bounds how many earlier states an image remembers.
const maxLineage = 16

// Lineage are the states that the changelog is known to have grown from, the
// newest, that of now, last.
func (s *Snapshot) Lineage() []Ancestor {
	var out []Ancestor
	for _, a := range s.lineage {
		if a.Len <= s.Len() {
			out = append(out, a)
		}
	}
	last := Ancestor{0, lineageSeed}
	if len(out) > 0 {
		last = out[len(out)-1]
	}
	if len(out) == 0 || last.Len < s.Len() {
		out = append(out, Ancestor{s.Len(), hashNodes(s.index, last)})
	}
	return out[max(0, len(out)-maxLineage):]
}

const (
	lineageSeed  = 0xcbf29ce484222325
	lineagePrime = 0x9e3779b97f4a7c15
)

// hashNodes goes on from an earlier state. Nodes are hashes already, so that it
// is enough to mix in a part of each.
func hashNodes(x revlog.Index, from Ancestor) uint64 {
	h := from.Hash
	for rev := node.Rev(from.Len); int(rev) < x.Len(); rev++ {
		id := x.Node(rev)
		h = (h ^ binary.LittleEndian.Uint64(id[4:])) * lineagePrime
		h ^= h >> 29
	}
	return h
}

func encodeLineage(list []Ancestor) []byte {
	var out []byte
	for _, a := range list {
		out = binary.LittleEndian.AppendUint64(out, uint64(a.Len))
		out = binary.LittleEndian.AppendUint64(out, a.Hash)
	}
	return out
}

func decodeLineage(b []byte) []Ancestor {
	var out []Ancestor
	for ; len(b) >= 16; b = b[16:] {
		out = append(out, Ancestor{int(binary.LittleEndian.Uint64(b) & (1<<40 - 1)), binary.LittleEndian.Uint64(b[8:])})
	}
	return out
}
