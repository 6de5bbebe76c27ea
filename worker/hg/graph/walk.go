// SPDX-License-Identifier: GPL-2.0-or-later

package graph

import (
	"slices"

	"hgbroker/worker/hg/node"
)

// EdgeType says what an edge down from a node stands for.
type EdgeType byte

// The kinds of edges, with Mercurial's letters.
const (
	Parent      EdgeType = 'P' // the other end is a parent
	Grandparent EdgeType = 'G' // the other end is an ancestor; what lies between is not shown
	Missing     EdgeType = 'M' // nothing further down is shown; Rev is the parent that is not
)

// Edge leads from a revision down to Rev.
type Edge struct {
	Type EdgeType
	Rev  node.Rev
}

// DAG tells the parents of revisions, NullRev where there is none.
type DAG interface {
	Parents(rev node.Rev) (p1, p2 node.Rev)
	WdirParents() (p1, p2 node.Rev)
}

// Revs is the set of the revisions that are shown.
type Revs interface {
	Contains(rev node.Rev) bool
	// Min is the lowest of them, false when there are none. It is asked only
	// once a parent that is not shown is met.
	Min() (node.Rev, bool)
}

// Walker computes the edges of one revision after the other (Mercurial's
// graphmod.dagwalker).
type Walker struct {
	dag  DAG
	revs Revs

	haveMin bool
	min     node.Rev
	// nearest holds, for each parent not shown that was met, the shown
	// revisions that one reaches first from it, ascending.
	nearest map[node.Rev][]node.Rev
	// seen marks revisions visited by the current search, by round, so that it
	// need not be cleared. It is indexed by rev-min.
	seen  []uint32
	round uint32
	stack []node.Rev
}

// NewWalker returns a Walker over the given revisions.
func NewWalker(dag DAG, revs Revs) *Walker {
	return &Walker{dag: dag, revs: revs, nearest: make(map[node.Rev][]node.Rev)}
}

// Edges appends the edges of rev to edges: shown parents by number, then for
// each hidden or unselected parent the nearest shown ancestors or one Missing.
func (w *Walker) Edges(rev node.Rev, edges []Edge) []Edge {
	base := len(edges)
	has := func(r node.Rev) bool {
		return slices.ContainsFunc(edges[base:], func(e Edge) bool { return e.Rev == r })
	}
	var buf [2]node.Rev
	parents := w.parents(rev, &buf)
	for _, p := range parents {
		if w.revs.Contains(p) && !has(p) {
			edges = append(edges, Edge{Parent, p})
		}
	}
	shown := edges[base:]
	slices.SortFunc(shown, func(a, b Edge) int { return int(a.Rev) - int(b.Rev) })
	direct := len(shown)
	for _, p := range parents {
		if p == node.NullRev || slices.ContainsFunc(edges[base:base+direct], func(e Edge) bool { return e.Rev == p }) {
			continue
		}
		near, ok := w.nearest[p]
		if !ok {
			near = w.search(p)
			w.nearest[p] = near
		}
		if len(near) == 0 {
			edges = append(edges, Edge{Missing, p})
			continue
		}
		// Mercurial keeps a repetition within one search, but a search has none.
		for _, g := range near {
			if !has(g) {
				edges = append(edges, Edge{Grandparent, g})
			}
		}
	}
	return edges
}

// parents lists what a changectx's parents() does: one NullRev for a root.
func (w *Walker) parents(rev node.Rev, buf *[2]node.Rev) []node.Rev {
	switch rev {
	case node.NullRev:
		buf[0] = node.NullRev
		return buf[:1]
	case node.WdirRev:
		buf[0], buf[1] = w.dag.WdirParents()
	default:
		buf[0], buf[1] = w.dag.Parents(rev)
	}
	if buf[1] == node.NullRev {
		return buf[:1]
	}
	return buf[:]
}

// search finds the shown revisions that are reached from top through
// revisions that are not shown.
func (w *Walker) search(top node.Rev) []node.Rev {
	if !w.haveMin {
		w.haveMin = true
		if min, ok := w.revs.Min(); ok {
			w.min = min
		} else {
			w.min = node.WdirRev
		}
	}
	if top < w.min {
		return nil
	}
	if need := int(top-w.min) + 1; need > len(w.seen) {
		w.seen = append(w.seen, make([]uint32, need-len(w.seen))...)
	}
	w.round++
	var found []node.Rev
	w.seen[top-w.min] = w.round
	w.stack = append(w.stack[:0], top)
	for len(w.stack) > 0 {
		rev := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		if w.revs.Contains(rev) {
			found = append(found, rev)
			continue
		}
		if rev == node.NullRev {
			continue
		}
		p1, p2 := w.dag.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p < w.min || w.seen[p-w.min] == w.round {
				continue
			}
			w.seen[p-w.min] = w.round
			w.stack = append(w.stack, p)
		}
	}
	slices.Sort(found)
	return found
}
