// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/snapshot"
)

// Branch is a named branch and its heads in one view.
type Branch struct {
	Name   string     // in the local encoding
	UTF8   string     // as stored
	Heads  []node.Rev // ascending; closed ones included
	closed map[node.Rev]bool
}

// Tip is the highest open head, or, when all are closed, the highest one.
func (b *Branch) Tip() (rev node.Rev, closed bool) {
	for i := len(b.Heads) - 1; i >= 0; i-- {
		if !b.closed[b.Heads[i]] {
			return b.Heads[i], false
		}
	}
	return b.Heads[len(b.Heads)-1], true
}

// Open are the heads that do not close the branch, ascending.
func (b *Branch) Open() []node.Rev {
	var out []node.Rev
	for _, h := range b.Heads {
		if !b.closed[h] {
			out = append(out, h)
		}
	}
	return out
}

// branchmap is the branches of a view.
type branchmap struct {
	branches []*Branch // in the order of their first changesets
	byName   map[string]*Branch
}

// Branches lists the branches in the order of their first visible changesets.
func (v *View) Branches() ([]*Branch, error) {
	bm, err := v.Branchmap()
	if err != nil {
		return nil, err
	}
	return bm.branches, nil
}

// Branchmap computes the heads of every branch. A changeset is a head of its
// branch unless a visible one of the same branch descends from it, also through
// other branches; obsolete changesets are no heads, nor do they keep an ancestor
// from being one. The order of steps is that of Mercurial's branchmap.py, since
// one of its shortcuts can be seen in the result (branchHeads.add).
func (v *View) Branchmap() (*branchmap, error) {
	if v.branchmap != nil {
		return v.branchmap, nil
	}
	if v.BeforeBranches != nil {
		if err := v.BeforeBranches(); err != nil {
			return nil, err
		}
	}
	if !v.snap.HasBranches() && v.snap.Len()-v.snap.BranchesKnown() > parallelPart && v.known().branchmap == nil && v.Topics == "" {
		bm := v.cachedBranchmap()
		if bm == nil {
			var err error
			if bm, err = v.countingBranchmap(worthSparing); err != nil {
				return nil, err
			}
		}
		if bm != nil {
			known := v.known()
			known.branchmap, known.encoding = bm, v.Encoding
			v.wantBranches = true
		}
	}
	if k := v.known(); k.branchmap != nil && k.encoding == v.Encoding && v.Topics == "" {
		v.sayMarkers()
		v.branchmap = k.branchmap
		return v.branchmap, nil
	}
	if err := v.needBranches(); err != nil {
		return nil, err
	}
	if v.Len() > 0 { // what is asked below when nothing is known yet
		v.filter()
		v.sayMarkers()
	}
	known := v.known()
	if v.Topics != "" {
		if err := v.refuseSlashes(v.snap.BranchNames()); err != nil {
			return nil, err
		}
		topics, err := v.topics()
		if err != nil {
			return nil, err
		}
		switch {
		case len(topics.of) == 0 || v.all && strings.HasPrefix(v.Topics, "0."):
			// Under --hidden, old releases leave branches as they are.
		case v.all:
			// What later ones show then is what happens to be in hg's cache.
			return nil, hgerr.NewUnsupported("branches beside topics with --hidden")
		default:
			if topics.branchmap == nil {
				topics.branchmap = v.topicBranchmap(topics)
			}
			v.branchmap = topics.branchmap
			return v.branchmap, nil
		}
	}
	if known.branchmap == nil || known.encoding != v.Encoding {
		known.branchmap, known.encoding = v.computeBranchmap(), v.Encoding
	}
	v.branchmap = known.branchmap
	return v.branchmap, nil
}

func (v *View) computeBranchmap() *branchmap {
	s := v.snap
	var list []snapshot.BranchHeads
	if v.seesTheCommon() {
		list = v.commonBranchHeads()
	} else {
		v.filter()
		list = growBranchHeads(s, nil, 0, s.Len(), v.Heads(), v.Hidden, v.flags, s.BranchNumber, len(s.BranchNames()))
	}
	names := s.BranchNames()
	return v.branchesOf(list, func(id int) (name, stored string) { return v.local(names[id]), names[id] }, s.BranchID)
}

