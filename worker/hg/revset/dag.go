// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"container/heap"
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// The walks below are over the changelog's whole graph. They need not look at
// what is hidden on the way down, since an ancestor of what is visible is
// visible; the ones that go up skip hidden revisions.

// parents returns the parents of any revision, as a context's parents() does
// but for null, which has none here.
func (ev *evaluator) parents(r node.Rev) (p1, p2 node.Rev) {
	switch r {
	case node.NullRev:
		return node.NullRev, node.NullRev
	case node.WdirRev:
		return ev.repo.WdirParents()
	}
	return ev.repo.Parents(r)
}

// walk says how far ancestors or descendants are followed.
type walk struct {
	firstOnly bool // only along first parents
	// start and stop are generations: from start, to stop-1. A stop of 0 is no
	// limit.
	start, stop int64
	counted     bool // generations are counted although they have no limit
	// cut ends the walk: what it is true for and what is only reached through
	// that is left out.
	cut func(node.Rev) bool
}

func (w walk) limited() bool { return w.start != 0 || w.stop != 0 || w.counted }

// ancestors is revs and all their ancestors.
func (ev *evaluator) ancestors(revs smartset, w walk) smartset {
	if w.cut != nil {
		cut := w.cut
		revs = &filteredSet{source: revs, keep: func(r node.Rev) bool { return !cut(r) }}
	}
	if w.limited() {
		gen := ev.walkDepths(revs, w, true, func(r node.Rev, visit func(node.Rev)) {
			p1, p2 := ev.parents(r)
			visit(p1)
			if !w.firstOnly {
				visit(p2)
			}
		})
		return newGenSet(gen, false)
	}
	var it iterator
	var input node.Rev
	more := false
	pending := newBitset(0)
	pos := node.Rev(0)
	return newGenSet(func() (node.Rev, bool) {
		if it == nil {
			revs.sort(true)
			it = revs.iter()
			if input, more = it(); more {
				pos = input
				if pos == node.WdirRev {
					pos = node.Rev(ev.repo.Len())
				}
			}
		}
		if ev.stopped() {
			return 0, false
		}
		rev, ok := pending.below(pos)
		if more && (!ok || input >= rev) {
			rev, ok = input, true
		}
		if !ok {
			return 0, false
		}
		for more && input == rev {
			input, more = it()
		}
		if rev != node.WdirRev {
			pos = rev - 1
		}
		p1, p2 := ev.parents(rev)
		if p1 != node.NullRev && (w.cut == nil || !w.cut(p1)) {
			pending.add(p1)
		}
		if !w.firstOnly && p2 != node.NullRev && (w.cut == nil || !w.cut(p2)) {
			pending.add(p2)
		}
		return rev, true
	}, false)
}

// visited is a revision found at some depth.
type visited struct {
	rev   node.Rev
	depth int64
}

// visitHeap yields revisions in one direction, those of the same revision from
// the lowest depth up.
type visitHeap struct {
	v    []visited
	down bool
}

func (h *visitHeap) Len() int { return len(h.v) }
func (h *visitHeap) Less(i, j int) bool {
	a, b := h.v[i], h.v[j]
	if a.rev != b.rev {
		return (a.rev > b.rev) == h.down
	}
	return a.depth < b.depth
}
func (h *visitHeap) Swap(i, j int) { h.v[i], h.v[j] = h.v[j], h.v[i] }
func (h *visitHeap) Push(x any)    { h.v = append(h.v, x.(visited)) }
func (h *visitHeap) Pop() any {
	x := h.v[len(h.v)-1]
	h.v = h.v[:len(h.v)-1]
	return x
}

