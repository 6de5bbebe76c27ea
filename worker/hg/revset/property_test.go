// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// dagRepo is a history without content, for tests and benchmarks. Everything
// that it is not asked for here is that of memRepo.
func dagRepo(r *rand.Rand, n int, merges float64) *memRepo {
	repo := &memRepo{byNode: map[node.ID]node.Rev{}, sets: map[ObsSet][]node.Rev{}, wdir: [2]node.Rev{node.Rev(n) - 1, -1}}
	for i := range n {
		m := memRev{p1: -1, p2: -1, branch: "default"}
		pick := func() node.Rev {
			back := 1
			for back < i && r.Float64() < 0.6 {
				back++
			}
			return node.Rev(i - back)
		}
		if i > 0 && (n > 1000 || r.Float64() > 0.02) {
			m.p1 = pick()
			if r.Float64() < merges {
				if m.p2 = pick(); m.p2 == m.p1 {
					m.p2 = -1
				}
			}
		}
		for j := range m.node {
			m.node[j] = byte(r.Uint32())
		}
		repo.byNode[m.node] = node.Rev(i)
		repo.revs = append(repo.revs, m)
	}
	return repo
}

// text is the history in the language of `hg debugbuilddag`.
func (r *memRepo) text() string {
	var b strings.Builder
	for i, m := range r.revs {
		switch {
		case m.p1 < 0:
			b.WriteString("$. ")
		case m.p2 < 0:
			fmt.Fprintf(&b, "*%d ", i-int(m.p1))
		default:
			fmt.Fprintf(&b, "*%d/%d ", i-int(m.p1), i-int(m.p2))
		}
	}
	return b.String()
}

// TestGraphs compares predicates about the graph on random histories with many
// merges, where common ancestors are several and topological orders are not
// obvious.
func TestGraphs(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	templates := []string{"sort(%a, topo)", "sort(%a, -topo)", "sort(%a, topo, topo.firstbranch=%b)", "ancestor(%x, %y)", "heads(commonancestors(%a))", "heads(commonancestors(all()))", "ancestor(%a)",
		"only(%a, %b)", "only(%a)", "%x::%y", "(%a)::(%b)", "heads(%a)", "roots(%a)", "ancestors(%a, 2)", "descendants(%a, 2)", "ancestors(%a, startdepth=1, depth=3)",
		"descendants(%a, startdepth=2)", "reverse(::%x) & %b", "first(reverse(::%x), 4)", "branchpoint() & (%a)", "children(%a)", "(%a)~2", "(%a)^2", "stack(%x)", "_firstancestors(%a)", "_firstdescendants(%a)", "(%a)#g[-2:2]"}
	checked := 0
	for i := range 6 {
		repo := dagRepo(r, 20+i*12, []float64{0.2, 0.4, 0.6, 0.8, 0.5, 0.3}[i])
		hg := initHg(t, t.TempDir())
		if _, stderr := hg.run(t, "debugbuilddag", repo.text()); stderr != "" {
			t.Fatal(stderr)
		}
		repo = load(t, hg)
		set := func() string {
			var list []string
			for range 1 + r.IntN(8) {
				list = append(list, strconv.Itoa(r.IntN(repo.Len())))
			}
			if r.IntN(6) == 0 {
				return "all()"
			}
			return strings.Join(list, "+")
		}
		for range 6 {
			for _, tmpl := range templates {
				expr := strings.NewReplacer("%a", set(), "%b", set(), "%x", strconv.Itoa(r.IntN(repo.Len())), "%y", strconv.Itoa(r.IntN(repo.Len()))).Replace(tmpl)
				if compare(t, hg, repo, expr, &Options{}) {
					checked++
				}
			}
		}
	}
	if checked < 700 {
		t.Errorf("only %d were native", checked)
	}
}

// TestOptimize checks that each rewrite of the optimizer selects the same as
// the tree as written.
func TestOptimize(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	repo := dagRepo(r, 60, 0.3)
	for i := range repo.revs {
		repo.revs[i].phase = []int{0, 1, 1, 2}[i/15]
		repo.revs[i].user = []string{"ada", "bob"}[i%2]
	}
	repo.marks = []NamedRev{{"foo-bar", 7}, {"@", 30}}
	repo.tags = []NamedRev{{"1.0", 12}, {"tip", 59}}
	repo.branches = []NamedRev{{"stable", 9}, {"default", 59}}
	sorted := func(q *Query) ([]node.Rev, error) {
		s, err := q.Eval(context.Background(), repo, nil)
		if err != nil {
			return nil, err
		}
		revs, err := s.Revs()
		slices.Sort(revs)
		if len(slices.Compact(slices.Clone(revs))) != len(revs) {
			t.Errorf("repeated revisions: %v", revs)
		}
		return revs, err
	}
	checked := 0
	for range 4000 {
		expr := generator{r, repo.Len()}.expr(4)
		// the order of evaluation decides what limits, and null within others, select
		if strings.Contains(expr, "first") || strings.Contains(expr, "last") || strings.Contains(expr, "limit") || strings.Contains(expr, "null") || strings.Contains(expr, "wdir") || strings.ContainsAny(expr, "^~") {
			continue
		}
		tree, err := parse(expr, nil)
		if err == nil {
			tree, err = analyze(tree)
		}
		if err != nil {
			continue
		}
		plain, errPlain := sorted(&Query{tree: tree})
		fast, errFast := sorted(&Query{tree: optimize(tree)})
		if hgerr.IsUnsupported(errPlain) || hgerr.IsUnsupported(errFast) {
			continue
		}
		if !slices.Equal(plain, fast) || (errPlain == nil) != (errFast == nil) {
			t.Errorf("%s\nas written %v %v\noptimized %v %v\n%s", expr, plain, errPlain, fast, errFast, optimize(tree))
		}
		checked++
	}
	t.Logf("%d expressions", checked)
	if checked < 1000 {
		t.Errorf("only %d expressions", checked)
	}
}

// TestCancel checks that a cancelled request ends an evaluation.
func TestCancel(t *testing.T) {
	repo := dagRepo(rand.New(rand.NewPCG(1, 1)), 20000, 0.1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, _, err := Eval(ctx, repo, []string{"desc(foo) and ::tip"}, nil)
	if err == nil {
		_, err = s.Revs()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range expressions {
		f.Add(e)
	}
	names := func(s string) (bool, error) { return s == "foo-bar" || s == "a", nil }
	repo := dagRepo(rand.New(rand.NewPCG(1, 1)), 12, 0.3)
	f.Fuzz(func(t *testing.T, expr string) {
		if tree, err := Parse(expr, names); err == nil {
			_ = tree.String()
			tree.HashLikeSymbols()
		}
		aliases := []Alias{{expr, "3"}, {"f(x)", expr}, {"g", expr}}
		for _, e := range []string{expr, "f(" + expr + ")", "g"} {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			s, _, err := Eval(ctx, repo, []string{e}, &Options{Aliases: aliases, Now: time.Unix(1700000000, 0)})
			if err == nil {
				for range s.All() {
				}
				s.Reverse()
				s.Last()
			}
			if ctx.Err() != nil {
				t.Errorf("%q takes a second", e)
			}
			cancel()
		}
	})
}
