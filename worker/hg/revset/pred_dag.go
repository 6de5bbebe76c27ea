// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"fmt"
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// maxGenerations is more than any path has.
const maxGenerations = 0x80000000

// mapped is the set of what add appends for each revision of x. null is dropped
// if noNull.
func (ev *evaluator) mapped(subset smartset, x *Tree, noNull bool, add func(revs []node.Rev, r node.Rev) []node.Rev) (smartset, error) {
	s, err := ev.getAll(x)
	if err != nil {
		return nil, err
	}
	var revs []node.Rev
	it := s.iter()
	for r, ok := it(); ok; r, ok = it() {
		revs = add(revs, r)
	}
	if noNull {
		revs = slices.DeleteFunc(revs, func(r node.Rev) bool { return r == node.NullRev })
	}
	return ev.withRevs(subset, revs), nil
}

func p1(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if x == nil {
		p, _ := ev.repo.WdirParents()
		return ev.oneRev(subset, p), nil
	}
	return ev.mapped(subset, x, true, func(revs []node.Rev, r node.Rev) []node.Rev {
		p, _ := ev.parents(r)
		return append(revs, p)
	})
}

func p2(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if x == nil {
		_, p := ev.repo.WdirParents()
		return ev.oneRev(subset, p), nil
	}
	return ev.mapped(subset, x, true, func(revs []node.Rev, r node.Rev) []node.Rev {
		_, p := ev.parents(r)
		if r == node.WdirRev && p != node.NullRev {
			ev.fail(hgerr.NewUnsupported("p2(wdir()) in a merge"))
		}
		return append(revs, p)
	})
}

// oneRev is the set of a parent of the working directory, if it has one.
func (ev *evaluator) oneRev(subset smartset, r node.Rev) smartset {
	if r == node.NullRev {
		return newListSet(nil)
	}
	return intersect(subset, newListSet([]node.Rev{r}))
}

func parents(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if x == nil {
		a, b := ev.repo.WdirParents()
		revs := slices.DeleteFunc([]node.Rev{a, b}, func(r node.Rev) bool { return r == node.NullRev })
		return ev.withRevs(subset, revs), nil
	}
	return ev.mapped(subset, x, true, func(revs []node.Rev, r node.Rev) []node.Rev {
		a, b := ev.parents(r)
		return append(revs, a, b)
	})
}

// evalNthParent is x^n.
func evalNthParent(ev *evaluator, subset smartset, t *Tree, _ order) (smartset, error) {
	n := int64(-1)
	if t.Args[1].isText() {
		var ok bool
		if n, _, ok = pyInt(t.Args[1].Value); !ok {
			n = -1
		}
	}
	if n < 0 || n > 2 {
		return nil, parseErrorf("^ expects a number 0, 1, or 2")
	}
	return ev.mapped(subset, t.Args[0], false, func(revs []node.Rev, r node.Rev) []node.Rev {
		a, b := ev.parents(r)
		switch {
		case n == 0:
			return append(revs, r)
		case n == 1:
			return append(revs, a)
		case b != node.NullRev:
			return append(revs, b)
		}
		return revs
	})
}

// evalNthAncestor is x~n: n first parents up, or for a negative n, n only
// children down.
func evalNthAncestor(ev *evaluator, subset smartset, t *Tree, _ order) (smartset, error) {
	n, err := getInteger(t.Args[1], "~ expects a number")
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return ev.nthChild(subset, t.Args[0], -n)
	}
	return ev.mapped(subset, t.Args[0], false, func(revs []node.Rev, r node.Rev) []node.Rev {
		for i := int64(0); i < n && r != node.NullRev; i++ {
			r, _ = ev.parents(r)
		}
		return append(revs, r)
	})
}

