// SPDX-License-Identifier: GPL-2.0-or-later

// Package node names the two ways in which Mercurial points at a revision: by
// its content hash (ID) and by its position in one revlog (Rev).
//
// A position is only meaningful beside the revlog that it counts in, so code
// that handles several revlogs names its variables clrev (changelog), mfrev
// (manifest) and flrev (filelog).
package node

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// Size is the length of an ID in bytes (SHA-1).
const Size = 20

// HexSize is the length of an ID written in hexadecimal.
const HexSize = 2 * Size

// ID is the hash that names one revision of a file, a manifest or a changeset:
// SHA-1 over its two sorted parents and its text.
type ID [Size]byte

// Rev is a position in a revlog. Changelog positions are what `hg log` prints
// before the colon.
type Rev int32

const (
	// NullRev is the parent of every root.
	NullRev Rev = -1
	// WdirRev stands for the working directory, as `wdir()` prints it.
	WdirRev Rev = 0x7fffffff
)

var (
	// Null is the ID of the revision before the first one.
	Null ID
	// Wdir is the pseudo ID of the working directory (forty f's).
	Wdir = ID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
)

// Hex returns the forty lower-case digits of id.
func (id ID) Hex() string { return hex.EncodeToString(id[:]) }

// Short returns the first twelve digits, as `hg log` prints them.
func (id ID) Short() string { return hex.EncodeToString(id[:6]) }

// AppendHex appends what Hex returns.
func (id *ID) AppendHex(dst []byte) []byte {
	const room = "0000000000000000000000000000000000000000"
	dst = append(dst, room...)
	b := (*[HexSize]byte)(dst[len(dst)-HexSize:])
	for i := 0; i < Size; i += 4 {
		putHex(b[2*i:], id[i:])
	}
	return dst
}

// AppendShort appends what Short returns.
func (id *ID) AppendShort(dst []byte) []byte {
	dst = append(dst, "000000000000"...)
	b := dst[len(dst)-12:]
	putHex(b, id[:])
	putHex(b[4:], id[2:]) // the middle twice
	return dst
}

// putHex writes the digits of four bytes, all at once: it gives each of them a byte
// of a word.
func putHex(to, id []byte) {
	const each = 0x0101010101010101
	x := uint64(binary.BigEndian.Uint32(id))
	x = (x | x<<16) & (0xffff * 0x0000000100000001)
	x = (x | x<<8) & (0xff * 0x0001000100010001)
	x = (x | x<<4) & (0x0f * each)
	letters := (x + 6*each) >> 4 & each
	binary.BigEndian.PutUint64(to, x+'0'*each+letters*('a'-'0'-10))
}

// String is Hex, so that an ID reads well in errors.
func (id ID) String() string { return id.Hex() }

// IsNull tells whether id is Null.
func (id ID) IsNull() bool { return id == Null }

// FromBytes copies the first Size bytes of b. It reports false when b is
// shorter.
func FromBytes(b []byte) (ID, bool) {
	var id ID
	if len(b) < Size {
		return id, false
	}
	copy(id[:], b)
	return id, true
}

// FromHex parses exactly forty hexadecimal digits of either case.
func FromHex(s string) (ID, bool) {
	var id ID
	if len(s) != HexSize {
		return id, false
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, false
	}
	return id, true
}

// String is the decimal number.
func (r Rev) String() string { return strconv.Itoa(int(r)) }
