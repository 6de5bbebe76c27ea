// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"hgbroker/worker/hg/node"
)

// TestSearch compares the search through all texts with one through each.
func TestSearch(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"a", "B", "ab", "z", "Z", "\n", "fix", "FIX", "é", "", " ", "\xff", "zz", "q"}
	found, missed := 0, 0
	for range 300 {
		texts := &Texts{starts: []uint64{0}}
		var each []string
		for range rnd.IntN(3 * 64) {
			var b strings.Builder
			for range rnd.IntN(6) {
				b.WriteString(pieces[rnd.IntN(len(pieces))])
			}
			each = append(each, b.String())
			texts.data = append(texts.data, b.String()...)
			texts.starts = append(texts.starts, uint64(len(texts.data)))
		}
		texts.of.Len = len(each)
		for _, part := range []string{"", "a", "ab", "zz", "fix", "é", "aba", "zq", "q\nz", "b "} {
			s := texts.Search(part)
			for i, text := range each {
				ascii := strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
				has := !ascii || strings.Contains(strings.ToLower(text), part)
				may := s.May(node.Rev(i))
				if has && !may {
					t.Fatalf("%q is not found in text %d of %q", part, i, each)
				}
				if may {
					found++
				} else {
					missed++
				}
			}
		}
	}
	if found == 0 || missed == 0 {
		t.Fatalf("%d found, %d not", found, missed)
	}
}
