// SPDX-License-Identifier: GPL-2.0-or-later

// Package revlog reads revision logs, version 1: the files that hold every
// revision of the changelog, of the manifest and of each tracked file.
//
// It reads only: no revlog is ever written, and there is no locking, because a
// revlog is append-only for everyone but `hg strip` and its like. Those may
// truncate or replace a file at any moment, so every read is a pread whose
// bounds are checked, and what does not fit together is an error, never a
// panic. Versions 0 and 2, tree-manifest, ellipsis and externally stored
// revisions are refused as *hgerr.Unsupported.
//
// Invariants: a parsed index has every parent and delta base below its own
// revision; a text that Text returns hashes to its node.
//
// # Format
//
// `hg help internals.revlogs` has the full story. All numbers are big-endian.
// The index is a row of 64-byte entries:
//
//	offset size
//	0      6    position of the revision's chunk in the data, in bytes
//	6      2    flags of the revision (Flag...)
//	8      4    length of the chunk
//	12     4    length of the text; negative when unknown
//	16     4    delta base: the revision itself when the chunk is a whole text
//	20     4    linkrev: the changeset that brought the revision
//	24     4    first parent, -1 for none
//	28     4    second parent, -1 for none
//	32     20   node
//	52     12   zero
//
// Bytes 0 to 3 of the first entry are the header instead (its position is 0
// anyhow): two bytes of flags, two of version, 1. In an inline revlog
// (FlagInline) each entry is followed by its chunk and there is no data file;
// positions still count chunks only.
//
// With FlagGeneralDelta the delta base is what the chunk is a delta against;
// without it, the chunk is a delta against the revision before, and the base
// says where that chain starts.
//
// Worked example, an inline revlog that holds one revision "a\n" uncompressed:
//
//	00  00 03 00 01 00 00 00 00  00 00 00 03 00 00 00 02   header, 3-byte chunk, 2-byte text
//	10  00 00 00 00 00 00 00 00  ff ff ff ff ff ff ff ff   base 0, linkrev 0, no parents
//	20  <20 bytes of node> <12 zero bytes>
//	40  75 61 0a                                           'u' and the text
package revlog

