// SPDX-License-Identifier: GPL-2.0-or-later

package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"
)

// reseal makes the checksums of header and table fit again, so that a test
// reaches the checks behind them.
func reseal(data []byte) []byte {
	le := binary.LittleEndian
	n := int(le.Uint32(data[24:]))
	if end := HeaderSize + n*SectionSize; n <= MaxSections && end <= len(data) {
		le.PutUint32(data[56:], crc32.Checksum(data[HeaderSize:end], castagnoli))
	}
	le.PutUint32(data[60:], crc32.Checksum(data[:60], castagnoli))
	return data
}

// entry is row i of the table.
func entry(data []byte, i int) []byte { return data[HeaderSize+i*SectionSize:][:SectionSize] }

func TestOpenRefuses(t *testing.T) {
	le := binary.LittleEndian
	cases := map[string]func(data []byte) []byte{
		"nothing":              func([]byte) []byte { return nil },
		"less than a header":   func(d []byte) []byte { return d[:HeaderSize-1] },
		"magic":                func(d []byte) []byte { d[0] ^= 1; return reseal(d) },
		"header checksum":      func(d []byte) []byte { d[60] ^= 1; return d },
		"reserved byte":        func(d []byte) []byte { d[40] = 1; return d },
		"version":              func(d []byte) []byte { le.PutUint32(d[8:], 2); return reseal(d) },
		"byte order":           func(d []byte) []byte { le.PutUint32(d[12:], 0x04030201); return reseal(d) },
		"size too large":       func(d []byte) []byte { le.PutUint64(d[16:], uint64(len(d)+1)); return reseal(d) },
		"size too small":       func(d []byte) []byte { le.PutUint64(d[16:], uint64(len(d)-1)); return reseal(d) },
		"size negative":        func(d []byte) []byte { le.PutUint64(d[16:], 1<<63); return reseal(d) },
		"one byte less":        func(d []byte) []byte { return d[:len(d)-1] },
		"one byte more":        func(d []byte) []byte { return append(d, 0) },
		"too many sections":    func(d []byte) []byte { le.PutUint32(d[24:], MaxSections+1); return reseal(d) },
		"table past the end":   func(d []byte) []byte { le.PutUint32(d[24:], MaxSections); return reseal(d) },
		"table checksum":       func(d []byte) []byte { entry(d, 0)[24] ^= 1; return d },
		"order":                func(d []byte) []byte { le.PutUint32(entry(d, 1), 0); return reseal(d) },
		"twice":                func(d []byte) []byte { le.PutUint32(entry(d, 1), 1); return reseal(d) },
		"offset in the table":  func(d []byte) []byte { le.PutUint64(entry(d, 0)[8:], HeaderSize); return reseal(d) },
		"offset not aligned":   func(d []byte) []byte { le.PutUint64(entry(d, 4)[8:], le.Uint64(entry(d, 4)[8:])-1); return reseal(d) },
		"offset past the end":  func(d []byte) []byte { le.PutUint64(entry(d, 4)[8:], 1<<20); return reseal(d) },
		"offset negative":      func(d []byte) []byte { le.PutUint64(entry(d, 4)[8:], 1<<64-64); return reseal(d) },
		"section past the end": func(d []byte) []byte { le.PutUint64(entry(d, 4)[16:], 2); return reseal(d) },
		"section size huge":    func(d []byte) []byte { le.PutUint64(entry(d, 4)[16:], 1<<63-1); return reseal(d) },
		"section size wraps":   func(d []byte) []byte { le.PutUint64(entry(d, 4)[16:], 1<<64-1); return reseal(d) },
		"overlap":              func(d []byte) []byte { le.PutUint64(entry(d, 4)[8:], le.Uint64(entry(d, 3)[8:])); return reseal(d) },
	}
	for name, damage := range cases {
		data := damage(several().Bytes())
		if m, err := Open(data, func() error { t.Errorf("%s: released", name); return nil }); !errors.Is(err, ErrFormat) || m != nil {
			t.Errorf("%s: Open says %v", name, err)
		}
		if _, err := ReadInfo(bytes.NewReader(data), int64(len(data))); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: ReadInfo says %v", name, err)
		}
	}
	// A reader of a descriptor knows the size only from elsewhere.
	if _, err := ReadInfo(bytes.NewReader(several().Bytes()[:100]), several().Size()); !errors.Is(err, ErrFormat) {
		t.Errorf("table past the end of the file: %v", err)
	}
}

// No bit of an image may change unnoticed, but for those between two sections.
func TestEveryBitCounts(t *testing.T) {
	good := several().Bytes()
	m, err := Open(good, nil)
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]bool, len(good))
	for i := range HeaderSize + 5*SectionSize {
		counts[i] = true
	}
	for _, s := range m.Info().Sections {
		for i := range s.Size {
			counts[s.Offset+i] = true
		}
	}
	for i := range good {
		for bit := range 8 {
			data := slices.Clone(good)
			data[i] ^= 1 << bit
			m, err := Open(data, nil)
			if err == nil {
				err = m.Verify()
			}
			if noticed := errors.Is(err, ErrFormat); noticed != counts[i] {
				t.Fatalf("byte %d bit %d: %v", i, bit, err)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(several().Bytes(), true)
	f.Add(NewBuilder(Store).Bytes(), false)
	b := NewBuilder(Store)
	b.Add(7, []byte("abc"))
	f.Add(b.Bytes(), true)
	f.Add([]byte(magic), false)
	f.Fuzz(func(t *testing.T, data []byte, fix bool) {
		if fix && len(data) >= HeaderSize {
			data = slices.Clone(data)
			binary.LittleEndian.PutUint64(data[16:], uint64(len(data)))
			data = reseal(data)
		}
		m, err := Open(data, nil)
		info, ierr := ReadInfo(bytes.NewReader(data), int64(len(data)))
		if (err == nil) != (ierr == nil) {
			t.Fatalf("Open says %v, ReadInfo %v", err, ierr)
		}
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if !slices.Equal(info.Sections, m.Info().Sections) {
			t.Fatal("Open and ReadInfo read different tables")
		}
		for _, s := range info.Sections {
			if got, ok := m.Section(s.ID); !ok || int64(len(got)) != s.Size {
				t.Fatalf("section %d has %d bytes, the table says %d", s.ID, len(got), s.Size)
			}
		}
		m.Verify()
	})
}
