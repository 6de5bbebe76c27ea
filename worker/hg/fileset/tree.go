// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

// Tree is a node of a parsed expression. Trees are immutable and may share
// branches. A nil *Tree stands for what was left out, as the argument in
// "added()".
type Tree struct {
	// Op is the name that Mercurial gives the node: "symbol", "or", "func", ...
	Op string
	// Value is the text of a "symbol" or "string".
	Value string
	// Args are the operands. "func" has the name (a symbol) and the argument,
	// which is nil, an expression or a "list".
	Args []*Tree

	depth int
}

// Limits on an expression. What exceeds them is left to the real hg, which
// fails at some hundred levels.
const (
	maxNesting = 100 // of the parser
	maxDepth   = 150 // levels of a tree
)

func newTree(op string, args ...*Tree) *Tree {
	t := &Tree{Op: op, Args: args}
	for _, a := range args {
		if a != nil {
			t.depth = max(t.depth, a.depth)
		}
	}
	t.depth++
	return t
}

func leaf(op, value string) *Tree { return &Tree{Op: op, Value: value, depth: 1} }

// check refuses trees that are too deep to walk.
func (t *Tree) check() error {
	if t != nil && t.depth > maxDepth {
		return errTooDeep()
	}
	return nil
}

func errTooDeep() error { return hgerr.NewUnsupported("fileset nested this deep") }

func (t *Tree) isText() bool { return t != nil && (t.Op == "string" || t.Op == "symbol") }

// isPattern tells whether t is a name or a pattern with a kind.
func (t *Tree) isPattern() bool { return t.isText() || t != nil && t.Op == "kindpat" }

// list returns the elements of a list, or the one element that t is.
func (t *Tree) list() []*Tree {
	switch {
	case t == nil:
		return nil
	case t.Op == "list":
		return t.Args
	default:
		return []*Tree{t}
	}
}

// mapArgs makes t anew with fn applied to each operand.
func (t *Tree) mapArgs(fn func(*Tree) *Tree) *Tree {
	args := make([]*Tree, len(t.Args))
	for i, a := range t.Args {
		args[i] = fn(a)
	}
	n := newTree(t.Op, args...)
	n.Value = t.Value
	return n
}

// String formats t as `hg debugfileset -p parsed` does: one node a line,
// indented by two spaces a level.
func (t *Tree) String() string {
	var b strings.Builder
	t.format(&b, 0)
	return b.String()
}

func (t *Tree) format(b *strings.Builder, level int) {
	for range level {
		b.WriteString("  ")
	}
	switch {
	case t == nil:
		b.WriteString("None")
		return
	case t.isText():
		b.WriteString("(" + t.Op + " " + python.Repr(t.Value) + ")")
		return
	}
	b.WriteString("(" + t.Op)
	for _, a := range t.Args {
		b.WriteByte('\n')
		a.format(b, level+1)
	}
	b.WriteByte(')')
}
