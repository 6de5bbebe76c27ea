// SPDX-License-Identifier: GPL-2.0-or-later

package dates

import (
	"math/rand/v2"
	"testing"
)

// The default format has a way of its own; it must say what the general one says.
func TestDefaultForm(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		d := Date{Unix: rnd.Int64N(1<<34) - 1<<33, Offset: rnd.IntN(200_000) - 100_000}
		got, err := d.Format(DefaultFormat)
		want, werr := d.Format("%" + "a" + DefaultFormat[2:] + "%%")
		if err != nil || werr != nil || got+"%" != want {
			t.Fatalf("%v: %q, not %q (%v, %v)", d, got, want, err, werr)
		}
	}
}

func BenchmarkAppendDefault(b *testing.B) {
	d := Date{Unix: 1_500_000_000, Offset: -3600}
	var text []byte
	for b.Loop() {
		d.Unix += 7777
		text = d.AppendDefault(text[:0])
	}
}