// seesTheCommon tells whether all see what this view does.
func (v *View) seesTheCommon() bool {
	return !v.all && len(v.revealed) == 0 || v.snap.HiddenCount() == 0
}

// worthSparing is which part of the texts is worth to be left for later, when they are
// all read.
const worthSparing = 4

// countingBranchmap is the branches as long as they are not known of every changeset:
// hidden and obsolete ones do not count, and hg's cache lacks those before others. It
// is nil when that would not spare one in part of the texts, part 0 always does.
func (v *View) countingBranchmap(part int) (*branchmap, error) {
	s := v.snap
	v.filter()
	hidden, flags, tops := v.Hidden, v.flags, v.Heads()
	if v.seesTheCommon() {
		hidden = func(rev node.Rev) bool { return s.Flags(rev)&obsolete.Hidden != 0 }
		flags, tops = s.Flags, s.Heads()
	}
	from := s.BranchesKnown()
	cols := &snapshot.BranchColumns{Names: slices.Clone(s.BranchNames()), Of: make([]uint32, s.Len()-from)}
	var done []bool
	cols.Names, done = v.cachedBranches(from, cols.Names, cols.Of)
	missing, counting := 0, 0
	for i, known := range done {
		if known {
			continue
		}
		missing++
		if rev := node.Rev(from + i); hidden(rev) || flags(rev)&obsolete.Obsolete != 0 {
			done[i] = true
		} else {
			counting++
		}
	}
	if (missing-counting)*part < missing && part > 0 {
		return nil, nil
	}
	if err := v.fillBranches(cols, done, from); err != nil {
		return nil, err
	}
	id := func(rev node.Rev) (id int, closes bool) {
		if int(rev) < from {
			return s.BranchID(rev)
		}
		of := cols.Of[int(rev)-from]
		return int(of >> 1), of&1 != 0
	}
	number := func(rev node.Rev) int {
		n, _ := id(rev)
		return n
	}
	list := growBranchHeads(s, nil, 0, s.Len(), tops, hidden, flags, number, len(cols.Names))
	return v.branchesOf(list, func(id int) (name, stored string) { return v.local(cols.Names[id]), cols.Names[id] }, id), nil
}

// branchesOf names branches by their numbers; id tells a head's, and whether it closes
// the branch.
func (v *View) branchesOf(list []snapshot.BranchHeads, name func(id int) (name, stored string), id func(node.Rev) (int, bool)) *branchmap {
	bm := &branchmap{byName: map[string]*Branch{}}
	for _, h := range list {
		b := &Branch{closed: map[node.Rev]bool{}}
		b.Name, b.UTF8 = name(int(h.Branch))
		for _, head := range h.Heads {
			if head.Reached {
				continue
			}
			b.Heads = append(b.Heads, head.Rev)
			if _, closes := id(head.Rev); closes {
				b.closed[head.Rev] = true
			}
		}
		bm.branches = append(bm.branches, b)
		bm.byName[b.Name] = b
	}
	return bm
}

// topicBranchmap is the branches where topics split them.
func (v *View) topicBranchmap(t *topical) *branchmap {
	v.filter()
	names := v.snap.BranchNames()
	number := func(rev node.Rev) int {
		if at, ok := t.of[rev]; ok {
			return len(names) + at
		}
		return v.snap.BranchNumber(rev)
	}
	list := growBranchHeads(v.snap, nil, 0, v.snap.Len(), v.Heads(), v.Hidden, v.flags, number, len(names)+len(t.branches))
	return v.branchesOf(list, func(id int) (name, stored string) {
		if id >= len(names) {
			// A topic is not translated, whatever the encoding is.
			return t.branches[id-len(names)], t.branches[id-len(names)]
		}
		return v.local(names[id]), names[id]
	}, v.snap.BranchID)
}

// commonBranchHeads are the heads of branches for those who see what is not
// hidden, and nothing else, as nearly everybody does: the snapshot keeps them,
// and what came since is all that is looked at.
func (r *Repo) commonBranchHeads() []snapshot.BranchHeads {
	s := r.snap
	grow := func(list []snapshot.BranchHeads, upTo, to int) []snapshot.BranchHeads {
		hidden := func(rev node.Rev) bool { return s.Flags(rev)&obsolete.Hidden != 0 }
		list = growBranchHeads(s, list, upTo, to, s.Heads(), hidden, s.Flags, s.BranchNumber, len(s.BranchNames()))
		s.SetBranchHeads(list, to)
		r.unsaved = true
		return list
	}
	if list, upTo, to, ok := s.BranchHeadsBefore(); ok {
		grow(list, upTo, to)
	}
	list, upTo := s.BranchHeads()
	if upTo < s.Len() {
		list = grow(list, upTo, s.Len())
	}
	return list
}

