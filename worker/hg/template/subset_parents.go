// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"container/heap"
	"sort"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// subsetParentsFunc is subsetparents(rev, revset): the parents that a changeset
// has in the graph of a subset alone, which are the heads of its ancestors in
// the subset. First come those that are met through first parents.
func subsetParentsFunc(s *scope, args *callArgs) (Value, error) {
	if args.pos[0] == nil || args.pos[1] == nil {
		return Value{}, parseErrorf("subsetparents expects two arguments")
	}
	if s.e.repo == nil {
		return Value{}, &unavailable{"repo"}
	}
	rev, err := evalInt(s, args.pos[0], "not an integer")
	if err != nil {
		return Value{}, err
	}
	v, err := args.pos[1].eval(s)
	if err != nil {
		return Value{}, err
	}
	set, ok := v.x.(*revslist)
	if !ok {
		return Value{}, parseErrorf("subsetparents expects a queried revset")
	}
	subset := map[node.Rev]bool{}
	for _, r := range set.revs {
		subset[r] = true
	}
	start := node.Rev(rev)
	if !subset[start] {
		return wrap(&revslist{}), nil
	}
	if start < 0 || subset[node.WdirRev] {
		return Value{}, hgerr.NewUnsupported("template function subsetparents of this revision")
	}
	revs, err := s.e.subsetParents(start, subset)
	return wrap(&revslist{revs: revs}), err
}

// route is how a revision was met: where merges lay on the way, "1" and "2" say
// which parent was taken.
type route struct {
	chain string
	open  bool // met without another revision of the subset in between
}

func (e *Engine) subsetParents(start node.Rev, subset map[node.Rev]bool) ([]node.Rev, error) {
	lowest := start
	for r := range subset {
		lowest = min(lowest, r)
	}
	routes := map[node.Rev]route{start: {open: true}}
	queue := &node.Heap{start}
	below := map[node.Rev]bool{} // ancestors of a parent that was found
	var found []node.Rev
	for queue.Len() > 0 {
		r := heap.Pop(queue).(node.Rev)
		here, covered := routes[r], below[r]
		if r != start && subset[r] {
			if here.open && !covered {
				found = append(found, r)
			}
			covered = true
		}
		if r < 0 || r <= lowest {
			continue
		}
		ctx, err := e.changectx(r)
		if err != nil {
			return nil, err
		}
		p1, p2 := ctx.Parents()
		parents := []node.Rev{p1}
		if p2 != node.NullRev {
			parents = append(parents, p2)
		}
		through := here.open && (r == start || !subset[r])
		for i, p := range parents {
			chain := here.chain
			if len(parents) == 2 {
				chain += string("12"[i])
			}
			old, met := routes[p]
			if !met {
				heap.Push(queue, p)
			}
			switch {
			case through && (!old.open || chain < old.chain):
				routes[p] = route{chain, true}
			case !met:
				routes[p] = route{}
			}
			if covered {
				below[p] = true
			}
		}
	}
	sort.SliceStable(found, func(i, j int) bool {
		a, b := routes[found[i]].chain, routes[found[j]].chain
		if a != b {
			return strings.Compare(a, b) < 0
		}
		return found[i] < found[j]
	})
	return found, nil
}
