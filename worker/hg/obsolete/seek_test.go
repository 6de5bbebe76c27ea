// SPDX-License-Identifier: GPL-2.0-or-later

package obsolete

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"hgbroker/worker/hg/node"
)

// TestSeek looks for nodes that are spread evenly, and for some that are not, as
// a binary search does, and counts the places that it looks at.
func TestSeek(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	spread := func() (id node.ID) {
		for i := range id {
			id[i] = byte(rnd.Uint32())
		}
		return id
	}
	dense := func() (id node.ID) {
		id[19], id[0] = byte(rnd.IntN(40)), byte(rnd.IntN(2)*255)
		return id
	}
	skewed := func() (id node.ID) {
		binary.BigEndian.PutUint64(id[:], uint64(1)<<rnd.IntN(64))
		return id
	}
	for name, one := range map[string]func() node.ID{"spread": spread, "dense": dense, "skewed": skewed} {
		for _, n := range []int{0, 1, 2, 7, 9, 100, 5000, 100000} {
			list := make([]node.ID, n)
			for i := range list {
				list[i] = one()
			}
			slices.SortFunc(list, func(a, b node.ID) int { return bytes.Compare(a[:], b[:]) })
			keys := make([]uint64, n)
			for i, id := range list {
				keys[i] = binary.BigEndian.Uint64(id[:])
			}
			looks, rounds := 0, 500
			for round := range rounds {
				id := one()
				if n > 0 && round%2 == 0 {
					id = list[rnd.IntN(n)]
				}
				want := sort.Search(n, func(i int) bool { return bytes.Compare(list[i][:], id[:]) >= 0 })
				if got := seek(n, id, func(at int) []byte { looks++; return list[at][:] }); got != want {
					t.Fatalf("%s: %s is at %d of %d, not at %d", name, id.Hex(), got, n, want)
				}
				if got := seekKeyed(keys, n, id, func(at int) []byte { return list[at][:] }); got != want {
					t.Fatalf("%s: by keys %s is at %d of %d, not at %d", name, id.Hex(), got, n, want)
				}
			}
			if most := 3*64 - 2; looks > rounds*most {
				t.Errorf("%s: %d looks for each of %d", name, looks/rounds, n)
			}
			if n == 100000 {
				t.Logf("%s: %d looks for each of %d", name, looks/rounds, n)
			}
		}
	}
	// What is not ordered at all must not harm.
	for range 200 {
		list := make([]node.ID, rnd.IntN(60))
		for i := range list {
			list[i] = spread()
		}
		if at := seek(len(list), spread(), func(at int) []byte { return list[at][:] }); at < 0 || at > len(list) {
			t.Fatalf("at %d of %d", at, len(list))
		}
	}
}
