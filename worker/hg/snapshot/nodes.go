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

// nodeTable is for looking up nodes: revisions sorted by node, and a fan-out
// table over the leading bits, sized so that a bucket holds about eight nodes.
type nodeTable struct {
	order []int32
	fan   []uint32
	bits  uint // number of leading bits that fan is indexed by; fan is nil when nothing is known
}

// maxFanBits bounds the fan-out table to 2^18 entries, 1 MiB.
const maxFanBits = 18

func chooseBits(n int) uint {
	bits := uint(0)
	for n>>bits > 8 && bits < maxFanBits {
		bits++
	}
	return bits
}

// openNodes is a table of an image. It checks that fan has 2^k+1 entries and is
// right at its ends.
func openNodes(order []int32, fan []uint32, n int) (nodeTable, error) {
	size := len(fan)
	if size < 2 || (size-1)&(size-2) != 0 || size-1 > 1<<maxFanBits || fan[0] != 0 || int(fan[size-1]) != n {
		return nodeTable{}, fmt.Errorf("%w: fan-out table of %d entries", image.ErrFormat, size)
	}
	bits := uint(0)
	for 1<<bits < size-1 {
		bits++
	}
	return nodeTable{order, fan, bits}, nil
}

func bucket(id []byte, bits uint) uint32 {
	return binary.BigEndian.Uint32(id) >> (32 - bits) & (1<<bits - 1)
}

// sortNodes makes the table of an index: a counting sort by bucket, then a small
// sort in each. Two changesets with one node are damage.
func sortNodes(x revlog.Index) (nodeTable, error) {
	n := x.Len()
	bits := chooseBits(n)
	fan := make([]uint32, 1<<bits+1)
	prefixes := make([]uint64, n)
	for i := range n {
		id := x.Node(node.Rev(i))
		prefixes[i] = binary.BigEndian.Uint64(id[:])
		fan[bucket(id[:], bits)+1]++
	}
	for i := 1; i < len(fan); i++ {
		fan[i] += fan[i-1]
	}
	next := slices.Clone(fan[:len(fan)-1])
	order := make([]int32, n)
	for i, p := range prefixes {
		b := uint32(p>>32) >> (32 - bits) & (1<<bits - 1)
		order[next[b]] = int32(i)
		next[b]++
	}
	less := func(p, q int32) bool {
		if prefixes[p] != prefixes[q] {
			return prefixes[p] < prefixes[q]
		}
		return compareNodes(x, p, q) < 0
	}
	for b := range len(fan) - 1 {
		part := order[fan[b]:fan[b+1]]
		if len(part) > 64 {
			slices.SortFunc(part, func(p, q int32) int { return compareNodes(x, p, q) })
			continue
		}
		for i := 1; i < len(part); i++ { // there are eight or so
			for k := i; k > 0 && less(part[k], part[k-1]); k-- {
				part[k], part[k-1] = part[k-1], part[k]
			}
		}
	}
	for i := 1; i < n; i++ {
		if prefixes[order[i]] == prefixes[order[i-1]] && compareNodes(x, order[i], order[i-1]) == 0 {
			return nodeTable{}, twoOf(x, order[i])
		}
	}
	return nodeTable{order, fan, bits}, nil
}

func compareNodes(x revlog.Index, p, q int32) int {
	a, b := x.Node(node.Rev(p)), x.Node(node.Rev(q))
	return bytes.Compare(a[:], b[:])
}

func twoOf(x revlog.Index, rev int32) error {
	return hgerr.Damagef("read", "00changelog.i", "two changesets %s", x.Node(node.Rev(rev)).Short())
}

// addNodes sorts the changesets from from on into recent, those that came after
// the table, and returns it anew. Two changesets with one node are damage.
func (s *Snapshot) addNodes(recent []int32, from int) ([]int32, error) {
	more := make([]int32, 0, s.Len()-from)
	for rev := from; rev < s.Len(); rev++ {
		more = append(more, int32(rev))
	}
	order := func(p, q int32) int { return compareNodes(s.index, p, q) }
	slices.SortFunc(more, order)
	for i, rev := range more {
		_, found := slices.BinarySearchFunc(recent, rev, order)
		at, end := s.nodes.seek(s.index, s.index.Node(node.Rev(rev)))
		if found || at < end || i > 0 && order(more[i-1], rev) == 0 {
			return nil, twoOf(s.index, rev)
		}
	}
	return mergeSorted(recent, more, order), nil
}

// mergeSorted are two sorted lists as one. It takes a search for each value of the
// second one, which is to be the short one.
func mergeSorted[T any](a, b []T, compare func(T, T) int) []T {
	out := make([]T, 0, len(a)+len(b))
	for _, v := range b {
		at, _ := slices.BinarySearchFunc(a, v, compare)
		out = append(append(out, a[:at]...), v)
		a = a[at:]
	}
	return append(out, a...)
}

// seek is the first place in order whose ID is not below id; end is the place
// behind it when it is just id.
func (t *nodeTable) seek(x revlog.Index, id node.ID) (at, end int) {
	b := bucket(id[:], t.bits)
	lo, hi := int(t.fan[b]), int(t.fan[b+1])
	if lo > hi || hi > len(t.order) {
		return len(t.order), len(t.order)
	}
	at, found := searchNodes(x, t.order[lo:hi], id)
	if at += lo; found {
		return at, at + 1
	}
	return at, at
}

