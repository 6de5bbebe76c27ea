// SPDX-License-Identifier: GPL-2.0-or-later

package image

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// Builder collects the sections of one image. The format is told in image.go.
type Builder struct {
	kind  Kind
	parts []part
}

type part struct {
	id   ID
	crc  uint32
	data [][]byte // the section is their concatenation
	size int64
}

// NewBuilder starts an image of a kind.
func NewBuilder(kind Kind) *Builder { return &Builder{kind: kind} }

// Kind is the kind given to NewBuilder.
func (b *Builder) Kind() Kind { return b.kind }

// Add appends a section that is the concatenation of data. The slices are kept,
// not copied: they must stay unchanged until the image is written. Adding an id
// twice is a mistake of the caller and panics.
func (b *Builder) Add(id ID, data ...[]byte) {
	p := part{id: id, data: data}
	for _, d := range data {
		p.crc = crc32.Update(p.crc, castagnoli, d)
		p.size += int64(len(d))
	}
	b.insert(p)
}

// AddFrom takes over a section of another image as it is, if that image has it.
// The other image must stay open until this one is written.
func (b *Builder) AddFrom(m *Image, id ID) bool {
	data, ok := m.Section(id)
	if !ok {
		return false
	}
	for _, s := range m.info.Sections {
		if s.ID == id {
			b.insert(part{id: id, crc: s.CRC, data: [][]byte{data}, size: s.Size})
		}
	}
	return true
}

func (b *Builder) insert(p part) {
	at, found := slices.BinarySearchFunc(b.parts, p.id, func(q part, id ID) int { return int(q.id) - int(id) })
	if found {
		panic(fmt.Sprintf("image: section %d added twice", p.id))
	}
	b.parts = slices.Insert(b.parts, at, p)
}

func align(n int64) int64 { return (n + Alignment - 1) &^ (Alignment - 1) }

// Size is the size in bytes of the image that WriteTo will write.
func (b *Builder) Size() int64 {
	size := int64(HeaderSize + len(b.parts)*SectionSize)
	for _, p := range b.parts {
		size = align(size) + p.size
	}
	return size
}

// head returns the header and the table.
func (b *Builder) head() []byte {
	le := binary.LittleEndian
	out := make([]byte, HeaderSize+len(b.parts)*SectionSize)
	at := int64(len(out))
	for i, p := range b.parts {
		at = align(at)
		e := out[HeaderSize+i*SectionSize:]
		le.PutUint32(e, uint32(p.id))
		le.PutUint32(e[4:], p.crc)
		le.PutUint64(e[8:], uint64(at))
		le.PutUint64(e[16:], uint64(p.size))
		at += p.size
	}
	copy(out, magic)
	le.PutUint32(out[8:], Version)
	le.PutUint32(out[12:], endianWord)
	le.PutUint64(out[16:], uint64(b.Size()))
	le.PutUint32(out[24:], uint32(len(b.parts)))
	le.PutUint32(out[28:], uint32(b.kind))
	le.PutUint32(out[56:], crc32.Checksum(out[HeaderSize:], castagnoli))
	le.PutUint32(out[60:], crc32.Checksum(out[:60], castagnoli))
	return out
}

// WriteTo writes the image in ascending order of its bytes and returns how many
// there are. Every byte is written, so a sparse file gets no holes.
func (b *Builder) WriteTo(w io.Writer) (int64, error) {
	var at int64
	put := func(data []byte) error {
		n, err := w.Write(data)
		at += int64(n)
		return err
	}
	if err := put(b.head()); err != nil {
		return at, err
	}
	var zero [Alignment]byte
	for _, p := range b.parts {
		if err := put(zero[:align(at)-at]); err != nil {
			return at, err
		}
		for _, d := range p.data {
			if err := put(d); err != nil {
				return at, err
			}
		}
	}
	return at, nil
}

// Bytes is the whole image in private memory.
func (b *Builder) Bytes() []byte {
	buf := writer{b: make([]byte, 0, b.Size())}
	b.WriteTo(&buf) // a slice's Write cannot fail
	return buf.b
}

type writer struct{ b []byte }

func (w *writer) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}