// growBranchHeads takes the changesets from from on, up to but without to, into
// account; tops are the heads of the whole history. branch is the number, below branches, of what each
// changeset is on. old stays as it is.
func growBranchHeads(s *snapshot.Snapshot, old []snapshot.BranchHeads, from, to int, tops []int32,
	hidden func(node.Rev) bool, flags func(node.Rev) obsolete.Flag, branch func(node.Rev) int, branches int) []snapshot.BranchHeads {
	work := make([]branchHeads, branches)
	var order []int // branches by their first changesets
	for _, h := range old {
		work[h.Branch].heads = slices.Clone(h.Heads)
		order = append(order, int(h.Branch))
	}
	clean := s.HiddenCount() == 0 && !s.Hideable() // nothing is obsolete, either
	for rev := node.Rev(from); int(rev) < to; rev++ {
		if !clean && (hidden(rev) || flags(rev)&obsolete.Obsolete != 0) {
			continue
		}
		id := branch(rev)
		if work[id].heads == nil {
			order = append(order, id)
		}
		work[id].add(s, clean, flags, branch, id, rev)
	}
	out := make([]snapshot.BranchHeads, 0, len(order))
	for _, id := range order {
		work[id].finish(s, tops)
		out = append(out, snapshot.BranchHeads{Branch: uint32(id), Heads: work[id].heads})
	}
	return out
}

// branchHeads are the heads of one branch while they are being found.
type branchHeads struct {
	heads []snapshot.BranchHead // ascending, since changesets are added so
	// uncertain are parents outside the branch from which a head may descend.
	uncertain []node.Rev
}

// add takes the next changeset of the branch with number id. When there is one
// head, and one parent is on the branch, Mercurial takes that parent to be the
// head and looks no further; when it is another changeset, a head that rev
// descends from through other branches stays a head.
func (h *branchHeads) add(s *snapshot.Snapshot, clean bool, flags func(node.Rev) obsolete.Flag, branch func(node.Rev) int, id int, rev node.Rev) {
	if h.heads == nil {
		h.heads = append(h.heads, snapshot.BranchHead{Rev: rev})
		return
	}
	p1, p2 := s.Parents(rev)
	if p2 == p1 {
		p2 = node.NullRev
	}
	var same, others [2]node.Rev
	sames, other := 0, 0
	for _, p := range [2]node.Rev{p1, p2} {
		if p < 0 {
			continue
		}
		if branch(p) == id && (clean || flags(p)&obsolete.Obsolete == 0) {
			same[sames] = p
			sames++
		} else {
			others[other] = p
			other++
		}
	}
	if len(h.heads) != 1 || sames != 1 {
		h.uncertain = append(h.uncertain, others[:other]...)
	}
	if len(h.heads) == 1 && sames >= 1 && h.heads[0].Rev == same[0] {
		h.heads[0] = snapshot.BranchHead{Rev: rev} // as nearly always
		return
	}
	for _, p := range same[:sames] {
		at, ok := slices.BinarySearchFunc(h.heads, p, func(have snapshot.BranchHead, want node.Rev) int { return int(have.Rev) - int(want) })
		if ok {
			h.heads = slices.Delete(h.heads, at, at+1)
		}
	}
	h.heads = append(h.heads, snapshot.BranchHead{Rev: rev})
}

