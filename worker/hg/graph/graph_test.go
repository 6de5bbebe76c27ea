// SPDX-License-Identifier: GPL-2.0-or-later

package graph

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
)

// memDAG is a history in memory.
type memDAG struct {
	parents [][2]node.Rev
	wdir    [2]node.Rev
}

func (d *memDAG) Parents(r node.Rev) (node.Rev, node.Rev) { return d.parents[r][0], d.parents[r][1] }
func (d *memDAG) WdirParents() (node.Rev, node.Rev)       { return d.wdir[0], d.wdir[1] }
func (d *memDAG) add(p1, p2 node.Rev)                     { d.parents = append(d.parents, [2]node.Rev{p1, p2}) }
func (d *memDAG) random(r *rand.Rand, n int, merges float64) {
	for i := 0; i < n; i++ {
		if i == 0 || r.Float64() < 0.03 {
			d.add(-1, -1)
			continue
		}
		pick := func() node.Rev {
			back := 1
			for back < i && r.Float64() < 0.6 {
				back++
			}
			return node.Rev(i - back)
		}
		p1, p2 := pick(), node.NullRev
		if r.Float64() < merges {
			if p2 = pick(); p2 == p1 {
				p2 = node.NullRev
			}
		}
		d.add(p1, p2)
	}
}

// text is the history in the language of `hg debugbuilddag`.
func (d *memDAG) text() string {
	var b strings.Builder
	for i, p := range d.parents {
		switch {
		case p[0] < 0:
			b.WriteString("$. ")
		case p[1] < 0:
			fmt.Fprintf(&b, "*%d ", i-int(p[0]))
		default:
			fmt.Fprintf(&b, "*%d/%d ", i-int(p[0]), i-int(p[1]))
		}
	}
	return b.String()
}

// revSet is a sorted set of revisions.
type revSet []node.Rev

func (s revSet) Contains(r node.Rev) bool { return slices.Contains(s, r) }
func (s revSet) Min() (node.Rev, bool) {
	if len(s) == 0 {
		return 0, false
	}
	return slices.Min(s), true
}

func draw(t testing.TB, dag DAG, revs []node.Rev, styles Styles, lines int) string {
	var buf bytes.Buffer
	w := NewWalker(dag, revSet(revs))
	d := NewDrawer(&buf, styles)
	var edges []Edge
	for _, r := range revs {
		edges = w.Edges(r, edges[:0])
		err := d.Draw(Row{Rev: r, Symbol: "o", Edges: edges, Text: func(width int) ([]string, error) {
			text := []string{fmt.Sprintf("%d w%d", r, width), "two", "", "four  ", "five", "six"}
			return text[:lines], nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return buf.String()
}

var templates = map[int]string{
	1: `{rev} w{graphwidth}\n`,
	2: `{rev} w{graphwidth}\ntwo\n`,
	3: `{rev} w{graphwidth}\ntwo\n\n`,
	6: `{rev} w{graphwidth}\ntwo\n\nfour  \nfive\nsix`,
}

// TestAgainstHg draws random selections of random histories.
func TestAgainstHg(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	styles := []struct {
		args   []string
		styles Styles
	}{
		{nil, Default},
		{[]string{"--config", "experimental.graphshorten=yes"}, Styles{"|", ":", "", true}},
		{[]string{"--config", "experimental.graphstyle.parent=!", "--config", "experimental.graphstyle.grandparent=", "--config", "experimental.graphstyle.missing=."}, Styles{"!", "", ".", false}},
		{[]string{"--config", "experimental.graphstyle.parent=", "--config", "experimental.graphshorten=yes"}, Styles{"", ":", "", true}},
		{[]string{"--config", "experimental.graphstyle.missing=~~"}, Styles{"|", ":", "~~", false}},
	}
	checked, lines := 0, 0
	for repo := 0; repo < 6; repo++ {
		dag := &memDAG{wdir: [2]node.Rev{-1, -1}}
		dag.random(r, 12+repo*9, []float64{0, 0.15, 0.3, 0.5, 0.8, 0.4}[repo])
		hg := hgtest.NewShell(t, hgtest.Hg(t), t.TempDir())
		hg.Must(t, "init")
		if _, stderr, _ := hg.Run(t, "debugbuilddag", dag.text()); stderr != "" {
			t.Fatal(stderr)
		}
		for range 16 {
			var revs []node.Rev
			keep := []float64{1, 0.9, 0.6, 0.3, 0.1}[r.IntN(5)]
			for i := range dag.parents {
				if r.Float64() < keep {
					revs = append(revs, node.Rev(i))
				}
			}
			if r.IntN(4) == 0 {
				revs = append([]node.Rev{-1}, revs...)
			}
			if r.IntN(4) == 0 {
				revs = append(revs, node.WdirRev)
			}
			if len(revs) == 0 {
				continue
			}
			slices.Reverse(revs)
			var spec []string
			for _, rev := range revs {
				spec = append(spec, strings.ReplaceAll(strconv.Itoa(int(rev)), "-1", "null"))
			}
			expr := strings.Join(spec, "+")
			if r.IntN(3) == 0 {
				// one topological branch after the other
				expr = "sort(" + expr + ", topo)"
				out := hg.Must(t, "log", "-r", expr, "-T", "{rev} ")
				revs = nil
				for _, f := range strings.Fields(out) {
					n, err := strconv.Atoi(f)
					if err != nil {
						t.Fatal(err)
					}
					revs = append(revs, node.Rev(n))
				}
			}
			for _, s := range styles {
				for n, template := range templates {
					args := append([]string{"log", "-G", "--config", "command-templates.graphnode=o", "-r", expr, "-T", template}, s.args...)
					want, stderr, _ := hg.Run(t, args...)
					if stderr != "" {
						t.Fatal(stderr)
					}
					got := draw(t, dag, revs, s.styles, n)
					if got != want {
						t.Fatalf("history %s\nrevisions %v style %+v, %d lines:\n%s\nhg draws:\n%s", dag.text(), revs, s.styles, n, got, want)
					}
					checked++
					lines += strings.Count(want, "\n")
				}
			}
		}
	}
	t.Logf("%d graphs, %d lines", checked, lines)
	if checked < 1000 {
		t.Fatalf("only %d graphs", checked)
	}
}

func BenchmarkDraw(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	dag := &memDAG{}
	dag.random(r, 200000, 0.1)
	text := []string{"one", "two", "three"}
	for b.Loop() {
		w := NewWalker(dag, everything{})
		d := NewDrawer(discard{}, Default)
		var edges []Edge
		for rev := node.Rev(199999); rev > 199999-1000; rev-- {
			edges = w.Edges(rev, edges[:0])
			d.Draw(Row{Rev: rev, Symbol: "o", Edges: edges, Text: func(int) ([]string, error) { return text, nil }})
		}
	}
}

type everything struct{}

func (everything) Contains(r node.Rev) bool { return r >= 0 }
func (everything) Min() (node.Rev, bool)    { return 0, true }

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
