// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

const (
	word  = 8
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// specials marks the highest bit of each byte of x, eight bytes in the order of
// memory, that does not stand for itself inside of a JSON string, whoever writes it:
// control characters (DEL among them), '"' and '\'. Output of megabytes is gone
// over several times on its way, so eight bytes are looked at in one go: x-ones*n
// borrows into the highest bit of the bytes that are less than n. Above the first
// such byte a borrow may mark others by mistake, so only the first counts.
func specials(x uint64) uint64 {
	quote, slash, del := x^(ones*'"'), x^(ones*'\\'), x^(ones*0x7f)
	return ((x-ones*' ')&^x | (quote-ones)&^quote | (slash-ones)&^slash | (del-ones)&^del) & highs
}

// plainRun is how many bytes at the start of b are not special.
func plainRun(b []byte) int {
	i := 0
	for ; i+word <= len(b); i += word {
		if found := specials(binary.LittleEndian.Uint64(b[i:])); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c == '"' || c == '\\' || c == 0x7f {
			break
		}
	}
	return i
}

// bytesOf is the memory of a string, to be read only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
