// SPDX-License-Identifier: GPL-2.0-or-later

package bdiff

import (
	"bytes"
	"math"
)

// This is the other way of finding blocks, experimental.xdiff: that of LibXDiff
// as Mercurial brings it (mercurial/thirdparty/xdiff). Myers' algorithm ("An
// O(ND) Difference Algorithm and its Variations") walks from both ends of a box
// until the walks meet, divides the box there, and gives up on the shortest way
// when that gets dear. Before it, lines without a counterpart are put aside, and
// so are lines with many among these; after it, groups of changed lines are
// moved to where they look best (slide.go).

const (
	reserved     = 100  // equal lines at both ends that stay, for groups to move in
	maxEqual     = 1024 // a line with so many equals, or more, is one of many
	scanWindow   = 100
	runsPerMatch = 4
	minCost      = 256 // the cost from which on the walk looks for a good place to stop
	snakeLength  = 20  // equal lines in a row that make a place good
	costFactor   = 4
)

// xfile is one of the texts.
type xfile struct {
	lines *Lines
	class []line
	// changed has a place before the first line, and one after the last.
	changed    []bool
	start, end int     // what both texts do not begin or end with
	index      []int32 // the lines that take part in the search
	ids        []int32 // and their classes
}

func (f *xfile) isChanged(i int) bool { return f.changed[i+1] }
func (f *xfile) set(i int, on bool)   { f.changed[i+1] = on }

// same tells whether two lines of the text are equal.
func (f *xfile) same(i, j int) bool {
	return f.lines.hashes[i] == f.lines.hashes[j] && bytes.Equal(f.lines.Line(i), f.lines.Line(j))
}

// XdiffBlocks is Blocks by experimental.xdiff. Its last block is what both texts
// end with, and is empty only if that is nothing.
func XdiffBlocks(a, b *Lines) []Block {
	before, after := commonEnds(a.text, b.text)
	if before > 0 || after > 0 {
		a, b = Split(a.Span(before, a.Len()-after)), Split(b.Span(before, b.Len()-after))
	}
	var d Differ
	d.classify(a, b)
	x := &xfile{lines: a, class: d.a, changed: make([]bool, a.Len()+2)}
	y := &xfile{lines: b, class: d.b, changed: make([]bool, b.Len()+2)}
	ends(x, y)
	inA := make([]int32, len(d.table))
	for _, l := range d.a {
		if l.class >= 0 {
			inA[l.class]++
		}
	}
	x.choose(func(class int32) int {
		if class < 0 {
			return 0
		}
		return int(d.table[class].count)
	})
	y.choose(func(class int32) int { return int(inA[class]) })

	diagonals := len(x.ids) + len(y.ids) + 3
	w := walk{a: x, b: y, origin: len(y.ids) + 1, forward: make([]int, diagonals+1), backward: make([]int, diagonals+1)}
	w.maxCost = max(roughRoot(diagonals), minCost)
	w.compare(0, len(x.ids), 0, len(y.ids), false)
	compact(x, y)
	compact(y, x)
	return x.blocks(y, before, after)
}

// blocks are the lines between the changed ones.
func (f *xfile) blocks(g *xfile, before, after int) []Block {
	var out []Block
	an, bn := f.lines.Len(), g.lines.Len()
	from := Block{}
	for i, j := 0, 0; i < an || j < bn; {
		if !f.isChanged(i) && !g.isChanged(j) {
			i, j = i+1, j+1
			continue
		}
		if a, b := i+before, j+before; a > from.A1 || b > from.B1 {
			out = append(out, Block{from.A1, a, from.B1, b})
		}
		for f.isChanged(i) {
			i++
		}
		for g.isChanged(j) {
			j++
		}
		from = Block{A1: i + before, B1: j + before}
	}
	return append(out, Block{from.A1, an + before + after, from.B1, bn + before + after})
}

