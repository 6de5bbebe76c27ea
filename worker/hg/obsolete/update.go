// SPDX-License-Identifier: GPL-2.0-or-later

package obsolete

import (
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
)

// updateNodes bounds how many nodes Update follows markers through before it
// gives up: then computing everything is not much dearer.
const updateNodes = 4096

// Update is Compute for a graph and markers that have only grown, with the same
// phases as far as there were changesets before. old are the flags of the first
// count changesets as they were when the markers from number added on did not
// exist.
//
// When the old changesets keep their flags, more are the flags of the new ones
// and all is nil. Else all are the flags of every changeset. It takes time in
// proportion to what is new, unless flags of old changesets change: then a pass
// over the mutable ones is made, without looking at markers again.
//
// ok is false when only Compute can tell.
func Update(g Graph, s *Store, first node.Rev, old func(node.Rev) Flag, count int, added uint32) (more, all []Flag, ok bool, err error) {
	touched, ok := touchedBy(g, s, count, added)
	if !ok {
		return nil, nil, false, nil
	}
	more = make([]Flag, g.Len()-count)
	get := func(rev node.Rev) Flag {
		switch {
		case all != nil:
			return all[rev]
		case int(rev) < count:
			return old(rev)
		}
		return more[int(rev)-count]
	}
	takeAll := func() {
		all = make([]Flag, g.Len())
		for r := range node.Rev(count) {
			all[r] = old(r)
		}
		copy(all[count:], more)
	}
	set := func(rev node.Rev, f Flag) {
		if int(rev) < count && all == nil {
			if old(rev) == f {
				return
			}
			takeAll()
		}
		if all != nil {
			all[rev] = f
		} else {
			more[int(rev)-count] = f
		}
	}
	rewritten := false // an old changeset became obsolete
	for _, rev := range touched {
		if g.Phase(rev) != phases.Public && len(s.WithPredecessor(g.Node(rev))) > 0 && get(rev)&Obsolete == 0 {
			set(rev, get(rev)|Obsolete)
			rewritten = rewritten || int(rev) < count
		}
	}
	from := node.Rev(count)
	if rewritten {
		from = max(first, touched[0])
	}
	for rev := from; int(rev) < g.Len(); rev++ {
		if f := get(rev) &^ Orphan; g.Phase(rev) == phases.Public {
			continue
		} else if f&Obsolete == 0 && hasParentWith(g, get, rev, first, Obsolete|Orphan) {
			set(rev, f|Orphan)
		} else {
			set(rev, f)
		}
	}
	budget := newBudget()
	newest := newNewestFinder(g, s, budget)
	for _, rev := range touched {
		f := get(rev) &^ (PhaseDivergent | ContentDivergent)
		if g.Phase(rev) != phases.Public && f&Obsolete == 0 && !g.Phase(rev).LocalHidden() {
			how, err := divergence(g, s, g.Node(rev), newest, budget)
			if err != nil {
				return nil, nil, false, err
			}
			f |= how
		}
		set(rev, f)
	}
	if !rewritten {
		// What is new can only be hidden itself, or bring hidden ancestors back.
		for rev := node.Rev(g.Len()) - 1; int(rev) >= count; rev-- {
			if g.Phase(rev) == phases.Public {
				continue
			}
			if get(rev)&Obsolete != 0 || g.Phase(rev).LocalHidden() {
				if !visibleChild(g, get, rev) {
					set(rev, get(rev)|Hidden)
				}
			}
		}
		for rev := node.Rev(count); int(rev) < g.Len(); rev++ {
			if get(rev)&Hidden == 0 && hasParentWith(g, get, rev, first, Hidden) {
				rewritten = true
			}
		}
	}
	if rewritten {
		if all == nil {
			takeAll()
		}
		for rev := first; int(rev) < len(all); rev++ {
			all[rev] &^= Hidden
		}
		markHidden(g, first, all)
	}
	if all != nil {
		return nil, all, true, nil
	}
	return more, nil, true, nil
}

// visibleChild tells whether a new changeset has a child that is not hidden. New
// ones are few.
func visibleChild(g Graph, get func(node.Rev) Flag, rev node.Rev) bool {
	for child := rev + 1; int(child) < g.Len(); child++ {
		if p1, p2 := g.Parents(child); (p1 == rev || p2 == rev) && get(child)&Hidden == 0 {
			return true
		}
	}
	return false
}

func hasParentWith(g Graph, get func(node.Rev) Flag, rev, first node.Rev, flags Flag) bool {
	p1, p2 := g.Parents(rev)
	for _, p := range [2]node.Rev{p1, p2} {
		if p >= first && p >= 0 && get(p)&flags != 0 {
			return true
		}
	}
	return false
}

// touchedBy lists, ascending, the changesets of which a new changeset or a new
// marker may change the flags: the new ones, and all that markers connect with
// them or with the new markers.
func touchedBy(g Graph, s *Store, count int, added uint32) ([]node.Rev, bool) {
	if g.Len()-count > updateNodes || s.Len()-int(added) > updateNodes {
		return nil, false
	}
	var touched []node.Rev
	seen := map[node.ID]struct{}{}
	var todo []node.ID
	follow := func(id node.ID) {
		if _, ok := seen[id]; !ok {
			seen[id] = struct{}{}
			todo = append(todo, id)
		}
	}
	for rev := node.Rev(count); int(rev) < g.Len(); rev++ {
		follow(g.Node(rev))
	}
	for i := added; int(i) < s.Len(); i++ {
		follow(s.Predecessor(i))
		for k := range s.succCount(i) {
			follow(node.ID(s.succ(i, k)))
		}
	}
	var marks []uint32
	for len(todo) > 0 {
		if len(seen) > updateNodes+g.Len()-count {
			return nil, false
		}
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if rev, ok := g.Rev(id); ok && rev >= 0 {
			touched = append(touched, rev)
		}
		for _, m := range s.WithPredecessor(id) {
			for k := range s.succCount(m) {
				follow(node.ID(s.succ(m, k)))
			}
		}
		marks = s.WithSuccessor(marks[:0], id)
		for _, m := range marks {
			follow(s.Predecessor(m))
		}
	}
	slices.Sort(touched)
	return touched, true
}

// VerifyMore checks the tables that MoreTables returned, without the markers
// before: version is the obsstore's, and first the number of the first marker.
func VerifyMore(version byte, first uint32, raw []byte, starts, byPred []uint32, bySuccs []uint64) error {
	s, err := Parse(append([]byte{version}, raw...))
	if err != nil {
		return err
	}
	fits := len(starts) == len(s.starts) && len(byPred) == len(s.byPred) && len(bySuccs) == len(s.bySuccs)
	for i := 0; i < len(starts) && fits; i++ {
		fits = starts[i] == s.starts[i]-1 && byPred[i] == s.byPred[i]+first
	}
	for i := 0; i < len(bySuccs) && fits; i++ {
		fits = bySuccs[i] == s.bySuccs[i]+uint64(first)<<8
	}
	if !fits {
		return hgerr.Damagef("verify", "obsstore tables", "they do not fit the markers")
	}
	return nil
}

// Version is the version of the obsstore's format.
func (s *Store) Version() byte {
	if len(s.raw) == 0 {
		return 0
	}
	return s.raw[0]
}
