// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"container/heap"
	"slices"

	"hgbroker/worker/hg/node"
)

// topoGroup is a topological branch that is held back: revs are printed once
// one of blocked, parents of them outside of the group, is about to be.
type topoGroup struct {
	revs    []node.Rev
	blocked map[node.Rev]struct{}
}

// topoSort orders revs from heads to roots, one topological branch after the
// other, so that a graph has few parallel branches (Mercurial's
// dagop.toposort). A branch is held back until the revision that it forked from
// comes up. first names revisions whose branches come before all others.
func (ev *evaluator) topoSort(revs smartset, first []node.Rev) []node.Rev {
	revs.sort(true)
	var out []node.Rev
	unblocked := make(map[node.Rev]struct{})
	for _, r := range first {
		unblocked[r] = struct{}{}
	}
	// The first group is what is already printed; it shares unblocked.
	groups := []*topoGroup{{blocked: unblocked}}
	pending := visitHeap{down: true}
	queued := make(map[node.Rev]struct{})
	push := func(r node.Rev) {
		if _, ok := queued[r]; !ok {
			queued[r] = struct{}{}
			heap.Push(&pending, visited{rev: r})
		}
	}
	it := revs.iter()
	for current, ok := it(); ok; current, ok = it() {
		push(current)
		for {
			if ev.stopped() {
				return nil
			}
			r := heap.Pop(&pending).(visited).rev
			delete(queued, r)
			target := joinGroups(&groups, r)
			g := groups[target]
			if r == current {
				g.revs = append(g.revs, r)
			}
			delete(g.blocked, r)
			p1, p2 := ev.parents(r)
			for _, p := range [2]node.Rev{p1, p2} {
				if p > node.NullRev {
					g.blocked[p] = struct{}{}
					push(p)
				}
			}
			emit := true
			if len(unblocked) == 0 {
				if len(groups) > 1 {
					target = 1
					g = groups[1]
				}
			} else {
				emit = intersects(g.blocked, unblocked)
			}
			if emit {
				for b := range g.blocked {
					unblocked[b] = struct{}{}
				}
				out = append(out, g.revs...)
				if target > 0 {
					groups = slices.Delete(groups, target, target+1)
				} else {
					g.revs = g.revs[:0]
				}
			}
			if r == current {
				break
			}
		}
	}
	for _, g := range groups {
		out = append(out, g.revs...)
	}
	return out
}

// joinGroups merges all groups that wait for r into the oldest of them, or
// starts one, and returns its index.
func joinGroups(groups *[]*topoGroup, r node.Rev) int {
	target := -1
	kept := (*groups)[:0]
	for i, g := range *groups {
		if _, ok := g.blocked[r]; !ok {
			kept = append(kept, g)
			continue
		}
		if target < 0 {
			target = i
			kept = append(kept, g)
			continue
		}
		t := kept[target]
		t.revs = append(t.revs, g.revs...)
		for b := range g.blocked {
			t.blocked[b] = struct{}{}
		}
	}
	*groups = kept
	if target < 0 {
		target = len(kept)
		*groups = append(*groups, &topoGroup{blocked: map[node.Rev]struct{}{r: {}}})
	}
	return target
}

func intersects(a, b map[node.Rev]struct{}) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	for r := range a {
		if _, ok := b[r]; ok {
			return true
		}
	}
	return false
}
