// SPDX-License-Identifier: GPL-2.0-or-later

package obsolete

import (
	"bytes"
	"slices"

	"hgbroker/worker/hg/node"
)

// SuccessorSet is a group of changesets that together replace one, with the
// markers that say so. Several sets mean that the rewriting diverged.
type SuccessorSet struct {
	Nodes   []node.ID
	Markers []uint32 // ascending, each once
}

// addMarkers joins two ascending lists.
func addMarkers(a, b []uint32) []uint32 {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

// successorFinder follows markers from a changeset to what it has become
// ("successors sets" in Mercurial's obsutil.py): a split lengthens a set, several
// markers on one predecessor are several competing sets.
//
// The newest successors are what is not rewritten any more; the closest ones are
// the first that can be seen.
type successorFinder struct {
	s *Store
	// here tells whether a node is a changeset that can be seen.
	here func(node.ID) bool
	// closest stops at what can be seen, except at the node asked for.
	closest bool
	initial node.ID
	known   map[node.ID][]SuccessorSet
}

func newNewestFinder(g Graph, s *Store) *successorFinder {
	return &successorFinder{s: s, known: map[node.ID][]SuccessorSet{},
		here: func(id node.ID) bool { _, ok := g.Rev(id); return ok }}
}

// competes tells whether any predecessor of id has more than one set of newest
// successors.
func (f *successorFinder) competes(id node.ID) bool {
	seen := map[node.ID]bool{}
	todo := []node.ID{id}
	var marks []uint32
	for len(todo) > 0 {
		current := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		marks = f.s.WithSuccessor(marks[:0], current)
		for _, m := range marks {
			p := f.s.Predecessor(m)
			if seen[p] {
				continue
			}
			seen[p] = true
			if len(f.sets(p)) > 1 {
				return true
			}
			todo = append(todo, p)
		}
	}
	return false
}

// sets returns the sets of id. The stack is explicit, since chains of markers are
// long, and may be circular: a node met again while it is still being computed
// counts as pruned.
func (f *successorFinder) sets(id node.ID) []SuccessorSet {
	stack := []node.ID{id}
	onStack := map[node.ID]bool{id: true}
	for len(stack) > 0 {
		current := stack[len(stack)-1]
		if _, done := f.known[current]; done {
			stack = stack[:len(stack)-1]
			delete(onStack, current)
			continue
		}
		marks := f.s.WithPredecessor(current)
		if len(marks) == 0 || f.closest && current != f.initial && f.here(current) {
			f.known[current] = nil
			if f.here(current) {
				f.known[current] = []SuccessorSet{{Nodes: []node.ID{current}}}
			}
			continue
		}
		marks = f.inOrder(marks)
		if next, missing := f.firstMissing(marks, onStack); missing {
			stack = append(stack, next)
			onStack[next] = true
			continue
		}
		f.known[current] = f.combine(marks)
	}
	return f.known[id]
}

// firstMissing returns the first successor whose sets are not known yet, and
// cuts cycles.
func (f *successorFinder) firstMissing(marks []uint32, onStack map[node.ID]bool) (node.ID, bool) {
	for _, m := range marks {
		for _, suc := range f.s.Successors(nil, m) {
			if _, ok := f.known[suc]; ok {
				continue
			}
			if onStack[suc] {
				f.known[suc] = nil
				continue
			}
			return suc, true
		}
	}
	return node.ID{}, false
}

// combine joins what every marker contributes: the cartesian product of its
// successors' sets, without repeated nodes. Sets that lie within another one are
// dropped, since they are the same rewriting seen half-way; their markers stay.
func (f *successorFinder) combine(marks []uint32) []SuccessorSet {
	var all []SuccessorSet
	for _, m := range marks {
		product := []SuccessorSet{{Markers: []uint32{m}}}
		for _, suc := range f.s.Successors(nil, m) {
			var longer []SuccessorSet
			for _, prefix := range product {
				for _, suffix := range f.known[suc] {
					set := SuccessorSet{Nodes: slices.Clone(prefix.Nodes), Markers: addMarkers(prefix.Markers, suffix.Markers)}
					for _, id := range suffix.Nodes {
						if !slices.Contains(set.Nodes, id) {
							set.Nodes = append(set.Nodes, id)
						}
					}
					longer = append(longer, set)
				}
			}
			// A successor that is pruned or unknown adds nothing, and the
			// others still count.
			if len(longer) > 0 {
				product = longer
			}
		}
		for _, set := range product {
			if len(set.Nodes) > 0 {
				all = append(all, set)
			}
		}
	}
	// A longer set wins over the subsets of it, the first one over equals.
	slices.SortStableFunc(all, func(a, b SuccessorSet) int { return len(b.Nodes) - len(a.Nodes) })
	var kept []SuccessorSet
	for _, set := range all {
		i := slices.IndexFunc(kept, func(k SuccessorSet) bool { return within(set.Nodes, k.Nodes) })
		if i < 0 {
			kept = append(kept, set)
		} else {
			kept[i].Markers = addMarkers(kept[i].Markers, set.Markers)
		}
	}
	slices.Reverse(kept)
	return kept
}

func within(a, b []node.ID) bool {
	for _, id := range a {
		if !slices.Contains(b, id) {
			return false
		}
	}
	return true
}

// inOrder returns markers of one predecessor by their successors, so that the
// answer does not depend on the order of the file.
func (f *successorFinder) inOrder(marks []uint32) []uint32 {
	if len(marks) < 2 {
		return marks
	}
	out := slices.Clone(marks)
	slices.SortStableFunc(out, func(a, b uint32) int {
		x, y := f.s.Successors(nil, a), f.s.Successors(nil, b)
		return slices.CompareFunc(x, y, func(p, q node.ID) int { return bytes.Compare(p[:], q[:]) })
	})
	return out
}

// NewestSuccessors returns the sets of changesets that an obsolete one has
// become in the end: none when it was pruned, several when it diverged, one of
// several nodes when it was split.
func NewestSuccessors(g Graph, s *Store, id node.ID) []SuccessorSet {
	return newNewestFinder(g, s).sets(id)
}

// Fate returns the closest sets of visible changesets that an obsolete one has
// become. A changeset that was pruned has a set without nodes for each marker
// that says so, or one without anything.
func Fate(s *Store, id node.ID, visible func(node.ID) bool) []SuccessorSet {
	f := &successorFinder{s: s, here: visible, closest: true, initial: id, known: map[node.ID][]SuccessorSet{}}
	if sets := f.sets(id); len(sets) > 0 {
		return sets
	}
	var pruned []SuccessorSet
	for _, m := range s.WithPredecessor(id) {
		if s.succCount(m) == 0 {
			pruned = append(pruned, SuccessorSet{Markers: []uint32{m}})
		}
	}
	if len(pruned) == 0 {
		pruned = []SuccessorSet{{}}
	}
	return pruned
}

// ClosestPredecessors returns the nearest visible changesets that id came from,
// ordered by node.
func ClosestPredecessors(s *Store, id node.ID, visible func(node.ID) bool) []node.ID {
	seen := map[node.ID]bool{id: true}
	todo := []node.ID{id}
	var out []node.ID
	var marks []uint32
	for len(todo) > 0 {
		current := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		marks = s.WithSuccessor(marks[:0], current)
		for _, m := range marks {
			p := s.Predecessor(m)
			if seen[p] {
				continue
			}
			seen[p] = true
			if visible(p) {
				out = append(out, p)
			} else {
				todo = append(todo, p)
			}
		}
	}
	slices.SortFunc(out, func(a, b node.ID) int { return bytes.Compare(a[:], b[:]) })
	return out
}
