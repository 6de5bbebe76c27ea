// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"sync"
)

// tooLarge stands for a result that exceeds the limit.
const tooLarge = "too large"

// inflate unpacks a zlib stream (RFC 1950 and 1951). words is what Python's
// zlib module says when it does not succeed: zlib's own name of the first thing
// that is wrong, in the order in which zlib looks at a stream. Bytes behind the
// stream are ignored.
//
// It is slow, and used for streams of which it is known already that something
// is wrong with them.
func inflate(stream []byte, limit int) (out []byte, words string) {
	z := inflater{in: stream, limit: limit}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case zlibError:
			out, words = nil, string(p)
		default:
			panic(p)
		}
	}()
	z.stream()
	return z.out, ""
}

// zlibError ends an inflater.
type zlibError string

const truncated = zlibError("Error -5 while decompressing data: incomplete or truncated stream")

// inflater reads bits from the low end of each byte. It ends with a panic of a
// zlibError, which does not leave this file.
type inflater struct {
	in    []byte
	hold  uint32
	bits  uint
	out   []byte
	limit int
}

func (z *inflater) fail(format string, args ...any) {
	panic(zlibError("Error -3 while decompressing data: " + fmt.Sprintf(format, args...)))
}

// need makes n bits at hand, 16 at most.
func (z *inflater) need(n uint) {
	for z.bits < n {
		if len(z.in) == 0 {
			panic(truncated)
		}
		z.hold |= uint32(z.in[0]) << z.bits
		z.in = z.in[1:]
		z.bits += 8
	}
}

func (z *inflater) take(n uint) int {
	z.need(n)
	v := z.hold & (1<<n - 1)
	z.hold >>= n
	z.bits -= n
	return int(v)
}

func (z *inflater) room(n int) {
	if len(z.out)+n > z.limit {
		panic(zlibError(tooLarge))
	}
}

func (z *inflater) stream() {
	z.need(16)
	cmf, flg := z.take(8), z.take(8)
	switch {
	case (cmf<<8|flg)%31 != 0:
		z.fail("incorrect header check")
	case cmf&15 != 8:
		z.fail("unknown compression method")
	case cmf>>4 > 7:
		z.fail("invalid window size")
	case flg&0x20 != 0:
		z.need(16)
		z.take(16)
		z.need(16)
		panic(zlibError("Error 2 while decompressing data"))
	}
	for last := false; !last; {
		header := z.take(3)
		last = header&1 != 0
		switch header >> 1 {
		case 0:
			z.stored()
		case 1:
			z.block(fixedHuffman())
		case 2:
			z.dynamic()
		default:
			z.fail("invalid block type")
		}
	}
	z.take(z.bits & 7)
	var sum [4]byte
	for i := range sum {
		sum[i] = byte(z.take(8))
	}
	if binary.BigEndian.Uint32(sum[:]) != adler32.Checksum(z.out) {
		z.fail("incorrect data check")
	}
}

func (z *inflater) stored() {
	z.take(z.bits & 7)
	// zlib waits for all four bytes before it looks at them.
	var head [4]int
	for i := range head {
		head[i] = z.take(8)
	}
	n := head[0] | head[1]<<8
	if n != (head[2]|head[3]<<8)^0xffff {
		z.fail("invalid stored block lengths")
	}
	for range n {
		z.room(1)
		z.out = append(z.out, byte(z.take(8)))
	}
}

// huffman decodes one symbol after another. Codes of each length stand in the
// order of their symbols.
type huffman struct {
	count   [16]int // codes of each length
	symbols []int
	empty   bool // of codes: every bit is wrong
}

// makeHuffman takes the length of each symbol's code. left is the number of
// codes of 15 bits that are not used, negative when there are too many.
func makeHuffman(lengths []int) (h *huffman, left int) {
	h = &huffman{symbols: make([]int, 0, len(lengths))}
	for _, n := range lengths {
		h.count[n]++
	}
	h.empty = h.count[0] == len(lengths)
	h.count[0] = 0
	left = 1
	for n := 1; n < 16; n++ {
		left = left<<1 - h.count[n]
		if left < 0 {
			return h, left
		}
	}
	for n := 1; n < 16; n++ {
		for symbol, have := range lengths {
			if have == n {
				h.symbols = append(h.symbols, symbol)
			}
		}
	}
	return h, left
}

