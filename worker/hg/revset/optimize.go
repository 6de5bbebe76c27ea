// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import "strings"

// optimize rewrites an analyzed tree into one that yields the same revisions
// faster. The rewrites and weights are Mercurial's: which operand is looked at
// first decides which of several errors a user sees.
//
// Each rewrite has a law, which stands beside it; TestOptimize checks on random
// graphs that a tree selects the same before and after. A law is about sets; the
// order is that of the first operand on both sides.
func optimize(t *Tree) *Tree {
	_, t = weigh(t)
	return t
}

// weigh returns the cost estimate of a tree along with the rewritten tree.
func weigh(t *Tree) (float64, *Tree) {
	if t == nil {
		return 0, nil
	}
	switch t.Op {
	case "string", "symbol":
		return 0.5, t // single revisions are small
	case "and":
		return weighAnd(t)
	case "or":
		return weighOr(t)
	case "not":
		// Law: every changeset has one phase, so
		//   not public() = _notpublic()
		if name, args, ok := t.Args[0].call(); ok && name == "public" && t.Args[0].Args[1] == nil && args == nil {
			return weigh(funcNode("_notpublic", nil))
		}
		w, x := weigh(t.Args[0])
		return w, newTree("not", x)
	case "rangeall":
		return 1, t
	case "rangepre", "rangepost", "parentpost":
		w, x := weigh(t.Args[0])
		return w, newTree(t.Op, x)
	case "dagrange", "range":
		wa, a := weigh(t.Args[0])
		wb, b := weigh(t.Args[1])
		return wa + wb, newTree(t.Op, a, b)
	case "parent", "ancestor", "relation", "subscript", "relsubscript":
		w, x := weigh(t.Args[0])
		args := append([]*Tree{x}, t.Args[1:]...)
		return w, newTree(t.Op, args...)
	case "list":
		sum := 0.0
		args := make([]*Tree, len(t.Args))
		for i, a := range t.Args {
			var w float64
			w, args[i] = weigh(a)
			sum += w
		}
		return sum, newTree("list", args...)
	case "keyvalue":
		w, x := weigh(t.Args[1])
		return w, newTree("keyvalue", t.Args[0], x)
	case "func":
		return weighCall(t)
	default:
		return 1, t
	}
}

// argOf returns the argument of name(x), if t is that with one plain argument.
func argOf(t *Tree, name string) *Tree {
	n, args, ok := t.call()
	if !ok || n != name || len(args) != 1 || args[0] == nil || args[0].Op == "keyvalue" {
		return nil
	}
	return args[0]
}

// onlyArgs matches "ancestors(x) and not ancestors(y)".
func onlyArgs(a, b *Tree) (x, y *Tree) {
	if b == nil || b.Op != "not" {
		return nil, nil
	}
	x, y = argOf(a, "ancestors"), argOf(b.Args[0], "ancestors")
	if x == nil || y == nil {
		return nil, nil
	}
	return x, y
}

func weighAnd(t *Tree) (float64, *Tree) {
	wa, a := weigh(t.Args[0])
	wb, b := weigh(t.Args[1])
	w := min(wa, wb)

	// Law: a phase is never lower than that of a parent, so above the first
	// public ancestor there is nothing more to find.
	//   draft() and ancestors(x) = _phaseandancestors(draft, x)
	if name, args, ok := a.call(); ok && len(args) == 0 && a.Args[1] == nil {
		if x := argOf(b, "ancestors"); x != nil && (name == "draft" || name == "secret" || name == "_notpublic") {
			return w, funcNode("_phaseandancestors", newTree("list", symbolNode(name), x))
		}
	}
	// Law: the definition of only().
	//   ancestors(x) and not ancestors(y) = only(x, y)
	//   not ancestors(y) and ancestors(x) = only(x, y)
	x, y := onlyArgs(a, b)
	if x == nil {
		x, y = onlyArgs(b, a)
	}
	if x != nil {
		return w, funcNode("only", newTree("list", x, y))
	}
	// Law: the definition of difference, without the complement of b.
	//   a and not b = a - b
	// (an operand of "not" that is itself incomplete is an error either way)
	if b != nil && b.Op == "not" && b.Args[0] != nil && b.Args[0].Op != "list" && b.Args[0].Op != "keyvalue" {
		return wa, newTree("difference", a, b.Args[0])
	}
	// Law: intersection is commutative; andsmally evaluates b first, then a
	// within it, in the order of a.
	//   a and b = andsmally(a, b)
	if wa > wb {
		return w, newTree("andsmally", a, b)
	}
	return w, newTree("and", a, b)
}

// weighOr joins neighbouring plain revisions into one list, since unions of
// thousands of them are made by programs.
//
// Law: union is associative, and a list is the union of its members, so for
// plain revisions a and b
//
//	x or a or b or y = x or _list(a, b) or y
func weighOr(t *Tree) (float64, *Tree) {
	var weights []float64
	var trees []*Tree
	var plain []*Tree
	flush := func() {
		switch len(plain) {
		case 0:
			return
		case 1:
			w, x := weigh(plain[0])
			weights, trees = append(weights, w), append(trees, x)
		default:
			values := make([]string, len(plain))
			for i, p := range plain {
				values[i] = p.Value
			}
			w, x := weigh(funcNode("_list", stringNode(strings.Join(values, "\x00"))))
			weights, trees = append(weights, w), append(trees, x)
		}
		plain = plain[:0]
	}
	for _, a := range t.Args[0].list() {
		w, x := weigh(a)
		if x.isText() {
			plain = append(plain, x)
			continue
		}
		flush()
		weights, trees = append(weights, w), append(trees, x)
	}
	flush()
	if len(trees) == 1 {
		return weights[0], trees[0]
	}
	w := weights[0]
	for _, v := range weights[1:] {
		w = max(w, v)
	}
	return w, newTree("or", newTree("list", trees...))
}

func weighCall(t *Tree) (float64, *Tree) {
	wa, arg := weigh(t.Args[1])
	w := 1.0
	name := ""
	if t.Args[0] != nil && t.Args[0].Op == "symbol" {
		name = t.Args[0].Value
		if p := predicates()[name]; p != nil {
			w = p.weight
		}
	}
	// Law: the heads of common ancestors are found without listing the ancestors.
	//   heads(commonancestors(x)) = _commonancestorheads(x)
	if name == "heads" {
		if x := argOf(arg, "commonancestors"); x != nil {
			return w + wa, funcNode("_commonancestorheads", x)
		}
	}
	return w + wa, newTree("func", t.Args[0], arg)
}
