// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"math/rand/v2"
	"slices"
	"testing"

	"hgbroker/worker/hg/node"
)

// TestColumn lets a column grow and change, beside a slice.
func TestColumn(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	plain := make([]byte, 3*maxChanges)
	c := column[byte]{base: slices.Clone(plain)}
	anew := 0
	for range 1000 {
		before, was := c, slices.Clone(plain)
		var changes []change[byte]
		for range rnd.IntN(40) {
			rev := rnd.IntN(len(plain))
			if rnd.IntN(2) == 0 {
				rev = len(plain) - 1 - rnd.IntN(50)
			}
			changes = append(changes, change[byte]{node.Rev(rev), byte(rnd.IntN(256))})
		}
		slices.SortFunc(changes, func(a, b change[byte]) int { return int(a.rev) - int(b.rev) })
		changes = slices.CompactFunc(changes, func(a, b change[byte]) bool { return a.rev == b.rev })
		more := make([]byte, rnd.IntN(5))
		plain = append(plain, more...)
		for _, v := range changes {
			plain[v.rev] = v.value
		}
		c = c.grown(more).changed(changes)
		if len(c.changes) == 0 && len(before.changes) > 0 {
			anew++
		}
		if !slices.Equal(c.whole(), plain) || !slices.Equal(before.whole(), was) {
			t.Fatal("the column is not what was put into it, or it changed before it grew")
		}
		for range 50 {
			if rev := rnd.IntN(len(plain)); c.at(node.Rev(rev)) != plain[rev] {
				t.Fatalf("value %d is %d, not %d", rev, c.at(node.Rev(rev)), plain[rev])
			}
		}
	}
	if anew == 0 {
		t.Error("it was never made anew")
	}
	again, err := decodeChanges(encodeChanges(c.changes), len(c.base))
	if err != nil || !slices.Equal(again, c.changes) {
		t.Errorf("changes are others in an image, %v", err)
	}
	for name, bad := range map[string][]byte{"order": {2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0}, "too far": {9, 0, 0, 0, 1, 0, 0, 0},
		"no byte": {1, 0, 0, 0, 1, 1, 0, 0}, "cut off": {1, 0, 0, 0}, "too many": make([]byte, changeSize*(maxChanges+1))} {
		if _, err := decodeChanges(bad, 9); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
