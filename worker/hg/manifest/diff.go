// SPDX-License-Identifier: GPL-2.0-or-later

package manifest

import (
	"bytes"
	"iter"
)

// Change is a file that differs between two manifests. A side that does not
// have the file is nil.
type Change struct {
	Path []byte // a part of one of the texts
	A, B *Entry
}

// Diff iterates over the files that differ in node or flag between a and b, in
// order. Runs of equal lines are skipped by comparing memory, so that two large
// manifests that differ little cost about as much as reading them once.
//
// It ends with the error of a line that cannot be read.
func Diff(a, b Manifest) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		i, j := 0, 0
		for {
			same := a.commonLines(b, i, j)
			i, j = i+same, j+same
			if i == len(a.text) && j == len(b.text) {
				return
			}
			c, nextA, nextB, err := a.step(b, i, j)
			if err != nil {
				yield(Change{}, err)
				return
			}
			i, j = nextA, nextB
			if c.A != nil && c.B != nil && c.A.Node == c.B.Node && c.A.Flag == c.B.Flag {
				continue
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// step reads the line at i, at j, or both when they are of one file: the ones
// with the smaller path.
func (m Manifest) step(b Manifest, i, j int) (c Change, nextA, nextB int, err error) {
	var ea, eb Entry
	nextA, nextB = i, j
	if i < len(m.text) {
		if ea, nextA, err = m.line(i); err != nil {
			return
		}
		c.A, c.Path = &ea, ea.Path
	}
	if j < len(b.text) {
		if eb, nextB, err = b.line(j); err != nil {
			return
		}
		c.B = &eb
	}
	if c.A == nil {
		c.Path = eb.Path
		return
	}
	if c.B == nil {
		return
	}
	switch cmp := bytes.Compare(ea.Path, eb.Path); {
	case cmp < 0:
		c.B, nextB = nil, j
	case cmp > 0:
		c.A, nextA = nil, i
		c.Path = eb.Path
	}
	return
}

// commonLines returns how many bytes of whole lines are the same from i in m
// and from j in b on.
func (m Manifest) commonLines(b Manifest, i, j int) int {
	x, y := m.text[i:], b.text[j:]
	n := commonPrefix(x, y)
	if n == len(x) && n == len(y) {
		return n
	}
	return bytes.LastIndexByte(x[:n], '\n') + 1
}

// commonPrefix returns the length of the longest common prefix.
func commonPrefix(x, y []byte) int {
	n := min(len(x), len(y))
	pos := 0
	for block := 64; pos < n; {
		size := min(block, n-pos)
		if bytes.Equal(x[pos:pos+size], y[pos:pos+size]) {
			pos += size
			block = min(2*block, 1<<20)
			continue
		}
		if size > 64 {
			block = max(64, size/8)
			continue
		}
		for x[pos] == y[pos] {
			pos++
		}
		return pos
	}
	return n
}
