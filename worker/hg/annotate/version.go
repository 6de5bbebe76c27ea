// SPDX-License-Identifier: GPL-2.0-or-later

package annotate

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"

	"hgbroker/worker/hg/bdiff"
)

// version is one version of the file while its lines are being traced.
type version struct {
	text []byte
	// ends are the offsets after each line, ids their numbers. A last line
	// that whitespace options leave nothing of has no number.
	ends []int32
	ids  []int32
	// Where each line comes from: the index of a version, its line number there
	// (from 1), and whether that was guessed because a version was skipped.
	from    []int32
	number  []int32
	skipped []bool // nil: none
}

// lineTable numbers lines: equal lines, as far as the options tell, have equal
// numbers.
type lineTable struct {
	clean   func([]byte) []byte // nil: lines are compared as they are
	ids     map[string]int32
	classes map[string]int32 // of cleaned lines, if there is something to clean
	n       int
}

// cleaner is what whitespace options make of a line; nil if they leave it.
func cleaner(o bdiff.Options) func([]byte) []byte {
	if o.IgnoreAllSpace || o.IgnoreSpaceAmount || o.IgnoreSpaceAtEOL {
		return o.Clean
	}
	return nil
}

func newLineTable(clean func([]byte) []byte) *lineTable {
	return &lineTable{clean: clean, ids: map[string]int32{}, classes: map[string]int32{}}
}

func (t *lineTable) number(line []byte) int32 {
	id, ok := t.ids[string(line)]
	if ok {
		return id
	}
	if t.clean != nil {
		cleaned := t.clean(line)
		if id, ok = t.classes[string(cleaned)]; !ok {
			id = int32(t.n)
			t.n++
			t.classes[string(cleaned)] = id
		}
	} else {
		id = int32(t.n)
		t.n++
	}
	t.ids[string(line)] = id
	return id
}

// split numbers the lines of v.text from start on. v has the lines before.
func (t *lineTable) split(v *version, start, end int) {
	text := v.text
	for start < end {
		stop := lineEnd(text[start:end])
		v.ids = append(v.ids, t.number(text[start:start+stop]))
		start += stop
		v.ends = append(v.ends, int32(start))
	}
}

// lineEnd is the length of the first line of a text.
func lineEnd(text []byte) int {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return i + 1
	}
	return len(text)
}

// read makes v the version with that text. What it has in common with another
// version is not looked at again; like may be nil.
func (t *lineTable) read(v *version, text []byte, like *version) {
	v.text = text
	v.ends, v.ids, v.skipped = v.ends[:0], v.ids[:0], nil
	if like == nil || len(like.ids) != len(like.ends) {
		t.split(v, 0, len(text))
	} else {
		t.patch(v, like)
	}
	if n := len(v.ids); t.clean != nil && n > 0 && text[len(text)-1] != '\n' && len(t.clean(text[v.start(n-1):])) == 0 {
		v.ids = v.ids[:n-1]
	}
}

// patch takes the lines of v from like, but for those between the first and the
// last byte that differ.
func (t *lineTable) patch(v, like *version) {
	old, text := like.text, v.text
	start := commonStart(old, text)
	first := sort.Search(len(like.ends), func(i int) bool { return int(like.ends[i]) > start })
	if first > 0 && old[like.ends[first-1]-1] != '\n' && len(old) != len(text) {
		first-- // a last line without a newline may go on in the other version
	}
	start = 0
	if first > 0 {
		start = int(like.ends[first-1])
	}
	v.ends = append(v.ends, like.ends[:first]...)
	v.ids = append(v.ids, like.ids[:first]...)
	shift := len(text) - len(old)
	tail := commonEnd(old[start:], text[start:])
	// The first line of old that begins in the tail, and where one begins in text.
	after := first + sort.Search(len(like.ends)-first, func(i int) bool {
		at := like.start(first + i)
		return at >= len(old)-tail && (at+shift == 0 || at > len(old)-tail || text[at+shift-1] == '\n')
	})
	end := len(text)
	if after < len(like.ends) {
		end = like.start(after) + shift
	}
	t.split(v, start, end)
	v.ids = append(v.ids, like.ids[after:]...)
	for _, at := range like.ends[after:] {
		v.ends = append(v.ends, at+int32(shift))
	}
}

// start is the offset of a line.
func (v *version) start(i int) int {
	if i == 0 {
		return 0
	}
	return int(v.ends[i-1])
}

// begin makes all lines the version's own, which is number self.
func (v *version) begin(self int32) {
	n := len(v.ends)
	v.from, v.number = slices.Grow(v.from[:0], n)[:n], slices.Grow(v.number[:0], n)[:n]
	for i := range n {
		v.from[i], v.number[i] = self, int32(i+1)
	}
}

// common is how many lines two versions have in common at the start and at the
// end.
func common(a, b []int32) (start, end int) {
	n := min(len(a), len(b))
	for start < n && a[start] == b[start] {
		start++
	}
	for end < n && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return start, end
}

const stride = 512 // bytes compared at once

// commonStart is the length of the longest common prefix.
func commonStart(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+stride <= n && bytes.Equal(a[i:i+stride], b[i:i+stride]) {
		i += stride
	}
	for i+8 <= n {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
		i += 8
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// commonEnd is the length of the longest common suffix.
func commonEnd(a, b []byte) int {
	n := min(len(a), len(b))
	a, b = a[len(a)-n:], b[len(b)-n:]
	i := n
	for i >= stride && bytes.Equal(a[i-stride:i], b[i-stride:i]) {
		i -= stride
	}
	for i >= 8 {
		if x := binary.LittleEndian.Uint64(a[i-8:]) ^ binary.LittleEndian.Uint64(b[i-8:]); x != 0 {
			return n - i + bits.LeadingZeros64(x)/8
		}
		i -= 8
	}
	for i > 0 && a[i-1] == b[i-1] {
		i--
	}
	return n - i
}
