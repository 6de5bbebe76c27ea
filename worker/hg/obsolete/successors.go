// SPDX-License-Identifier: GPL-2.0-or-later

package obsolete

import (
	"bytes"
	"cmp"
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// SuccessorSet is a group of changesets that together replace one, with the
// markers that say so. Several sets mean that the rewriting diverged.
type SuccessorSet struct {
	Nodes   []node.ID
	Markers []uint32 // ascending, each once; only Fate fills them in
}

// Limits of following markers. Markers come from anybody one pulls from, and few
// of them are enough to describe more sets of successors than fit into memory;
// what exceeds the limits is *hgerr.Unsupported.
const (
	// maxSets bounds the sets of successors of one changeset.
	maxSets = 1 << 12
	// maxWork bounds all steps of one computation: comparing two nodes is one,
	// looking one up, or making a set, is stepLookup.
	maxWork    = 1 << 27
	stepLookup = 64
)

var errTangled = hgerr.NewUnsupported("obsolescence markers that are too tangled to follow")

// budget is what is left of maxWork.
type budget struct{ left int }

func newBudget() *budget { return &budget{maxWork} }

func (b *budget) spend(steps int) error {
	if b.left -= steps; b.left < 0 {
		return errTangled
	}
	return nil
}

// outcome is a set while it is computed. The sets along a chain of rewritings
// share their markers, so each notes only its own and where the others are.
type outcome struct {
	nodes []node.ID
	trail *trail
}

type trail struct {
	marker uint32
	has    bool // marker counts
	from   []*trail
}

// join is a trail that leads to both.
func join(a, b *trail) *trail {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	return &trail{from: []*trail{a, b}}
}

// collect lists the markers of a trail, ascending, each once.
func (t *trail) collect() []uint32 {
	var out []uint32
	seen := map[*trail]bool{t: true}
	for todo := []*trail{t}; len(todo) > 0; {
		t, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if t.has {
			out = append(out, t.marker)
		}
		for _, u := range t.from {
			if !seen[u] {
				seen[u] = true
				todo = append(todo, u)
			}
		}
	}
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
	// closest stops at what can be seen, except at the node asked for. Only then
	// are trails kept.
	closest bool
	initial node.ID
	known   map[node.ID][]outcome
	budget  *budget
}

func newNewestFinder(g Graph, s *Store, b *budget) *successorFinder {
	return &successorFinder{s: s, known: map[node.ID][]outcome{}, budget: b,
		here: func(id node.ID) bool { _, ok := g.Rev(id); return ok }}
}

// competes tells whether any predecessor of id has more than one set of newest
// successors.
func (f *successorFinder) competes(id node.ID) (bool, error) {
	seen := map[node.ID]bool{}
	todo := []node.ID{id}
	var marks []uint32
	for len(todo) > 0 {
		current := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		marks = f.s.WithSuccessor(marks[:0], current)
		if err := f.budget.spend(stepLookup + len(marks)); err != nil {
			return false, err
		}
		for _, m := range marks {
			p := f.s.Predecessor(m)
			if seen[p] {
				continue
			}
			seen[p] = true
			sets, err := f.sets(p)
			if err != nil || len(sets) > 1 {
				return len(sets) > 1, err
			}
			todo = append(todo, p)
		}
	}
	return false, nil
}

// frame is a changeset whose sets are being computed.
type frame struct {
	id         node.ID
	entered    bool
	marks      []uint32 // that have it as predecessor, by their successors
	mark, succ int      // the first successor whose sets may still be missing
}

// sets returns the sets of id. The stack is explicit, since chains of markers are
// long, and may be circular: a node met again while it is still being computed
// counts as pruned.
func (f *successorFinder) sets(id node.ID) ([]outcome, error) {
	stack := []frame{{id: id}}
	onStack := map[node.ID]bool{id: true}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if _, done := f.known[top.id]; done {
			delete(onStack, top.id)
			stack = stack[:len(stack)-1]
			continue
		}
		if !top.entered {
			top.entered = true
			marks := f.s.WithPredecessor(top.id)
			if err := f.budget.spend(stepLookup + len(marks)); err != nil {
				return nil, err
			}
			if len(marks) == 0 || f.closest && top.id != f.initial && f.here(top.id) {
				f.known[top.id] = nil
				if f.here(top.id) {
					f.known[top.id] = []outcome{{nodes: []node.ID{top.id}}}
				}
				continue
			}
			top.marks = f.inOrder(marks)
		}
		if next, missing := f.advance(top, onStack); missing {
			stack = append(stack, frame{id: next})
			onStack[next] = true
			continue
		}
		sets, err := f.combine(top.marks)
		if err != nil {
			return nil, err
		}
		f.known[top.id] = sets
	}
	return f.known[id], nil
}

// advance returns the next successor whose sets are not known yet, and cuts
// cycles.
func (f *successorFinder) advance(fr *frame, onStack map[node.ID]bool) (node.ID, bool) {
	for ; fr.mark < len(fr.marks); fr.mark++ {
		m := fr.marks[fr.mark]
		for ; fr.succ < f.s.succCount(m); fr.succ++ {
			suc := node.ID(f.s.succ(m, fr.succ))
			if _, ok := f.known[suc]; ok {
				continue
			}
			if onStack[suc] {
				f.known[suc] = nil
				continue
			}
			return suc, true
		}
		fr.succ = 0
	}
	return node.ID{}, false
}

