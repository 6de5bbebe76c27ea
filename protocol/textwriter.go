// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/base64"
	"sync"
	"unicode/utf8"
)

// TextWriter makes the JSON of a Text out of pieces, while they come: output of
// megabytes is escaped beside the command that prints it, and is never moved
// again. Its slabs come from a stock, to which a Stream gives them back once they
// are written. The zero value is an empty text.
type TextWriter struct {
	slabs [][]byte // escaped; or, with raw, as it came
	size  int      // bytes of the text
	tail  [utf8.UTFMax]byte
	held  int  // bytes in tail: the beginning of a character
	raw   bool // it is not UTF-8
}

const (
	// smallPiece is what is rather copied than kept apart.
	smallPiece = 1 << 10
	// mediumSlab is the size of a slab of a text of some pages, largeSlab once a text
	// is long.
	mediumSlab = 64 << 10
	largeSlab  = 256 << 10
)

// stock keeps some slabs for the texts to come: fresh memory takes longer to get,
// to clear and to collect than to write text into.
type stock struct {
	mu     sync.Mutex
	medium [][]byte
	large  [][]byte
}

// stocked is how many slabs of a size are kept.
const stocked = 4

var slabStock stock

// get returns an empty slab for size bytes, at most largeSlab.
func (s *stock) get(size int) []byte {
	kept, full := &s.large, largeSlab
	switch {
	case size <= 8*smallPiece:
		return make([]byte, 0, size)
	case size <= mediumSlab:
		kept, full = &s.medium, mediumSlab
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(*kept) - 1; n >= 0 {
		slab := (*kept)[n]
		*kept = (*kept)[:n]
		return slab
	}
	return make([]byte, 0, full)
}

// put takes memory that nobody uses any more, and keeps it if it is a slab.
func (s *stock) put(b []byte) {
	kept := &s.large
	switch cap(b) {
	case mediumSlab:
		kept = &s.medium
	case largeSlab:
	default:
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(*kept) < stocked {
		*kept = append(*kept, b[:0])
	}
}

// Len is the number of bytes of the text.
func (w *TextWriter) Len() int { return w.size }

// Append adds a piece, which stays the caller's.
func (w *TextWriter) Append(b []byte) {
	w.size += len(b)
	for w.held > 0 && len(b) > 0 {
		w.tail[w.held] = b[0]
		w.held++
		b = b[1:]
		if first := w.tail[:w.held]; utf8.FullRune(first) {
			w.held = 0
			w.text(first)
		}
	}
	n := WholeRunes(b)
	w.text(b[:n])
	if w.raw {
		w.keep(b[n:])
	} else if n < len(b) {
		w.held = copy(w.tail[:], b[n:])
	}
}

// text adds whole characters, or what turns out to be none.
func (w *TextWriter) text(b []byte) {
	if !w.raw && !utf8.Valid(b) {
		w.unescape()
	}
	if w.raw {
		w.keep(b)
		return
	}
	for len(b) > 0 {
		slab := w.slab()
		// Text grows by less than a quarter, as a rule; if not, the slab does.
		n := min(len(b), (cap(slab)-len(slab))*4/5)
		if n < min(len(b), smallPiece) {
			w.grow(len(b) + len(b)/4 + smallPiece)
			continue
		}
		w.slabs[len(w.slabs)-1] = appendEscaped(slab, b[:n])
		b = b[n:]
	}
}

func (w *TextWriter) slab() []byte {
	if len(w.slabs) == 0 {
		return nil
	}
	return w.slabs[len(w.slabs)-1]
}

// grow begins a slab: the first one for so many bytes, later ones for many.
func (w *TextWriter) grow(size int) {
	if len(w.slabs) > 0 {
		size = largeSlab
	}
	w.slabs = append(w.slabs, slabStock.get(min(size, largeSlab)))
}

// keep adds bytes as they are.
func (w *TextWriter) keep(b []byte) {
	for len(b) > 0 {
		slab := w.slab()
		n := min(len(b), cap(slab)-len(slab))
		if n == 0 {
			w.grow(len(b) + smallPiece)
			continue
		}
		w.slabs[len(w.slabs)-1] = append(slab, b[:n]...)
		b = b[n:]
	}
}

// unescape turns to bytes as they came.
func (w *TextWriter) unescape() {
	w.raw = true
	for i, slab := range w.slabs {
		// It never grows, and no escape is in two slabs.
		text, _ := appendUnescaped(make([]byte, 0, len(slab)), slab)
		w.slabs[i] = text
	}
}

// Reset makes w empty.
func (w *TextWriter) Reset() { *w = TextWriter{} }

// Bytes are those of the text, in fresh memory.
func (w *TextWriter) Bytes() []byte {
	out := make([]byte, 0, w.size)
	for _, slab := range w.slabs {
		if w.raw {
			out = append(out, slab...)
		} else {
			out, _ = appendUnescaped(out, slab)
		}
	}
	return append(out, w.tail[:w.held]...)
}

// appendParts adds the text's JSON to parts. The last part may be appended to;
// the others are w's.
func (w *TextWriter) appendParts(parts [][]byte) [][]byte {
	last := len(parts) - 1
	if w.raw || w.held > 0 {
		parts[last] = append(parts[last], `{"base64":"`...)
		parts[last] = base64.StdEncoding.AppendEncode(parts[last], w.Bytes())
		parts[last] = append(parts[last], `"}`...)
		return parts
	}
	parts[last] = append(parts[last], '"')
	for _, slab := range w.slabs {
		if len(slab) <= smallPiece {
			parts[last] = append(parts[last], slab...)
			continue
		}
		parts = append(parts, slab, nil)
		last = len(parts) - 1
	}
	parts[last] = append(parts[last], '"')
	return parts
}

// WholeRunes is where an unfinished character at the end of b starts, len(b)
// when there is none.
func WholeRunes(b []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(b); back++ {
		if c := b[len(b)-back]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-back:]) {
				return len(b) - back
			}
			break
		}
	}
	return len(b)
}