// walkDepths yields what is between w.start and w.stop generations away from
// revs, counted along the shortest path.
func (ev *evaluator) walkDepths(revs smartset, w walk, down bool, next func(node.Rev, func(node.Rev))) iterator {
	h := visitHeap{down: down}
	var it iterator
	var input node.Rev
	more := false
	lastRev := node.Rev(-2)
	queued := make(map[visited]bool)
	push := func(v visited) {
		// The same revision at the same depth again changes nothing.
		if !queued[v] {
			queued[v] = true
			heap.Push(&h, v)
		}
	}
	return func() (node.Rev, bool) {
		if it == nil {
			revs.sort(down)
			it = revs.iter()
			if input, more = it(); more {
				push(visited{input, 0})
			}
		}
		for h.Len() > 0 && !ev.stopped() {
			cur := heap.Pop(&h).(visited)
			delete(queued, cur)
			for more && cur.rev == input {
				if input, more = it(); more {
					push(visited{input, 0})
				}
			}
			if cur.rev == lastRev {
				continue
			}
			if depth := cur.depth + 1; w.stop == 0 || depth < w.stop {
				next(cur.rev, func(p node.Rev) {
					if p != node.NullRev && (w.cut == nil || !w.cut(p)) {
						push(visited{p, depth})
					}
				})
			}
			if cur.depth >= w.start {
				lastRev = cur.rev
				return cur.rev, true
			}
		}
		return 0, false
	}
}

// descendants is revs, which is not empty, and all their visible descendants.
func (ev *evaluator) descendants(revs smartset, w walk) smartset {
	n := node.Rev(ev.repo.Len())
	if w.limited() {
		if revs.contains(node.WdirRev) {
			ev.fail(hgerr.NewUnsupported("descendants(wdir(), depth)")) // hg fails
			return newListSet(nil)
		}
		if idx, ok := ev.repo.(ChildIndex); ok {
			var children []node.Rev
			return newGenSet(ev.walkDepths(revs, w, false, func(r node.Rev, visit func(node.Rev)) {
				children = idx.AppendChildren(children[:0], r)
				for _, c := range children {
					if ev.hidden(c) {
						continue
					}
					if w.firstOnly {
						if p1, _ := ev.repo.Parents(c); p1 != r {
							continue
						}
					}
					visit(c)
				}
			}), true)
		}
		var first node.Rev
		var children [][]node.Rev
		gen := ev.walkDepths(revs, w, false, func(r node.Rev, visit func(node.Rev)) {
			if children == nil {
				first, _ = minimum(revs)
				children = ev.childMap(first, w.firstOnly)
			}
			for _, c := range children[r-first] {
				visit(c)
			}
		})
		return newGenSet(gen, true)
	}
	var seen *bitset
	var next node.Rev
	fromNull := false
	return newGenSet(func() (node.Rev, bool) {
		if seen == nil {
			first, _ := minimum(revs)
			if first == node.NullRev {
				fromNull = true
				seen = newBitset(0)
				return first, true
			}
			seen = newBitset(int(n))
			it := revs.iter()
			for r, ok := it(); ok; r, ok = it() {
				seen.add(r)
			}
			next = first
		}
		for ; next < n && !ev.stopped(); next++ {
			r := next
			if ev.hidden(r) {
				continue
			}
			if !fromNull && !seen.has(r) {
				p1, p2 := ev.repo.Parents(r)
				if (p1 == node.NullRev || !seen.has(p1)) && (w.firstOnly || p2 == node.NullRev || !seen.has(p2)) {
					continue
				}
				seen.add(r)
			}
			next++
			return r, true
		}
		return 0, false
	}, true)
}

// childMap lists the visible children of each revision from first on, by
// distance from first.
func (ev *evaluator) childMap(first node.Rev, firstOnly bool) [][]node.Rev {
	n := node.Rev(ev.repo.Len())
	m := make([][]node.Rev, max(n-first, 0))
	for r := first + 1; r < n; r++ {
		if ev.hidden(r) {
			continue
		}
		p1, p2 := ev.repo.Parents(r)
		if p1 >= first {
			m[p1-first] = append(m[p1-first], r)
		}
		if !firstOnly && p2 != node.NullRev && p2 >= first {
			m[p2-first] = append(m[p2-first], r)
		}
	}
	return m
}

