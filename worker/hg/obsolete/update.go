// SPDX-License-Identifier: GPL-2.0-or-later

package obsolete

import (
	"container/heap"
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
)

// updateNodes bounds how many nodes Update follows markers through before it
// gives up: then computing everything is not much dearer.
const updateNodes = 4096

// updateSteps bounds how many changesets Update looks at for their relatives' sake
// before it gives up.
const updateSteps = 1 << 16

// GrownGraph is what Update needs of a changelog.
type GrownGraph interface {
	Graph
	// Children lists the children of a changeset, ascending.
	Children(node.Rev) []int32
}

// Change is a changeset that was there before and has other flags now.
type Change struct {
	Rev   node.Rev
	Flags Flag
}

// Update is Compute for a graph and markers that have only grown. old are the flags
// of the first count changesets as they were when the markers from number added on
// did not exist, and when the changesets in moved had another phase. more are the
// flags of those after count, and changes, ascending, what is different about the
// ones before. It takes time in proportion to what is new and what changes.
//
// ok is false when only Compute can tell.
func Update(g GrownGraph, s *Store, old func(node.Rev) Flag, count int, added uint32, moved []node.Rev) (more []Flag, changes []Change, ok bool, err error) {
	touched, ok := touchedBy(g, s, count, added, moved)
	if !ok {
		return nil, nil, false, nil
	}
	u := &update{g: g, s: s, old: old, count: count, more: make([]Flag, g.Len()-count), other: map[node.Rev]Flag{}, left: updateSteps}
	if err := u.run(touched, moved); err != nil || u.left < 0 {
		return nil, nil, false, err
	}
	for rev, f := range u.other {
		if f != old(rev) {
			changes = append(changes, Change{rev, f})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return int(a.Rev) - int(b.Rev) })
	return u.more, changes, true, nil
}

// update is one run of Update.
type update struct {
	g     GrownGraph
	s     *Store
	old   func(node.Rev) Flag
	count int
	more  []Flag            // of the new changesets
	other map[node.Rev]Flag // of old ones that were looked at
	left  int               // of updateSteps
}

func (u *update) get(rev node.Rev) Flag {
	if int(rev) >= u.count {
		return u.more[int(rev)-u.count]
	}
	if f, ok := u.other[rev]; ok {
		return f
	}
	return u.old(rev)
}

// put gives a changeset those of the flags in mask that f has, and tells whether
// that changes anything.
func (u *update) put(rev node.Rev, mask, f Flag) bool {
	was := u.get(rev)
	now := was&^mask | f
	if now == was {
		return false
	}
	if int(rev) >= u.count {
		u.more[int(rev)-u.count] = now
	} else {
		u.other[rev] = now
	}
	return true
}

func (u *update) run(touched, moved []node.Rev) error {
	// What a changeset is by itself.
	differ := slices.Clone(moved) // of which relatives see something else
	for rev := node.Rev(u.count); int(rev) < u.g.Len(); rev++ {
		differ = append(differ, rev)
	}
	for _, rev := range touched {
		var f Flag
		if u.g.Phase(rev) != phases.Public && len(u.s.WithPredecessor(u.g.Node(rev))) > 0 {
			f = Obsolete
		}
		if u.put(rev, Obsolete, f) {
			differ = append(differ, rev)
		}
	}
	// Orphans, from parents to children.
	q := newPending(false)
	for _, rev := range touched {
		q.add(rev)
	}
	for _, rev := range differ {
		q.add(rev)
		u.addChildren(q, rev)
	}
	for rev, ok := q.next(); ok && u.left >= 0; rev, ok = q.next() {
		var f Flag
		if u.g.Phase(rev) != phases.Public && u.get(rev)&Obsolete == 0 {
			p1, p2 := u.g.Parents(rev)
			for _, p := range [2]node.Rev{p1, p2} {
				if p >= 0 && u.get(p)&(Obsolete|Orphan) != 0 {
					f = Orphan
				}
			}
		}
		if u.put(rev, Orphan, f) {
			u.addChildren(q, rev)
		}
	}
	// Divergence, along markers.
	budget := newBudget()
	newest := newNewestFinder(u.g, u.s, budget)
	for _, rev := range touched {
		var f Flag
		if u.g.Phase(rev) != phases.Public && u.get(rev)&Obsolete == 0 && !u.g.Phase(rev).LocalHidden() {
			how, err := divergence(u.g, u.s, u.g.Node(rev), newest, budget)
			if err != nil {
				return err
			}
			f = how
		}
		u.put(rev, PhaseDivergent|ContentDivergent, f)
	}
	// What is hidden, from children to parents.
	q = newPending(true)
	for _, rev := range differ {
		q.add(rev)
		u.addParents(q, rev)
	}
	for rev, ok := q.next(); ok && u.left >= 0; rev, ok = q.next() {
		var f Flag
		if (u.get(rev)&Obsolete != 0 || u.g.Phase(rev).LocalHidden()) && !u.visibleChild(rev) {
			f = Hidden
		}
		if u.put(rev, Hidden, f) {
			u.addParents(q, rev)
		}
	}
	return nil
}

func (u *update) visibleChild(rev node.Rev) bool {
	children := u.g.Children(rev)
	u.left -= 1 + len(children)
	return slices.ContainsFunc(children, func(child int32) bool { return u.get(node.Rev(child))&Hidden == 0 })
}

func (u *update) addChildren(q *pending, rev node.Rev) {
	children := u.g.Children(rev)
	u.left -= 1 + len(children)
	for _, child := range children {
		q.add(node.Rev(child))
	}
}

func (u *update) addParents(q *pending, rev node.Rev) {
	u.left--
	p1, p2 := u.g.Parents(rev)
	for _, p := range [2]node.Rev{p1, p2} {
		if p >= 0 {
			q.add(p)
		}
	}
}

// pending are changesets that are to be looked at, ascending or descending, each
// once. What is added while one is looked at comes after it.
type pending struct {
	list []node.Rev // a heap
	sign node.Rev
	in   map[node.Rev]bool
}

func newPending(descending bool) *pending {
	q := &pending{sign: 1, in: map[node.Rev]bool{}}
	if descending {
		q.sign = -1
	}
	return q
}

func (q *pending) Len() int           { return len(q.list) }
func (q *pending) Less(i, k int) bool { return q.sign*q.list[i] < q.sign*q.list[k] }
func (q *pending) Swap(i, k int)      { q.list[i], q.list[k] = q.list[k], q.list[i] }
func (q *pending) Push(x any)         { q.list = append(q.list, x.(node.Rev)) }
func (q *pending) Pop() any {
	last := q.list[len(q.list)-1]
	q.list = q.list[:len(q.list)-1]
	return last
}

func (q *pending) add(rev node.Rev) {
	if !q.in[rev] {
		q.in[rev] = true
		heap.Push(q, rev)
	}
}

func (q *pending) next() (node.Rev, bool) {
	if len(q.list) == 0 {
		return 0, false
	}
	rev := heap.Pop(q).(node.Rev)
	delete(q.in, rev)
	return rev, true
}

// touchedBy lists, ascending, the changesets of which a new changeset, a new marker
// or another phase may change the flags by way of markers: the new and the moved
// ones, and all that markers connect with them or with the new markers.
func touchedBy(g Graph, s *Store, count int, added uint32, moved []node.Rev) ([]node.Rev, bool) {
	if g.Len()-count > updateNodes || s.Len()-int(added) > updateNodes || len(moved) > updateNodes {
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
	for _, rev := range moved {
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
		if len(seen) > updateNodes+g.Len()-count+len(moved) {
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
