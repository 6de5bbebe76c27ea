// SPDX-License-Identifier: GPL-2.0-or-later

package node

import (
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

func TestDigits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		var id ID
		for i := range id {
			id[i] = byte(rnd.Uint32())
		}
		want := hex.EncodeToString(id[:])
		if got := string(id.AppendHex([]byte("x"))); got != "x"+want {
			t.Fatalf("%s, not x%s", got, want)
		}
		if got := string(id.AppendShort([]byte("x"))); got != "x"+want[:12] {
			t.Fatalf("%s, not the first twelve digits of %s", got, want)
		}
	}
}

func BenchmarkAppendShort(b *testing.B) {
	id := Wdir
	var buf []byte
	for b.Loop() {
		buf = id.AppendShort(buf[:0])
	}
}