// longest is the length of the longest code.
func (h *huffman) longest() int {
	for n := 15; n > 0; n-- {
		if h.count[n] > 0 {
			return n
		}
	}
	return 0
}

// complete reports whether zlib takes the set: nothing may be left over but
// beside a single code of one bit, and then only where codes may be missing.
func complete(h *huffman, left int, lone bool) bool {
	switch {
	case left < 0:
		return false
	case left == 0, h.empty:
		return true
	}
	return lone && h.longest() == 1
}

// decode reads a symbol; -1 for bits that are no code.
func (z *inflater) decode(h *huffman) int {
	if h.empty {
		z.take(1)
		return -1
	}
	code, first, index := 0, 0, 0
	longest := h.longest()
	for n := 1; n <= longest; n++ {
		code |= z.take(1)
		count := h.count[n]
		if code-first < count {
			return h.symbols[index+code-first]
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return -1
}

// codeOrder is the order in which the lengths of code lengths' codes come.
var codeOrder = [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

func (z *inflater) dynamic() {
	z.need(14)
	nlen, ndist, ncode := z.take(5)+257, z.take(5)+1, z.take(4)+4
	if nlen > 286 || ndist > 30 {
		z.fail("too many length or distance symbols")
	}
	var codes [19]int
	for i := range ncode {
		codes[codeOrder[i]] = z.take(3)
	}
	h, left := makeHuffman(codes[:])
	if !complete(h, left, false) {
		z.fail("invalid code lengths set")
	}
	lengths := make([]int, 0, nlen+ndist)
	for len(lengths) < nlen+ndist {
		symbol := z.decode(h)
		if symbol < 0 {
			// Without any code zlib reads lengths of zero, a bit each.
			symbol = 0
		}
		if symbol < 16 {
			lengths = append(lengths, symbol)
			continue
		}
		length, count := 0, 0
		switch symbol {
		case 16:
			z.need(2)
			if len(lengths) == 0 {
				z.fail("invalid bit length repeat")
			}
			length, count = lengths[len(lengths)-1], 3+z.take(2)
		case 17:
			count = 3 + z.take(3)
		default:
			count = 11 + z.take(7)
		}
		if len(lengths)+count > nlen+ndist {
			z.fail("invalid bit length repeat")
		}
		for range count {
			lengths = append(lengths, length)
		}
	}
	if lengths[256] == 0 {
		z.fail("invalid code -- missing end-of-block")
	}
	lit, left := makeHuffman(lengths[:nlen])
	if !complete(lit, left, true) {
		z.fail("invalid literal/lengths set")
	}
	dist, left := makeHuffman(lengths[nlen:])
	if !complete(dist, left, true) {
		z.fail("invalid distances set")
	}
	z.block(lit, dist)
}

var (
	fixedHuffman = sync.OnceValues(fixedCodes)

	lengthBase = [29]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits = [29]uint{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase   = [30]int{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distBits   = [30]uint{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

func fixedCodes() (lit, dist *huffman) {
	lengths := make([]int, 288)
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	lit, _ = makeHuffman(lengths)
	lengths = make([]int, 32)
	for i := range lengths {
		lengths[i] = 5
	}
	dist, _ = makeHuffman(lengths)
	return lit, dist
}

// block reads the symbols of a compressed block.
func (z *inflater) block(lit, dist *huffman) {
	for {
		symbol := z.decode(lit)
		switch {
		case symbol < 0 || symbol > 285:
			z.fail("invalid literal/length code")
		case symbol < 256:
			z.room(1)
			z.out = append(z.out, byte(symbol))
			continue
		case symbol == 256:
			return
		}
		length := lengthBase[symbol-257] + z.take(lengthBits[symbol-257])
		symbol = z.decode(dist)
		if symbol < 0 || symbol > 29 {
			z.fail("invalid distance code")
		}
		distance := distBase[symbol] + z.take(distBits[symbol])
		if distance > len(z.out) {
			z.fail("invalid distance too far back")
		}
		z.room(length)
		for range length {
			z.out = append(z.out, z.out[len(z.out)-distance])
		}
	}
}
