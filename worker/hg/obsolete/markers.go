// SPDX-License-Identifier: GPL-2.0-or-later

// Package obsolete reads a store's obsolescence markers and computes from them
// which changesets are obsolete, which of the others are troubled, and which are
// hidden.
//
// # Format of `obsstore`
//
// One byte of version, then markers, one behind the other, big-endian (described
// at the head of Mercurial's obsolete.py). Version 1:
//
//	size  field
//	4     size of the whole marker, these bytes included
//	8     date, seconds since 1970 as an IEEE double
//	2     offset of the time zone in minutes, west positive
//	2     flags: 1 = bumped fix, 2 = nodes are 32 bytes (SHA-256)
//	1     number of successors, S
//	1     number of parents of the predecessor, P; 3 = not recorded
//	1     number of metadata pairs, M
//	20    predecessor
//	20*S  successors
//	20*P  parents
//	2*M   lengths of each pair's key and value, a byte each
//	...   keys and values, in turn
//
// Version 0:
//
//	1     number of successors, S
//	4     length of the metadata, N
//	1     flags
//	20    predecessor
//	20*S  successors
//	N     metadata: "key:value" pairs joined by NUL; parents and date are among
//	      them as "p1", "p2" and "date", and "p0" for no parents at all, which hg
//	      leaves among the metadata when it reads them
//
// A Store is a view over the raw bytes plus three tables of numbers, so that all
// of it can stand in an image: where each marker starts, the markers ordered by
// predecessor, and the markers ordered by successor.
package obsolete

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"math/bits"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// Marker flags.
const (
	BumpedFix   = 1
	usingSHA256 = 2
)

const (
	fixedV0 = 1 + 4 + 1 + node.Size
	fixedV1 = 4 + 8 + 2 + 2 + 1 + 1 + 1 + node.Size
	// noParents in a version 1 marker says that parents were not recorded.
	noParents = 3
)

// Store is the markers of one obsstore. The zero value holds none.
//
// An obsstore only grows, as a rule, so that a Store may be two pieces: one as it
// was once, and what was appended since. Markers are numbered through both.
type Store struct {
	piece       // as of Parse
	more  piece // what Append added; its numbers begin where those of piece end
}

// piece is a run of markers and the tables over it.
type piece struct {
	raw     []byte
	starts  []uint32 // offset in raw of each marker, in file order
	byPred  []uint32 // markers ordered by predecessor, then file order
	bySuccs []uint64 // marker<<8 | successor's index, ordered by successor, then file order

	// The leading eight bytes of the nodes that byPred and bySuccs are ordered by,
	// which stand closer together than the markers. Tables of an image have none.
	predKeys, succKeys []uint64
}

// Pair is a key and a value of a marker's metadata.
type Pair struct{ Key, Value string }

// Marker is one marker, taken apart.
type Marker struct {
	Predecessor node.ID
	Successors  []node.ID
	Flags       uint16
	Metadata    []Pair // in stored order; in version 0 by key, without "p1", "p2" and "date"
	Seconds     float64
	TZ          int       // seconds, west positive
	Parents     []node.ID // of the predecessor
	HasParents  bool      // false when they were not recorded
}

// KnowsParents tells whether hg knows of the predecessor's parents, even if there
// are none. Of version 1 its reader makes "not recorded" of no parents, too.
func (m *Marker) KnowsParents() bool {
	return m.HasParents && (len(m.Parents) > 0 || slices.ContainsFunc(m.Metadata, func(p Pair) bool { return p.Key == "p0" }))
}

// Parse checks the raw bytes of an obsstore and builds the tables. raw is kept.
// An empty file holds no markers.
func Parse(raw []byte) (*Store, error) {
	s := &Store{}
	s.raw = raw
	if len(raw) == 0 {
		return s, nil
	}
	if raw[0] > 1 {
		return nil, hgerr.NewUnsupported("obsstore version %d", raw[0])
	}
	if len(raw) > math.MaxUint32 {
		return nil, hgerr.NewUnsupported("obsstore of %d bytes", len(raw))
	}
	if err := s.scan(&s.piece, 1); err != nil {
		return nil, err
	}
	return s, nil
}

