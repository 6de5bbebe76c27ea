// SPDX-License-Identifier: GPL-2.0-or-later

package graph

import (
	"slices"

	"hgbroker/worker/hg/node"
)

// Placed is where one revision of a graph stands, for a client that draws with
// lines instead of characters.
type Placed struct {
	Column  int // of the node, from 0
	Columns int // how many are in use in this row
	Lines   []Line
}

// Line leads from a column of this row to a column of the next one; To is -1 for
// an edge of type Missing, which ends at once.
type Line struct {
	From, To int
	Type     EdgeType
}

// Columns gives each revision a column, newest first, in the way of hg's web
// graph (graphmod.colored): a revision stands where its first child wanted it,
// its first parent below it.
type Columns struct {
	open []Edge // what is expected further down, by column, and what leads there
}

// Place is the row of rev, whose edges a Walker has found.
func (c *Columns) Place(rev node.Rev, edges []Edge) Placed {
	at := slices.IndexFunc(c.open, func(e Edge) bool { return e.Rev == rev })
	if at < 0 {
		at = len(c.open)
		c.open = append(c.open, Edge{Parent, rev})
	}
	row := Placed{Column: at, Columns: len(c.open)}
	next := slices.Delete(slices.Clone(c.open), at, at+1)
	for i, e := range edges {
		if e.Type != Missing && column(next, e.Rev) < 0 {
			next = slices.Insert(next, min(at+i, len(next)), e)
		}
	}
	for i, e := range c.open {
		if i != at {
			row.Lines = append(row.Lines, Line{i, column(next, e.Rev), e.Type})
		}
	}
	for _, e := range edges {
		to := -1
		if e.Type != Missing {
			to = column(next, e.Rev)
		}
		row.Lines = append(row.Lines, Line{at, to, e.Type})
	}
	c.open = next
	return row
}

func column(open []Edge, rev node.Rev) int {
	return slices.IndexFunc(open, func(e Edge) bool { return e.Rev == rev })
}
