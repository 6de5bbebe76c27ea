// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"encoding/binary"
	"testing"

	"hgbroker/worker/hg/node"
)

// FuzzBranchCaches reads arbitrary bytes as hg's caches of branches.
func FuzzBranchCaches(f *testing.F) {
	id := func(i int) (id node.ID) {
		binary.BigEndian.PutUint32(id[:], uint32(i)+5)
		return id
	}
	revs := []byte{0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6, 0x80, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1}
	column := make([]uint32, 4)
	names, known := parseBranchCache([]byte("default\x00side"), revs, id, []string{"side"}, column)
	if len(names) != 2 || names[1] != "default" || column[0] != 1<<1 || column[1] != 0<<1|1 || !known[0] || !known[1] || known[2] || known[3] {
		f.Errorf("%q, %v, %v", names, column, known)
	}
	line := node.ID{7}.Hex() + " c side branch\n"
	if heads, ok := parseBranchHeads([]byte(line)); !ok || len(heads) != 1 || !heads[0].closed || heads[0].branch != "side branch" {
		f.Errorf("%v, %v", heads, ok)
	}
	f.Add([]byte("default\x00side"), revs, []byte(line))
	f.Add([]byte{0, 0}, []byte{1, 2, 3}, []byte("x o\n"))
	f.Fuzz(func(t *testing.T, text, revs, heads []byte) {
		column := make([]uint32, 5)
		names, known := parseBranchCache(text, revs, id, nil, column)
		for i, v := range column {
			if known[i] && int(v>>1) >= len(names) {
				t.Errorf("changeset %d is on branch %d of %d", i, v>>1, len(names))
			}
		}
		parseBranchHeads(heads)
	})
}
