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
	"slices"
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
type Store struct {
	raw     []byte
	starts  []uint32 // offset in raw of marker i, in file order
	byPred  []uint32 // markers ordered by predecessor, then file order
	bySuccs []uint64 // marker<<8 | successor's index, ordered by successor, then file order
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

// Parse checks the raw bytes of an obsstore and builds the tables. raw is kept.
// An empty file holds no markers.
func Parse(raw []byte) (*Store, error) {
	s := &Store{raw: raw}
	if len(raw) == 0 {
		return s, nil
	}
	if raw[0] > 1 {
		return nil, hgerr.NewUnsupported("obsstore version %d", raw[0])
	}
	if len(raw) > math.MaxUint32 {
		return nil, hgerr.NewUnsupported("obsstore of %d bytes", len(raw))
	}
	for at := 1; at < len(raw); {
		size, err := s.check(at)
		if err != nil {
			return nil, err
		}
		s.starts = append(s.starts, uint32(at))
		for k := range s.succCount(uint32(len(s.starts) - 1)) {
			if node.ID(s.succ(uint32(len(s.starts)-1), k)).IsNull() {
				// hg refuses the whole file, too.
				return nil, hgerr.Damagef("read", "obsstore", "marker at byte %d: the null ID is a successor", at)
			}
		}
		at += size
	}
	s.index()
	return s, nil
}

// Open returns a Store over bytes and tables that Parse made earlier. Only the
// tables' extents are checked here; Verify checks the rest.
func Open(raw []byte, starts, byPred []uint32, bySuccs []uint64) (*Store, error) {
	if len(starts) != len(byPred) {
		return nil, hgerr.Damagef("open", "obsstore tables", "%d markers, %d ordered", len(starts), len(byPred))
	}
	return &Store{raw: raw, starts: starts, byPred: byPred, bySuccs: bySuccs}, nil
}

// Tables returns what Open takes.
func (s *Store) Tables() (raw []byte, starts, byPred []uint32, bySuccs []uint64) {
	return s.raw, s.starts, s.byPred, s.bySuccs
}

// Verify checks that every marker lies in the raw bytes and that the tables are
// the ones that Parse would build.
func (s *Store) Verify() error {
	t, err := Parse(s.raw)
	if err != nil {
		return err
	}
	if !slices.Equal(t.starts, s.starts) || !slices.Equal(t.byPred, s.byPred) || !slices.Equal(t.bySuccs, s.bySuccs) {
		return hgerr.Damagef("verify", "obsstore tables", "they do not fit the markers")
	}
	return nil
}

// check returns the size of the marker at an offset.
func (s *Store) check(at int) (int, error) {
	b := s.raw[at:]
	bad := func(format string, args ...any) (int, error) {
		return 0, hgerr.Damagef("read", "obsstore", "marker at byte "+strconv.Itoa(at)+": "+format, args...)
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
func (s *Store) Len() int { return len(s.starts) }

func (s *Store) pred(i uint32) []byte {
	at := s.starts[i] + 1 + 4 + 1
	if s.raw[0] == 1 {
		at = s.starts[i] + fixedV1 - node.Size
	}
	return s.raw[at : at+node.Size]
}

func (s *Store) succCount(i uint32) int {
	if s.raw[0] == 1 {
		return int(s.raw[s.starts[i]+16])
	}
	return int(s.raw[s.starts[i]])
}

func (s *Store) succ(i uint32, k int) []byte {
	at := int(s.starts[i]) + fixedV0 + k*node.Size
	if s.raw[0] == 1 {
		at = int(s.starts[i]) + fixedV1 + k*node.Size
	}
	return s.raw[at:][:node.Size]
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

// index builds the two orders, side by side: they take most of the time that
// reading markers takes.
func (s *Store) index() {
	var both sync.WaitGroup
	both.Go(s.indexPredecessors)
	s.indexSuccessors()
	both.Wait()
}

func (s *Store) indexPredecessors() {
	keys := make([]keyed, len(s.starts))
	for i := range s.starts {
		keys[i] = keyed{binary.BigEndian.Uint64(s.pred(uint32(i))), uint64(i)}
	}
	sortKeyed(keys, func(v uint64) []byte { return s.pred(uint32(v)) })
	s.byPred = make([]uint32, len(keys))
	for i, k := range keys {
		s.byPred[i] = uint32(k.value)
	}
}

func (s *Store) indexSuccessors() {
	keys := make([]keyed, 0, len(s.starts))
	for i := range s.starts {
		for k := range s.succCount(uint32(i)) {
			keys = append(keys, keyed{binary.BigEndian.Uint64(s.succ(uint32(i), k)), uint64(i)<<8 | uint64(k)})
		}
	}
	sortKeyed(keys, func(v uint64) []byte { return s.succ(uint32(v>>8), int(v&0xff)) })
	s.bySuccs = make([]uint64, len(keys))
	for i, k := range keys {
		s.bySuccs[i] = k.value
	}
}

// sortKeyed sorts by node, then by value; full is the node that a value stands for.
func sortKeyed(keys []keyed, full func(uint64) []byte) {
	slices.SortFunc(keys, func(a, b keyed) int {
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
	})
}

// WithPredecessor returns the markers whose predecessor is id: what became of
// it. Numbers are for Marker.
func (s *Store) WithPredecessor(id node.ID) []uint32 {
	lo, found := slices.BinarySearchFunc(s.byPred, id, func(i uint32, id node.ID) int { return bytes.Compare(s.pred(i), id[:]) })
	if !found {
		return nil
	}
	hi := lo
	for hi < len(s.byPred) && bytes.Equal(s.pred(s.byPred[hi]), id[:]) {
		hi++
	}
	return s.byPred[lo:hi]
}

// WithSuccessor appends to out the markers that have id among their successors:
// what it came from.
func (s *Store) WithSuccessor(out []uint32, id node.ID) []uint32 {
	lo, _ := slices.BinarySearchFunc(s.bySuccs, id, func(v uint64, id node.ID) int {
		return bytes.Compare(s.succ(uint32(v>>8), int(v&0xff)), id[:])
	})
	for ; lo < len(s.bySuccs); lo++ {
		v := s.bySuccs[lo]
		if !bytes.Equal(s.succ(uint32(v>>8), int(v&0xff)), id[:]) {
			break
		}
		out = append(out, uint32(v>>8))
	}
	return out
}

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
	b := s.raw[s.starts[i]:]
	if s.raw[0] == 1 {
		return binary.BigEndian.Uint16(b[14:])
	}
	return uint16(b[5])
}

// Marker takes marker i apart.
func (s *Store) Marker(i uint32) Marker {
	m := Marker{Predecessor: s.Predecessor(i), Successors: s.Successors(nil, i), Flags: s.Flags(i)}
	b := s.raw[s.starts[i]:]
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
