// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// Node lookup: revisions sorted by node, and a fan-out table over the leading
// bits, sized so that a bucket holds about eight nodes.

// maxFanBits bounds the fan-out table to 2^18 entries, 1 MiB.
const maxFanBits = 18

func chooseBits(n int) uint {
	bits := uint(0)
	for n>>bits > 8 && bits < maxFanBits {
		bits++
	}
	return bits
}

// fanBits recovers k from a table of 2^k+1 entries and checks that it is
// non-decreasing at its ends.
func fanBits(size int, fan []uint32, n int) (uint, error) {
	if size < 2 || (size-1)&(size-2) != 0 || size-1 > 1<<maxFanBits || fan[0] != 0 || int(fan[size-1]) != n {
		return 0, fmt.Errorf("%w: fan-out table of %d entries", image.ErrFormat, size)
	}
	bits := uint(0)
	for 1<<bits < size-1 {
		bits++
	}
	return bits, nil
}

func bucket(id []byte, bits uint) uint32 {
	return binary.BigEndian.Uint32(id) >> (32 - bits) & (1<<bits - 1)
}

// sortNodes returns the two tables of an index: a counting sort by bucket, then
// a small sort in each. Two changesets with one node are damage.
func sortNodes(x revlog.Index) (order []int32, fan []uint32, err error) {
	n := x.Len()
	bits := chooseBits(n)
	fan = make([]uint32, 1<<bits+1)
	ids := make([]node.ID, n)
	for i := range n {
		ids[i] = x.Node(node.Rev(i))
		fan[bucket(ids[i][:], bits)+1]++
	}
	for i := 1; i < len(fan); i++ {
		fan[i] += fan[i-1]
	}
	next := slices.Clone(fan[:len(fan)-1])
	order = make([]int32, n)
	for i := range ids {
		b := bucket(ids[i][:], bits)
		order[next[b]] = int32(i)
		next[b]++
	}
	for b := range len(fan) - 1 {
		slices.SortFunc(order[fan[b]:fan[b+1]], func(p, q int32) int { return bytes.Compare(ids[p][:], ids[q][:]) })
	}
	for i := 1; i < n; i++ {
		if ids[order[i]] == ids[order[i-1]] {
			return nil, nil, hgerr.Damagef("read", "00changelog.i", "two changesets %s", ids[order[i]].Short())
		}
	}
	return order, fan, nil
}

// Rev finds a changeset by its ID, hidden or not. The null ID is NullRev.
func (s *Snapshot) Rev(id node.ID) (node.Rev, bool) {
	if id == node.Null {
		return node.NullRev, true
	}
	b := bucket(id[:], s.bits)
	lo, hi := s.fan[b], s.fan[b+1]
	if lo > hi || int(hi) > len(s.order) {
		return node.NullRev, false
	}
	part := s.order[lo:hi]
	at, found := slices.BinarySearchFunc(part, id, func(rev int32, id node.ID) int {
		have := s.index.Node(node.Rev(rev))
		return bytes.Compare(have[:], id[:])
	})
	if !found {
		return node.NullRev, false
	}
	return node.Rev(part[at]), true
}

// Prefix finds the changesets whose ID begins with hexadecimal digits, one to
// forty, lower case. It returns at most limit of them, ordered by ID.
func (s *Snapshot) Prefix(digits string, limit int) []node.Rev {
	low, high, ok := prefixRange(digits)
	if !ok || s.Len() == 0 {
		return nil
	}
	var out []node.Rev
	for at := s.seek(low); at < len(s.order) && len(out) < limit; at++ {
		id := s.index.Node(node.Rev(s.order[at]))
		if bytes.Compare(id[:], high[:]) > 0 {
			break
		}
		out = append(out, node.Rev(s.order[at]))
	}
	return out
}

// seek is the first place in order whose ID is not below id.
func (s *Snapshot) seek(id node.ID) int {
	b := bucket(id[:], s.bits)
	lo, hi := int(s.fan[b]), int(s.fan[b+1])
	if lo > hi || hi > len(s.order) {
		return len(s.order)
	}
	at, _ := slices.BinarySearchFunc(s.order[lo:hi], id, func(rev int32, id node.ID) int {
		have := s.index.Node(node.Rev(rev))
		return bytes.Compare(have[:], id[:])
	})
	return lo + at
}

// Shortest is the number of digits, at least one, that tell a changeset's ID
// from every other one in the store.
func (s *Snapshot) Shortest(rev node.Rev) int {
	id := s.index.Node(rev)
	at := s.seek(id)
	most := 0
	for _, i := range [2]int{at - 1, at + 1} {
		if i >= 0 && i < len(s.order) {
			other := s.index.Node(node.Rev(s.order[i]))
			most = max(most, commonDigits(id, other))
		}
	}
	return most + 1
}

func commonDigits(a, b node.ID) int {
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			if x < 16 {
				return 2*i + 1
			}
			return 2 * i
		}
	}
	return node.HexSize
}

// prefixRange is the lowest and the highest ID that begin with digits.
func prefixRange(digits string) (low, high node.ID, ok bool) {
	if len(digits) == 0 || len(digits) > node.HexSize {
		return low, high, false
	}
	for i := range high {
		high[i] = 0xff
	}
	for i := range len(digits) {
		var v byte
		switch c := digits[i]; {
		case '0' <= c && c <= '9':
			v = c - '0'
		case 'a' <= c && c <= 'f':
			v = c - 'a' + 10
		default:
			return low, high, false
		}
		if i%2 == 0 {
			low[i/2] = v << 4
			high[i/2] = v<<4 | 0x0f
		} else {
			low[i/2] |= v
			high[i/2] = high[i/2]&0xf0 | v
		}
	}
	return low, high, true
}
