// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"slices"
	"strings"

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
// other branches. Obsolete changesets are no heads, nor do they keep an ancestor
// from being one, as in Mercurial's branchmap.py.
func (v *View) Branchmap() (*branchmap, error) {
	if v.branchmap != nil {
		return v.branchmap, nil
	}
	if err := v.needBranches(); err != nil {
		return nil, err
	}
	s := v.snap
	heads := make([][]node.Rev, len(s.BranchNames()))
	first := make([]node.Rev, len(heads))
	for i := range first {
		first[i] = node.NullRev
	}
	// A changeset without a child on its own branch is a candidate.
	n := node.Rev(s.Len())
	hasChild := make([]bool, n)
	for rev := n - 1; rev >= 0; rev-- {
		if v.Hidden(rev) || v.flags(rev)&obsolete.Obsolete != 0 {
			continue
		}
		id, _ := s.BranchID(rev)
		first[id] = rev
		if !hasChild[rev] {
			heads[id] = append(heads[id], rev)
		}
		p1, p2 := s.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= 0 {
				if pid, _ := s.BranchID(p); pid == id {
					hasChild[p] = true
				}
			}
		}
	}
	bm := &branchmap{byName: map[string]*Branch{}}
	for id, list := range heads {
		if len(list) == 0 {
			continue
		}
		slices.Reverse(list)
		list = v.dropAncestors(list)
		b := &Branch{UTF8: s.BranchNames()[id], Heads: list, closed: map[node.Rev]bool{}}
		b.Name = v.local(b.UTF8)
		for _, h := range list {
			if _, closes := s.BranchID(h); closes {
				b.closed[h] = true
			}
		}
		bm.branches = append(bm.branches, b)
		bm.byName[b.Name] = b
	}
	order := func(b *Branch) node.Rev { id, _ := s.BranchID(b.Heads[0]); return first[id] }
	slices.SortFunc(bm.branches, func(a, b *Branch) int { return int(order(a)) - int(order(b)) })
	v.branchmap = bm
	return bm, nil
}

// dropAncestors removes the candidates that are ancestors of others: it walks
// down from all that are not topological heads, as far as the lowest candidate.
func (v *View) dropAncestors(list []node.Rev) []node.Rev {
	if len(list) < 2 {
		return list
	}
	low := list[0]
	reached := map[node.Rev]bool{}
	todo := make([]node.Rev, 0, 64)
	push := func(rev node.Rev) {
		p1, p2 := v.snap.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= low && !reached[p] {
				reached[p] = true
				todo = append(todo, p)
			}
		}
	}
	for _, h := range list {
		push(h)
	}
	for len(todo) > 0 {
		rev := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		push(rev)
	}
	return slices.DeleteFunc(list, func(h node.Rev) bool { return reached[h] })
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

// readBranchColumns takes the branch of every changeset from its text.
func (v *View) readBranchColumns() (*snapshot.BranchColumns, error) {
	cols := &snapshot.BranchColumns{Of: make([]uint32, v.Len())}
	ids := map[string]uint32{}
	err := v.changesetLog().Each(0, node.Rev(v.Len()), func(rev node.Rev, c changelog.Changeset) error {
		name, closes, err := BranchOf(c)
		if err != nil {
			return err
		}
		id, ok := ids[name]
		if !ok {
			name = strings.Clone(name)
			id = uint32(len(cols.Names))
			ids[name] = id
			cols.Names = append(cols.Names, name)
		}
		cols.Of[rev] = id << 1
		if closes {
			cols.Of[rev] |= 1
		}
		return nil
	})
	return cols, err
}
