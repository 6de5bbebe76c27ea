// SPDX-License-Identifier: GPL-2.0-or-later

package obsolete

import (
	"bytes"
	"slices"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
)

// Flag is a property that markers give a changeset. A changeset has a byte of
// them; public changesets have none.
type Flag = uint8

// The properties (`hg help evolution`; glossary: obsolete, orphan, divergent).
const (
	Obsolete         Flag = 1 << iota // it has been rewritten or pruned
	Orphan                            // not obsolete, but an ancestor is
	PhaseDivergent                    // it rewrites a public changeset
	ContentDivergent                  // another changeset rewrites the same one
	Hidden                            // not shown, unless a checkout pins it
)

// Graph is what the computations need of a changelog: positions, parents,
// phases.
type Graph interface {
	phases.Graph
	Node(node.Rev) node.ID
	Phase(node.Rev) phases.Phase
}

// Compute returns the flags of every changeset. firstMutable is the lowest one
// that is not public (Len when there is none). Hidden is computed as if nothing
// were pinned; Reveal is for what a checkout pins.
func Compute(g Graph, s *Store, firstMutable node.Rev) []Flag {
	flags := make([]Flag, g.Len())
	if s.Len() > 0 {
		markObsolete(g, s, firstMutable, flags)
		markUnstable(g, s, firstMutable, flags)
	}
	markHidden(g, firstMutable, flags)
	return flags
}

func markObsolete(g Graph, s *Store, first node.Rev, flags []Flag) {
	for rev := first; int(rev) < len(flags); rev++ {
		if g.Phase(rev) != phases.Public && len(s.WithPredecessor(g.Node(rev))) > 0 {
			flags[rev] |= Obsolete
		}
	}
}

func markUnstable(g Graph, s *Store, first node.Rev, flags []Flag) {
	newest := newestFinder{g: g, s: s, known: map[node.ID][]successorSet{}}
	var marks []uint32
	for rev := first; int(rev) < len(flags); rev++ {
		if g.Phase(rev) == phases.Public || flags[rev]&Obsolete != 0 {
			continue
		}
		p1, p2 := g.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= first && flags[p]&(Obsolete|Orphan) != 0 {
				flags[rev] |= Orphan
			}
		}
		id := g.Node(rev)
		if marks = s.WithSuccessor(marks[:0], id); len(marks) == 0 {
			continue
		}
		if rewritesPublic(g, s, id) {
			flags[rev] |= PhaseDivergent
		}
		if newest.competes(id) {
			flags[rev] |= ContentDivergent
		}
	}
}

// rewritesPublic walks all predecessors of id, but not through markers that
// repaired exactly this.
func rewritesPublic(g Graph, s *Store, id node.ID) bool {
	seen := map[node.ID]bool{id: true}
	todo := []node.ID{id}
	var marks []uint32
	for len(todo) > 0 {
		current := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if rev, ok := g.Rev(current); ok && g.Phase(rev) == phases.Public {
			return true
		}
		marks = s.WithSuccessor(marks[:0], current)
		for _, m := range marks {
			if s.Flags(m)&BumpedFix != 0 {
				continue
			}
			if p := s.Predecessor(m); !seen[p] {
				seen[p] = true
				todo = append(todo, p)
			}
		}
	}
	return false
}

// markHidden hides what is obsolete or internal, but not the ancestors of what
// stays visible.
func markHidden(g Graph, first node.Rev, flags []Flag) {
	any := false
	for rev := first; int(rev) < len(flags); rev++ {
		if flags[rev]&Obsolete != 0 || g.Phase(rev).LocalHidden() {
			flags[rev] |= Hidden
			any = true
		}
	}
	if !any {
		return
	}
	// Parents come before children, so one pass down reveals whole chains.
	for rev := node.Rev(len(flags)) - 1; rev >= first; rev-- {
		if flags[rev]&Hidden != 0 || g.Phase(rev) == phases.Public {
			continue
		}
		p1, p2 := g.Parents(rev)
		if p1 >= 0 {
			flags[p1] &^= Hidden
		}
		if p2 >= 0 {
			flags[p2] &^= Hidden
		}
	}
}