// Append is Parse of the bytes of s with more bytes behind them, of which only
// those that came since s was parsed are looked at. s stays as it is.
func (s *Store) Append(more []byte) (*Store, error) {
	if len(s.raw)+len(s.more.raw)+len(more) > math.MaxUint32 {
		return nil, hgerr.NewUnsupported("obsstore of %d bytes", len(s.raw)+len(s.more.raw)+len(more))
	}
	if len(s.raw) == 0 {
		return Parse(more)
	}
	g := &Store{piece: s.piece}
	g.more.raw = append(append(make([]byte, 0, len(s.more.raw)+len(more)), s.more.raw...), more...)
	if err := g.scan(&g.more, 0); err != nil {
		return nil, err
	}
	return g, nil
}

// scan checks the markers of a piece from an offset on, and builds its tables.
func (s *Store) scan(p *piece, at int) error {
	first := len(s.starts)
	if p == &s.piece {
		first = 0
	}
	for at < len(p.raw) {
		size, err := s.check(p, at)
		if err != nil {
			return err
		}
		p.starts = append(p.starts, uint32(at))
		i := uint32(first + len(p.starts) - 1)
		for k := range s.succCount(i) {
			if node.ID(s.succ(i, k)).IsNull() {
				// hg refuses the whole file, too.
				return hgerr.Damagef("read", "obsstore", "marker at byte %d: the null ID is a successor", s.position(p, at))
			}
		}
		at += size
	}
	s.index(p, first)
	return nil
}

// position is an offset in a piece as one in the file.
func (s *Store) position(p *piece, at int) int {
	if p == &s.more {
		at += len(s.raw)
	}
	return at
}

// Open returns a Store over bytes and tables that Parse made earlier. Only the
// tables' extents are checked here; Verify checks the rest.
func Open(raw []byte, starts, byPred []uint32, bySuccs []uint64) (*Store, error) {
	if len(starts) != len(byPred) {
		return nil, hgerr.Damagef("open", "obsstore tables", "%d markers, %d ordered", len(starts), len(byPred))
	}
	return &Store{piece: piece{raw: raw, starts: starts, byPred: byPred, bySuccs: bySuccs}}, nil
}

// OpenMore is s with a piece that Append made earlier of a Store with the same
// bytes and without a second piece.
func (s *Store) OpenMore(raw []byte, starts, byPred []uint32, bySuccs []uint64) (*Store, error) {
	if len(starts) != len(byPred) || len(s.more.starts) > 0 || len(starts) > 0 && len(s.raw) == 0 {
		return nil, hgerr.Damagef("open", "obsstore tables", "%d more markers, %d ordered", len(starts), len(byPred))
	}
	return &Store{piece: s.piece, more: piece{raw: raw, starts: starts, byPred: byPred, bySuccs: bySuccs}}, nil
}

// Tables returns what Open takes.
func (s *Store) Tables() (raw []byte, starts, byPred []uint32, bySuccs []uint64) {
	return s.raw, s.starts, s.byPred, s.bySuccs
}

// MoreTables returns what OpenMore takes.
func (s *Store) MoreTables() (raw []byte, starts, byPred []uint32, bySuccs []uint64) {
	return s.more.raw, s.more.starts, s.more.byPred, s.more.bySuccs
}

// Whole is the same markers in one piece; s itself when it is one.
func (s *Store) Whole() (*Store, error) {
	if len(s.more.raw) == 0 {
		return s, nil
	}
	return Parse(append(append(make([]byte, 0, s.Size()), s.raw...), s.more.raw...))
}

// Size is the size of the obsstore in bytes.
func (s *Store) Size() int { return len(s.raw) + len(s.more.raw) }