func (ev *evaluator) nthChild(subset smartset, x *Tree, n int64) (smartset, error) {
	s, err := ev.getAll(x)
	if err != nil {
		return nil, err
	}
	var revs []node.Rev
	it := s.iter()
	for r, ok := it(); ok; r, ok = it() {
		found := true
		for i := int64(0); i < n && found; i++ {
			children := ev.children(r)
			switch len(children) {
			case 0:
				found = false
			case 1:
				r = children[0]
			default:
				return nil, lookupErrorf("revision in set has more than one child")
			}
		}
		if found {
			revs = append(revs, r)
		}
	}
	return ev.withRevs(subset, revs), nil
}

// children lists the visible children of r.
func (ev *evaluator) children(r node.Rev) []node.Rev {
	if r == node.WdirRev {
		return nil
	}
	var revs []node.Rev
	if idx, ok := ev.repo.(ChildIndex); ok {
		return slices.DeleteFunc(idx.AppendChildren(nil, r), ev.hidden)
	}
	for c := r + 1; int(c) < ev.repo.Len() && !ev.stopped(); c++ {
		p1, p2 := ev.repo.Parents(c)
		if (p1 == r || p2 == r && r != node.NullRev) && !ev.hidden(c) {
			revs = append(revs, c)
		}
	}
	return revs
}

func children(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	s, err := ev.getAll(x)
	if err != nil {
		return nil, err
	}
	low, ok := minimum(s)
	if !ok {
		return intersect(subset, newListSet(nil)), nil
	}
	var revs []node.Rev
	if span, ok := subset.(*spanSet); ok {
		// All of a range above the lowest parent can be candidates.
		idx, indexed := ev.repo.(ChildIndex)
		if _, plain := s.(*baseSet); indexed && plain {
			it := s.iter()
			for r, ok := it(); ok; r, ok = it() {
				if r != node.WdirRev {
					revs = idx.AppendChildren(revs, r)
				}
			}
			return intersect(subset, newSetOf(slices.DeleteFunc(revs, func(r node.Rev) bool { return !span.contains(r) }))), nil
		}
		low = max(low, span.start-1)
		for r := low + 1; r < span.end && !ev.stopped(); r++ {
			if ev.isChild(r, s) && span.contains(r) {
				revs = append(revs, r)
			}
		}
		return intersect(subset, newSetOf(revs)), nil
	}
	it := subset.iter()
	for r, ok := it(); ok && !ev.stopped(); r, ok = it() {
		switch {
		case r <= low:
		case r == node.WdirRev:
			return nil, errWdir()
		case ev.isChild(r, s):
			revs = append(revs, r)
		}
	}
	return intersect(subset, newSetOf(revs)), nil
}

func (ev *evaluator) isChild(r node.Rev, parents smartset) bool {
	p1, p2 := ev.repo.Parents(r)
	return parents.contains(p1) || p2 != node.NullRev && parents.contains(p2)
}

func ancestor(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	s, err := ev.or(ev.all(), x.list(), anyOrder)
	if err != nil {
		return nil, err
	}
	it := s.iter()
	anc, ok := it()
	if !ok {
		return newListSet(nil), nil
	}
	// The working directory stands for its first parent once it is compared.
	real := func(r node.Rev) node.Rev {
		if r == node.WdirRev {
			r, _ = ev.repo.WdirParents()
		}
		return r
	}
	for r, ok := it(); ok; r, ok = it() {
		if anc, err = ev.commonAncestor(real(anc), real(r)); err != nil {
			return nil, err
		}
	}
	if subset.contains(anc) {
		return newListSet([]node.Rev{anc}), nil
	}
	return newListSet(nil), nil
}

