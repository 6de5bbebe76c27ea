// SPDX-License-Identifier: GPL-2.0-or-later

package deflate

import (
	"math/bits"
	"sync"
)

// huffman collects the literals and matches of a block and writes the block in
// the shortest of the three forms of RFC 1951. How codes of the same frequency
// are ranked, and what is done when a code gets too long, is zlib's.
type huffman struct {
	out     []byte
	acc     uint64
	nbits   uint
	symbols []symbol

	literals, distances, lengths tree
	bits, fixedBits              int // what the block takes with its own trees, and with the fixed ones
}

// symbol is a literal, or, with a distance, a match.
type symbol struct {
	distance uint16
	value    uint16 // the byte, or the length less 3
}

const (
	endOfBlock   = 256
	numLiterals  = 286
	numDistances = 30
	numLengths   = 19
	maxBits      = 15
	maxNodes     = 2*numLiterals + 1

	repeatLast  = 16 // 3 to 6 times, 2 bits
	repeatZero  = 17 // 3 to 10 times, 3 bits
	repeatZeros = 18 // 11 to 138 times, 7 bits
)

// tree is a Huffman code. A node's length stands in the place of its parent
// once that is no more needed.
type tree struct {
	freq    [maxNodes]int
	length  [maxNodes]int // in bits
	parent  [maxNodes]int
	code    [numLiterals]uint16
	maxCode int

	size      int
	maxLength int
	extra     []int // extra bits of the codes from extraBase on
	extraBase int
	fixed     []int // lengths of the fixed code
}

var (
	lengthExtra   = []int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distanceExtra = []int{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
	repeatExtra   = []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7}
	// lengthOrder is the order in which the lengths' own lengths are written.
	lengthOrder = [numLengths]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

	fixedLiterals  = sync.OnceValue(fixedLengths)
	fixedDistances = sync.OnceValue(func() []int { return repeated(5, numDistances) })
	lengthBases    = append(bases(lengthExtra[:28]), maxMatch-minMatch)
	distanceBases  = bases(distanceExtra)
)

func repeated(n, count int) []int {
	out := make([]int, count)
	for i := range out {
		out[i] = n
	}
	return out
}

// fixedLengths has two codes more than are used, which shift the others.
func fixedLengths() []int {
	out := append(repeated(8, 144), repeated(9, 112)...)
	return append(append(out, repeated(7, 24)...), repeated(8, 8)...)
}

func bases(extra []int) []int {
	out := make([]int, len(extra))
	for i := 1; i < len(extra); i++ {
		out[i] = out[i-1] + 1<<extra[i-1]
	}
	return out
}

// lengthCode is the code of a match's length, less 3.
func lengthCode(n int) int {
	if n == maxMatch-minMatch {
		return len(lengthExtra) - 1
	}
	return logCode(n, 2, 8)
}

// distanceCode is the code of a match's distance, less 1.
func distanceCode(n int) int { return logCode(n, 1, 4) }

// logCode numbers ranges of 1<<k values: the first ones of one value each, then
// for each further bit of n as many ranges as there are of `bits` bits.
func logCode(n, low, first int) int {
	if n < first {
		return n
	}
	shift := bits.Len(uint(n)) - 1 - low
	return shift<<low + n>>shift
}

func (h *huffman) start() {
	h.literals.size, h.literals.maxLength = numLiterals, maxBits
	h.literals.extra, h.literals.extraBase, h.literals.fixed = lengthExtra, endOfBlock+1, fixedLiterals()
	h.distances.size, h.distances.maxLength = numDistances, maxBits
	h.distances.extra, h.distances.fixed = distanceExtra, fixedDistances()
	h.lengths.size, h.lengths.maxLength, h.lengths.extra = numLengths, 7, repeatExtra
	h.clear()
}

func (h *huffman) clear() {
	for _, t := range [3]*tree{&h.literals, &h.distances, &h.lengths} {
		clear(t.freq[:])
	}
	h.literals.freq[endOfBlock] = 1
	h.symbols = h.symbols[:0]
	h.bits, h.fixedBits = 0, 0
}

// literal and match add a symbol and tell whether the block is full.
func (h *huffman) literal(c byte) bool {
	h.symbols = append(h.symbols, symbol{0, uint16(c)})
	h.literals.freq[c]++
	return len(h.symbols) == blockSymbols
}

func (h *huffman) match(distance, length int) bool {
	h.symbols = append(h.symbols, symbol{uint16(distance), uint16(length - minMatch)})
	h.literals.freq[endOfBlock+1+lengthCode(length-minMatch)]++
	h.distances.freq[distanceCode(distance-1)]++
	return len(h.symbols) == blockSymbols
}

