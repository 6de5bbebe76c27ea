// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"slices"

	"hgbroker/worker/hg/node"
)

// gathering makes a Dirstate of entries as they stand in a file. Their text is in
// memory of the reader's, which it gives to finish.
type gathering struct {
	d      *Dirstate
	sorted bool     // each path is greater than the one before
	copies []source // as they come
	order  []int32  // of the copies' entries, as hg comes to them; nil: that of copies
}

// source is what an entry is a copy of.
type source struct {
	entry      int32
	at, length uint32
}

func newGathering(d *Dirstate, entries int) *gathering {
	d.entries = make(words, 0, entries*entryWords)
	return &gathering{d: d, sorted: true}
}

// add takes an entry, of which the path is in the text, and returns its number.
func (g *gathering) add(at, length uint32, i Item) int32 {
	g.d.entries = append(g.d.entries, at, length, uint32(i.Flags), uint32(i.Mode), uint32(i.Size), uint32(i.MtimeS), uint32(i.MtimeNS))
	return int32(g.d.Len() - 1)
}

// finish sorts. Of two entries for one path the later one counts, but what they are
// copies of hg has in a table of its own.
func (g *gathering) finish(text []byte) *Dirstate {
	d := g.d
	d.text = stringOf(text)
	number := func(entry int32) int32 { return entry }
	if !g.sorted {
		became := d.sort()
		number = func(entry int32) int32 { return became[entry] }
	}
	for i, c := range g.copies {
		c.entry = number(c.entry)
		g.copies[i] = c
		d.entries[int(c.entry)*entryWords+2] |= copiedFlag
	}
	if g.order == nil {
		for _, c := range g.copies {
			d.places = append(d.places, uint32(c.entry))
		}
	}
	for _, entry := range g.order {
		d.places = append(d.places, uint32(number(entry)))
	}
	slices.SortStableFunc(g.copies, func(a, b source) int { return int(a.entry) - int(b.entry) })
	for i, c := range g.copies {
		if i+1 < len(g.copies) && g.copies[i+1].entry == c.entry {
			continue
		}
		d.copies = append(d.copies, uint32(c.entry), c.at, c.length)
	}
	return d
}

// sort sorts the entries by path, leaves the last of those that have the same, and
// returns what number each one has become.
func (d *Dirstate) sort() []int32 {
	order := byPath(d)
	became, sorted := make([]int32, len(order)), make(words, 0, len(d.entries))
	last, n := "", 0
	for _, i := range order {
		path := d.Path(int(i))
		if n > 0 && path == last {
			sorted = sorted[:len(sorted)-entryWords]
			n--
		}
		sorted = append(sorted, d.entries.record(int(i), entryWords)...)
		became[i] = int32(n)
		last = path
		n++
	}
	d.entries = sorted
	return became
}

// byPath is the order of the entries by path; equal ones stay in their order. hg
// writes long runs that are sorted, which are merged.
func byPath(d *Dirstate) []int32 {
	order, spare := make([]int32, d.Len()), make([]int32, d.Len())
	var ends []int // of the runs
	for i := range order {
		order[i] = int32(i)
		if i > 0 && d.Path(i-1) > d.Path(i) {
			ends = append(ends, i)
		}
	}
	for ends = append(ends, len(order)); len(ends) > 1; {
		from, merged := 0, ends[:0]
		for k := 0; k < len(ends); k += 2 {
			mid, end := ends[k], ends[min(k+1, len(ends)-1)]
			merge(d, spare[from:end], order[from:mid], order[mid:end])
			merged = append(merged, end)
			from = end
		}
		ends = merged
		order, spare = spare, order
	}
	return order
}

// merge merges two runs into one that has room for both.
func merge(d *Dirstate, into, a, b []int32) {
	for len(a) > 0 && len(b) > 0 {
		from := &a
		if d.Path(int(b[0])) < d.Path(int(a[0])) {
			from = &b
		}
		into[0] = (*from)[0]
		*from, into = (*from)[1:], into[1:]
	}
	copy(into[copy(into, a):], b)
}

// New makes a Dirstate of entries, in any order.
func New(p1, p2 node.ID, entries []Entry) *Dirstate {
	g := newGathering(&Dirstate{p1: p1, p2: p2}, len(entries))
	g.sorted = false
	var text []byte
	keep := func(s string) (at, length uint32) {
		text = append(text, s...)
		return uint32(len(text) - len(s)), uint32(len(s))
	}
	for _, e := range entries {
		at, length := keep(e.Path)
		n := g.add(at, length, e.Item)
		if e.CopySource != "" {
			at, length = keep(e.CopySource)
			g.copies = append(g.copies, source{n, at, length})
		}
	}
	return g.finish(text)
}