// Tail are the last bytes of the obsstore, at most n, out of one piece.
func (s *Store) Tail(n int) []byte {
	raw := s.more.raw
	if len(raw) == 0 {
		raw = s.raw
	}
	return raw[max(0, len(raw)-n):]
}

// Added are the numbers of the markers that came with Append, from first up to,
// but without, end.
func (s *Store) Added() (first, end uint32) { return uint32(len(s.starts)), uint32(s.Len()) }

// Verify checks that every marker lies in the raw bytes and that the tables are
// the ones that Parse and Append would build.
func (s *Store) Verify() error {
	t, err := Parse(s.raw)
	if err == nil && len(s.more.raw) > 0 {
		t, err = t.Append(s.more.raw)
	}
	if err != nil {
		return err
	}
	if !t.piece.equal(&s.piece) || !t.more.equal(&s.more) {
		return hgerr.Damagef("verify", "obsstore tables", "they do not fit the markers")
	}
	return nil
}

func (p *piece) equal(o *piece) bool {
	return slices.Equal(p.starts, o.starts) && slices.Equal(p.byPred, o.byPred) && slices.Equal(p.bySuccs, o.bySuccs)
}

// check returns the size of the marker at an offset of a piece.
func (s *Store) check(p *piece, at int) (int, error) {
	b := p.raw[at:]
	bad := func(format string, args ...any) (int, error) {
		return 0, hgerr.Damagef("read", "obsstore", "marker at byte "+strconv.Itoa(s.position(p, at))+": "+format, args...)
	}
	if s.raw[0] == 0 {
		if len(b) < fixedV0 {
			return bad("cut off after %d bytes", len(b))
		}
		size := fixedV0 + int(b[0])*node.Size
		meta := int(binary.BigEndian.Uint32(b[1:]))
		if meta > len(b)-size {
			return bad("needs %d bytes of metadata, %d are left", meta, len(b)-size)
		}
		if _, err := v0Metadata(b[size : size+meta]); err != nil {
			return bad("%v", err)
		}
		return size + meta, nil
	}
	if len(b) < fixedV1 {
		return bad("cut off after %d bytes", len(b))
	}
	size := int(binary.BigEndian.Uint32(b))
	if binary.BigEndian.Uint16(b[14:])&usingSHA256 != 0 {
		return 0, hgerr.NewUnsupported("obsolescence markers with SHA-256 nodes")
	}
	parents := int(b[17])
	if parents == noParents {
		parents = 0
	}
	need := fixedV1 + (int(b[16])+parents)*node.Size + 2*int(b[18])
	if need > size || size > len(b) {
		return bad("claims %d bytes, needs %d, %d are left", size, need, len(b))
	}
	lengths := b[need-2*int(b[18]) : need]
	for _, n := range lengths {
		need += int(n)
	}
	if need != size {
		return bad("claims %d bytes, has %d", size, need)
	}
	return size, nil
}

// Len is the number of markers.
func (s *Store) Len() int { return len(s.starts) + len(s.more.starts) }

// bytes are a marker's bytes, and all that come after it in its piece.
func (s *Store) bytes(i uint32) []byte {
	if int(i) < len(s.starts) {
		return s.raw[s.starts[i]:]
	}
	return s.more.raw[s.more.starts[int(i)-len(s.starts)]:]
}

func (s *Store) pred(i uint32) []byte {
	at := 1 + 4 + 1
	if s.raw[0] == 1 {
		at = fixedV1 - node.Size
	}
	return s.bytes(i)[at:][:node.Size]
}

func (s *Store) succCount(i uint32) int {
	if s.raw[0] == 1 {
		return int(s.bytes(i)[16])
	}
	return int(s.bytes(i)[0])
}

func (s *Store) succ(i uint32, k int) []byte {
	at := fixedV0
	if s.raw[0] == 1 {
		at = fixedV1
	}
	return s.bytes(i)[at+k*node.Size:][:node.Size]
}

