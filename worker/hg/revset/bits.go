// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"math/bits"

	"hgbroker/worker/hg/node"
)

// bitset is a set of revisions from NullRev up, and WdirRev. It grows with the
// highest revision put in.
type bitset struct {
	words []uint64 // bit i is revision i-1
	wdir  bool
}

// newBitset has room for revisions below n.
func newBitset(n int) *bitset {
	return &bitset{words: make([]uint64, (n+1+63)/64)}
}

func (b *bitset) has(r node.Rev) bool {
	if r == node.WdirRev {
		return b.wdir
	}
	i := uint(r + 1)
	return i>>6 < uint(len(b.words)) && b.words[i>>6]&(1<<(i&63)) != 0
}

func (b *bitset) add(r node.Rev) {
	if r == node.WdirRev {
		b.wdir = true
		return
	}
	i := uint(r + 1)
	if n := int(i>>6) + 1; n > len(b.words) {
		b.words = append(b.words, make([]uint64, n-len(b.words))...)
	}
	b.words[i>>6] |= 1 << (i & 63)
}

// below returns the highest revision in the set that is at most r (WdirRev
// aside), or false.
func (b *bitset) below(r node.Rev) (node.Rev, bool) {
	if r < node.NullRev {
		return 0, false
	}
	i := uint(r + 1)
	w := int(i >> 6)
	if w >= len(b.words) {
		w = len(b.words) - 1
		i = 63
	}
	if w < 0 {
		return 0, false
	}
	word := b.words[w] & (^uint64(0) >> (63 - i&63))
	for {
		if word != 0 {
			return node.Rev(w<<6+63-bits.LeadingZeros64(word)) - 1, true
		}
		if w == 0 {
			return 0, false
		}
		w--
		word = b.words[w]
	}
}