// depthArgs reads the arguments of ancestors() and descendants().
func depthArgs(x *Tree, name string) (set *Tree, w walk, err error) {
	args, err := keyArgs(x, name, "set", "depth", "startdepth")
	if err != nil {
		return nil, w, err
	}
	set, ok := args["set"]
	if !ok {
		return nil, w, parseErrorf("%s takes at least 1 argument", name)
	}
	number := func(key string) (int64, error) {
		n, err := getInteger(args[key], fmt.Sprintf("%s expects an integer %s", name, key))
		if err == nil && n < 0 {
			err = parseErrorf("negative %s", key)
		}
		return n, err
	}
	if _, ok := args["startdepth"]; ok {
		w.counted = true
		if w.start, err = number("startdepth"); err != nil {
			return nil, w, err
		}
	}
	if _, ok := args["depth"]; ok {
		n, err := number("depth")
		if err != nil {
			return nil, w, err
		}
		if n < maxGenerations {
			w.stop = n + 1
		}
	}
	return set, w, nil
}

func ancestors(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	set, w, err := depthArgs(x, "ancestors")
	if err != nil {
		return nil, err
	}
	return ev.ancestorsOf(subset, set, w)
}

func (ev *evaluator) ancestorsOf(subset smartset, x *Tree, w walk) (smartset, error) {
	return ev.reached(subset, x, w, ev.ancestors)
}

func descendants(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	set, w, err := depthArgs(x, "descendants")
	if err != nil {
		return nil, err
	}
	return ev.descendantsOf(subset, set, w)
}

func (ev *evaluator) descendantsOf(subset smartset, x *Tree, w walk) (smartset, error) {
	return ev.reached(subset, x, w, ev.descendants)
}

// reached is what a walk from the set x comes to.
func (ev *evaluator) reached(subset smartset, x *Tree, w walk, from func(smartset, walk) smartset) (smartset, error) {
	s, err := ev.getAll(x)
	if err != nil {
		return nil, err
	}
	if s.empty() {
		return newListSet(nil), nil
	}
	return intersect(subset, from(s, w)), nil
}

func firstAncestors(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	return ev.ancestorsOf(subset, x, walk{firstOnly: true})
}

func firstDescendants(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	return ev.descendantsOf(subset, x, walk{firstOnly: true})
}

func commonAncestors(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	s, err := ev.get(ev.all(), x, anyOrder)
	if err != nil {
		return nil, err
	}
	if s.empty() {
		return newListSet(nil), nil
	}
	it := s.iter()
	for r, ok := it(); ok; r, ok = it() {
		subset = intersect(subset, ev.ancestors(newListSet([]node.Rev{r}), walk{}))
	}
	return subset, nil
}

func commonAncestorHeads(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	s, err := ev.get(ev.all(), x, anyOrder)
	if err != nil {
		return nil, err
	}
	revs := list(s)
	if slices.Contains(revs, node.WdirRev) {
		return nil, hgerr.NewUnsupported("heads(commonancestors(wdir()))")
	}
	heads := ev.commonHeads(revs)
	return intersect(subset, newListSet(heads)), nil
}

// evalRelation is x#generations and x#generations[z].
func evalRelation(ev *evaluator, subset smartset, t *Tree, _ order) (smartset, error) {
	rel, err := getSymbol(t.Args[1])
	if err != nil {
		return nil, err
	}
	if rel != "g" && rel != "generations" {
		return nil, unknownIdentifier(rel, []string{"generations"})
	}
	lo, hi := int64(-(maxGenerations - 1)), int64(maxGenerations-1)
	if t.Op == "relsubscript" {
		lo, hi, err = getIntRange(t.Args[2], "relation subscript must be an integer or a range",
			"relation subscript bounds must be integers", lo, hi)
		if err != nil {
			return nil, err
		}
	}
	// Negative generations are ancestors, positive ones descendants.
	var up, down *walk
	if lo == 0 && hi == 0 {
		up = &walk{stop: 1}
	}
	if lo < 0 {
		up = &walk{start: -min(hi, 0), stop: -lo + 1}
	}
	if hi > 0 {
		down = &walk{start: max(lo, 0), stop: hi + 1}
	}
	if up == nil && down == nil {
		return newListSet(nil), nil
	}
	revs, err := ev.getAll(t.Args[0])
	if err != nil {
		return nil, err
	}
	if revs.empty() {
		return newListSet(nil), nil
	}
	for _, w := range []*walk{up, down} {
		if w != nil && w.stop >= maxGenerations {
			w.stop = 0
		}
	}
	var s smartset
	if up != nil {
		s = ev.ancestors(revs, *up)
	}
	if down != nil {
		down.counted = true
		d := ev.descendants(revs, *down)
		if s == nil {
			s = d
		} else {
			s = union(s, d)
		}
	}
	return intersect(subset, s), nil
}

