// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/node"
)

// TestSearch compares the search through all texts with one through each.
func TestSearch(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"a", "B", "ab", "z", "Z", "\n", "fix", "FIX", "é", "", " ", "\xff", "zz", "q"}
	found, missed, sure := 0, 0, 0
	for n := range 600 {
		head := "" // what makes most of the texts those of changesets
		if n%2 == 0 {
			head = strings.Repeat("f", 40) + "\n"
		}
		texts := &Texts{starts: []uint64{0}}
		var each []string
		for range rnd.IntN(3 * 64) {
			var b strings.Builder
			b.WriteString(head)
			if head != "" && rnd.IntN(4) > 0 {
				b.WriteString(pieces[rnd.IntN(len(pieces))] + "\n0 0 zz:q\n" + pieces[rnd.IntN(len(pieces))] + "\n\n")
			}
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
				may, surely := s.May(node.Rev(i))
				if surely {
					sure++
					c, err := changelog.Parse([]byte(text))
					if err != nil || !ascii || !slices.ContainsFunc(append(c.FileList(), string(c.User()), string(c.Description())),
						func(column string) bool { return strings.Contains(strings.ToLower(column), part) }) {
						t.Fatalf("%q is not in %q", part, text)
					}
				}
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
	if found == 0 || missed == 0 || sure == 0 {
		t.Fatalf("%d found, %d for sure, %d not", found, sure, missed)
	}
}