// Reveal returns the changesets that are visible beyond what the flags say,
// since they, or descendants of theirs, are pinned (working directory parents,
// bookmarks, local tags). It looks only at hidden changesets.
func Reveal(g interface {
	Parents(node.Rev) (p1, p2 node.Rev)
}, flags func(node.Rev) Flag, pinned []node.Rev) map[node.Rev]struct{} {
	var revealed map[node.Rev]struct{}
	todo := append([]node.Rev(nil), pinned...)
	for len(todo) > 0 {
		rev := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if rev < 0 || flags(rev)&Hidden == 0 {
			continue
		}
		if _, seen := revealed[rev]; seen {
			continue
		}
		if revealed == nil {
			revealed = map[node.Rev]struct{}{}
		}
		revealed[rev] = struct{}{}
		p1, p2 := g.Parents(rev)
		todo = append(todo, p1, p2)
	}
	return revealed
}

// successorSet is a group of nodes that together replace one changeset.
type successorSet []node.ID

// newestFinder computes the newest successors of nodes ("successors sets" in
// Mercurial's obsutil.py): following markers to what is not rewritten any more,
// a split multiplies nothing but lengthens a set, several markers on one
// predecessor are several competing sets.
type newestFinder struct {
	g     Graph
	s     *Store
	known map[node.ID][]successorSet
}

// competes tells whether any predecessor of id has more than one non-empty set
// of newest successors.
func (f *newestFinder) competes(id node.ID) bool {
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
			sets := 0
			for _, set := range f.sets(p) {
				if len(set) > 0 {
					sets++
				}
			}
			if sets > 1 {
				return true
			}
			todo = append(todo, p)
		}
	}
	return false
}

// sets returns the sets of newest successors of id. The stack is explicit, since
// chains of markers are long, and may be circular: a node met again while it
// is still being computed counts as pruned.
func (f *newestFinder) sets(id node.ID) []successorSet {
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
		if len(marks) == 0 {
			if _, ok := f.g.Rev(current); ok {
				f.known[current] = []successorSet{{current}}
			} else {
				f.known[current] = nil
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
func (f *newestFinder) firstMissing(marks []uint32, onStack map[node.ID]bool) (node.ID, bool) {
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
// dropped, since they are the same rewriting seen half-way.
func (f *newestFinder) combine(marks []uint32) []successorSet {
	var all []successorSet
	for _, m := range marks {
		product := []successorSet{nil}
		for _, suc := range f.s.Successors(nil, m) {
			var longer []successorSet
			for _, prefix := range product {
				for _, suffix := range f.known[suc] {
					set := slices.Clone(prefix)
					for _, id := range suffix {
						if !slices.Contains(set, id) {
							set = append(set, id)
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
			if len(set) > 0 {
				all = append(all, set)
			}
		}
	}
	// A longer set wins over the subsets of it, the first one over equals.
	slices.SortStableFunc(all, func(a, b successorSet) int { return len(b) - len(a) })
	var kept []successorSet
	for _, set := range all {
		if !slices.ContainsFunc(kept, func(k successorSet) bool { return within(set, k) }) {
			kept = append(kept, set)
		}
	}
	slices.Reverse(kept)
	return kept
}

func within(a, b successorSet) bool {
	for _, id := range a {
		if !slices.Contains(b, id) {
			return false
		}
	}
	return true
}

// inOrder returns markers of one predecessor by their successors, so that the
// answer does not depend on the order of the file.
func (f *newestFinder) inOrder(marks []uint32) []uint32 {
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
func NewestSuccessors(g Graph, s *Store, id node.ID) [][]node.ID {
	f := newestFinder{g: g, s: s, known: map[node.ID][]successorSet{}}
	var out [][]node.ID
	for _, set := range f.sets(id) {
		out = append(out, set)
	}
	return out
}

// AllSuccessors returns ids and everything that markers say came from them, in
// any order, unknown nodes included.
func AllSuccessors(s *Store, ids []node.ID) []node.ID {
	seen := make(map[node.ID]struct{}, len(ids))
	todo := append([]node.ID(nil), ids...)
	var out []node.ID
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, ok := seen[id]; ok {
			continue
		}
		seen[id] = struct{}{}
		out = append(out, id)
		for _, m := range s.WithPredecessor(id) {
			todo = s.Successors(todo, m)
		}
	}
	return out
}
