// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
)

// A Dirstate is a table without pointers, in memory as well as in an image. It is
// made of 4-byte little-endian words, with the text of all paths behind them:
//
//	header    26 words:
//	            0  first parent, 20 bytes
//	            5  second parent, 20 bytes
//	            10 hash of the ignore rules, 20 bytes
//	            15 format that was read, 1 or 2
//	            16 entries E
//	            17 copies C
//	            18 places of copies O, in the order of the file
//	            19 recorded directories R
//	            20 directories of the tree D, at least 1
//	            21 bytes of text
//	            22 4 words of zero
//	entries   E times 7 words, sorted by path: where the path begins in the text,
//	          its length, Flags (with 1<<16 for a copy), mode, size, seconds and
//	          nanoseconds of the modification time
//	copies    C times 3 words, ascending: the entry, where its source begins in the
//	          text, its length
//	places    O words, entries that are copies
//	recorded  R times 5 words: where the path begins, its length, seconds,
//	          nanoseconds, flags (1 AllUnknown, 2 AllIgnored)
//	tree      D times 7 words, the root first: where the path begins, its length,
//	          where names begin in the paths below it, its part of files (from,
//	          to), its part of subdirs (from, to)
//	files     E words, entries: those of one directory together, by name
//	subdirs   D-1 words, directories: those of one directory together, by name
//	text      paths and sources; they may share bytes
//
// Worked example, one file "d/f" that is added, after a header that ends with
// 01 00 00 00 (E), three zeros (C, O, R), 02 00 00 00 (D), 03 00 00 00 and zeros:
//
//	00000000 03000000 01000000 00000000 00000000 00000000 00000000   the entry
//	00000000 00000000 00000000 00000000 00000000 00000000 01000000   the root: no files, subdirs 0 to 1
//	00000000 01000000 02000000 00000000 01000000 01000000 01000000   "d": files 0 to 1, no subdirs
//	00000000                                                         files
//	01000000                                                         subdirs
//	642f66                                                           text
const (
	headerWords   = 26
	entryWords    = 7
	copyWords     = 3
	recordedWords = 5
	dirWords      = 7

	copiedFlag = 1 << 16

	// maxText bounds the text, in bytes, so that places in it are words.
	maxText = 1<<31 - 1
)

// words is a table of numbers that may stand in an image.
type words []uint32

// record is row i of a table with rows of n words.
func (w words) record(i, n int) words { return w[i*n : i*n+n : i*n+n] }

// Dirstate is one state of the file. The zero Dirstate is that of a repository
// without one: null parents and no files.
//
// One that was opened from an image stands in it, and so do all strings that it
// returns: whoever keeps one longer than the image is open clones it.
type Dirstate struct {
	p1, p2  node.ID
	ignore  [20]byte
	version int

	entries  words
	copies   words
	places   words
	recorded words
	text     string
	planted  planted
}

// OpenTable checks the extents of a table, in constant time, and returns the
// Dirstate that stands in it. Whether what is in the table makes sense is for
// Verify; before that, asking about entries may panic.
func OpenTable(b []byte) (*Dirstate, error) {
	const headerSize = headerWords * 4
	if len(b) < headerSize {
		return nil, malformed("table of %d bytes", len(b))
	}
	le := binary.LittleEndian
	count := func(i int) uint64 { return uint64(le.Uint32(b[i*4:])) }
	e, c, o, r, dirs, text := count(16), count(17), count(18), count(19), count(20), count(21)
	numbers := e*entryWords + c*copyWords + o + r*recordedWords + dirs*dirWords + e + dirs - 1
	if dirs == 0 || text > maxText || headerSize+numbers*4+text != uint64(len(b)) {
		return nil, malformed("table of %d bytes for %d files and %d directories", len(b), e, dirs)
	}
	d := &Dirstate{p1: node.ID(b[:20]), p2: node.ID(b[20:40]), ignore: [20]byte(b[40:60]), version: int(count(15))}
	rest := b[headerSize:]
	take := func(n uint64) words {
		part := image.Numbers[uint32](rest[:n*4])
		rest = rest[n*4:]
		return part
	}
	d.entries, d.copies, d.places, d.recorded = take(e*entryWords), take(c*copyWords), take(o), take(r*recordedWords)
	t := &Tree{dirs: take(dirs * dirWords)}
	t.files, t.subdirs = image.Numbers[int32](rest[:e*4]), image.Numbers[int32](rest[e*4:][:(dirs-1)*4])
	d.text = stringOf(rest[(e+dirs-1)*4:])
	t.text = d.text
	d.planted.tree.Store(t)
	return d, nil
}

