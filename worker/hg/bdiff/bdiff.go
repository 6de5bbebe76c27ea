// SPDX-License-Identifier: GPL-2.0-or-later

// Package bdiff finds the lines that two texts have in common: the same blocks,
// to the line, that Mercurial finds (mercurial/bdiff.c, mercurial/mdiff.py), so
// that diff, annotate and followlines choose the same hunks.
//
// The method, in prose. Lines of b are put into classes of equal lines, and the
// lines of a class are chained from the last to the first. A line of a points
// to the chain of its class, unless that class is popular: then it matches
// only as part of a block that begins elsewhere. The longest run of equal lines
// is found by walking the chains of a's lines in order, each match growing the
// run that ended one line before it in both texts. Among runs of one length the
// one nearer to the middle of a (but not after it) wins, which balances what is
// left on both sides; both sides are then searched alike. At last each block is
// pushed down as far as the lines below it allow.
//
// A search looks at the last 30,000 lines of a's side only, and the memory of
// earlier searches is kept between them; both show in the result, so both are
// as hg has them.
//
// The package knows nothing of files, hunks or options' names; it refuses
// nothing, and its time is bounded as hg's is: by popularity and window.
package bdiff

import "bytes"

const (
	// window is how many lines of a one search looks at.
	window = 30000
	// popularFrom is the length of b, in lines, from which on a line is popular
	// in proportion to it.
	popularFrom = 31000
)

// A Block is lines A1 to A2 of one text (from 0, without A2) that equal lines
// B1 to B2 of the other.
type Block struct {
	A1, A2, B1, B2 int
}

// Blocks are the matching blocks of two texts in order, and last an empty one
// at the end of both.
func Blocks(a, b []byte) []Block {
	var d Differ
	return d.Blocks(Split(a), Split(b))
}

// A Differ compares texts, one pair after the other, in the same memory. Its
// zero value is ready. It must not be used by two goroutines at once.
type Differ struct {
	table  []entry
	a, b   []line
	runs   []run
	todo   []piece
	blocks []Block
}

// entry is one class of equal lines of b in the hash table.
type entry struct {
	hash  uint32
	last  int32 // the last line of b of this class, plus 1; 0 in an unused entry
	count int32
}

// line is what the search knows of one line.
type line struct {
	class int32 // equal for equal lines; -1 for a line of a that b lacks
	next  int32 // in b: the line before it of the same class; in a: the last of b's; -1 ends
}

// run is the latest run of equal lines that ended at one line of b.
type run struct {
	end int32 // the line of a it ended at
	len int32
}

// piece is a range of both texts to be searched, once the block is out.
type piece struct {
	Block
	found Block
}

// Blocks compares the lines of two texts. The slice is good until the next call.
func (d *Differ) Blocks(a, b *Lines) []Block {
	d.blocks = d.blocks[:0]
	d.classify(a, b)
	d.runs = grow(d.runs, b.Len())
	clear(d.runs)
	d.search(Block{0, a.Len(), 0, b.Len()})
	d.blocks = append(d.blocks, Block{a.Len(), a.Len(), b.Len(), b.Len()})
	d.sink(a.Len(), b.Len())
	return d.blocks
}

// classify fills d.a and d.b.
func (d *Differ) classify(a, b *Lines) {
	size := 4
	for size < 4*(b.Len()+1) {
		size *= 2
	}
	mask := uint32(size - 1)
	d.table = grow(d.table, size)
	clear(d.table)
	d.a, d.b = grow(d.a, a.Len()), grow(d.b, b.Len())
	for i := range b.hashes {
		hash, text := b.hashes[i], b.Line(i)
		at := hash & mask
		e := &d.table[at]
		for e.last != 0 && !(e.hash == hash && bytes.Equal(b.Line(int(e.last-1)), text)) {
			at = (at + 1) & mask
			e = &d.table[at]
		}
		d.b[i] = line{class: int32(at), next: e.last - 1}
		e.hash, e.last = hash, int32(i+1)
		e.count++
	}
	popular := 1000000 / (b.Len() + 1)
	if b.Len() >= popularFrom {
		popular = b.Len() / 1000
	}
	for i := range a.hashes {
		hash, text := a.hashes[i], a.Line(i)
		at := hash & mask
		e := &d.table[at]
		for e.last != 0 && !(e.hash == hash && bytes.Equal(b.Line(int(e.last-1)), text)) {
			at = (at + 1) & mask
			e = &d.table[at]
		}
		switch {
		case e.last == 0:
			d.a[i] = line{class: -1, next: -1}
		case int(e.count) <= popular:
			d.a[i] = line{class: int32(at), next: e.last - 1}
		default:
			d.a[i] = line{class: int32(at), next: -1}
		}
	}
}

// search appends the blocks within p, in order. What is left of a block is
// searched before what is right of it, since searches share d.runs.
func (d *Differ) search(p Block) {
	d.todo = d.todo[:0]
	for {
		found := d.longest(int32(p.A1), int32(p.A2), int32(p.B1), int32(p.B2))
		if found.A1 < found.A2 {
			d.todo = append(d.todo, piece{Block{found.A2, p.A2, found.B2, p.B2}, found})
			p = Block{p.A1, found.A1, p.B1, found.B1}
			continue
		}
		last := len(d.todo) - 1
		if last < 0 {
			return
		}
		d.blocks = append(d.blocks, d.todo[last].found)
		p = d.todo[last].Block
		d.todo = d.todo[:last]
	}
}

// longest finds the longest run of equal lines within a range of both texts.
func (d *Differ) longest(a1, a2, b1, b2 int32) Block {
	la, lb, runs := d.a, d.b, d.runs
	bestA, bestB, best := a1, b1, int32(0)
	if a2-a1 > window {
		a1 = a2 - window
	}
	half, halfB := (a1+a2-1)/2, (b1+b2-1)/2
	for i := a1; i < a2; i++ {
		j := la[i].next
		for j >= b2 {
			j = lb[j].next
		}
		for ; j >= b1; j = lb[j].next {
			// How long is the run that ends at these two lines?
			n := int32(1)
			for ; j-n >= b1 && i-n >= a1; n++ {
				if runs[j-n].end == i-n {
					n += runs[j-n].len
					break
				}
				if la[i-n].class != lb[j-n].class {
					break
				}
			}
			runs[j] = run{i, n}
			switch {
			case n > best:
				bestA, bestB, best = i, j, n
			case n < best:
			case i > bestA && i <= half && j > b1:
				bestA, bestB = i, j
			case i == bestA && (bestB > halfB || i == a1):
				bestB = j
			}
		}
	}
	if best > 0 {
		bestA, bestB = bestA-best+1, bestB-best+1
	}
	// Popular lines begin no run, but may follow one.
	for bestA+best < a2 && bestB+best < b2 && la[bestA+best].class == lb[bestB+best].class {
		best++
	}
	return Block{int(bestA), int(bestA + best), int(bestB), int(bestB + best)}
}

// sink pushes each block down while it touches the next one in one of the
// texts and the line below it is equal in both.
func (d *Differ) sink(an, bn int) {
	for i := 0; i+1 < len(d.blocks); i++ {
		cur, next := &d.blocks[i], &d.blocks[i+1]
		if cur.A2 != next.A1 && cur.B2 != next.B1 {
			continue
		}
		for cur.A2 < an && cur.B2 < bn && next.A1 < next.A2 && next.B1 < next.B2 &&
			d.a[cur.A2].class == d.b[cur.B2].class {
			cur.A2++
			cur.B2++
			next.A1++
			next.B1++
		}
	}
}

// grow returns a slice of n elements, in s if that is large enough. What is in
// it is undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
