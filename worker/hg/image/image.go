// SPDX-License-Identifier: GPL-2.0-or-later

// Package image is the container of a loaded repository: one flat, pointer-free
// run of bytes that any process can map and use at once.
//
// The container knows sections, not Mercurial: what a section means is
// written in the package that fills it (package snapshot). A builder collects
// sections and writes them once; an image is never changed afterwards.
//
// # Format
//
// All integers are little-endian. The parts follow each other in this order:
//
//	header            64 bytes
//	table             SectionSize (32) bytes for each section, ordered by id
//	sections          each at a multiple of 64, zero bytes between them
//
// Header:
//
//	offset size
//	0      8    magic "HGBIMAGE"
//	8      4    format version (Version)
//	12     4    0x01020304, so that a reader of the other byte order refuses it
//	16     8    total size in bytes
//	24     4    number of sections
//	28     4    kind of image (Kind)
//	32     24   zero
//	56     4    CRC-32C of the table
//	60     4    CRC-32C of the 60 bytes before
//
// Table entry:
//
//	0      4    section id; ascending, never twice
//	4      4    CRC-32C of the section's bytes
//	8      8    offset from the start of the image, a multiple of 64
//	16     8    size in bytes
//	24     8    zero
//
// Worked example, one section 7 of the three bytes "abc":
//
//	0000  48 47 42 49 4d 41 47 45  01 00 00 00 04 03 02 01
//	0010  83 00 00 00 00 00 00 00  01 00 00 00 01 00 00 00    131 bytes, 1 section, kind 1
//	...
//	0040  07 00 00 00 <crc>        80 00 00 00 00 00 00 00    section 7 at 128
//	0050  03 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00    3 bytes
//	...
//	0080  61 62 63
//
// Open checks the header, the table and all bounds in time proportional to the
// number of sections; it does not touch the sections. Verify reads everything.
package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
)

// Version is the format's number. History: 1, the first.
const Version = 1

// Sizes of the fixed parts, in bytes, and limits that a reader enforces.
const (
	HeaderSize  = 64
	SectionSize = 32
	Alignment   = 64
	MaxSections = 1024
)

const (
	magic      = "HGBIMAGE"
	endianWord = 0x01020304
)

// Kind tells what a whole image stands for.
type Kind uint32

// The kinds. Each is cached for itself, at the cost of its own bytes.
const (
	Store    Kind = 1 // a repository's store as it was once
	Growth   Kind = 2 // what came to a store since the image of kind Store was made
	Texts    Kind = 3 // the texts of a store's changesets
	Checkout Kind = 4 // a working directory's dirstate, by the directory's root
	Manifest Kind = 5 // the manifest of a working directory's first parent, likewise
)

var kindNames = map[Kind]string{Store: "store", Growth: "growth", Texts: "texts", Checkout: "checkout", Manifest: "manifest"}

// String is the kind's name on the wire between worker and master.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("kind-%d", uint32(k))
}

// ParseKind is the reverse of String.
func ParseKind(s string) (Kind, bool) {
	for k, name := range kindNames {
		if name == s {
			return k, true
		}
	}
	return 0, false
}

// Key names an image: what kind, of which real path.
type Key struct {
	Kind Kind
	Path string
}

// ID names a section within its kind.
type ID uint32

// ErrFormat is wrapped by every complaint about an image's bytes.
var ErrFormat = errors.New("bad image")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Section is one row of the table.
type Section struct {
	ID     ID
	CRC    uint32
	Offset int64
	Size   int64
}

// Info is what the header and the table say.
type Info struct {
	Kind     Kind
	Size     int64
	Sections []Section
}

// Image is an opened image. It is immutable and safe for concurrent use.
type Image struct {
	info    Info
	data    []byte
	release func() error
}

// Open checks header, table and bounds of data and returns an image over it.
// The image keeps data; release, if not nil, is called by Close.
func Open(data []byte, release func() error) (*Image, error) {
	if len(data) < HeaderSize {
		return nil, fmt.Errorf("%w: %d bytes are less than a header", ErrFormat, len(data))
	}
	n, err := checkHeader(data[:HeaderSize], int64(len(data)))
	if err != nil {
		return nil, err
	}
	end := HeaderSize + n*SectionSize
	if end > len(data) {
		return nil, fmt.Errorf("%w: table of %d sections does not fit", ErrFormat, n)
	}
	info, err := checkTable(data[:HeaderSize], data[HeaderSize:end])
	if err != nil {
		return nil, err
	}
	return &Image{info: info, data: data, release: release}, nil
}