// Table is the table in parts, which share the memory of d: a section of an image,
// for OpenTable.
func (d *Dirstate) Table() [][]byte {
	t := d.Tree()
	header := make([]byte, 0, headerWords*4)
	header = append(append(append(header, d.p1[:]...), d.p2[:]...), d.ignore[:]...)
	for _, n := range [headerWords - 15]int{d.version, d.Len(), len(d.copies) / copyWords, len(d.places), len(d.recorded) / recordedWords, t.Len(), len(d.text)} {
		header = binary.LittleEndian.AppendUint32(header, uint32(n))
	}
	return [][]byte{header, image.Bytes(d.entries), image.Bytes(d.copies), image.Bytes(d.places), image.Bytes(d.recorded),
		image.Bytes(t.dirs), image.Bytes(t.files), image.Bytes(t.subdirs), unsafe.Slice(unsafe.StringData(d.text), len(d.text))}
}

// Verify walks everything: what is derived is derived again and compared. A
// Dirstate that passes cannot make anybody read out of bounds.
func (d *Dirstate) Verify() error {
	if d.version < 0 || d.version > 2 {
		return malformed("version %d", d.version)
	}
	copied, last := 0, ""
	for i := range d.Len() {
		e := d.entries.record(i, entryWords)
		path, ok := d.at(e[0], e[1])
		if !ok || i > 0 && path <= last {
			return malformed("path of entry %d", i)
		}
		last = path
		if flags := e[2]; flags&^(copiedFlag|0xffff) != 0 || Flags(flags)&notOfFiles != 0 || !d.Item(i).AnyTracked() {
			return malformed("flags of entry %d", i)
		}
		if !d.Copied(i) {
			continue
		}
		if copied >= len(d.copies)/copyWords {
			return malformed("entry %d has no source", i)
		}
		c := d.copies.record(copied, copyWords)
		if source, ok := d.at(c[1], c[2]); c[0] != uint32(i) || !ok || source == "" {
			return malformed("source of entry %d", i)
		}
		copied++
	}
	if copied != len(d.copies)/copyWords {
		return malformed("%d copies for %d entries", len(d.copies)/copyWords, copied)
	}
	for _, i := range d.places {
		if uint64(i) >= uint64(d.Len()) || !d.Copied(int(i)) {
			return malformed("entry %d among the copies", i)
		}
	}
	for i := range len(d.recorded) / recordedWords {
		r := d.recorded.record(i, recordedWords)
		if _, ok := d.at(r[0], r[1]); !ok || r[4] > allUnknown|allIgnored {
			return malformed("recorded directory %d", i)
		}
	}
	want, have := plant(d), d.Tree()
	if !slices.Equal(want.dirs, have.dirs) || !slices.Equal(want.files, have.files) || !slices.Equal(want.subdirs, have.subdirs) {
		return malformed("the tree does not fit the entries")
	}
	return nil
}

// at is a part of the text, if there is such a part.
func (d *Dirstate) at(start, length uint32) (string, bool) {
	end := uint64(start) + uint64(length)
	if end > uint64(len(d.text)) {
		return "", false
	}
	return d.text[start:end], true
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: dirstate: "+format, append([]any{image.ErrFormat}, args...)...)
}

// stringOf is bytes that do not change any more as a string.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
