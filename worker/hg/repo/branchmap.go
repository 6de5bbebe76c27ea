// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"hgbroker/worker/hg/changelog"
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
	if err := v.needBranches(); err != nil {
		return nil, err
	}
	if v.Len() > 0 { // what is asked below when nothing is known yet
		v.filter()
		v.say(&v.markerWarnings)
	}
	known := v.known()
	if known.branchmap == nil || known.encoding != v.Encoding {
		known.branchmap, known.encoding = v.computeBranchmap(), v.Encoding
	}
	v.branchmap = known.branchmap
	return v.branchmap, nil
}

func (v *View) computeBranchmap() *branchmap {
	s := v.snap
	work := make([]branchHeads, len(s.BranchNames()))
	var order []int // branches by their first changesets
	for rev := node.Rev(0); int(rev) < s.Len(); rev++ {
		if v.Hidden(rev) || v.flags(rev)&obsolete.Obsolete != 0 {
			continue
		}
		id, _ := s.BranchID(rev)
		if work[id].heads == nil {
			order = append(order, id)
		}
		work[id].add(v, id, rev)
	}
	bm := &branchmap{byName: map[string]*Branch{}}
	for _, id := range order {
		b := &Branch{UTF8: s.BranchNames()[id], Heads: work[id].finish(v), closed: map[node.Rev]bool{}}
		b.Name = v.local(b.UTF8)
		for _, h := range b.Heads {
			if _, closes := s.BranchID(h); closes {
				b.closed[h] = true
			}
		}
		bm.branches = append(bm.branches, b)
		bm.byName[b.Name] = b
	}
	return bm
}

// branchHeads are the heads of one branch while they are being found.
type branchHeads struct {
	heads []node.Rev
	// uncertain are parents outside the branch from which a head may descend.
	uncertain []node.Rev
}

// add takes the next changeset of the branch with number id. When there is one
// head, and one parent is on the branch, Mercurial takes that parent to be the
// head and looks no further; when it is another changeset, a head that rev
// descends from through other branches stays a head.
func (h *branchHeads) add(v *View, id int, rev node.Rev) {
	if h.heads == nil {
		h.heads = append(h.heads, rev)
		return
	}
	p1, p2 := v.Parents(rev)
	if p2 == p1 {
		p2 = node.NullRev
	}
	var same, others []node.Rev
	for _, p := range [2]node.Rev{p1, p2} {
		if p < 0 {
			continue
		}
		pid, _ := v.snap.BranchID(p)
		if v.flags(p)&obsolete.Obsolete == 0 && pid == id {
			same = append(same, p)
		} else {
			others = append(others, p)
		}
	}
	if len(h.heads) != 1 || len(same) != 1 {
		h.uncertain = append(h.uncertain, others...)
	}
	h.heads = slices.DeleteFunc(h.heads, func(r node.Rev) bool { return slices.Contains(same, r) })
	h.heads = append(h.heads, rev)
}

// finish removes the heads that are ancestors of what was uncertain, unless all
// heads are heads of the whole history.
func (h *branchHeads) finish(v *View) []node.Rev {
	slices.Sort(h.heads)
	if len(h.uncertain) == 0 {
		return h.heads
	}
	top := v.Heads()
	inner := slices.ContainsFunc(h.heads, func(r node.Rev) bool {
		_, ok := slices.BinarySearch(top, int32(r))
		return !ok
	})
	floor := h.heads[0]
	if !inner || floor > slices.Max(h.uncertain) {
		return h.heads
	}
	reached := map[node.Rev]bool{}
	todo := slices.Clone(h.uncertain)
	for len(todo) > 0 {
		rev := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		p1, p2 := v.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= floor && !reached[p] {
				reached[p] = true
				todo = append(todo, p)
			}
		}
	}
	return slices.DeleteFunc(h.heads, func(r node.Rev) bool { return reached[r] })
}

// needBranches makes the snapshot have the branch columns.
func (v *View) needBranches() error {
	if v.snap.HasBranches() {
		return nil
	}
	cols, err := v.readBranchColumns()
	if err != nil {
		return err
	}
	return v.extend(cols, nil)
}

// parallelPart is how many changesets, at least, are worth a goroutine.
const parallelPart = 4096

// readBranchColumns takes the branch of every changeset from its text. Several
// goroutines read a part each.
func (v *View) readBranchColumns() (*snapshot.BranchColumns, error) {
	cols := &snapshot.BranchColumns{Of: make([]uint32, v.Len())}
	parts := max(1, min(runtime.GOMAXPROCS(0), v.Len()/parallelPart))
	names := make([][]string, parts) // by the numbers of each part
	begin := func(i int) node.Rev { return node.Rev(int64(v.Len()) * int64(i) / int64(parts)) }
	var all errgroup.Group
	for i := range parts {
		log := v.changesetLog()
		if i > 0 { // a log belongs to one goroutine
			log = v.openChangelog()
		}
		all.Go(func() (err error) {
			if i > 0 {
				defer log.Close()
			}
			names[i], err = branchesOf(log, begin(i), begin(i+1), cols.Of)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	// Numbers are in the order of first appearance, whatever the parts were.
	ids := map[string]uint32{}
	for i, list := range names {
		to := make([]uint32, len(list))
		for k, name := range list {
			id, ok := ids[name]
			if !ok {
				id = uint32(len(cols.Names))
				ids[name] = id
				cols.Names = append(cols.Names, name)
			}
			to[k] = id
		}
		if i == 0 {
			continue // the same numbers
		}
		part := cols.Of[begin(i):begin(i+1)]
		for k, c := range part {
			part[k] = to[c>>1]<<1 | c&1
		}
	}
	return cols, nil
}

// branchesOf fills the column for the changesets from from up to to, and returns
// the names by the numbers that it used.
func branchesOf(log *changelog.Log, from, to node.Rev, column []uint32) (names []string, err error) {
	ids := map[string]uint32{}
	err = log.Each(from, to, func(rev node.Rev, c changelog.Changeset) error {
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
		column[rev] = id << 1
		if closes {
			column[rev] |= 1
		}
		return nil
	})
	return names, err
}
