// SPDX-License-Identifier: GPL-2.0-or-later

package graph

import (
	"slices"

	"hgbroker/worker/hg/node"
)

// Columns that end get at least this many lines: node, "|" and "~" (or node
// and "~" in a shortened graph).
const (
	linesToEnd          = 3
	linesToEndShortened = 2
)

// endEdges draws the end of edges that lead to nothing shown, below the node
// ("|" then "~"), closes their columns, and moves the columns right of them to
// the left on the last lines.
func (d *Drawer) endEdges(lines []line, extra line) []line {
	if !d.ends {
		return lines
	}
	d.ends = false // below, or another changeset has taken the column
	var ended []node.Rev
	for rev, cell := range d.edges {
		if cell == ending {
			ended = append(ended, rev)
		}
	}
	if len(ended) == 0 {
		return lines
	}
	// Only edges with another to their right make room that must be closed.
	open := 0
	for i := 0; i < len(extra); i += 2 {
		if extra[i] != ending {
			open = i + 1
		}
	}
	gaps := 0
	for i := 0; i < open; i += 2 {
		if extra[i] == ending {
			gaps++
		}
	}
	shift := max(2*gaps-1, 0)
	least := linesToEnd
	if d.styles.Shorten {
		least = linesToEndShortened
	}
	for len(lines) < least+shift {
		lines = append(lines, d.clone(extra, 0))
	}
	if shift > 0 {
		shiftLeft(lines[len(lines)-shift:], extra)
	}
	for i, l := range lines {
		fill := " "
		switch {
		case i == 1 && d.styles.Shorten, i == 2 && !d.styles.Shorten:
			fill = "~"
		case i == 1:
			fill = "|"
		}
		for j, c := range l {
			if c == ending {
				l[j] = fill
			}
		}
	}
	for _, rev := range ended {
		delete(d.edges, rev)
		if i := slices.Index(d.seen, rev); i >= 0 {
			d.seen = slices.Delete(d.seen, i, i+1)
		}
	}
	return lines
}

// shiftLeft moves the columns right of the first ending one by one cell a line
// towards where they will be once all ending ones are gone.
func shiftLeft(lines []line, extra line) {
	first := slices.Index(extra, ending)
	var from, at, target []int
	for i := first; i < len(extra); i += 2 {
		if extra[i] != ending {
			target = append(target, first+2*len(from))
			from = append(from, i)
		}
	}
	at = slices.Clone(from)
	for _, l := range lines {
		for i := first; i < len(l); i++ {
			l[i] = " "
		}
		for i := range at {
			pos := at[i] - 1
			at[i] = max(pos, target[i])
			cell := "/"
			if pos <= target[i] {
				cell = extra[from[i]]
			}
			// A column that has arrived is drawn one cell further left on the
			// lines after, and left of the first cell means the last one:
			// that is what hg prints.
			if pos < 0 {
				pos += len(l)
			}
			if pos >= 0 && pos < len(l) {
				l[pos] = cell
			}
		}
	}
}
