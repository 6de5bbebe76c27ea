// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"math/rand/v2"
	"slices"
	"testing"

	"hgbroker/worker/hg/node"
)

// history is a random history: each changeset's parents.
type history [][2]node.Rev

func (h history) parents(r node.Rev) (p1, p2 node.Rev) { return h[r][0], h[r][1] }

func (h *history) grow(r *rand.Rand, n int) {
	for range n {
		p := [2]node.Rev{node.NullRev, node.NullRev}
		for i := range 1 + r.IntN(4)/3 {
			if size := len(*h); size > 0 && r.IntN(30) > 0 {
				p[i] = node.Rev(size - 1 - r.IntN(min(size, 6)))
			}
		}
		*h = append(*h, p)
	}
}

func (h history) ancestors(of []node.Rev) map[node.Rev]bool {
	all := map[node.Rev]bool{}
	for wait := slices.Clone(of); len(wait) > 0; {
		r := wait[len(wait)-1]
		wait = wait[:len(wait)-1]
		if r >= 0 && !all[r] {
			all[r] = true
			wait = append(wait, h[r][0], h[r][1])
		}
	}
	return all
}

func (h history) some(r *rand.Rand, most int) (revs []node.Rev) {
	for range r.IntN(most + 1) {
		revs = append(revs, node.Rev(r.IntN(len(h))))
	}
	return ascending(revs)
}

// TestCountMissing compares with sets of ancestors, while a history grows and what was
// counted before is known.
func TestCountMissing(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 5))
	shortened := 0
	for range 300 {
		var h history
		h.grow(r, 1+r.IntN(200))
		var known []*missingCount
		heads, common := h.some(r, 4), h.some(r, 2)
		for range 8 {
			heads = slices.DeleteFunc(heads, func(x node.Rev) bool { return slices.Contains(common, x) })
			if len(heads) > 0 {
				drop := h.ancestors(common)
				want := 0
				for x := range h.ancestors(heads) {
					if !drop[x] {
						want++
					}
				}
				cold, all := countMissing(h.parents, heads, common, nil)
				got, passed := countMissing(h.parents, heads, common, known)
				if got != want || cold != want || all < want || passed > all {
					t.Fatalf("%v without %v: %d and %d, want %d", heads, common, got, cold, want)
				}
				if passed < want {
					shortened++
				}
				known = append(known, &missingCount{heads: slices.Clone(heads), common: slices.Clone(common), n: want})
			}
			// A commit or two, on what is asked for or beside it.
			before := node.Rev(len(h))
			switch on := r.IntN(3); {
			case on == 0 && len(common) > 0:
				h = append(h, [2]node.Rev{common[0], node.NullRev})
				common[0] = before
			case on == 1 && len(heads) > 0:
				h = append(h, [2]node.Rev{heads[0], node.NullRev})
				heads[0] = before
			default:
				h.grow(r, 2)
				heads = append(heads, before)
			}
			heads, common = ascending(heads), ascending(common)
		}
	}
	if shortened < 100 {
		t.Errorf("only %d ways were shortened", shortened)
	}
}

// A history that claims a changeset to be its own ancestor has an end all the same.
func TestCountMissingInDamage(t *testing.T) {
	h := history{{5, 1}, {0, 2}, {2, 2}}
	if n, _ := countMissing(h.parents, []node.Rev{2}, []node.Rev{1}, nil); n != 1 {
		t.Errorf("%d", n)
	}
}
