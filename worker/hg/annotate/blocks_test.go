// SPDX-License-Identifier: GPL-2.0-or-later

package annotate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"hgbroker/worker/hg/bdiff"
)

// edit replaces a few lines of a text by others.
func edit(r *rand.Rand, lines []string, kinds int) []string {
	out := append([]string(nil), lines...)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(out) + 1)
		cut := min(r.IntN(4), len(out)-at)
		var fresh []string
		for range r.IntN(4) {
			fresh = append(fresh, fmt.Sprintf("%d\n", r.IntN(kinds)))
		}
		if r.IntN(4) == 0 && len(out) > 3 {
			from := r.IntN(len(out) - 2)
			fresh = append(fresh, out[from:from+2]...)
		}
		out = append(append(append([]string(nil), out[:at]...), fresh...), out[at+cut:]...)
	}
	return out
}

func join(lines []string, r *rand.Rand) []byte {
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l)
	}
	if text := b.Bytes(); r.IntN(8) == 0 && len(text) > 0 {
		return text[:len(text)-1]
	}
	return b.Bytes()
}

// TestBlocksAreThoseOfBdiff edits random texts and compares each version with
// the one before, by number and by bytes.
func TestBlocksAreThoseOfBdiff(t *testing.T) {
	compared := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		kinds, size := 2+r.IntN(60), 1+r.IntN(80)
		switch {
		case seed%100 == 99:
			size = 1500 + r.IntN(3000) // large enough for popular lines
		case seed%5 == 0:
			kinds = 3
		}
		var lines []string
		for range size {
			if r.IntN(3) == 0 {
				lines = append(lines, fmt.Sprintf("%d\n", r.IntN(kinds)))
			} else {
				lines = append(lines, fmt.Sprintf("unique %d\n", r.IntN(1<<30)))
			}
		}
		table := newLineTable(nil)
		var d differ
		text := join(lines, r)
		old := &version{}
		table.read(old, text, nil)
		for range 6 {
			lines = edit(r, lines, kinds)
			next := join(lines, r)
			v := &version{}
			table.read(v, next, old)
			fresh := &version{}
			table.read(fresh, next, nil)
			if fmt.Sprint(fresh.ids, fresh.ends) != fmt.Sprint(v.ids, v.ends) {
				t.Fatalf("seed %d: %q after %q:\nlines %v %v\nwant  %v %v", seed, next, old.text, v.ids, v.ends, fresh.ids, fresh.ends)
			}
			p, s := common(old.ids, v.ids)
			got := d.blocks(old.ids, v.ids, p, s, table.n)
			want := bdiff.Blocks(old.text, next)
			ok := len(got) == len(want)
			for i := 0; ok && i < len(got); i++ {
				ok = bdiff.Block{A1: int(got[i].a1), A2: int(got[i].a2), B1: int(got[i].b1), B2: int(got[i].b2)} == want[i]
			}
			if !ok {
				t.Fatalf("seed %d, sizes %d and %d, common %d and %d:\ngot  %v\nwant %v", seed, len(old.ids), len(v.ids), p, s, got, want)
			}
			compared++
			old = v
		}
	}
	t.Logf("%d pairs", compared)
}
