// SPDX-License-Identifier: GPL-2.0-or-later

package graph

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"hgbroker/worker/hg/node"
)

// Styles holds the text of edges. An empty one makes edges of that type end
// below the node instead of being drawn further.
type Styles struct {
	Parent      string // experimental.graphstyle.parent
	Grandparent string // experimental.graphstyle.grandparent
	Missing     string // experimental.graphstyle.missing
	Shorten     bool   // experimental.graphshorten
}

// Default is how hg draws without configuration.
var Default = Styles{Parent: "|", Grandparent: ":", Missing: ""}

// Plain is how hg draws under HGPLAIN (unless HGPLAINEXCEPT=graph).
var Plain = Styles{Parent: "|", Grandparent: "|", Missing: "|"}

// Row is one changeset to draw.
type Row struct {
	Rev    node.Rev
	Symbol string // "o", "@", ...
	Edges  []Edge // as Walker.Edges gives them
	// Text returns the lines beside the node, without newlines. width is the
	// {graphwidth}: how many columns the graph takes on the line of the node.
	Text func(width int) ([]string, error)
}

// Drawer writes rows; it remembers the open columns between them.
type Drawer struct {
	w      io.Writer
	styles Styles
	// seen is the revision that each open column leads to, left to right.
	seen []node.Rev
	// edges is the text of the column of a revision; "" is an edge that ends.
	edges    map[node.Rev]string
	ends     bool // some of edges may end
	lastDiff int
	lastIdx  int
	out      bytes.Buffer

	// Memory that each row uses again.
	blocks       []block
	known, fresh []node.Rev
	spare        []node.Rev // that of seen before
	cells        line
	lines        []line
}

// NewDrawer returns a Drawer with no open columns.
func NewDrawer(w io.Writer, styles Styles) *Drawer {
	return &Drawer{w: w, styles: styles, edges: make(map[node.Rev]string)}
}

// Draw writes one row.
func (d *Drawer) Draw(row Row) error {
	d.cells = d.cells[:0]
	blocks := d.layout(row)
	text, err := row.Text(blocks[0].width)
	if err != nil {
		return err
	}
	for i := range blocks {
		d.block(&blocks[i], text, &d.out)
		text = nil
	}
	_, err = d.w.Write(d.out.Bytes())
	d.out.Reset()
	return err
}

// link leads from a column to a column of the next row.
type link struct{ from, to int }

// block is a node line, or an expansion line below it, and what leads down
// from it.
type block struct {
	symbol string
	width  int    // columns of text that the graph takes
	idx    int    // column of the node
	links  []link // edges from the node to columns that were open before
	ncols  int    // open columns
	diff   int    // columns more (or fewer) in the next row: -1, 0 or 1
}

