// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"encoding/binary"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// A revlog of version 0 has an index of 76 bytes a revision and never a header.
// Nobody makes one any more, but an index file of zeros, which a machine that
// lost its power leaves, is one to hg:
//
//	4    position of the chunk
//	4    length of the chunk
//	4    where the chain of deltas starts
//	4    linkrev
//	20   node of the first parent
//	20   node of the second parent
//	20   node
//
// What is behind the last whole entry is ignored.
const oldEntry = 76

// readOld turns such an index into one of version 1.
func (l *log) readOld(raw []byte) error {
	l.old, l.inline, l.general, l.sparse = true, false, false, false
	l.indexSize = int64(len(raw))
	l.byNode = map[node.ID]node.Rev{node.Null: node.NullRev}
	seen := map[node.ID]bool{}
	for ; len(raw) >= oldEntry; raw = raw[oldEntry:] {
		number := func(at int) uint32 { return binary.BigEndian.Uint32(raw[at:]) }
		id := func(at int) node.ID { return node.ID(raw[at : at+node.Size]) }
		own := id(56)
		if int32(number(0)) < 0 || int32(number(4)) < 0 || seen[own] && !own.IsNull() {
			return hgerr.NewUnsupported("verify of a revlog of version 0 that is in disorder (%s)", l.name)
		}
		seen[own] = true
		e := make([]byte, revlog.EntrySize)
		binary.BigEndian.PutUint64(e, uint64(number(0))<<16)
		binary.BigEndian.PutUint32(e[8:], number(4))
		binary.BigEndian.PutUint32(e[12:], ^uint32(0))
		copy(e[16:24], raw[8:16])
		for i, parent := range []node.ID{id(16), id(36)} {
			rev, ok := l.byNode[parent]
			if !ok {
				rev = node.NullRev
			}
			binary.BigEndian.PutUint32(e[24+4*i:], uint32(rev))
		}
		copy(e[32:], own[:])
		l.byNode[own] = node.Rev(l.n)
		l.entries = append(l.entries, e...)
		l.n++
	}
	return nil
}
