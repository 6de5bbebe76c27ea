// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/graph"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
)

// HistoryQuery says which changesets hg/log is about: those that `hg log` shows
// with the same options.
type HistoryQuery struct {
	Revset string   // "" means all
	Paths  []string // relative to the working directory of the command
	Follow bool
	Graph  bool // in an order that can be drawn
}

// History are the changesets of a query, in hg's order.
func (c *Context) History(q HistoryQuery) (*revset.Set, error) {
	v, err := c.View()
	if err != nil {
		return nil, err
	}
	c.Opts = nil
	c.Opts.Set("follow", cmdline.Value{On: q.Follow, Given: q.Follow})
	c.Opts.Set("graph", cmdline.Value{On: q.Graph, Given: q.Graph})
	if q.Revset != "" {
		c.Opts.Set("rev", cmdline.Value{List: []string{q.Revset}, Given: true})
	}
	c.Args = nil
	for _, p := range q.Paths {
		c.Args = append(c.Args, "relpath:"+p)
	}
	if err := c.unhide(v, c.Opts.List("rev")); err != nil {
		return nil, err
	}
	return c.logSet(v, false)
}

// Drawing places the changesets of a graph in columns.
type Drawing struct {
	walker  *graph.Walker
	columns graph.Columns
	edges   []graph.Edge
}

// NewDrawing starts a drawing of all of revs.
func NewDrawing(v *repo.View, revs *revset.Set) *Drawing {
	return &Drawing{walker: graph.NewWalker(v, revs)}
}

// Place is the place of the next changeset.
func (d *Drawing) Place(rev node.Rev) graph.Placed {
	d.edges = d.walker.Edges(rev, d.edges[:0])
	return d.columns.Place(rev, d.edges)
}
