// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

// Tree is a node of a parsed expression. Trees are immutable and may share
// branches. A nil *Tree stands for what was left out, as the argument in
// "all()".
type Tree struct {
	// Op is the name that Mercurial gives the node: "symbol", "or", "func", ...
	Op string
	// Value is the text of a "symbol" or "string".
	Value string
	// Args are the operands. "func" has the name (a symbol) and the argument,
	// which is nil, an expression or a "list".
	Args []*Tree

	depth int
	size  int
}

// Limits on a tree. What exceeds them is left to the real hg, where Python's
// recursion limit is far lower.
const (
	maxDepth = 20000   // levels
	maxSize  = 1 << 20 // nodes, shared ones counted as often as they appear
	// maxNesting bounds the recursion of the parser itself.
	maxNesting = 1000
)

func newTree(op string, args ...*Tree) *Tree {
	t := &Tree{Op: op, Args: args, size: 1}
	for _, a := range args {
		if a != nil {
			t.depth = max(t.depth, a.depth)
			t.size = min(t.size+a.size, maxSize+1)
		}
	}
	t.depth++
	return t
}

func leaf(op, value string) *Tree { return &Tree{Op: op, Value: value, depth: 1, size: 1} }

func symbolNode(name string) *Tree { return leaf("symbol", name) }
func stringNode(s string) *Tree    { return leaf("string", s) }

func funcNode(name string, arg *Tree) *Tree { return newTree("func", symbolNode(name), arg) }

func (t *Tree) isText() bool { return t != nil && (t.Op == "string" || t.Op == "symbol") }

// check refuses trees that are too large to walk.
func (t *Tree) check() error {
	if t != nil && (t.depth > maxDepth || t.size > maxSize) {
		return hgerr.NewUnsupported("revision expression of this size")
	}
	return nil
}

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

// call returns the name and arguments of a function call.
func (t *Tree) call() (name string, args []*Tree, ok bool) {
	if t == nil || t.Op != "func" || t.Args[0] == nil || t.Args[0].Op != "symbol" {
		return "", nil, false
	}
	return t.Args[0].Value, t.Args[1].list(), true
}

// String formats t as `hg debugrevspec -p parsed` does: one node a line,
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

// FunctionsUsed returns the names of the functions called in t, each once.
func (t *Tree) FunctionsUsed() []string {
	var names []string
	seen := map[string]bool{}
	t.walk(func(n *Tree) {
		if n.Op == "func" && n.Args[0] != nil && !seen[n.Args[0].Value] {
			seen[n.Args[0].Value] = true
			names = append(names, n.Args[0].Value)
		}
	})
	return names
}

// HashLikeSymbols returns the symbols of t that could be hex prefixes of a
// node, in order. They are what experimental.directaccess unhides.
func (t *Tree) HashLikeSymbols() []string {
	if t == nil {
		return nil
	}
	if t.Op == "symbol" {
		if len(t.Value) >= 1 && len(t.Value) <= 40 && strings.Trim(t.Value, "0123456789abcdefABCDEF") == "" {
			return []string{t.Value}
		}
		return nil
	}
	if len(t.Args) < 2 {
		return nil // as in hg, which looks below nodes of two and more operands
	}
	var syms []string
	for _, a := range t.Args {
		syms = append(syms, a.HashLikeSymbols()...)
	}
	return syms
}

func (t *Tree) walk(fn func(*Tree)) {
	if t == nil {
		return
	}
	fn(t)
	for _, a := range t.Args {
		a.walk(fn)
	}
}
