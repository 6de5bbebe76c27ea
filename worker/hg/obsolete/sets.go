// SPDX-License-Identifier: GPL-2.0-or-later

package obsolete

import (
	"runtime"
	"sync"

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
// phases. Once it has told a phase, several goroutines may ask.
type Graph interface {
	phases.Graph
	Node(node.Rev) node.ID
	Phase(node.Rev) phases.Phase
}

// Compute returns the flags of every changeset. firstMutable is the lowest one
// that is not public (Len when there is none). Hidden is computed as if nothing
// were pinned; Reveal is for what a checkout pins. Markers that nobody can
// follow in reasonable time are Unsupported.
func Compute(g Graph, s *Store, firstMutable node.Rev) ([]Flag, error) {
	flags := make([]Flag, g.Len())
	if s.Len() > 0 {
		markObsolete(g, s, firstMutable, flags)
		if err := markUnstable(g, s, firstMutable, flags); err != nil {
			return nil, err
		}
	}
	markHidden(g, firstMutable, flags)
	return flags, nil
}

// markObsolete looks for markers of each changeset. Where these are many, all
// processors do.
func markObsolete(g Graph, s *Store, first node.Rev, flags []Flag) {
	mark := func(from, to int) {
		for rev := node.Rev(from); int(rev) < to; rev++ {
			if g.Phase(rev) != phases.Public && len(s.WithPredecessor(g.Node(rev))) > 0 {
				flags[rev] |= Obsolete
			}
		}
	}
	parts := min(runtime.GOMAXPROCS(0), (len(flags)-int(first))/parallelMark)
	if parts < 2 {
		mark(int(first), len(flags))
		return
	}
	g.Phase(first) // what is worked out when it is first asked for is there, then
	var others sync.WaitGroup
	from := int(first)
	for left := parts; left > 1; left-- {
		begin, end := from, from+(len(flags)-from)/left
		others.Go(func() { mark(begin, end) })
		from = end
	}
	mark(from, len(flags))
	others.Wait()
}

// parallelMark is how many changesets a goroutine is worth it for.
const parallelMark = 5000

func markUnstable(g Graph, s *Store, first node.Rev, flags []Flag) error {
	budget := newBudget()
	newest := newNewestFinder(g, s, budget)
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
		if g.Phase(rev).LocalHidden() {
			continue // hg asks only of drafts and secrets whether they diverge
		}
		how, err := divergence(g, s, g.Node(rev), newest, budget)
		if err != nil {
			return err
		}
		flags[rev] |= how
	}
	return nil
}

// divergence tells in which ways a changeset competes with what it rewrites.
func divergence(g Graph, s *Store, id node.ID, newest *successorFinder, work *budget) (how Flag, err error) {
	if !s.hasSuccessor(id) {
		return 0, nil
	}
	bumped, err := rewritesPublic(g, s, id, work)
	if err != nil {
		return 0, err
	}
	divergent, err := newest.competes(id)
	if bumped {
		how |= PhaseDivergent
	}
	if divergent {
		how |= ContentDivergent
	}
	return how, err
}

// rewritesPublic walks all predecessors of id, but not through markers that
// repaired exactly this.
func rewritesPublic(g Graph, s *Store, id node.ID, b *budget) (bool, error) {
	seen := map[node.ID]bool{id: true}
	todo := []node.ID{id}
	var marks []uint32
	for len(todo) > 0 {
		current := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if rev, ok := g.Rev(current); ok && g.Phase(rev) == phases.Public {
			return true, nil
		}
		marks = s.WithSuccessor(marks[:0], current)
		if err := b.spend(stepLookup + len(marks)); err != nil {
			return false, err
		}
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
	return false, nil
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