// commonEnds counts the lines that both texts begin and end with, less those
// that are reserved. It goes by bytes, and by those of the shorter text.
func commonEnds(a, b []byte) (before, after int) {
	if len(a) >= len(b) {
		a, b = b, a
	}
	start := 0
	for start < len(a) && a[start] == b[start] {
		if a[start] == '\n' {
			before++
		}
		start++
	}
	shift := len(b) - len(a)
	for i := len(a) - 1; i > start && a[i] == b[i+shift]; i-- {
		if a[i] == '\n' {
			after++
		}
	}
	if before -= reserved; before <= 1 {
		before = 0
	}
	if after -= reserved; after <= 1 {
		after = 0
	} else if a[len(a)-1] == '\n' {
		after--
	}
	return before, after
}

// ends finds the first and the last line that differ.
func ends(a, b *xfile) {
	an, bn := len(a.class), len(b.class)
	n := 0
	for n < min(an, bn) && a.class[n].class == b.class[n].class {
		n++
	}
	a.start, b.start = n, n
	end := 0
	for end < min(an, bn)-n && a.class[an-1-end].class == b.class[bn-1-end].class {
		end++
	}
	a.end, b.end = an-end, bn-end
}

// roughRoot is a power of two near the square root.
func roughRoot(n int) int {
	root := 1
	for ; n > 0; n >>= 2 {
		root <<= 1
	}
	return root
}

// What a line has in the other text.
const (
	noEqual = iota
	fewEqual
	manyEqual
)

// choose puts aside what cannot be matched, and what is not worth it.
func (f *xfile) choose(equals func(class int32) int) {
	limit := min(roughRoot(len(f.class)), maxEqual)
	kinds := make([]byte, len(f.class))
	for i := f.start; i < f.end; i++ {
		switch n := equals(f.class[i].class); {
		case n == 0:
		case n >= limit:
			kinds[i] = manyEqual
		default:
			kinds[i] = fewEqual
		}
	}
	for i := f.start; i < f.end; i++ {
		if kinds[i] == fewEqual || kinds[i] == manyEqual && !f.aside(kinds, i) {
			f.index = append(f.index, int32(i))
			f.ids = append(f.ids, f.class[i].class)
		} else {
			f.set(i, true)
		}
	}
}

// aside tells whether a line with many equals lies among lines without any.
func (f *xfile) aside(kinds []byte, i int) bool {
	first, last := max(f.start, i-scanWindow), min(f.end-1, i+scanWindow)
	without, many := 0, 2
	for _, step := range [2]int{-1, 1} {
		found := 0
	scan:
		for j := i + step; j >= first && j <= last; j += step {
			switch kinds[j] {
			case noEqual:
				found++
			case manyEqual:
				many++
			default:
				break scan
			}
		}
		if found == 0 {
			return false
		}
		without += found
	}
	return many*runsPerMatch < many+without
}

// walk is the search. A diagonal is the difference of the positions in both
// texts; forward and backward hold how far in a each one was followed.
type walk struct {
	a, b              *xfile
	forward, backward []int
	origin            int // place of diagonal 0
	maxCost           int
}

// compare marks what has changed within a box. Within a thorough one the search
// does not stop before its end.
func (w *walk) compare(a1, a2, b1, b2 int, thorough bool) {
	ia, ib := w.a.ids, w.b.ids
	for {
		for a1 < a2 && b1 < b2 && ia[a1] == ib[b1] {
			a1, b1 = a1+1, b1+1
		}
		for a1 < a2 && b1 < b2 && ia[a2-1] == ib[b2-1] {
			a2, b2 = a2-1, b2-1
		}
		if a1 == a2 {
			for ; b1 < b2; b1++ {
				w.b.set(int(w.b.index[b1]), true)
			}
			return
		}
		if b1 == b2 {
			for ; a1 < a2; a1++ {
				w.a.set(int(w.a.index[a1]), true)
			}
			return
		}
		a, b, low, high := w.split(a1, a2, b1, b2, thorough)
		w.compare(a1, a, b1, b, low)
		a1, b1, thorough = a, b, high
	}
}

