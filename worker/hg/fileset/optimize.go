// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"cmp"
	"slices"
)

// What a predicate costs, in hg's measure; the cheap side of an operator is
// asked first.
const (
	weightName     = 0.5
	weightDefault  = 1
	weightStatus   = 10
	weightRead     = 30
	weightThorough = 50 // a status that lists untracked files
)

// Optimize rewrites an analyzed tree. It chooses the same files.
func Optimize(t *Tree) *Tree {
	_, t = optimize(t)
	return t
}

func optimize(t *Tree) (float64, *Tree) {
	if t == nil {
		return 0, nil
	}
	switch t.Op {
	case "string", "symbol":
		return weightName, t
	case "kindpat":
		w, pat := optimize(t.Args[1])
		return w, newTree(t.Op, t.Args[0], pat)
	case "withstatus":
		w, x := optimize(t.Args[0])
		return w, newTree(t.Op, x, t.Args[1])
	case "and":
		return optimizeAnd(t)
	case "or":
		return optimizeOr(t)
	case "func":
		w := float64(weightDefault)
		if p := predicates()[t.Args[0].Value]; p != nil {
			w = p.weight
		}
		wa, arg := optimize(t.Args[1])
		return w + wa, newTree(t.Op, t.Args[0], arg)
	}
	// "not" and "list"
	sum := 0.0
	args := make([]*Tree, len(t.Args))
	for i, a := range t.Args {
		var w float64
		w, args[i] = optimize(a)
		sum += w
	}
	return sum, newTree(t.Op, args...)
}

// optimizeAnd puts the cheap operand first (x & y = y & x) and makes a negated
// second one a difference (x & !y = x - y).
func optimizeAnd(t *Tree) (float64, *Tree) {
	wa, a := optimize(t.Args[0])
	wb, b := optimize(t.Args[1])
	if wa > wb {
		wa, a, b = wb, b, a
	}
	if b != nil && b.Op == "not" {
		return wa, newTree("minus", a, b.Args[0])
	}
	return wa, newTree("and", a, b)
}

// optimizeOr joins all names and patterns into one test ("patterns"), since
// they compile to one regular expression, and sorts the operands by cost
// (x | y = y | x).
func optimizeOr(t *Tree) (float64, *Tree) {
	type weighed struct {
		weight float64
		tree   *Tree
	}
	var list []weighed
	var patterns []*Tree
	for _, a := range t.Args {
		w, x := optimize(a)
		if x.isPattern() {
			patterns = append(patterns, x)
		} else {
			list = append(list, weighed{w, x})
		}
	}
	if len(patterns) > 0 {
		list = append(list, weighed{weightName, newTree("patterns", patterns...)})
	}
	if len(list) == 1 {
		return list[0].weight, list[0].tree
	}
	slices.SortStableFunc(list, func(a, b weighed) int { return cmp.Compare(a.weight, b.weight) })
	args := make([]*Tree, len(list))
	for i, x := range list {
		args[i] = x.tree
	}
	return list[len(list)-1].weight, newTree("or", args...)
}