func heads(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
	if o == defineOrder {
		o = followOrder
	}
	s, err := ev.get(ev.all(), x, o)
	if err != nil {
		return nil, err
	}
	revs := list(s)
	return intersect(subset, newSetOf(ev.headsOf(revs))), nil
}

func roots(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	s, err := ev.getAll(x)
	if err != nil {
		return nil, err
	}
	isRoot := ev.quickFilter(s, func(r node.Rev) bool {
		p1, p2 := ev.parents(r)
		return !(p1 >= 0 && s.contains(p1)) && !(p2 >= 0 && s.contains(p2))
	})
	return intersect(subset, isRoot), nil
}

func only(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 1, 2, "only takes one or two arguments")
	if err != nil {
		return nil, err
	}
	include, err := ev.getAll(args[0])
	if err != nil {
		return nil, err
	}
	var exclude []node.Rev
	if len(args) == 1 {
		if include.empty() {
			return newListSet(nil), nil
		}
		d := ev.descendants(include, walk{})
		heads, err := ev.repo.HeadRevs()
		if err != nil {
			return nil, err
		}
		for _, h := range heads {
			if !d.contains(h) && !include.contains(h) {
				exclude = append(exclude, h)
			}
		}
	} else {
		s, err := ev.getAll(args[1])
		if err != nil {
			return nil, err
		}
		exclude = list(s)
	}
	revs, err := ev.missing(exclude, list(include))
	if err != nil {
		return nil, err
	}
	return ev.withRevs(subset, revs), nil
}

func isMerge(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if err := noArgs(x, "merge"); err != nil {
		return nil, err
	}
	return ev.quickFilter(subset, func(r node.Rev) bool {
		_, p2 := ev.parents(r)
		return p2 != node.NullRev
	}), nil
}

func branchPoint(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if err := noArgs(x, "branchpoint"); err != nil {
		return nil, err
	}
	if subset.empty() {
		return newListSet(nil), nil
	}
	if subset.contains(node.WdirRev) {
		return nil, hgerr.NewUnsupported("branchpoint() within wdir()")
	}
	low, _ := minimum(subset)
	counts := make([]int32, ev.repo.Len()-int(low))
	for r := low + 1; int(r) < ev.repo.Len() && !ev.stopped(); r++ {
		if ev.hidden(r) {
			continue
		}
		p1, p2 := ev.repo.Parents(r)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= low {
				counts[p-low]++
			}
		}
	}
	return ev.quickFilter(subset, func(r node.Rev) bool { return counts[r-low] > 1 }), nil
}

func head(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if err := noArgs(x, "head"); err != nil {
		return nil, err
	}
	revs, err := ev.repo.BranchHeads()
	if err != nil {
		return nil, err
	}
	return intersect(subset, newSetOf(slices.Clone(revs))), nil
}

func all(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if err := noArgs(x, "all"); err != nil {
		return nil, err
	}
	span := ev.all()
	span.full = false
	return intersect(subset, span), nil
}

func none(_ *evaluator, _ smartset, x *Tree, _ order) (smartset, error) {
	if err := noArgs(x, "none"); err != nil {
		return nil, err
	}
	return newListSet(nil), nil
}

func wdir(_ *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if err := noArgs(x, "wdir"); err != nil {
		return nil, err
	}
	if subset.contains(node.WdirRev) || isFull(subset) {
		return newListSet([]node.Rev{node.WdirRev}), nil
	}
	return newListSet(nil), nil
}