// split finds where to divide a box, and which parts are to be searched
// thoroughly: those that a walk has gone through are.
func (w *walk) split(a1, a2, b1, b2 int, thorough bool) (a, b int, low, high bool) {
	ia, ib, o := w.a.ids, w.b.ids, w.origin
	kf, kb := w.forward, w.backward
	dmin, dmax := a1-b2, a2-b1
	fmid, bmid := a1-b1, a2-b2
	odd := (fmid-bmid)&1 != 0
	fmin, fmax, bmin, bmax := fmid, fmid, bmid, bmid
	kf[o+fmid], kb[o+bmid] = a1, a2
	for cost := 1; ; cost++ {
		snake := false
		if fmin > dmin {
			fmin--
			kf[o+fmin-1] = -1
		} else {
			fmin++
		}
		if fmax < dmax {
			fmax++
			kf[o+fmax+1] = -1
		} else {
			fmax--
		}
		for d := fmax; d >= fmin; d -= 2 {
			i := max(kf[o+d-1]+1, kf[o+d+1])
			from, j := i, i-d
			for i < a2 && j < b2 && ia[i] == ib[j] {
				i, j = i+1, j+1
			}
			snake = snake || i-from > snakeLength
			kf[o+d] = i
			if odd && bmin <= d && d <= bmax && kb[o+d] <= i {
				return i, j, true, true
			}
		}
		if bmin > dmin {
			bmin--
			kb[o+bmin-1] = math.MaxInt
		} else {
			bmin++
		}
		if bmax < dmax {
			bmax++
			kb[o+bmax+1] = math.MaxInt
		} else {
			bmax--
		}
		for d := bmax; d >= bmin; d -= 2 {
			i := min(kb[o+d-1], kb[o+d+1]-1)
			from, j := i, i-d
			for i > a1 && j > b1 && ia[i-1] == ib[j-1] {
				i, j = i-1, j-1
			}
			snake = snake || from-i > snakeLength
			kb[o+d] = i
			if !odd && fmin <= d && d <= fmax && i <= kf[o+d] {
				return i, j, true, true
			}
		}
		if thorough {
			continue
		}
		if snake && cost > minCost {
			best := 0
			for d := fmax; d >= fmin; d -= 2 {
				i := kf[o+d]
				j := i - d
				v := i - a1 + j - b1 - abs(d-fmid)
				if v > costFactor*cost && v > best && a1+snakeLength <= i && i < a2 && b1+snakeLength <= j && j < b2 &&
					equalRun(ia[i-snakeLength:i], ib[j-snakeLength:j]) {
					best, a, b = v, i, j
				}
			}
			if best > 0 {
				return a, b, true, false
			}
			for d := bmax; d >= bmin; d -= 2 {
				i := kb[o+d]
				j := i - d
				v := a2 - i + b2 - j - abs(d-bmid)
				if v > costFactor*cost && v > best && a1 < i && i <= a2-snakeLength && b1 < j && j <= b2-snakeLength &&
					equalRun(ia[i:i+snakeLength], ib[j:j+snakeLength]) {
					best, a, b = v, i, j
				}
			}
			if best > 0 {
				return a, b, false, true
			}
		}
		if cost < w.maxCost {
			continue
		}
		// Too dear: take the place that was got to farthest.
		far, farA := -1, -1
		for d := fmax; d >= fmin; d -= 2 {
			i := min(kf[o+d], a2)
			if b2 < i-d {
				i = b2 + d
			}
			if far < 2*i-d {
				far, farA = 2*i-d, i
			}
		}
		near, nearA := math.MaxInt, math.MaxInt
		for d := bmax; d >= bmin; d -= 2 {
			i := max(a1, kb[o+d])
			if i-d < b1 {
				i = b1 + d
			}
			if 2*i-d < near {
				near, nearA = 2*i-d, i
			}
		}
		if a2+b2-near < far-(a1+b1) {
			return farA, far - farA, true, false
		}
		return nearA, near - nearA, false, true
	}
}

func abs(n int) int { return max(n, -n) }

func equalRun(a, b []int32) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