// finish finds the heads that are ancestors of what was uncertain: they are no
// heads. Mercurial does not look when all are heads of the whole history, or
// come after what is uncertain; then there would be nothing to find.
func (h *branchHeads) finish(s *snapshot.Snapshot, tops []int32) {
	if len(h.uncertain) == 0 {
		return
	}
	// Those that can be reached are below what is uncertain, and have a child.
	highest := slices.Max(h.uncertain)
	floor, left := node.Rev(0), 0
	want := map[node.Rev]int{}
	for i := len(h.heads) - 1; i >= 0; i-- {
		r := h.heads[i]
		if _, top := slices.BinarySearch(tops, int32(r.Rev)); !r.Reached && !top && r.Rev < highest {
			want[r.Rev] = i
			floor = r.Rev
			left++
		}
	}
	if left == 0 {
		return
	}
	reached := map[node.Rev]bool{}
	todo := h.uncertain
	for len(todo) > 0 && left > 0 {
		rev := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		p1, p2 := s.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= floor && !reached[p] {
				reached[p] = true
				todo = append(todo, p)
				if i, ok := want[p]; ok {
					h.heads[i].Reached = true
					left--
				}
			}
		}
	}
}

// needBranches makes the snapshot know the branch of every changeset.
func (v *View) needBranches() error {
	if v.snap.HasBranches() {
		return nil
	}
	cols, err := v.readBranchColumns()
	if err != nil {
		return err
	}
	v.snap.SetBranches(cols)
	v.extended()
	return nil
}

// parallelPart is how many changesets, at least, are worth a goroutine.
const parallelPart = 4096

// readBranchColumns takes the branch of every changeset that the snapshot does
// not know it of from hg's cache, or from its text.
func (r *Repo) readBranchColumns() (*snapshot.BranchColumns, error) {
	from := r.snap.BranchesKnown()
	cols := &snapshot.BranchColumns{Of: make([]uint32, r.snap.Len()-from)}
	names, done := r.cachedBranches(from, slices.Clone(r.snap.BranchNames()), cols.Of)
	cols.Names = names
	return cols, r.fillBranches(cols, done, from)
}

// fillBranches takes those branches from texts that are not done. Several goroutines
// read a part each.
func (r *Repo) fillBranches(cols *snapshot.BranchColumns, done []bool, from int) error {
	missing := 0
	for _, known := range done {
		if !known {
			missing++
		}
	}
	parts := max(1, min(r.crew.size(), missing/parallelPart))
	begins := make([]int, parts+1) // of the parts, which miss as many each
	begins[parts] = len(done)
	for i, at, seen := 1, 0, 0; i < parts; i++ {
		for seen < missing*i/parts {
			if !done[at] {
				seen++
			}
			at++
		}
		begins[i] = at
	}
	type run struct {
		column []uint32
		names  []string // by the numbers in it
	}
	runs := make([][]run, parts)
	own := r.changesetLog() // belongs to one goroutine
	err := r.crew.each(parts, func(p int) error {
		log := own
		if p > 0 {
			log = r.openChangelog()
			defer log.Close()
		}
		for i := begins[p]; i < begins[p+1]; i++ {
			if done[i] {
				continue
			}
			end := i
			for end < begins[p+1] && !done[end] {
				end++
			}
			names, err := branchesOf(log, node.Rev(from+i), cols.Of[i:end])
			if err != nil {
				return err
			}
			runs[p] = append(runs[p], run{cols.Of[i:end], names})
			i = end
		}
		return nil
	})
	if err != nil {
		return err
	}
	// Numbers are in the order of first appearance, whatever the parts were.
	ids := map[string]uint32{}
	for i, name := range cols.Names {
		ids[name] = uint32(i)
	}
	for _, run := range slices.Concat(runs...) {
		to := make([]uint32, len(run.names))
		for k, name := range run.names {
			id, ok := ids[name]
			if !ok {
				id = uint32(len(cols.Names))
				ids[name] = id
				cols.Names = append(cols.Names, name)
			}
			to[k] = id
		}
		for k, c := range run.column {
			run.column[k] = to[c>>1]<<1 | c&1
		}
	}
	return nil
}

// branchesOf fills a column for the changesets from from on, and returns the
// names by the numbers that it used.
func branchesOf(log *changelog.Log, from node.Rev, column []uint32) (names []string, err error) {
	ids := map[string]uint32{}
	err = log.Each(from, from+node.Rev(len(column)), func(rev node.Rev, c changelog.Changeset) error {
		name, closes, err := BranchOf(c)
		if err != nil {
			return err
		}
		id, ok := ids[name]
		if !ok {
			name = strings.Clone(name)
			id = uint32(len(names))
			ids[name] = id
			names = append(names, name)
		}
		column[rev-from] = id << 1
		if closes {
			column[rev-from] |= 1
		}
		return nil
	})
	return names, err
}
