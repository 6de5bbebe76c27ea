// SPDX-License-Identifier: GPL-2.0-or-later

package patch

import (
	"encoding/binary"
	"hash/adler32"
)

// A binary patch holds what Python's zlib.compress makes, so its bytes are those
// of the zlib library at level 6, and any other compressor (that of Go, too)
// chooses other matches and other blocks. This file chooses the matches, by the
// method of zlib's deflate.c; huffman.go writes the blocks as its trees.c does.
// The format itself is RFC 1950 and RFC 1951.
//
// Strings of three bytes are chained by a hash, newest first. At each position
// the longest match is looked for, but a match waits for the next position: if
// that has a longer one, the byte between becomes a literal. The window slides
// by half of its 64 KiB; what a position's chain can still reach depends on it.

const (
	windowSize   = 1 << 15
	minMatch     = 3
	maxMatch     = 258
	minLookahead = maxMatch + minMatch + 1
	maxDistance  = windowSize - minLookahead
	tooFar       = 4096 // a match of three bytes is no gain farther away
	blockSymbols = 1<<14 - 1

	// What level 6 means.
	goodLength = 8   // with a match this long, the next search is short
	maxLazy    = 16  // and with one this long, there is none
	niceLength = 128 // a search ends with a match this long
	maxChain   = 128
)

type deflater struct {
	data []byte
	base int // where the window begins; nothing before it, or at it, can be matched
	head [windowSize]int32
	prev [windowSize]int32
	huff huffman
}

// deflated is data as a zlib stream.
func deflated(data []byte) []byte {
	d := &deflater{data: data}
	d.huff.out = append(d.huff.out, 0x78, 0x9c)
	d.huff.start()
	d.run()
	return binary.BigEndian.AppendUint32(d.huff.out, adler32.Checksum(data))
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
		if candidate > d.base && prevLength < maxLazy && at-candidate <= maxDistance {
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
	chain := maxChain
	if best >= goodLength {
		chain >>= 2
	}
	nice := min(niceLength, ahead)
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