// ReadInfo reads and checks only header and table, for a process that holds an
// image's descriptor without mapping it. size is the file's size.
func ReadInfo(r io.ReaderAt, size int64) (Info, error) {
	var head [HeaderSize]byte
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, HeaderSize), head[:]); err != nil {
		return Info{}, fmt.Errorf("%w: read header: %v", ErrFormat, err)
	}
	n, err := checkHeader(head[:], size)
	if err != nil {
		return Info{}, err
	}
	table := make([]byte, n*SectionSize)
	if _, err := io.ReadFull(io.NewSectionReader(r, HeaderSize, int64(len(table))), table); err != nil {
		return Info{}, fmt.Errorf("%w: read table: %v", ErrFormat, err)
	}
	return checkTable(head[:], table)
}

func checkHeader(h []byte, size int64) (sections int, err error) {
	le := binary.LittleEndian
	switch {
	case string(h[:8]) != magic:
		return 0, fmt.Errorf("%w: no magic", ErrFormat)
	case crc32.Checksum(h[:60], castagnoli) != le.Uint32(h[60:]):
		return 0, fmt.Errorf("%w: header checksum", ErrFormat)
	case le.Uint32(h[8:]) != Version:
		return 0, fmt.Errorf("%w: version %d, not %d", ErrFormat, le.Uint32(h[8:]), Version)
	case le.Uint32(h[12:]) != endianWord:
		return 0, fmt.Errorf("%w: other byte order", ErrFormat)
	case le.Uint64(h[16:]) != uint64(size):
		return 0, fmt.Errorf("%w: header says %d bytes, there are %d", ErrFormat, le.Uint64(h[16:]), size)
	case le.Uint32(h[24:]) > MaxSections:
		return 0, fmt.Errorf("%w: %d sections", ErrFormat, le.Uint32(h[24:]))
	}
	return int(le.Uint32(h[24:])), nil
}

func checkTable(h, table []byte) (Info, error) {
	le := binary.LittleEndian
	if crc32.Checksum(table, castagnoli) != le.Uint32(h[56:]) {
		return Info{}, fmt.Errorf("%w: table checksum", ErrFormat)
	}
	info := Info{Kind: Kind(le.Uint32(h[28:])), Size: int64(le.Uint64(h[16:]))}
	info.Sections = make([]Section, len(table)/SectionSize)
	end := int64(HeaderSize + len(table))
	last := int64(-1)
	for i := range info.Sections {
		e := table[i*SectionSize:]
		s := Section{ID: ID(le.Uint32(e)), CRC: le.Uint32(e[4:]), Offset: int64(le.Uint64(e[8:])), Size: int64(le.Uint64(e[16:]))}
		if int64(s.ID) <= last {
			return Info{}, fmt.Errorf("%w: section %d out of order", ErrFormat, s.ID)
		}
		if s.Offset < end || s.Offset%Alignment != 0 || s.Size < 0 || s.Size > info.Size || s.Offset > info.Size-s.Size {
			return Info{}, fmt.Errorf("%w: section %d lies at %d+%d of %d", ErrFormat, s.ID, s.Offset, s.Size, info.Size)
		}
		last, end = int64(s.ID), s.Offset+s.Size
		info.Sections[i] = s
	}
	return info, nil
}

// Info is the image's header and table.
func (m *Image) Info() Info { return m.info }

// Size is the image's total size in bytes.
func (m *Image) Size() int64 { return m.info.Size }

// Fingerprint names the content of an image, by the sizes and checksums of its
// sections: an image of kind Growth says so which one it belongs to.
func (m *Image) Fingerprint() uint64 {
	h := fnv.New64a()
	var row [16]byte
	for _, s := range m.info.Sections {
		binary.LittleEndian.PutUint32(row[:], uint32(s.ID))
		binary.LittleEndian.PutUint32(row[4:], s.CRC)
		binary.LittleEndian.PutUint64(row[8:], uint64(s.Size))
		h.Write(row[:])
	}
	return h.Sum64()
}

// Section returns the bytes of a section and whether the image has it. The
// bytes stand in the image: they are valid until Close and never written.
func (m *Image) Section(id ID) ([]byte, bool) {
	for i := range m.info.Sections {
		if s := &m.info.Sections[i]; s.ID == id {
			return m.data[s.Offset : s.Offset+s.Size : s.Offset+s.Size], true
		}
	}
	return nil, false
}

// Verify compares the checksum of every section.
func (m *Image) Verify() error {
	for _, s := range m.info.Sections {
		if crc32.Checksum(m.data[s.Offset:s.Offset+s.Size], castagnoli) != s.CRC {
			return fmt.Errorf("%w: checksum of section %d", ErrFormat, s.ID)
		}
	}
	return nil
}

// Close gives the memory back. No slice of any section may be used afterwards.
func (m *Image) Close() error {
	release := m.release
	m.data, m.release, m.info.Sections = nil, nil, nil
	if release == nil {
		return nil
	}
	return release()
}