import (
	"bytes"
	"encoding/binary"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// EntrySize is the size of an index entry in bytes.
const EntrySize = 64

// MaxRevisions bounds the revisions of one revlog.
const MaxRevisions = 1 << 30

// Bits of the header.
const (
	FlagInline       uint32 = 1 << 16
	FlagGeneralDelta uint32 = 1 << 17
	FlagFilelogMeta  uint32 = 1 << 18 // FlagHasMeta tells of metadata in a file's text
	FlagDeltaInfo    uint32 = 1 << 19 // the flags of revisions tell how good deltas are

	versionMask uint32 = 0xffff
	version1    uint32 = 1
)

// Flags of a revision (Index.Flags).
const (
	FlagCensored  uint16 = 1 << 15 // the text was replaced by a tombstone
	FlagEllipsis  uint16 = 1 << 14 // the text does not hash to its node (narrow clones)
	FlagExtStored uint16 = 1 << 13 // the text lies elsewhere (lfs)
	FlagHasCopies uint16 = 1 << 12 // the changeset has copy information beside it
	FlagHasMeta   uint16 = 1 << 11 // the file's text begins with metadata
	FlagsOfDelta  uint16 = 31 << 6 // what is worth knowing of the delta, for who writes
)

// Index is an immutable view over index entries without chunks between them.
// The bytes may live in a mapped image. The zero Index is that of an empty
// revlog. Methods that take a revision accept 0 to Len()-1; for NullRev, and
// for anything else outside, they answer as for a revision without content.
//
// The entries stand in two pieces, so that an index that has grown shares the
// memory of what it has grown from. The second piece is empty when the first
// one is.
type Index struct {
	entries []byte
	tail    []byte
	pages   *pages // instead of both, when the file is read in parts
}

// ParseIndex reads and checks the content of a ".i" file. name stands in
// errors. Chunks of an inline revlog are left out of the result; without them
// the result shares raw's memory.
func ParseIndex(name string, raw []byte) (Index, error) {
	if len(raw) == 0 {
		return Index{}, nil
	}
	if len(raw) < EntrySize {
		return Index{}, corrupt(name, "%d bytes are less than an entry", len(raw))
	}
	if err := checkHeader(name, raw); err != nil {
		return Index{}, err
	}
	entries := raw
	if header(raw)&FlagInline != 0 {
		var err error
		if entries, err = compact(name, raw, 0); err != nil {
			return Index{}, err
		}
	}
	x := Index{entries: entries}
	if err := x.check(name, 0); err != nil {
		return Index{}, err
	}
	return x, nil
}

// NewIndex is the index of entries that Index.Entries returned before. It looks
// at the size and the header only.
func NewIndex(entries []byte) (Index, error) {
	if len(entries) == 0 {
		return Index{}, nil
	}
	if len(entries)%EntrySize != 0 || len(entries)/EntrySize > MaxRevisions {
		return Index{}, corrupt("index", "%d bytes are not a whole number of entries", len(entries))
	}
	if err := checkHeader("index", entries); err != nil {
		return Index{}, err
	}
	return Index{entries: entries}, nil
}

// NewGrownIndex is the index of the entries that Index.Pieces returned before.
func NewGrownIndex(entries, tail []byte) (Index, error) {
	x, err := NewIndex(entries)
	if err != nil || len(tail) == 0 {
		return x, err
	}
	if len(entries) == 0 || len(tail)%EntrySize != 0 || len(tail)/EntrySize > MaxRevisions-x.Len() {
		return Index{}, corrupt("index", "%d more bytes are not a whole number of entries", len(tail))
	}
	x.tail = tail
	return x, nil
}

func header(raw []byte) uint32 { return binary.BigEndian.Uint32(raw) }

func checkHeader(name string, raw []byte) error {
	h := header(raw)
	if h&versionMask != version1 {
		return hgerr.NewUnsupported("revlog version %d (%s)", h&versionMask, name)
	}
	if unknown := h &^ (versionMask | FlagInline | FlagGeneralDelta | FlagFilelogMeta | FlagDeltaInfo); unknown != 0 {
		return hgerr.NewUnsupported("revlog flags %#04x (%s)", unknown>>16, name)
	}
	return nil
}

// compact copies the entries of an inline revlog, whose chunks lie between
// them. rev is the revision that raw starts with.
func compact(name string, raw []byte, rev int) ([]byte, error) {
	n := 0
	for pos := 0; pos < len(raw); n++ {
		if len(raw)-pos < EntrySize {
			return nil, corrupt(name, "entry %d: %d bytes are less than an entry", rev+n, len(raw)-pos)
		}
		size := int64(int32(binary.BigEndian.Uint32(raw[pos+8:])))
		if size < 0 || size > int64(len(raw)-pos-EntrySize) {
			return nil, corrupt(name, "entry %d: length past end of file", rev+n)
		}
		pos += EntrySize + int(size)
	}
	entries := make([]byte, 0, n*EntrySize)
	for pos := 0; pos < len(raw); {
		entries = append(entries, raw[pos:pos+EntrySize]...)
		pos += EntrySize + int(binary.BigEndian.Uint32(raw[pos+8:]))
	}
	return entries, nil
}

// check validates the entries from revision from on.
func (x Index) check(name string, from int) error {
	if n := len(x.entries)%EntrySize + len(x.tail)%EntrySize; n != 0 {
		return corrupt(name, "%d bytes are not a whole number of entries", len(x.entries)+len(x.tail))
	}
	if x.Len() > MaxRevisions {
		return corrupt(name, "more than %d revisions", MaxRevisions)
	}
	first := len(x.entries) / EntrySize
	if err := checkEntries(name, x.entries, 0, from); err != nil {
		return err
	}
	return checkEntries(name, x.tail, first, from)
}

// checkEntries checks the entries of one piece, whose first one is that of a
// revision, from another one on.
func checkEntries(name string, piece []byte, first, from int) error {
	for i := max(0, from-first); i < len(piece)/EntrySize; i++ {
		e, rev := (*[EntrySize]byte)(piece[i*EntrySize:]), uint32(first+i)
		// The bounds of checkEntry, in which -1 becomes 0.
		if binary.BigEndian.Uint32(e[24:])+1 > rev || binary.BigEndian.Uint32(e[28:])+1 > rev ||
			binary.BigEndian.Uint32(e[16:])+1 > rev+1 || e[8] >= 0x80 {
			if err := checkEntry(name, e, first+i); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkEntry(name string, e *[EntrySize]byte, i int) error {
	rev := int32(i)
	p1 := int32(binary.BigEndian.Uint32(e[24:]))
	p2 := int32(binary.BigEndian.Uint32(e[28:]))
	base := int32(binary.BigEndian.Uint32(e[16:]))
	switch {
	case p1 < -1 || p1 >= rev || p2 < -1 || p2 >= rev:
		return corrupt(name, "entry %d: parent %d or %d out of range", i, p1, p2)
	case base < -1 || base > rev:
		return corrupt(name, "entry %d: delta base %d out of range", i, base)
	case int32(binary.BigEndian.Uint32(e[8:])) < 0:
		return corrupt(name, "entry %d: negative length", i)
	}
	return nil
}

// Len returns the number of revisions.
func (x Index) Len() int {
	if x.pages != nil {
		return x.pages.n
	}
	return (len(x.entries) + len(x.tail)) / EntrySize
}

// Entries returns the bytes that NewIndex takes; a copy when the index has
// grown. Do not modify them.
func (x Index) Entries() []byte {
	if x.pages != nil {
		return x.pages.all()
	}
	if len(x.tail) == 0 {
		return x.entries
	}
	return append(append(make([]byte, 0, len(x.entries)+len(x.tail)), x.entries...), x.tail...)
}

// Pieces returns the bytes that NewGrownIndex takes. Do not modify them.
func (x Index) Pieces() (entries, tail []byte) {
	if x.pages != nil {
		return x.pages.all(), nil
	}
	return x.entries, x.tail
}

// Common is how many revisions at the beginning of two indexes are the same.
func (x Index) Common(y Index) int {
	n, most := 0, min(x.Len(), y.Len())
	for step := 1 << 12; step > 0; {
		if n+step <= most && x.same(y, n, n+step) {
			n += step
		} else {
			step /= 2
		}
	}
	return n
}

// same compares the entries of two indexes from one revision up to another.
func (x Index) same(y Index, from, to int) bool {
	for from < to {
		a, b := x.run(from, to), y.run(from, to)
		n := min(len(a), len(b))
		if !bytes.Equal(a[:n], b[:n]) {
			return false
		}
		from += n / EntrySize
	}
	return true
}

// run are the entries from one revision on, as far as they lie in one piece.
func (x Index) run(from, to int) []byte {
	entries, tail := x.Pieces()
	in := len(entries) / EntrySize
	if from < in {
		return entries[from*EntrySize : min(in, to)*EntrySize]
	}
	return tail[(from-in)*EntrySize : (to-in)*EntrySize]
}

// Prefix is the index of the first n revisions.
func (x Index) Prefix(n int) Index {
	if x.pages != nil {
		x = Index{entries: x.pages.all()}
	}
	size := n * EntrySize
	if size <= len(x.entries) {
		return Index{entries: x.entries[:size:size]}
	}
	size -= len(x.entries)
	return Index{entries: x.entries, tail: x.tail[:size:size]}
}

// Header returns the revlog's header, 0 for an empty revlog.
func (x Index) Header() uint32 {
	if x.pages != nil {
		return header(x.pages.list[0])
	}
	if len(x.entries) == 0 {
		return 0
	}
	return header(x.entries)
}

// Inline reports whether the chunks lie in the index file.
func (x Index) Inline() bool { return x.Header()&FlagInline != 0 }

// GeneralDelta reports whether delta bases name what a chunk is a delta of.
func (x Index) GeneralDelta() bool { return x.Header()&FlagGeneralDelta != 0 }

// FilelogMeta reports whether FlagHasMeta counts.
func (x Index) FilelogMeta() bool { return x.Header()&FlagFilelogMeta != 0 }

// nullEntry answers for revisions that are not there.
var nullEntry = func() *[EntrySize]byte {
	var e [EntrySize]byte
	for i := 16; i < 32; i++ {
		e[i] = 0xff
	}
	return &e
}()

func (x Index) entry(rev node.Rev) *[EntrySize]byte {
	if x.pages != nil {
		return x.pages.entry(rev)
	}
	at := int(rev) * EntrySize
	if uint(at) < uint(len(x.entries)) {
		return (*[EntrySize]byte)(x.entries[at:])
	}
	if at -= len(x.entries); uint(at) < uint(len(x.tail)) {
		return (*[EntrySize]byte)(x.tail[at:])
	}
	return nullEntry
}

func (x Index) number(rev node.Rev, at int) int32 {
	return int32(binary.BigEndian.Uint32(x.entry(rev)[at:]))
}

// Node returns a revision's node.
func (x Index) Node(rev node.Rev) node.ID { return node.ID(x.entry(rev)[32:52]) }

// Parents returns a revision's parents, NullRev for one that is not there.
func (x Index) Parents(rev node.Rev) (p1, p2 node.Rev) {
	e := x.entry(rev)
	return node.Rev(int32(binary.BigEndian.Uint32(e[24:]))), node.Rev(int32(binary.BigEndian.Uint32(e[28:])))
}

// LinkRev returns the changelog revision that brought rev.
func (x Index) LinkRev(rev node.Rev) node.Rev { return node.Rev(x.number(rev, 20)) }

// Base returns the delta base as it stands in the entry.
func (x Index) Base(rev node.Rev) node.Rev { return node.Rev(x.number(rev, 16)) }

// DeltaParent returns the revision that rev's chunk is a delta of; NullRev when
// the chunk is the whole text.
func (x Index) DeltaParent(rev node.Rev) node.Rev {
	switch base := x.Base(rev); {
	case base == rev:
		return node.NullRev
	case x.GeneralDelta():
		return base
	}
	return rev - 1
}

// Flags returns a revision's flags (FlagCensored and its like).
func (x Index) Flags(rev node.Rev) uint16 { return binary.BigEndian.Uint16(x.entry(rev)[6:]) }

// RawSize returns the size of the text in bytes as the entry has it; negative
// when it does not say.
func (x Index) RawSize(rev node.Rev) int64 { return int64(x.number(rev, 12)) }

// DataOffset returns where the chunk starts in the data, counting chunks only.
func (x Index) DataOffset(rev node.Rev) int64 {
	if rev <= 0 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(x.entry(rev)[:]) >> 16)
}

// DataLength returns the size of the chunk in bytes.
func (x Index) DataLength(rev node.Rev) int64 { return int64(x.number(rev, 8)) }

// chunkSpan returns where the chunk lies in the file that holds it.
func (x Index) chunkSpan(rev node.Rev) (start, end int64) {
	start = x.DataOffset(rev)
	if x.Inline() {
		start += (int64(rev) + 1) * EntrySize
	}
	return start, start + x.DataLength(rev)
}

// FileSize returns how long the index file is that holds these entries.
func (x Index) FileSize() int64 {
	n := x.Len()
	if n == 0 {
		return 0
	}
	if !x.Inline() {
		return int64(n) * EntrySize
	}
	_, end := x.chunkSpan(node.Rev(n - 1))
	return end
}
