// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"context"
	"math/rand/v2"
	"testing"

	"hgbroker/worker/hg/node"
)

// flatRepo answers from columns, as an image does.
type flatRepo struct {
	*memRepo
	p1, p2 []node.Rev
	draft  []node.Rev
}

func (r *flatRepo) Len() int                                  { return len(r.p1) }
func (r *flatRepo) HiddenCount() int                          { return 0 }
func (r *flatRepo) Hidden(node.Rev) bool                      { return false }
func (r *flatRepo) Parents(rev node.Rev) (node.Rev, node.Rev) { return r.p1[rev], r.p2[rev] }
func (r *flatRepo) NonPublic() []node.Rev                     { return r.draft }
func (r *flatRepo) AllPublic() bool                           { return len(r.draft) == 0 }
func (r *flatRepo) Lookup(s string) (node.Rev, error) {
	if s == "tip" || s == "." {
		return node.Rev(len(r.p1) - 1), nil
	}
	return r.memRepo.Lookup(s)
}

func BenchmarkEval(b *testing.B) {
	const n = 200000
	mem := dagRepo(rand.New(rand.NewPCG(1, 2)), n, 0.1)
	repo := &flatRepo{memRepo: mem}
	for i, m := range mem.revs {
		repo.p1, repo.p2 = append(repo.p1, m.p1), append(repo.p2, m.p2)
		if i > n-100 {
			mem.revs[i].phase = 1
			repo.draft = append(repo.draft, node.Rev(i))
		}
	}
	for _, bench := range []struct {
		expr string
		take int // how many are read; 0 is all
	}{
		{"tip", 0}, {".^", 0}, {"199990:tip", 0}, {"all()", 0}, {"reverse(::tip)", 10}, {"::tip", 0}, {"::tip - ::199900", 0}, {"only(tip, 199900)", 0},
		{"draft()", 0}, {"draft() & ::tip", 0}, {"first(reverse(all()), 10)", 0}, {"heads(all())", 0}, {"roots(draft())", 0}, {"199000::tip", 0},
		{"merge() and ::199000", 0}, {"ancestor(199999, 190000)", 0}, {"sort(199000:, topo)", 0}, {"last(desc(x) or merge(), 3)", 0}, {"descendants(199000)", 0}, {"children(199000)", 0},
	} {
		b.Run(bench.expr, func(b *testing.B) {
			for b.Loop() {
				s, _, err := Eval(context.Background(), repo, []string{bench.expr}, nil)
				if err != nil {
					b.Fatal(err)
				}
				i := 0
				for range s.All() {
					if i++; i == bench.take {
						break
					}
				}
				if s.Err() != nil {
					b.Fatal(s.Err())
				}
			}
		})
	}
}
