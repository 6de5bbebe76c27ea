// SPDX-License-Identifier: GPL-2.0-or-later

// Package deflate packs data as the zlib library does, to the byte: what Python
// writes into binary patches and archives is what zlib makes, and any other
// compressor (that of Go, too) chooses other matches and other blocks.
//
// It makes the streams of levels 6 and 9 of data that is in memory as a whole.
// Handing zlib the same data in pieces makes the same stream, as long as nothing
// is flushed between.
//
// This file chooses the matches, by the method of zlib's deflate.c; huffman.go
// writes the blocks as its trees.c does. The formats themselves are RFC 1950 and
// RFC 1951.
//
// Strings of three bytes are chained by a hash, newest first. At each position
// the longest match is looked for, but a match waits for the next position: if
// that has a longer one, the byte between becomes a literal. The window slides
// by half of its 64 KiB; what a position's chain can still reach depends on it.
package deflate

import (
	"encoding/binary"
	"hash/adler32"
)

const (
	windowSize   = 1 << 15
	minMatch     = 3
	maxMatch     = 258
	minLookahead = maxMatch + minMatch + 1
	maxDistance  = windowSize - minLookahead
	tooFar       = 4096 // a match of three bytes is no gain farther away
	blockSymbols = 1<<14 - 1
)

// Level is how much is looked for.
type Level struct {
	goodLength int // with a match this long, the next search is short
	maxLazy    int // and with one this long, there is none
	niceLength int // a search ends with a match this long
	maxChain   int
}

// The levels, by zlib's numbers.
var (
	Level6 = Level{goodLength: 8, maxLazy: 16, niceLength: 128, maxChain: 128}
	Level9 = Level{goodLength: 32, maxLazy: 258, niceLength: 258, maxChain: 4096}
)

type deflater struct {
	Level
	data []byte
	base int // where the window begins; nothing before it, or at it, can be matched
	head [windowSize]int32
	prev [windowSize]int32
	huff huffman
}

// Zlib is data as a zlib stream of level 6.
func Zlib(data []byte) []byte {
	out := Append([]byte{0x78, 0x9c}, data, Level6)
	return binary.BigEndian.AppendUint32(out, adler32.Checksum(data))
}

// Append adds data as a stream of its own, without a head and without a sum
// behind it.
func Append(out, data []byte, level Level) []byte {
	d := &deflater{Level: level, data: data}
	d.huff.out = out
	d.huff.start()
	d.run()
	return d.huff.out
}

// insert adds the string at a position to its chain and returns the one before.
func (d *deflater) insert(at int) int {
	b := d.data[at : at+3]
	h := (uint32(b[0])<<10 ^ uint32(b[1])<<5 ^ uint32(b[2])) & (windowSize - 1)
	before := d.head[h]
	d.prev[at&(windowSize-1)] = before
	d.head[h] = int32(at)
	return int(before)
}

func (d *deflater) run() {
	block := 0 // where the current block begins
	end := len(d.data)
	length, match := minMatch-1, 0
	pending := false // the byte before has not been written
	at := 0
	flush := func(last bool) {
		// A block whose beginning has left the window cannot be stored.
		stored := d.data[block:at]
		d.huff.flush(stored, block >= d.base, last)
		block = at
	}
	for at < end {
		// The library refills its window when little is left of it.
		if min(end, d.base+2*windowSize)-at < minLookahead && at-d.base >= windowSize+maxDistance {
			d.base += windowSize
		}
		ahead := min(end, d.base+2*windowSize) - at
		candidate := 0
		if ahead >= minMatch {
			candidate = d.insert(at)
		}
		prevLength, prevMatch := length, match
		length = minMatch - 1
		if candidate > d.base && prevLength < d.maxLazy && at-candidate <= maxDistance {
			length, match = d.longest(at, candidate, prevLength, ahead, match)
			if length == minMatch && at-match > tooFar {
				length = minMatch - 1
			}
		}
		switch {
		case prevLength >= minMatch && length <= prevLength:
			full := d.huff.match(at-1-prevMatch, prevLength)
			last := at + ahead - minMatch
			for stop := at + prevLength - 2; at < stop; {
				if at++; at <= last {
					d.insert(at)
				}
			}
			at++
			pending, length = false, minMatch-1
			if full {
				flush(false)
			}
		case pending:
			if d.huff.literal(d.data[at-1]) {
				flush(false)
			}
			at++
		default:
			pending = true
			at++
		}
	}
	if pending {
		d.huff.literal(d.data[at-1])
	}
	flush(true)
}

// longest follows a chain to the longest match at a position that is longer
// than best. Without one it returns best (or what is ahead) and the old match.
func (d *deflater) longest(at, candidate, best, ahead, match int) (int, int) {
	chain := d.maxChain
	if best >= d.goodLength {
		chain >>= 2
	}
	nice := min(d.niceLength, ahead)
	limit := max(at-maxDistance, d.base)
	if best >= ahead {
		return ahead, match
	}
	scan := d.data[at : at+min(maxMatch, ahead)]
	for {
		m := d.data[candidate:]
		if m[best] == scan[best] && m[best-1] == scan[best-1] && m[0] == scan[0] {
			n := 1
			for n < len(scan) && m[n] == scan[n] {
				n++
			}
			if n > best {
				match, best = candidate, n
				if n >= nice {
					break
				}
			}
		}
		candidate = int(d.prev[candidate&(windowSize-1)])
		if chain--; candidate <= limit || chain == 0 {
			break
		}
	}
	return best, match
}
