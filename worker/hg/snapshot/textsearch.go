// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/node"
)

// searchBlock is how many texts are searched together.
const searchBlock = 4096

// TextSearch tells which texts may contain a string, without case. It goes
// through the bytes of many texts at once, when the first of them is asked
// about.
type TextSearch struct {
	t      *Texts
	part   []byte // in lower case; nil: it is not in ASCII
	rare   int    // the index of its rarest byte
	line   bool   // it has no newline
	blocks []bool
	maybe  []uint64
	surely []uint64
}

// Search prepares the search for a string in lower case.
func (t *Texts) Search(part string) *TextSearch {
	s := &TextSearch{t: t, blocks: make([]bool, t.Len()/searchBlock+1), maybe: make([]uint64, t.Len()/64+1), surely: make([]uint64, t.Len()/64+1)}
	for i := range len(part) {
		if part[i] >= utf8.RuneSelf {
			return s
		}
	}
	s.part = []byte(part)
	s.line = bytes.IndexByte(s.part, '\n') < 0
	for i, c := range s.part {
		if rarity(c) > rarity(s.part[s.rare]) {
			s.rare = i
		}
	}
	return s
}

// rarity orders bytes by how seldom they are in texts like these.
func rarity(c byte) int {
	if i := strings.IndexByte(" eatoirnsldchmupgfby0123456789wkv-.,:;/_'()xjzq", c); i >= 0 {
		return i
	}
	return 256
}

// May tells whether a text may contain the string: false only if it is in ASCII
// and does not. Surely tells that it is in ASCII, and the string is in its user, in
// the name of a file or in its description; false may mean that it was not looked
// at.
func (s *TextSearch) May(rev node.Rev) (may, surely bool) {
	if len(s.part) == 0 && s.part != nil || rev < 0 || int(rev) >= s.t.Len() {
		return true, false
	}
	if b := int(rev) / searchBlock; !s.blocks[b] {
		s.blocks[b] = true
		s.block(b*searchBlock, min((b+1)*searchBlock, s.t.Len()))
	}
	return s.maybe[rev/64]>>(rev%64)&1 != 0, s.surely[rev/64]>>(rev%64)&1 != 0
}

// block searches the texts from from up to to.
func (s *TextSearch) block(from, to int) {
	starts := s.t.starts
	begin, end := starts[from], starts[to]
	if begin > end || end > uint64(len(s.t.data)) {
		for rev := from; rev < to; rev++ {
			s.maybe[rev/64] |= 1 << (rev % 64)
		}
		return
	}
	data := s.t.data[begin:end]
	// found takes the text that stands around a position, where it is not in ASCII
	// or the string begins, and returns where the next one begins.
	found := func(at int, is bool) int {
		next, same := slices.BinarySearch(starts[from:to+1], begin+uint64(at))
		if same { // behind all empty texts
			for next < to-from && starts[from+next+1] == begin+uint64(at) {
				next++
			}
			next++
		}
		rev := from + next - 1
		bit := uint64(1) << (rev % 64)
		if is && s.line && s.maybe[rev/64]&bit == 0 {
			if c, err := changelog.Parse(s.t.Text(node.Rev(rev))); err == nil && c.IsText(at-int(starts[rev]-begin), len(s.part)) {
				s.surely[rev/64] |= bit
			}
		}
		s.maybe[rev/64] |= bit
		return int(starts[rev+1] - begin)
	}
	for at := 0; at < len(data); {
		i := nonASCII(data[at:])
		if i < 0 {
			break
		}
		at = found(at+i, false)
	}
	if s.part == nil {
		return
	}
	c := s.part[s.rare]
	s.each(data, c, found)
	if c >= 'a' && c <= 'z' {
		s.each(data, c-('a'-'A'), found)
	}
}

// each finds the string by the places of its rarest byte.
func (s *TextSearch) each(data []byte, c byte, found func(at int, is bool) int) {
	for at := s.rare; at < len(data); {
		i := bytes.IndexByte(data[at:], c)
		if i < 0 {
			return
		}
		at += i
		if start := at - s.rare; start+len(s.part) <= len(data) && equalFold(data[start:start+len(s.part)], s.part) {
			at = max(at+1, found(start, true))
			continue
		}
		at++
	}
}

// equalFold compares ASCII with what is in lower case, and as long.
func equalFold(text, lower []byte) bool {
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// nonASCII is the index of the first byte that is not ASCII, -1 without one.
func nonASCII(b []byte) int {
	const high = 0x8080808080808080
	i := 0
	for ; i+32 <= len(b); i += 32 {
		c := b[i : i+32 : i+32]
		if (binary.LittleEndian.Uint64(c)|binary.LittleEndian.Uint64(c[8:])|
			binary.LittleEndian.Uint64(c[16:])|binary.LittleEndian.Uint64(c[24:]))&high != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if b[i] >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}
