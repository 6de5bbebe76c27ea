// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The binary payloads are a plain sequence of fields, little-endian:
//
//	u8 | u32 | u64       fixed width
//	bytes, string        u32 length, then the bytes
//	list of strings      u32 count, then the strings
//
// Worked example, the string "hg" and then the list ["a", ""]:
//
//	02 00 00 00 68 67   02 00 00 00   01 00 00 00 61   00 00 00 00

// ErrTruncated says that a payload ended inside a field, or that a length
// points past its end.
var ErrTruncated = errors.New("protocol: payload ends inside a field")

// Encoder appends fields to B.
type Encoder struct{ B []byte }

// U8 appends one byte.
func (e *Encoder) U8(v uint8) { e.B = append(e.B, v) }

// Bool appends 0 or 1.
func (e *Encoder) Bool(v bool) {
	if v {
		e.U8(1)
	} else {
		e.U8(0)
	}
}

// U32 appends four bytes.
func (e *Encoder) U32(v uint32) { e.B = binary.LittleEndian.AppendUint32(e.B, v) }

// U64 appends eight bytes.
func (e *Encoder) U64(v uint64) { e.B = binary.LittleEndian.AppendUint64(e.B, v) }

// Bytes appends a length and the bytes.
func (e *Encoder) Bytes(v []byte) {
	e.U32(uint32(len(v)))
	e.B = append(e.B, v...)
}

// Str appends a length and the string's bytes.
func (e *Encoder) Str(v string) {
	e.U32(uint32(len(v)))
	e.B = append(e.B, v...)
}

// Strs appends a count and each string.
func (e *Encoder) Strs(v []string) {
	e.U32(uint32(len(v)))
	for _, s := range v {
		e.Str(s)
	}
}

// Decoder takes fields from B. The first failure sticks: later reads return
// zero values, and Err tells.
type Decoder struct {
	B   []byte
	err error
}

func (d *Decoder) take(n int) []byte {
	if d.err != nil || n < 0 || n > len(d.B) {
		d.fail(ErrTruncated)
		return nil
	}
	b := d.B[:n:n]
	d.B = d.B[n:]
	return b
}

// U8 takes one byte.
func (d *Decoder) U8() uint8 {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

// Bool takes one byte; anything but 0 is true.
func (d *Decoder) Bool() bool { return d.U8() != 0 }

// U32 takes four bytes.
func (d *Decoder) U32() uint32 {
	if b := d.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// U64 takes eight bytes.
func (d *Decoder) U64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Bytes takes a length and that many bytes; the result shares B's memory.
func (d *Decoder) Bytes() []byte { return d.take(int(d.U32())) }

// Str takes a length and that many bytes as a string.
func (d *Decoder) Str() string { return string(d.Bytes()) }

// Strs takes a list of strings. It allocates in proportion to the payload, not
// to the count that the payload claims: every string needs at least the four
// bytes of its length.
func (d *Decoder) Strs() []string {
	n := int(d.U32())
	if d.err != nil || n < 0 || n > len(d.B)/4 {
		d.fail(ErrTruncated)
		return nil
	}
	out := make([]string, 0, n)
	for range n {
		out = append(out, d.Str())
	}
	return out
}

// fail makes err the decoder's failure, unless it has one.
func (d *Decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// enum takes one byte that may not exceed last.
func (d *Decoder) enum(what string, last uint8) uint8 {
	v := d.U8()
	if v > last {
		d.fail(fmt.Errorf("%w: %s %d", ErrProtocol, what, v))
		return 0
	}
	return v
}

// Err is the first failure, or ErrTruncated when bytes are left over.
func (d *Decoder) Err() error {
	if d.err == nil && len(d.B) != 0 {
		return errors.New("protocol: payload has trailing bytes")
	}
	return d.err
}