// succBytes are the successors of a marker, one behind the other: they compare
// as the lists of nodes do.
func (s *Store) succBytes(i uint32) []byte {
	n := s.succCount(i)
	if n == 0 {
		return nil
	}
	first := s.succ(i, 0)
	return first[: n*node.Size : n*node.Size]
}

// keyed is a marker, or a successor of one, with the leading eight bytes of the
// node that it is ordered by, which nearly always decide.
type keyed struct {
	prefix uint64
	value  uint64
}

// index builds the two orders of a piece whose first marker is number first, side
// by side: they take most of the time that reading markers takes.
func (s *Store) index(p *piece, first int) {
	if len(p.starts) < parallelIndex {
		s.indexPredecessors(p, first)
		s.indexSuccessors(p, first)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { s.indexPredecessors(p, first) })
	s.indexSuccessors(p, first)
	both.Wait()
}

// parallelIndex is from how many markers on a second goroutine is worth it.
const parallelIndex = 1000

func (s *Store) indexPredecessors(p *piece, first int) {
	keys := make([]keyed, len(p.starts))
	for n := range p.starts {
		i := uint32(first + n)
		keys[n] = keyed{binary.BigEndian.Uint64(s.pred(i)), uint64(i)}
	}
	keys = sortKeyed(keys, func(v uint64) []byte { return s.pred(uint32(v)) })
	p.byPred, p.predKeys = make([]uint32, len(keys)), make([]uint64, len(keys))
	for i, k := range keys {
		p.byPred[i], p.predKeys[i] = uint32(k.value), k.prefix
	}
}

func (s *Store) indexSuccessors(p *piece, first int) {
	keys := make([]keyed, 0, len(p.starts))
	for n := range p.starts {
		i := uint32(first + n)
		for k := range s.succCount(i) {
			keys = append(keys, keyed{binary.BigEndian.Uint64(s.succ(i, k)), uint64(i)<<8 | uint64(k)})
		}
	}
	keys = sortKeyed(keys, func(v uint64) []byte { return s.succ(uint32(v>>8), int(v&0xff)) })
	p.bySuccs, p.succKeys = make([]uint64, len(keys)), make([]uint64, len(keys))
	for i, k := range keys {
		p.bySuccs[i], p.succKeys[i] = k.value, k.prefix
	}
}

// sortKeyed returns keys sorted by node, then by value; full is the node that a value
// stands for. Nodes are hashes: by their first bits they fall into parts of a few,
// and only in these they are compared.
func sortKeyed(keys []keyed, full func(uint64) []byte) []keyed {
	order := func(a, b keyed) int {
		switch {
		case a.prefix < b.prefix:
			return -1
		case a.prefix > b.prefix:
			return 1
		}
		if c := bytes.Compare(full(a.value), full(b.value)); c != 0 {
			return c
		}
		return cmp.Compare(a.value, b.value)
	}
	const perPart, mostBits = 4, 16
	bits := 0
	for len(keys)>>bits > perPart && bits < mostBits {
		bits++
	}
	shift := 64 - bits
	ends := make([]int, 1<<bits+1) // of the part before, while it is filled
	for _, k := range keys {
		ends[k.prefix>>shift+1]++
	}
	for i := 1; i < len(ends); i++ {
		ends[i] += ends[i-1]
	}
	sorted := make([]keyed, len(keys))
	for _, k := range keys {
		part := k.prefix >> shift
		sorted[ends[part]] = k
		ends[part]++
	}
	begin := 0
	for _, end := range ends[:1<<bits] {
		if part := sorted[begin:end]; len(part) > 1 {
			slices.SortFunc(part, order)
		}
		begin = end
	}
	return sorted
}

// WithPredecessor returns the markers whose predecessor is id: what became of
// it. Numbers are for Marker.
func (s *Store) WithPredecessor(id node.ID) []uint32 {
	old := s.withPredecessor(&s.piece, id)
	if len(s.more.byPred) == 0 {
		return old
	}
	added := s.withPredecessor(&s.more, id)
	switch {
	case len(added) == 0:
		return old
	case len(old) == 0:
		return added
	}
	return append(slices.Clone(old), added...)
}

