// SPDX-License-Identifier: GPL-2.0-or-later

package encoding

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

// What is escaped must read back, wherever in a word it stands.
func TestEscapesAreFound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("abc \"\\\x00\x1f\x7f\n\r\t\b\f/<é€😀")
	for range 20_000 {
		var b strings.Builder
		for range rnd.IntN(40) {
			c := 'x'
			if rnd.IntN(4) == 0 {
				c = alphabet[rnd.IntN(len(alphabet))]
			}
			b.WriteRune(c)
		}
		s := b.String()
		got := AppendJSONText([]byte(`"`), []byte(s))
		got = append(got, '"')
		var back string
		if err := json.Unmarshal(got, &back); err != nil || back != s {
			t.Fatalf("%q: %s (%v)", s, got, err)
		}
		if strings.Contains(string(got), "\x7f") {
			t.Fatalf("%q: %s, with DEL", s, got)
		}
		if other := string(AppendJSON(nil, s, false)); `"`+other+`"` != string(got) {
			t.Fatalf("%q: %s as bytes, %s as a string", s, got, other)
		}
	}
}

func BenchmarkAppendJSONText(b *testing.B) {
	desc := []byte("status: update set clean range template fix clean style\n\nA line that says why.\nAnother one.\n")
	b.SetBytes(int64(len(desc)))
	var buf []byte
	for b.Loop() {
		buf = AppendJSONText(buf[:0], desc)
	}
}
