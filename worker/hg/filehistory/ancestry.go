// SPDX-License-Identifier: GPL-2.0-or-later

package filehistory

import (
	"iter"
	"math/bits"

	"hgbroker/worker/hg/node"
)

// An Ancestry is some changesets and all their ancestors down to a floor, found
// as far as it is asked, from the highest down: a bit for each.
type Ancestry struct {
	repo interface {
		Parents(node.Rev) (p1, p2 node.Rev)
	}
	floor node.Rev
	next  node.Rev // parents of all above it are marked
	words []uint64
}

// NewAncestry makes an Ancestry of heads, of which negative ones are left out.
func NewAncestry(repo interface {
	Parents(node.Rev) (p1, p2 node.Rev)
}, floor node.Rev, heads ...node.Rev) *Ancestry {
	a := &Ancestry{repo: repo, floor: max(floor, 0), next: node.NullRev}
	for _, h := range heads {
		if h != node.WdirRev {
			a.next = max(a.next, h)
		}
	}
	if a.next < a.floor {
		a.next = a.floor - 1
		return a
	}
	a.words = make([]uint64, (a.next-a.floor)/64+1)
	for _, h := range heads {
		a.mark(h)
	}
	return a
}

func (a *Ancestry) mark(rev node.Rev) {
	if i := rev - a.floor; rev != node.WdirRev && i >= 0 && int(i/64) < len(a.words) {
		a.words[i/64] |= 1 << (i % 64)
	}
}

func (a *Ancestry) marked(rev node.Rev) bool {
	i := rev - a.floor
	return i >= 0 && int(i/64) < len(a.words) && a.words[i/64]&(1<<(i%64)) != 0
}

// Has tells whether a changeset is one of them.
func (a *Ancestry) Has(rev node.Rev) bool {
	a.down(rev)
	return a.marked(rev)
}

// down marks the parents of all marked changesets above rev.
func (a *Ancestry) down(rev node.Rev) {
	for a.next > rev && a.next >= a.floor {
		i := a.next - a.floor
		word := a.words[i/64] & (^uint64(0) >> (63 - i%64))
		if word == 0 {
			a.next = a.floor + i/64*64 - 1
			continue
		}
		at := a.floor + i/64*64 + node.Rev(63-bits.LeadingZeros64(word))
		if at <= rev {
			a.next = rev
			return
		}
		p1, p2 := a.repo.Parents(at)
		if p1 < at {
			a.mark(p1)
		}
		if p2 < at {
			a.mark(p2)
		}
		a.next = at - 1
	}
}

// Descending yields them from the highest to the floor.
func (a *Ancestry) Descending() iter.Seq[node.Rev] {
	return func(yield func(node.Rev) bool) {
		for i := len(a.words) - 1; i >= 0; i-- {
			base := a.floor + node.Rev(i)*64
			for bit := 63; bit >= 0; bit-- {
				rev := base + node.Rev(bit)
				if a.next >= rev {
					a.down(rev)
				}
				if a.marked(rev) && !yield(rev) {
					return
				}
			}
		}
	}
}