// layout gives the row's node a column, opens columns for the parents that
// have none, and says which blocks draw that. A block can add one column only,
// so a node with more than two new parents takes several.
func (d *Drawer) layout(row Row) []block {
	if !slices.Contains(d.seen, row.Rev) {
		d.seen = append(d.seen, row.Rev)
	}
	idx := slices.Index(d.seen, row.Rev)
	known, fresh := d.known[:0], d.fresh[:0]
	for _, e := range row.Edges {
		if e.Rev == row.Rev {
			continue // the null revision is its own parent
		}
		if slices.Contains(d.seen, e.Rev) {
			known = append(known, e.Rev)
			continue
		}
		fresh = append(fresh, e.Rev)
		style := d.style(e.Type)
		d.edges[e.Rev] = style
		d.ends = d.ends || style == ending
	}
	ncols := len(d.seen)
	width := 1 + 2*ncols
	d.known, d.fresh = known, fresh
	next := append(append(append(d.spare[:0], d.seen[:idx]...), fresh...), d.seen[idx+1:]...)
	var links []link
	for _, p := range known {
		links = append(links, link{idx, slices.Index(next, p)})
	}
	d.seen, d.spare = next, d.seen

	blocks := d.blocks[:0]
	symbol := row.Symbol
	for len(fresh) > 2 {
		links = append(links, link{idx, idx}, link{idx, idx + 1})
		width += 2
		blocks = append(blocks, block{symbol: symbol, width: width, idx: idx, links: links, ncols: ncols, diff: 1})
		symbol = `\`
		idx++
		ncols++
		links = nil
		fresh = fresh[1:]
	}
	if len(fresh) > 0 {
		links = append(links, link{idx, idx})
	}
	if len(fresh) > 1 {
		links = append(links, link{idx, idx + 1})
	}
	diff := len(next) - ncols
	if diff > 0 {
		width += 2
	}
	delete(d.edges, row.Rev)
	d.blocks = append(blocks, block{symbol: symbol, width: width, idx: idx, links: links, ncols: ncols, diff: diff})
	return d.blocks
}

func (d *Drawer) style(t EdgeType) string {
	switch t {
	case Grandparent:
		return d.styles.Grandparent
	case Missing:
		return d.styles.Missing
	default:
		return d.styles.Parent
	}
}

// A line is drawn in cells of one column each; edges are at even positions and
// what is between them at odd ones. The empty cell is an edge that ends.
type line []string

const ending = ""

// clone is a copy of cells, in memory that the next row uses again, with room for
// more of them.
func (d *Drawer) clone(cells line, more int) line {
	at, n := len(d.cells), len(cells)+more
	if cap(d.cells)-at < n {
		at, d.cells = 0, make(line, 0, max(2*cap(d.cells), 4*n))
	}
	d.cells = d.cells[:at+n]
	return append(d.cells[at:at:at+n], cells...)
}

// block draws one block and the text beside it.
func (d *Drawer) block(b *block, text []string, out *bytes.Buffer) {
	cells := d.clone(nil, 2*max(len(d.seen), b.ncols+b.diff))
	for _, rev := range d.seen {
		cell, ok := d.edges[rev]
		if !ok {
			cell = "|"
		}
		cells = append(cells, cell, " ")
	}
	for len(cells) < 2*(b.ncols+b.diff) {
		cells = append(cells, "|", " ")
	}
	if b.diff == -1 {
		// A column closes: edges to the right end one further right, since the
		// columns move left only on the line below.
		for i, l := range b.links {
			if l.to > l.from {
				b.links[i].to++
			}
		}
	}
	// An edge that jumps over columns is drawn as a horizontal line through
	// the node; with text below, the columns that then move left do so one
	// line later.
	pad := len(text) > 2 && b.diff == -1 &&
		slices.ContainsFunc(b.links, func(l link) bool { return l.from+1 < l.to })
	fixTail := len(text) <= 2 && !pad

	nodeLine := append(d.clone(cells[:min(2*b.idx, len(cells))], len(cells)), b.symbol, " ")
	nodeLine = append(nodeLine, d.tail(cells, b, fixTail)...)

	between := d.clone(cells[:min(2*b.idx, len(cells))], len(cells)+2)
	for range 2 + b.diff {
		between = append(between, " ")
	}
	right := b.ncols - b.idx - 1
	switch b.diff {
	case -1:
		between = fill(between, "/", right)
	case 0:
		between = append(between, cells[min(2*(b.idx+1), len(cells)):min(2*b.ncols, len(cells))]...)
	default:
		between = fill(between, `\`, right)
	}
	drawLinks(cells, b.links, nodeLine, between)

	lines := append(d.lines[:0], nodeLine)
	if pad {
		lines = append(lines, paddingLine(cells, b))
	}
	if !d.styles.Shorten || slices.ContainsFunc(between, func(c string) bool { return c != "" && strings.Contains(`\/`, c) }) {
		lines = append(lines, between)
	}
	extra := d.clone(cells[:min(2*(b.ncols+b.diff), len(cells))], 0)
	for len(lines) < len(text) {
		more := extra
		if d.ends {
			more = d.clone(extra, 0) // endEdges draws in it
		}
		lines = append(lines, more)
	}
	lines = d.endEdges(lines, extra)
	d.lines = lines

	indent := 2 * max(b.ncols, b.ncols+b.diff)
	buf := out.AvailableBuffer()
	for i, l := range lines {
		start := len(buf)
		for _, c := range l {
			if len(c) == 1 {
				buf = append(buf, c[0])
			} else {
				buf = append(buf, c...)
			}
		}
		for len(buf)-start < indent {
			buf = append(buf, ' ')
		}
		buf = append(buf, ' ')
		if i < len(text) {
			buf = append(buf, text[i]...)
		}
		for len(buf) > start && strings.IndexByte(" \t\n\r\v\f", buf[len(buf)-1]) >= 0 {
			buf = buf[:len(buf)-1]
		}
		buf = append(buf, '\n')
	}
	out.Write(buf)
	d.lastDiff = b.diff
	d.lastIdx = b.idx
}

func fill(l line, c string, n int) line {
	for range n {
		l = append(l, c, " ")
	}
	return l
}

// tail is the node line right of the node. With little text, columns that
// keep moving in the same direction do so on the node line as well.
func (d *Drawer) tail(cells line, b *block, fix bool) line {
	right := b.ncols - b.idx - 1
	if fix && b.diff == d.lastDiff && b.diff != 0 {
		if b.diff == -1 {
			start := max(b.idx+1, d.lastIdx)
			t := slices.Clone(cells[min(2*b.idx, len(cells)):max(min(2*(start-1), len(cells)), min(2*b.idx, len(cells)))])
			return fill(t, "/", b.ncols-start)
		}
		return fill(nil, `\`, right)
	}
	if right <= 0 {
		return nil
	}
	return cells[max(len(cells)-2*right, 0):]
}

func drawLinks(cells line, links []link, nodeLine, between line) {
	for _, l := range links {
		switch {
		case l.from == l.to+1:
			between[2*l.to+1] = "/"
		case l.from == l.to-1:
			between[2*l.from+1] = `\`
		case l.from == l.to:
			between[2*l.from] = cells[2*l.from]
		case 2*l.to < len(nodeLine):
			nodeLine[2*l.to] = "+"
			lo, hi := min(l.from, l.to), max(l.from, l.to)
			for i := 2*lo + 1; i < 2*hi; i++ {
				if nodeLine[i] != "+" {
					nodeLine[i] = "-"
				}
			}
		}
	}
}

// paddingLine keeps all columns straight, and the node's own if it goes on.
func paddingLine(cells line, b *block) line {
	l := slices.Clone(cells[:min(2*b.idx, len(cells))])
	if slices.Contains(b.links, link{b.idx, b.idx - 1}) || slices.Contains(b.links, link{b.idx, b.idx}) {
		l = append(l, cells[min(2*b.idx, len(cells)):min(2*(b.idx+1), len(cells))]...)
	} else {
		l = append(l, " ", " ")
	}
	if right := b.ncols - b.idx - 1; right > 0 {
		l = append(l, cells[max(len(cells)-2*right, 0):]...)
	}
	return l
}
