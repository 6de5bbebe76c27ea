// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"
	"sync"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// evolvePredicates are those of the extension evolve, which has another idea of
// successors() than Mercurial.
var evolvePredicates func() map[string]*Predicate

func init() { evolvePredicates = sync.OnceValue(makeEvolvePredicates) }

func makeEvolvePredicates() map[string]*Predicate {
	table := map[string]*Predicate{}
	for _, p := range []*Predicate{
		built(1, "allpredecessors", "allpredecessors(set)", 1, 1, "all that changesets came from", rewriting(MarkerReader.PredecessorsOf, true)),
		built(1, "allprecursors", "allprecursors(set)", 1, 1, "same as allpredecessors", rewriting(MarkerReader.PredecessorsOf, true)),
		built(1, "allsuccessors", "allsuccessors(set)", 1, 1, "all that changesets became", rewriting(MarkerReader.SuccessorsOf, true)),
		built(1, "precursors", "precursors(set)", 1, 1, "same as predecessors", rewriting(MarkerReader.PredecessorsOf, false)),
		built(1, "predecessors", "predecessors(set)", 1, 1, "what changesets came from", rewriting(MarkerReader.PredecessorsOf, false)),
		built(1, "successors", "successors(set)", 1, 1, "what changesets became", rewriting(MarkerReader.SuccessorsOf, false)),
	} {
		table[p.Name] = p
	}
	return table
}

// rewriting makes a predicate of what markers lead to: in one step, or in all.
func rewriting(next func(m MarkerReader, id node.ID, all bool) []node.ID, all bool) operator {
	return func(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
		markers, ok := ev.repo.(MarkerReader)
		if !ok {
			return nil, hgerr.NewUnsupported("revset with markers")
		}
		s, err := ev.getAll(x)
		if err != nil {
			return nil, err
		}
		start := list(s)
		if slices.Contains(start, node.WdirRev) {
			return nil, errWdir()
		}
		var todo []node.ID
		for _, r := range start {
			todo = append(todo, ev.repo.Node(r))
		}
		seen := map[node.ID]bool{}
		for len(todo) > 0 && !ev.stopped() {
			id := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, n := range next(markers, id, all) {
				if !seen[n] {
					seen[n] = true
					if all {
						todo = append(todo, n)
					}
				}
			}
		}
		var revs []node.Rev
		for id := range seen {
			if r, ok := ev.repo.Rev(id); ok && r >= 0 && r != node.WdirRev && !ev.hidden(r) {
				revs = append(revs, r)
			}
		}
		return intersect(subset, newSetOf(revs)), nil
	}
}
