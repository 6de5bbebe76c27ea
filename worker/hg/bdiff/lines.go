// SPDX-License-Identifier: GPL-2.0-or-later

package bdiff

import (
	"bytes"
	"hash/maphash"
)

// hashSeed is why no file can be made whose lines collide on purpose. No
// result depends on it.
var hashSeed = maphash.MakeSeed()

// Lines is a text cut after each newline; a last line may lack one. Nothing is
// copied: it holds the text it was made of.
type Lines struct {
	text   []byte
	ends   []int32 // byte offset at which each line ends
	hashes []uint32
}

// Split cuts a text (of less than 2 GiB) into lines. Compare the same Lines
// with as many others as you like: the hashes of the lines are made here.
func Split(text []byte) *Lines {
	l := &Lines{}
	l.Reset(text)
	return l
}

// Reset makes l the lines of another text, in the memory that it has.
func (l *Lines) Reset(text []byte) {
	l.text = text
	l.ends, l.hashes = l.ends[:0], l.hashes[:0]
	if cap(l.ends) == 0 {
		n := bytes.Count(text, newline) + 1
		l.ends, l.hashes = make([]int32, 0, n), make([]uint32, 0, n)
	}
	for start := 0; start < len(text); {
		end := len(text)
		if n := bytes.IndexByte(text[start:], '\n'); n >= 0 {
			end = start + n + 1
		}
		l.ends = append(l.ends, int32(end))
		l.hashes = append(l.hashes, uint32(maphash.Bytes(hashSeed, text[start:end])))
		start = end
	}
}

var newline = []byte{'\n'}

// Len counts the lines.
func (l *Lines) Len() int { return len(l.ends) }

// Text is what was cut.
func (l *Lines) Text() []byte { return l.text }

// Line is line i, from 0, with its newline.
func (l *Lines) Line(i int) []byte { return l.text[l.Offset(i):l.ends[i]] }

// Offset is the byte at which line i begins; that of line Len is the end.
func (l *Lines) Offset(i int) int {
	if i == 0 {
		return 0
	}
	return int(l.ends[i-1])
}

// Span is the text of lines i to j, without j. Bounds past the end mean the end.
func (l *Lines) Span(i, j int) []byte {
	i, j = min(i, l.Len()), min(j, l.Len())
	if i >= j {
		return nil
	}
	return l.text[l.Offset(i):l.Offset(j)]
}

// CountLines counts the lines of a text without cutting it.
func CountLines(text []byte) int {
	n := bytes.Count(text, newline)
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}
