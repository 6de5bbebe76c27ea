// SPDX-License-Identifier: GPL-2.0-or-later

package annotate

// The versions of one file share nearly all of their lines, and each is compared
// with its parents. So lines are numbered once for all versions, and compared by
// number; and the lines at both ends that two versions have in common are not
// searched when it can be told what a search would find.
//
// The search itself is that of package bdiff, which tells how it goes (and a
// test compares the two): the longest run of equal lines is a block, and what is
// left on its sides is searched alike. The rule for leaving it out: a run that is
// longer than any other is what a search finds. Let p be the length of the common
// start and s that of the common end. Every run, apart from these two, consists of
// lines that are not in them, or that occur more than once in the newer version:
// a line that occurs once there has one partner only, the one that it has in the
// common start or end. So no other run is longer than the longest row of such
// lines, and a start or an end that is longer than that row is a block.

const (
	window      = 30000 // how many lines of one search count (bdiff's window)
	popularFrom = 31000 // lines from which on popularity is a share of them
)

// block is lines a1 to a2 of the older and b1 to b2 of the newer version, equal.
type block struct{ a1, a2, b1, b2 int32 }

// run is the latest run of equal lines that ended at one line of b.
type run struct{ end, len int32 }

// piece is a range to be searched, once the block is out.
type piece struct{ rest, found block }

// differ compares versions in the same memory. count and last have room for all
// line numbers and are zero between calls.
type differ struct {
	count []int32 // how often each line occurs in b
	last  []int32 // the last line of b with that number within the range, plus 1
	next  []int32 // by line of b: the one before it with its number, or -1
	runs  []run
	todo  []piece
	out   []block
	limit int32 // a line that occurs more often is popular
}

// blocks are the matching blocks of two versions in order, and last an empty one
// at the end of both. p and s are how many lines they have in common at the
// start and at the end, both as many as possible. lines is how many numbers there
// are. The slice is good until the next call.
func (d *differ) blocks(a, b []int32, p, s, lines int) []block {
	if len(d.count) < lines {
		d.count = make([]int32, 2*lines)
		d.last = make([]int32, 2*lines)
	}
	for _, id := range b {
		d.count[id]++
	}
	d.limit = int32(1000000 / (len(b) + 1))
	if len(b) >= popularFrom {
		d.limit = int32(len(b) / 1000)
	}
	d.out = d.out[:0]
	rest := block{0, int32(len(a)), 0, int32(len(b))}
	end := rest
	// A popular first line is found by another way than the rest.
	if len(a) <= window && len(b) < popularFrom && !(p > 0 && d.count[a[0]] > d.limit) {
		rest, end = d.peel(a, rest, int32(p), int32(s))
	}
	if rest.a1 < rest.a2 && rest.b1 < rest.b2 {
		d.search(a, b, rest)
	}
	if end.a1 < end.a2 && end.a1 == rest.a2 {
		d.out = append(d.out, end)
	}
	d.out = append(d.out, block{int32(len(a)), int32(len(a)), int32(len(b)), int32(len(b))})
	d.sink(a, b)
	for _, id := range b {
		d.count[id] = 0
	}
	return d.out
}

// peel takes off the common start, which goes to d.out, and the common end where
// they are sure to be blocks. end is empty if it is not.
func (d *differ) peel(a []int32, rest block, p, s int32) (left, end block) {
	end = block{rest.a2, rest.a2, rest.b2, rest.b2}
	for p > 0 || s > 0 {
		room := min(rest.a2-rest.a1, rest.b2-rest.b1)
		p, s = min(p, room), min(s, room)
		other := d.longestOther(a[rest.a1:rest.a2], p, s)
		// A run counts up to its last line that is not popular.
		first, last := p, s
		for first > 0 && d.count[a[rest.a1+first-1]] > d.limit {
			first--
		}
		for last > 0 && d.count[a[rest.a2-1-(s-last)]] > d.limit {
			last--
		}
		either := p+s <= room || rest.a2-rest.a1 == rest.b2-rest.b1
		switch {
		case first > other && (first > last || first == last && either):
			d.out = append(d.out, block{rest.a1, rest.a1 + p, rest.b1, rest.b1 + p})
			rest.a1, rest.b1 = rest.a1+p, rest.b1+p
			p = 0
		case last > other && (last > first || first == last && either):
			end = block{rest.a2 - s, rest.a2, rest.b2 - s, rest.b2}
			rest.a2, rest.b2 = end.a1, end.b1
			s = 0
		default:
			return rest, end
		}
	}
	return rest, end
}