// product is what one marker contributes: the cartesian product of its
// successors' sets, without repeated nodes. A successor that is pruned or unknown
// adds nothing, and the others still count.
func (f *successorFinder) product(m uint32) ([]outcome, error) {
	first := outcome{}
	if f.closest {
		first.trail = &trail{marker: m, has: true}
	}
	product := []outcome{first}
	for k := range f.s.succCount(m) {
		suffixes := f.known[node.ID(f.s.succ(m, k))]
		if len(suffixes) == 0 {
			continue
		}
		if len(product)*len(suffixes) > maxSets {
			return nil, errTangled
		}
		longer := make([]outcome, 0, len(product)*len(suffixes))
		for _, prefix := range product {
			for _, suffix := range suffixes {
				if err := f.budget.spend(stepLookup); err != nil {
					return nil, err
				}
				set := outcome{nodes: slices.Clone(prefix.nodes), trail: join(prefix.trail, suffix.trail)}
				for _, id := range suffix.nodes {
					if err := f.budget.spend(1 + len(set.nodes)); err != nil {
						return nil, err
					}
					if !slices.Contains(set.nodes, id) {
						set.nodes = append(set.nodes, id)
					}
				}
				longer = append(longer, set)
			}
		}
		product = longer
	}
	return product, nil
}

// combine joins what every marker contributes. Sets that lie within another one
// are dropped, since they are the same rewriting seen half-way; their markers
// stay.
func (f *successorFinder) combine(marks []uint32) ([]outcome, error) {
	var all []outcome
	for _, m := range marks {
		product, err := f.product(m)
		if err != nil {
			return nil, err
		}
		for _, set := range product {
			if len(set.nodes) > 0 {
				all = append(all, set)
			}
		}
		if len(all) > maxSets {
			return nil, errTangled
		}
	}
	// A longer set wins over the subsets of it, the first one over equals.
	slices.SortStableFunc(all, func(a, b outcome) int { return len(b.nodes) - len(a.nodes) })
	var kept []outcome
next:
	for _, set := range all {
		for i := range kept {
			inside, err := f.within(set.nodes, kept[i].nodes)
			if err != nil {
				return nil, err
			}
			if inside {
				kept[i].trail = join(kept[i].trail, set.trail)
				continue next
			}
		}
		kept = append(kept, set)
	}
	slices.Reverse(kept)
	return kept, nil
}

func (f *successorFinder) within(a, b []node.ID) (bool, error) {
	for _, id := range a {
		if err := f.budget.spend(len(b)); err != nil {
			return false, err
		}
		if !slices.Contains(b, id) {
			return false, nil
		}
	}
	return true, nil
}

// inOrder returns markers of one predecessor by their successors, so that the
// answer does not depend on the order of the file.
func (f *successorFinder) inOrder(marks []uint32) []uint32 {
	if len(marks) < 2 {
		return marks
	}
	out := slices.Clone(marks)
	slices.SortStableFunc(out, func(a, b uint32) int { return bytes.Compare(f.s.succBytes(a), f.s.succBytes(b)) })
	return out
}

// NewestSuccessors returns the sets of changesets that an obsolete one has
// become in the end: none when it was pruned, several when it diverged, one of
// several nodes when it was split. here tells what counts as a changeset.
func NewestSuccessors(s *Store, id node.ID, here func(node.ID) bool) ([]SuccessorSet, error) {
	f := &successorFinder{s: s, known: map[node.ID][]outcome{}, budget: newBudget(), here: here}
	return f.result(id)
}

// Search finds the sets of successors of one changeset after the other as `hg
// debugsuccessorssets` does, which remembers what it found out for the earlier
// ones: among the closest successors this can be seen.
type Search struct{ f successorFinder }

// NewSearch starts a search for the newest successors, or for the closest ones.
func NewSearch(s *Store, closest bool, here func(node.ID) bool) *Search {
	return &Search{successorFinder{s: s, here: here, closest: closest, known: map[node.ID][]outcome{}}}
}

// Of returns the sets of successors of a changeset.
func (s *Search) Of(id node.ID) ([][]node.ID, error) {
	s.f.initial, s.f.budget = id, newBudget()
	sets, err := s.f.sets(id)
	var out [][]node.ID
	for _, set := range sets {
		out = append(out, set.nodes)
	}
	return out, err
}

func (f *successorFinder) result(id node.ID) ([]SuccessorSet, error) {
	sets, err := f.sets(id)
	var out []SuccessorSet
	for _, set := range sets {
		r := SuccessorSet{Nodes: set.nodes}
		if set.trail != nil {
			r.Markers = set.trail.collect()
		}
		out = append(out, r)
	}
	return out, err
}

// Fate returns the closest sets of visible changesets that an obsolete one has
// become. A changeset that was pruned has a set without nodes for each marker
// that says so, or one without anything.
func Fate(s *Store, id node.ID, visible func(node.ID) bool) ([]SuccessorSet, error) {
	f := &successorFinder{s: s, here: visible, closest: true, initial: id, known: map[node.ID][]outcome{}, budget: newBudget()}
	if sets, err := f.result(id); err != nil || len(sets) > 0 {
		return sets, err
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
	return pruned, nil
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
