// SPDX-License-Identifier: GPL-2.0-or-later

package archive

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"time"

	"hgbroker/worker/hg/deflate"
)

// zipWriter writes a zip archive as Python's zipfile does: for each member
//
//	50 4b 03 04   header: version 2.0, flags, method, time, date, sum, sizes
//	              name, and an extra field with the time since 1970
//	              data
//	50 4b 07 08   sum and sizes, where Python cannot go back to the header
//
// and then the directory and the end. Bit 3 of the flags says that the sum and
// the sizes follow the data, bit 11 that the name is UTF-8.
type zipWriter struct {
	out       io.Writer
	size      int64
	packed    bool
	seekable  bool
	extra     []byte
	time      uint16
	date      uint16
	count     int
	directory []byte
}

// zipEpoch is the first day that the format knows, 1980.
const zipEpoch = 315532800

const (
	flagFollows = 1 << 3
	flagUTF8    = 1 << 11
)

func newZip(out io.Writer, mtime float64, packed, seekable bool) *zipWriter {
	seconds := max(int64(mtime), zipEpoch)
	if mtime < zipEpoch {
		seconds = zipEpoch
	}
	t := time.Unix(seconds, 0).UTC()
	w := &zipWriter{out: out, packed: packed, seekable: seekable}
	w.date = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day())
	w.time = uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
	w.extra = binary.LittleEndian.AppendUint32([]byte{'U', 'T', 5, 0, 1}, uint32(seconds))
	return w
}

func (w *zipWriter) write(parts ...[]byte) error {
	for _, p := range parts {
		if _, err := w.out.Write(p); err != nil {
			return err
		}
		w.size += int64(len(p))
	}
	return nil
}

// Add writes a member.
func (w *zipWriter) Add(m Member) error {
	attributes := uint32(0o644 | 0o100000)
	switch {
	case m.Link:
		attributes = 0o777 | 0o120000
	case m.Exec:
		attributes = 0o755 | 0o100000
	}
	data, method := m.Data, uint16(0)
	if w.packed {
		data, method = deflate.Append(nil, m.Data, deflate.Level6), 8
	}
	flags := uint16(0)
	if !w.seekable {
		flags |= flagFollows
	}
	if !isASCII(m.Name) {
		flags |= flagUTF8
	}
	sums := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(m.Data))
	sums = binary.LittleEndian.AppendUint32(sums, uint32(len(data)))
	sums = binary.LittleEndian.AppendUint32(sums, uint32(len(m.Data)))
	common := func(sums []byte) []byte {
		var b []byte
		for _, n := range []uint16{20, flags, method, w.time, w.date} {
			b = binary.LittleEndian.AppendUint16(b, n)
		}
		b = append(b, sums...)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(m.Name)))
		return binary.LittleEndian.AppendUint16(b, uint16(len(w.extra)))
	}
	d := append(w.directory, "PK\x01\x02\x14\x03"...)
	d = append(d, common(sums)...)
	d = append(d, 0, 0, 0, 0, 0, 0) // comment, disk, internal attributes
	d = binary.LittleEndian.AppendUint32(d, attributes<<16)
	d = binary.LittleEndian.AppendUint32(d, uint32(w.size))
	w.directory = append(append(d, m.Name...), w.extra...)
	w.count++

	follows := append([]byte("PK\x07\x08"), sums...)
	if w.seekable {
		follows = nil
	} else {
		sums = make([]byte, len(sums))
	}
	return w.write([]byte("PK\x03\x04"), common(sums), []byte(m.Name), w.extra, data, follows)
}

// Close writes the directory.
func (w *zipWriter) Close() error {
	end := []byte("PK\x05\x06\x00\x00\x00\x00")
	end = binary.LittleEndian.AppendUint16(end, uint16(w.count))
	end = binary.LittleEndian.AppendUint16(end, uint16(w.count))
	end = binary.LittleEndian.AppendUint32(end, uint32(len(w.directory)))
	end = binary.LittleEndian.AppendUint32(end, uint32(w.size))
	return w.write(w.directory, append(end, 0, 0))
}

// Abandon writes the directory of what there is.
func (w *zipWriter) Abandon() error { return w.Close() }