// between is the revisions on paths from roots to heads, ends included,
// ascending.
func (ev *evaluator) between(roots, heads smartset) (*baseSet, error) {
	low, ok := minimum(roots)
	if !ok {
		return newListSet(nil), nil
	}
	isRoot := new(bitset)
	it := roots.iter()
	for r, ok := it(); ok; r, ok = it() {
		isRoot.add(r)
	}
	isRoot.wdir = false // it is not reached from anything
	visit := new(bitset)
	top := node.Rev(-2)
	it = heads.iter()
	for r, ok := it(); ok; r, ok = it() {
		if r == node.WdirRev {
			return nil, hgerr.NewUnsupported("a range of ancestors up to wdir()")
		}
		visit.add(r)
		top = max(top, r)
	}
	var down []node.Rev
	for pos := top; ; {
		r, ok := visit.below(pos)
		if !ok || ev.stopped() {
			break
		}
		pos = r - 1
		down = append(down, r)
		p1, p2 := ev.parents(r)
		if r == node.NullRev {
			continue
		}
		if p1 >= low {
			visit.add(p1)
		}
		if p2 >= low {
			visit.add(p2)
		}
	}
	reached := newBitset(int(top) + 1)
	revs := make([]node.Rev, 0, len(down))
	for _, r := range slices.Backward(down) {
		in := isRoot.has(r)
		if !in && r != node.NullRev {
			p1, p2 := ev.repo.Parents(r)
			in = reached.has(p1) || reached.has(p2)
		}
		if in {
			reached.add(r)
			revs = append(revs, r)
		}
	}
	s := newListSet(revs)
	s.ascRevs, s.order = revs, ascending
	return s, nil
}

// missing lists the ancestors of heads that are not ancestors of common,
// ascending.
func (ev *evaluator) missing(common, heads []node.Rev) ([]node.Rev, error) {
	want, drop := new(bitset), new(bitset)
	for _, r := range common {
		drop.add(r)
	}
	top := node.NullRev
	pendingWant := 0
	for _, r := range heads {
		if r == node.NullRev || drop.has(r) || want.has(r) {
			continue
		}
		want.add(r)
		pendingWant++
		top = max(top, r)
	}
	if pendingWant == 0 {
		return nil, nil
	}
	if want.wdir || drop.wdir {
		return nil, errWdir()
	}
	for _, r := range common {
		top = max(top, r)
	}
	var revs []node.Rev
	all := new(bitset)
	for _, r := range heads {
		if r != node.NullRev {
			all.add(r)
		}
	}
	for _, r := range common {
		if r != node.NullRev {
			all.add(r)
		}
	}
	for pos := top; pendingWant > 0; {
		r, ok := all.below(pos)
		if !ok || r == node.NullRev || ev.stopped() {
			break
		}
		pos = r - 1
		dropped := drop.has(r)
		if !dropped {
			pendingWant--
			revs = append(revs, r)
		}
		p1, p2 := ev.repo.Parents(r)
		for _, p := range [2]node.Rev{p1, p2} {
			if p == node.NullRev {
				continue
			}
			all.add(p)
			switch {
			case dropped && !drop.has(p):
				drop.add(p)
				if want.has(p) {
					pendingWant--
				}
			case !dropped && !drop.has(p) && !want.has(p):
				want.add(p)
				pendingWant++
			}
		}
	}
	slices.Reverse(revs)
	return revs, nil
}

// headsOf lists the members of s that have no child in s, in any order. null is
// never one.
func (ev *evaluator) headsOf(revs []node.Rev) []node.Rev {
	parents := newBitset(ev.repo.Len())
	for _, r := range revs {
		p1, p2 := ev.parents(r)
		parents.add(p1)
		parents.add(p2)
	}
	parents.add(node.NullRev)
	return slices.DeleteFunc(slices.Clone(revs), parents.has)
}