// longestOther is the longest row of lines that a run may consist of beside the
// common start and end.
func (d *differ) longestOther(a []int32, p, s int32) int32 {
	var most, row int32
	count := d.count
	scan := func(part []int32) {
		for _, id := range part {
			if count[id] == 1 {
				row = 0
				continue
			}
			if row++; row > most {
				most = row
			}
		}
	}
	n := int32(len(a))
	if p+s >= n {
		scan(a)
		return most
	}
	scan(a[:p])
	row += n - s - p
	most = max(most, row)
	scan(a[n-s:])
	return most
}

// search appends the blocks within a range, in order.
func (d *differ) search(a, b []int32, p block) {
	if cap(d.next) < len(b) {
		d.next = make([]int32, len(b)+len(b)/4)
		d.runs = make([]run, len(b)+len(b)/4)
	}
	d.next, d.runs = d.next[:len(b)], d.runs[:len(b)]
	clear(d.runs)
	for j := p.b1; j < p.b2; j++ {
		d.next[j] = d.last[b[j]] - 1
		d.last[b[j]] = j + 1
	}
	whole := p
	d.todo = d.todo[:0]
	for {
		found := d.longest(a, b, p)
		if found.a1 < found.a2 {
			d.todo = append(d.todo, piece{block{found.a2, p.a2, found.b2, p.b2}, found})
			p = block{p.a1, found.a1, p.b1, found.b1}
			continue
		}
		n := len(d.todo) - 1
		if n < 0 {
			break
		}
		d.out = append(d.out, d.todo[n].found)
		p = d.todo[n].rest
		d.todo = d.todo[:n]
	}
	for _, id := range b[whole.b1:whole.b2] {
		d.last[id] = 0
	}
}

// longest finds the longest run of equal lines within a range. Of two it is the
// one nearer to the middle of a, but not after it.
func (d *differ) longest(a, b []int32, p block) block {
	a1 := p.a1
	bestA, bestB, best := p.a1, p.b1, int32(0)
	if p.a2-a1 > window {
		a1 = p.a2 - window
	}
	half, halfB := (a1+p.a2-1)/2, (p.b1+p.b2-1)/2
	for i := a1; i < p.a2; i++ {
		id := a[i]
		if d.count[id] > d.limit {
			continue
		}
		j := d.last[id] - 1
		for j >= p.b2 {
			j = d.next[j]
		}
		for ; j >= p.b1; j = d.next[j] {
			n := int32(1)
			for ; j-n >= p.b1 && i-n >= a1; n++ {
				if before := d.runs[j-n]; before.end == i-n {
					n += before.len
					break
				}
				if a[i-n] != b[j-n] {
					break
				}
			}
			d.runs[j] = run{i, n}
			switch {
			case n > best:
				bestA, bestB, best = i, j, n
			case n < best:
			case i > bestA && i <= half && j > p.b1:
				bestA, bestB = i, j
			case i == bestA && (bestB > halfB || i == a1):
				bestB = j
			}
		}
	}
	if best > 0 {
		bestA, bestB = bestA-best+1, bestB-best+1
	}
	for bestA+best < p.a2 && bestB+best < p.b2 && a[bestA+best] == b[bestB+best] {
		best++
	}
	return block{bestA, bestA + best, bestB, bestB + best}
}

// sink pushes each block down while it touches the next one in one version and
// the line below it is equal in both.
func (d *differ) sink(a, b []int32) {
	for i := 0; i+1 < len(d.out); i++ {
		cur, next := &d.out[i], &d.out[i+1]
		if cur.a2 != next.a1 && cur.b2 != next.b1 {
			continue
		}
		for int(cur.a2) < len(a) && int(cur.b2) < len(b) && next.a1 < next.a2 && next.b1 < next.b2 && a[cur.a2] == b[cur.b2] {
			cur.a2++
			cur.b2++
			next.a1++
			next.b1++
		}
	}
}