// searchNodes is a binary search in revisions that are ordered by node.
func searchNodes(x revlog.Index, order []int32, id node.ID) (int, bool) {
	return slices.BinarySearchFunc(order, id, func(rev int32, id node.ID) int {
		have := x.Node(node.Rev(rev))
		return bytes.Compare(have[:], id[:])
	})
}

const (
	// scans is how many nodes are looked for by reading the index from its end,
	// before a table of all of them is made.
	scans = 4
	// scanAlways is the size of an index up to which a table costs nothing.
	scanAlways = 1024
)

// Rev finds a changeset by its ID, hidden or not. The null ID is NullRev.
func (s *Snapshot) Rev(id node.ID) (node.Rev, bool) {
	if id == node.Null {
		return node.NullRev, true
	}
	if s.nodes.fan == nil {
		if rev, ok := s.derived.resolved[id]; ok {
			return rev, rev >= 0
		}
		if s.derived.scanned < scans && s.Len() > scanAlways {
			s.derived.scanned++
			return s.scan(id)
		}
		if !s.needNodes() {
			return node.NullRev, false
		}
	}
	if at, end := s.nodes.seek(s.index, id); at < end {
		return node.Rev(s.nodes.order[at]), true
	}
	if at, found := searchNodes(s.index, s.recent, id); found {
		return node.Rev(s.recent[at]), true
	}
	return node.NullRev, false
}

// scan looks for a node from the newest changeset on. That of two changesets
// with one node which it finds is told apart when the table is made.
func (s *Snapshot) scan(id node.ID) (node.Rev, bool) {
	var filter revlog.NodeFilter
	filter.Add(id)
	at := node.NullRev
	s.index.Sift(&filter, func(rev node.Rev) bool {
		if s.index.Node(rev) == id {
			at = rev
		}
		return at == node.NullRev
	})
	return at, at != node.NullRev
}

// Revs finds several changesets; found is called for each that is there, with
// its place in ids. It is Rev for many, in one pass when there is no table, and
// remembers the answers for Rev.
func (s *Snapshot) Revs(ids []node.ID, found func(i int, rev node.Rev)) {
	if s.nodes.fan == nil && len(ids) > scans && len(ids) <= manyIDs && s.Len() > scanAlways {
		s.resolve(ids)
	} else if len(ids) > manyIDs {
		s.needNodes()
	}
	for i, id := range ids {
		if rev, ok := s.Rev(id); ok {
			found(i, rev)
		}
	}
}

// resolve looks for nodes in one pass over the index.
func (s *Snapshot) resolve(ids []node.ID) {
	if s.derived.resolved == nil {
		s.derived.resolved = make(map[node.ID]node.Rev, len(ids))
	}
	var filter revlog.NodeFilter
	wanted := 0
	for _, id := range ids {
		if _, ok := s.derived.resolved[id]; !ok && !id.IsNull() {
			s.derived.resolved[id] = notThere
			filter.Add(id)
			wanted++
		}
	}
	if wanted == 0 {
		return
	}
	s.index.Sift(&filter, func(rev node.Rev) bool {
		id := s.index.Node(rev)
		if was, ok := s.derived.resolved[id]; ok && was == notThere {
			s.derived.resolved[id] = rev
			wanted--
		}
		return wanted > 0
	})
}

// notThere stands for a node that no changeset has.
const notThere node.Rev = -2

// manyIDs is from how many nodes on a table is made for them.
const manyIDs = 2000

// Prefix finds the changesets whose ID begins with hexadecimal digits, one to
// forty, lower case. It returns at most limit of them, ordered by ID.
func (s *Snapshot) Prefix(digits string, limit int) []node.Rev {
	low, high, ok := prefixRange(digits)
	if !ok || s.Len() == 0 || !s.needNodes() {
		return nil
	}
	var out []node.Rev
	take := func(order []int32) {
		for i := 0; i < len(order) && i < limit; i++ {
			id := s.index.Node(node.Rev(order[i]))
			if bytes.Compare(id[:], high[:]) > 0 {
				break
			}
			out = append(out, node.Rev(order[i]))
		}
	}
	at, _ := s.nodes.seek(s.index, low)
	take(s.nodes.order[at:])
	at, _ = searchNodes(s.index, s.recent, low)
	if take(s.recent[at:]); len(s.recent) > 0 {
		slices.SortFunc(out, func(p, q node.Rev) int { return compareNodes(s.index, int32(p), int32(q)) })
	}
	return out[:min(len(out), limit)]
}

// Shortest is the number of digits, at least one, that tell a changeset's ID
// from every other one in the store.
func (s *Snapshot) Shortest(rev node.Rev) int {
	if !s.needNodes() {
		return node.HexSize
	}
	id := s.index.Node(rev)
	most := 0
	look := func(order []int32, at int) {
		for _, i := range [3]int{at - 1, at, at + 1} {
			if i >= 0 && i < len(order) && order[i] != int32(rev) {
				other := s.index.Node(node.Rev(order[i]))
				most = max(most, commonDigits(id, other))
			}
		}
	}
	at, _ := s.nodes.seek(s.index, id)
	look(s.nodes.order, at)
	at, _ = searchNodes(s.index, s.recent, id)
	look(s.recent, at)
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