func (s *Store) withPredecessor(p *piece, id node.ID) []uint32 {
	byPred := p.byPred
	pred := func(at int) []byte { return s.pred(byPred[at]) }
	lo := seekKeyed(p.predKeys, len(byPred), id, pred)
	hi := lo
	for hi < len(byPred) && bytes.Equal(pred(hi), id[:]) {
		hi++
	}
	if lo == hi {
		return nil
	}
	return byPred[lo:hi]
}

// WithSuccessor appends to out the markers that have id among their successors:
// what it came from.
func (s *Store) WithSuccessor(out []uint32, id node.ID) []uint32 {
	out = s.withSuccessor(out, &s.piece, id)
	if len(s.more.bySuccs) > 0 {
		out = s.withSuccessor(out, &s.more, id)
	}
	return out
}

// hasSuccessor tells whether any marker has id among its successors.
func (s *Store) hasSuccessor(id node.ID) bool {
	var one [8]uint32
	return len(s.WithSuccessor(one[:0], id)) > 0
}

func (s *Store) withSuccessor(out []uint32, p *piece, id node.ID) []uint32 {
	bySuccs := p.bySuccs
	succ := func(at int) []byte { return s.succ(uint32(bySuccs[at]>>8), int(bySuccs[at]&0xff)) }
	for at := seekKeyed(p.succKeys, len(bySuccs), id, succ); at < len(bySuccs) && bytes.Equal(succ(at), id[:]); at++ {
		out = append(out, uint32(bySuccs[at]>>8))
	}
	return out
}

// seek is the first of n places, which are ordered by node, whose node is not below
// id. Nodes are hashes: where one is can be told from its first bytes, so that few
// places are looked at, each of which lies somewhere else in memory. Where that does
// not help, the rest is halved.
func seek(n int, id node.ID, nodeAt func(int) []byte) int {
	key := binary.BigEndian.Uint64(id[:])
	lo, hi := 0, n                     // it is one of these
	low, high := uint64(0), ^uint64(0) // the first bytes of what is between
	look := func(at int) (below bool) {
		have := nodeAt(at)
		if below = bytes.Compare(have, id[:]) < 0; below {
			lo, low = at+1, binary.BigEndian.Uint64(have)
		} else {
			hi, high = at, binary.BigEndian.Uint64(have)
		}
		return below
	}
	for hi-lo > 8 {
		most := (hi - lo) / 2
		if above, rest := bits.Mul64(key-low, uint64(hi-lo)); above < high-low {
			// Near the guess, it is between that and a place on its other side.
			part, _ := bits.Div64(above, rest, high-low)
			near := 1 << (bits.Len(uint(hi-lo)) / 2)
			at := lo + int(min(part, uint64(hi-lo-1)))
			if look(at) {
				at = min(at+near, hi-1)
			} else {
				at = max(at-near, lo)
			}
			if lo <= at && at < hi {
				look(at)
			}
		}
		if hi-lo > most {
			look((lo + hi) / 2)
		}
	}
	for lo < hi && look(lo) {
	}
	return lo
}

