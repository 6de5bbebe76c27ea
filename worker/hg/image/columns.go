// SPDX-License-Identifier: GPL-2.0-or-later

package image

import (
	"encoding/binary"
	"unsafe"
)

// littleEndian tells whether numbers in an image can be read in place.
var littleEndian = func() bool {
	x := uint16(1)
	return *(*byte)(unsafe.Pointer(&x)) == 1
}()

// Column is a fixed-width integer that an image can hold.
type Column interface {
	~int32 | ~uint32 | ~uint64 | ~int64
}

// Numbers views a section, or an aligned part of one, as an array. Bytes that
// do not fill a whole number at the end are left out. On a little-endian
// machine the result stands in the image; elsewhere it is a copy.
func Numbers[T Column](b []byte) []T {
	var zero T
	width := int(unsafe.Sizeof(zero))
	n := len(b) / width
	if n == 0 {
		return nil
	}
	if littleEndian && uintptr(unsafe.Pointer(&b[0]))%uintptr(width) == 0 {
		return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
	}
	out := make([]T, n)
	for i := range out {
		if width == 4 {
			out[i] = T(binary.LittleEndian.Uint32(b[i*4:]))
		} else {
			out[i] = T(binary.LittleEndian.Uint64(b[i*8:]))
		}
	}
	return out
}

// Bytes is the reverse of Numbers: the array as a section's bytes. On a
// little-endian machine the result shares the array's memory.
func Bytes[T Column](a []T) []byte {
	if len(a) == 0 {
		return nil
	}
	width := int(unsafe.Sizeof(a[0]))
	if littleEndian {
		return unsafe.Slice((*byte)(unsafe.Pointer(&a[0])), len(a)*width)
	}
	out := make([]byte, 0, len(a)*width)
	for _, v := range a {
		if width == 4 {
			out = binary.LittleEndian.AppendUint32(out, uint32(v))
		} else {
			out = binary.LittleEndian.AppendUint64(out, uint64(v))
		}
	}
	return out
}