// commonHeads lists the heads of the common ancestors of revs. It walks down
// from all of them at once, noting for each revision which of revs it is an
// ancestor of, and ends once all that is pending lies below heads found.
func (ev *evaluator) commonHeads(revs []node.Rev) []node.Rev {
	revs = slices.Compact(slices.Sorted(slices.Values(revs)))
	if len(revs) == 0 || revs[0] == node.NullRev {
		return nil
	}
	const bitsForRevs = 62
	if len(revs) > bitsForRevs {
		return ev.commonHeadsOfMany(revs)
	}
	const below = uint64(1) << 63 // is below a head
	all := uint64(1)<<len(revs) - 1
	// state is by the distance from the highest of revs, as far down as the walk
	// has come.
	top := revs[len(revs)-1]
	var state []uint64
	at := func(r node.Rev) *uint64 {
		if n := int(top-r) + 1; n > len(state) {
			state = append(state, make([]uint64, n-len(state))...)
		}
		return &state[top-r]
	}
	pending := newBitset(int(top) + 1)
	open := 0 // pending ones that are not below a head
	for i, r := range revs {
		*at(r) = 1 << i
		pending.add(r)
		open++
	}
	var heads []node.Rev
	for pos := top; open > 0 && !ev.stopped(); {
		r, ok := pending.below(pos)
		if !ok || r == node.NullRev {
			break
		}
		pos = r - 1
		s := *at(r)
		if s&below == 0 {
			open--
			if s == all {
				heads = append(heads, r)
				s |= below
			}
		}
		p1, p2 := ev.repo.Parents(r)
		for _, p := range [2]node.Rev{p1, p2} {
			if p == node.NullRev {
				continue
			}
			to := at(p)
			old, seen := *to, *to != 0
			if !seen {
				pending.add(p)
			}
			merged := old | s
			if wasOpen, isOpen := seen && old&below == 0, merged&below == 0; isOpen && !wasOpen {
				open++
			} else if !isOpen && wasOpen {
				open--
			}
			*to = merged
		}
	}
	return heads
}

// commonHeadsOfMany intersects whole ancestries.
func (ev *evaluator) commonHeadsOfMany(revs []node.Rev) []node.Rev {
	var common *bitset
	for _, r := range revs {
		anc := new(bitset)
		it := ev.ancestors(newListSet([]node.Rev{r}), walk{}).desc()
		for a, ok := it(); ok; a, ok = it() {
			anc.add(a)
		}
		if common == nil {
			common = anc
			continue
		}
		common.words = common.words[:min(len(common.words), len(anc.words))]
		for i := range common.words {
			common.words[i] &= anc.words[i]
		}
	}
	var heads []node.Rev
	covered := new(bitset)
	for pos := node.Rev(len(common.words)*64 - 2); ; {
		r, ok := common.below(pos)
		if !ok || r == node.NullRev {
			return heads
		}
		pos = r - 1
		if !covered.has(r) {
			heads = append(heads, r)
		}
		p1, p2 := ev.repo.Parents(r)
		covered.add(p1)
		covered.add(p2)
	}
}

// commonAncestor returns the best common ancestor of two changesets, NullRev
// when they have none: among several, those with the longest path to a root,
// and of these the one with the lowest node.
func (ev *evaluator) commonAncestor(a, b node.Rev) (node.Rev, error) {
	heads := ev.commonHeads([]node.Rev{a, b})
	switch len(heads) {
	case 0:
		return node.NullRev, nil
	case 1:
		return heads[0], nil
	}
	if p := ev.opts.PreferAncestor; len(p) > 0 && (len(p) != 1 || p[0] != "*") {
		return 0, hgerr.NewUnsupported("merge.preferancestor")
	}
	depths := make(map[node.Rev]int)
	deepest := 0
	for _, h := range heads {
		depths[h] = ev.depth(h)
		deepest = max(deepest, depths[h])
	}
	heads = slices.DeleteFunc(heads, func(h node.Rev) bool { return depths[h] < deepest })
	return slices.MinFunc(heads, func(x, y node.Rev) int {
		a, b := ev.repo.Node(x), ev.repo.Node(y)
		return slices.Compare(a[:], b[:])
	}), nil
}

// depth is the length of the longest path from r to a root.
func (ev *evaluator) depth(r node.Rev) int {
	var down []node.Rev
	it := ev.ancestors(newListSet([]node.Rev{r}), walk{}).desc()
	for a, ok := it(); ok; a, ok = it() {
		down = append(down, a)
	}
	depth := make(map[node.Rev]int, len(down))
	for _, a := range slices.Backward(down) {
		p1, p2 := ev.repo.Parents(a)
		depth[a] = max(depth[p1], depth[p2]) + 1
	}
	return depth[r]
}