// seekKeyed is seek where the first bytes of all nodes are at hand; it is seek when
// they are not.
func seekKeyed(keys []uint64, n int, id node.ID, nodeAt func(int) []byte) int {
	if len(keys) != n || n == 0 {
		return seek(n, id, nodeAt)
	}
	key := binary.BigEndian.Uint64(id[:])
	// The first place whose key is not below is between lo and hi. It is near where
	// it would be if hashes were spread evenly, and is looked for from there.
	guess, _ := bits.Mul64(key, uint64(n))
	lo, hi := int(guess), int(guess)
	for step := nearKey; lo > 0 && keys[lo-1] >= key; step *= 2 {
		lo, hi = max(0, lo-step), lo-1
	}
	for step := nearKey; hi < n && keys[hi] < key; step *= 2 {
		lo, hi = hi+1, min(n, hi+step)
	}
	for lo < hi {
		if mid := int(uint(lo+hi) / 2); keys[mid] < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == n || keys[lo] > key || bytes.Compare(nodeAt(lo), id[:]) >= 0 {
		return lo
	}
	return lo + sort.Search(n-lo, func(i int) bool {
		return keys[lo+i] > key || bytes.Compare(nodeAt(lo+i), id[:]) >= 0
	})
}

// nearKey is how far from the guess seekKeyed looks first.
const nearKey = 64

// Predecessor returns the predecessor of a marker.
func (s *Store) Predecessor(i uint32) node.ID { return node.ID(s.pred(i)) }

// Successors appends the successors of a marker to out.
func (s *Store) Successors(out []node.ID, i uint32) []node.ID {
	for k := range s.succCount(i) {
		out = append(out, node.ID(s.succ(i, k)))
	}
	return out
}

// Flags returns the flags of a marker.
func (s *Store) Flags(i uint32) uint16 {
	b := s.bytes(i)
	if s.raw[0] == 1 {
		return binary.BigEndian.Uint16(b[14:])
	}
	return uint16(b[5])
}

// Marker takes marker i apart.
func (s *Store) Marker(i uint32) Marker {
	m := Marker{Predecessor: s.Predecessor(i), Successors: s.Successors(nil, i), Flags: s.Flags(i)}
	b := s.bytes(i)
	at := fixedV0 + len(m.Successors)*node.Size
	if s.raw[0] == 0 {
		m.readV0Metadata(b[at : at+int(binary.BigEndian.Uint32(b[1:]))])
		return m
	}
	m.Seconds = math.Float64frombits(binary.BigEndian.Uint64(b[4:]))
	m.TZ = int(int16(binary.BigEndian.Uint16(b[12:]))) * 60
	at = fixedV1 + len(m.Successors)*node.Size
	if b[17] != noParents {
		m.HasParents = true
		for range b[17] {
			m.Parents = append(m.Parents, node.ID(b[at:at+node.Size]))
			at += node.Size
		}
	}
	pairs := int(b[18])
	lengths := b[at : at+2*pairs]
	at += 2 * pairs
	for p := range pairs {
		k, v := int(lengths[2*p]), int(lengths[2*p+1])
		m.Metadata = append(m.Metadata, Pair{string(b[at : at+k]), string(b[at+k : at+k+v])})
		at += k + v
	}
	return m
}

// v0Metadata takes a marker's metadata in version 0 apart. What is said of one
// key later counts.
func v0Metadata(b []byte) (map[string]string, error) {
	meta := map[string]string{}
	for _, item := range strings.Split(string(b), "\x00") {
		if item == "" {
			continue
		}
		key, value, ok := strings.Cut(item, ":")
		if !ok {
			return nil, errors.New("metadata without a key")
		}
		meta[key] = value
	}
	_, p1 := meta["p1"]
	if _, p2 := meta["p2"]; p2 && !p1 {
		return nil, errors.New("a second parent without a first one")
	}
	return meta, nil
}

func (m *Marker) readV0Metadata(b []byte) {
	meta, err := v0Metadata(b)
	if err != nil {
		return // Parse refuses such a marker
	}
	secs, tz, _ := strings.Cut(meta["date"], " ")
	seconds, serr := strconv.ParseFloat(secs, 64)
	if offset, err := strconv.Atoi(tz); err == nil && serr == nil {
		m.Seconds, m.TZ = seconds, offset
	}
	_, m.HasParents = meta["p0"]
	for _, key := range [...]string{"p1", "p2"} {
		value, ok := meta[key]
		if !ok {
			break
		}
		id, valid := node.FromHex(value)
		if !valid {
			m.Parents, m.HasParents = nil, false
			break
		}
		m.Parents, m.HasParents = append(m.Parents, id), true
	}
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		switch key {
		case "date", "p1", "p2":
		default:
			m.Metadata = append(m.Metadata, Pair{key, meta[key]})
		}
	}
}