func (h *huffman) write(value, n int) {
	h.acc |= uint64(value) << h.nbits
	for h.nbits += uint(n); h.nbits >= 8; h.nbits -= 8 {
		h.out = append(h.out, byte(h.acc))
		h.acc >>= 8
	}
}

func (h *huffman) align() {
	if h.nbits > 0 {
		h.write(0, int(8-h.nbits))
	}
}

// flush writes a block, which stands for data. It may be stored only if storable.
func (h *huffman) flush(data []byte, storable, last bool) {
	h.build(&h.literals)
	h.build(&h.distances)
	h.countLengths(&h.literals)
	h.countLengths(&h.distances)
	h.build(&h.lengths)
	numOrder := numLengths
	for numOrder > 4 && h.lengths.length[lengthOrder[numOrder-1]] == 0 {
		numOrder--
	}
	h.bits += 3*numOrder + 5 + 5 + 4
	size, fixed := (h.bits+3+7)/8, (h.fixedBits+3+7)/8
	final := 0
	if last {
		final = 1
	}
	switch {
	case len(data)+4 <= min(size, fixed) && storable:
		h.write(final, 3)
		h.align()
		n := len(data)
		h.out = append(h.out, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8))
		h.out = append(h.out, data...)
	case fixed <= size:
		h.write(1<<1+final, 3)
		copy(h.literals.length[:], fixedLiterals()[:numLiterals])
		copy(h.distances.length[:], fixedDistances())
		h.literals.assign(fixedLiterals())
		h.distances.assign(fixedDistances())
		h.block()
	default:
		h.write(2<<1+final, 3)
		h.write(h.literals.maxCode+1-257, 5)
		h.write(h.distances.maxCode+1-1, 5)
		h.write(numOrder-4, 4)
		for _, n := range lengthOrder[:numOrder] {
			h.write(h.lengths.length[n], 3)
		}
		h.literals.assign(h.literals.length[:h.literals.maxCode+1])
		h.distances.assign(h.distances.length[:h.distances.maxCode+1])
		h.lengths.assign(h.lengths.length[:h.lengths.maxCode+1])
		h.writeLengths(&h.literals)
		h.writeLengths(&h.distances)
		h.block()
	}
	h.clear()
	if last {
		h.align()
	}
}

func (h *huffman) put(t *tree, code int) { h.write(int(t.code[code]), t.length[code]) }

// block writes the symbols by the codes that are set.
func (h *huffman) block() {
	for _, s := range h.symbols {
		if s.distance == 0 {
			h.put(&h.literals, int(s.value))
			continue
		}
		code := lengthCode(int(s.value))
		h.put(&h.literals, endOfBlock+1+code)
		h.write(int(s.value)-lengthBases[code], lengthExtra[code])
		code = distanceCode(int(s.distance) - 1)
		h.put(&h.distances, code)
		h.write(int(s.distance)-1-distanceBases[code], distanceExtra[code])
	}
	h.put(&h.literals, endOfBlock)
}

// assign gives out the codes of some lengths, in order, first bit lowest.
func (t *tree) assign(lengths []int) {
	var count, next [maxBits + 1]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	for n := 1; n <= maxBits; n++ {
		next[n] = (next[n-1] + count[n-1]) << 1
	}
	for i, n := range lengths {
		if n > 0 && i < t.size {
			t.code[i] = bits.Reverse16(uint16(next[n])) >> (16 - n)
		}
		if n > 0 {
			next[n]++
		}
	}
}

// runs calls each for every run of equal lengths of a tree's codes, cut as the
// format can write them: code is the length's or that of a repetition.
func (t *tree) runs(each func(code, extra int)) {
	last := -1
	for i := 0; i <= t.maxCode; {
		length := t.length[i]
		most, least := 7, 4
		switch {
		case length == 0:
			most, least = 138, 3
		case length == last:
			most, least = 6, 3
		}
		n := 1
		for n < most && i+n <= t.maxCode && t.length[i+n] == length {
			n++
		}
		i += n
		switch {
		case n < least:
			for range n {
				each(length, 0)
			}
		case length != 0:
			if length != last {
				each(length, 0)
				n--
			}
			each(repeatLast, n-3)
		case n <= 10:
			each(repeatZero, n-3)
		default:
			each(repeatZeros, n-11)
		}
		last = length
	}
}

func (h *huffman) countLengths(t *tree) {
	t.runs(func(code, _ int) { h.lengths.freq[code]++ })
}

func (h *huffman) writeLengths(t *tree) {
	t.runs(func(code, extra int) {
		h.put(&h.lengths, code)
		h.write(extra, repeatExtra[code])
	})
}
