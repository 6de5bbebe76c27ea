// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"math/bits"
	"slices"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/snapshot"
)

// keptMissing is how many numbers of missing changesets are remembered.
const keptMissing = 8

// missingCount is how many ancestors of heads are not ancestors of common. That
// follows from their IDs alone, so it holds for ever.
type missingCount struct {
	heads, common []node.Rev // ascending, without null; no head is in common
	ids           []node.ID  // theirs
	n             int
}

// top is the newest of the changesets.
func (m *missingCount) top() node.Rev {
	top := node.NullRev
	for _, list := range [2][]node.Rev{m.heads, m.common} {
		if len(list) > 0 {
			top = max(top, list[len(list)-1])
		}
	}
	return top
}

// MissingCount is how many ancestors of heads, themselves among them, are not
// ancestors of common, nor in it. What was counted before shortens the way: after a
// commit it ends where the one before began.
func (v *View) MissingCount(heads, common []node.Rev) int {
	m := missingCount{common: ascending(common)}
	m.heads = slices.DeleteFunc(ascending(heads), func(r node.Rev) bool {
		_, ok := slices.BinarySearch(m.common, r)
		return ok
	})
	if len(m.heads) == 0 {
		return 0
	}
	known := slices.DeleteFunc(slices.Clone(v.Repo.missing), func(k *missingCount) bool { return !v.stillThere(k) })
	is := func(k *missingCount) bool { return slices.Equal(k.heads, m.heads) && slices.Equal(k.common, m.common) }
	if i := slices.IndexFunc(known, is); i >= 0 {
		return known[i].n
	}
	own := known
	for _, k := range v.snap.Missing() {
		known = append(known, &missingCount{heads: k.Heads, common: k.Common, n: k.N, ids: v.idsOf(k.Heads, k.Common)})
	}
	if i := slices.IndexFunc(known, is); i >= 0 {
		m = *known[i]
	} else {
		var passed int
		m.n, passed = countMissing(v.snap.Parents, m.heads, m.common, known)
		m.ids = v.idsOf(m.heads, m.common)
		if passed >= worthStoring && v.snap.AddMissing(snapshot.Missing{Heads: m.heads, Common: m.common, N: m.n}) {
			v.extended()
		}
	}
	v.Repo.missing = append([]*missingCount{&m}, own[:min(len(own), keptMissing-1)]...)
	return m.n
}

// worthStoring is how many changesets must be passed for a number to be put into an
// image for other workers.
const worthStoring = 5000

func (v *View) idsOf(lists ...[]node.Rev) (ids []node.ID) {
	for _, list := range lists {
		for _, r := range list {
			ids = append(ids, v.snap.Node(r))
		}
	}
	return ids
}

// ascending is revs without null and without what is there twice.
func ascending(revs []node.Rev) []node.Rev {
	revs = slices.DeleteFunc(slices.Clone(revs), func(r node.Rev) bool { return r < 0 })
	slices.Sort(revs)
	return slices.Compact(revs)
}

// stillThere tells whether k's numbers stand for the changesets that they stood for.
func (v *View) stillThere(k *missingCount) bool {
	if int(k.top()) >= v.snap.Len() {
		return false
	}
	i := 0
	for _, list := range [2][]node.Rev{k.heads, k.common} {
		for _, r := range list {
			if v.snap.Node(r) != k.ids[i] {
				return false
			}
			i++
		}
	}
	return true
}

// countMissing goes down from the newest changeset, each of which is passed before
// its parents. What waits to be passed is at every moment a question of the same
// kind; when it is one of known, its answer is the rest.
func countMissing(parents func(node.Rev) (p1, p2 node.Rev), heads, common []node.Rev, known []*missingCount) (n, passed int) {
	top := (&missingCount{heads: heads, common: common}).top()
	want, drop := make(revBits, top/64+1), make(revBits, top/64+1)
	for _, r := range heads {
		want.add(r)
	}
	for _, r := range common {
		drop.add(r)
	}
	known = slices.Clone(known)
	slices.SortFunc(known, func(a, b *missingCount) int { return int(b.top() - a.top()) })
	wanted := len(heads)
	for r := top; wanted > 0; r-- {
		for r >= 0 && want[r/64]|drop[r/64] == 0 {
			r = r/64*64 - 1
		}
		if r < 0 {
			break
		}
		for len(known) > 0 && r <= known[0].top() {
			if slices.Equal(want.upTo(r), known[0].heads) && slices.Equal(drop.upTo(r), known[0].common) {
				return n + known[0].n, passed
			}
			known = known[1:]
		}
		dropped := drop.has(r)
		if !dropped {
			if !want.has(r) {
				continue
			}
			n++
			wanted--
		}
		passed++
		p1, p2 := parents(r)
		for _, p := range [2]node.Rev{p1, p2} {
			switch {
			case p < 0 || p >= r || drop.has(p):
			case dropped:
				drop.add(p)
				if want.has(p) {
					want.remove(p)
					wanted--
				}
			case !want.has(p):
				want.add(p)
				wanted++
			}
		}
	}
	return n, passed
}

// revBits is a set of changesets up to a newest one.
type revBits []uint64

func (b revBits) has(r node.Rev) bool { return b[r/64]>>(r%64)&1 != 0 }
func (b revBits) add(r node.Rev)      { b[r/64] |= 1 << (r % 64) }
func (b revBits) remove(r node.Rev)   { b[r/64] &^= 1 << (r % 64) }

// upTo lists the members up to top, ascending.
func (b revBits) upTo(top node.Rev) (revs []node.Rev) {
	for i, w := range b[:top/64+1] {
		for ; w != 0; w &= w - 1 {
			if r := node.Rev(i*64 + bits.TrailingZeros64(w)); r <= top {
				revs = append(revs, r)
			}
		}
	}
	return revs
}
