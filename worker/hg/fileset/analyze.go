// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"slices"
	"strings"
)

// Analyze turns a raw tree into one that can be evaluated: groups and
// differences become plain operators, and "withstatus" nodes stand where a
// status is computed once for all predicates below them.
func Analyze(t *Tree) (*Tree, error) {
	t, err := desugar(t)
	if err != nil {
		return nil, err
	}
	_, t = insertHints(t)
	return mergeHints(t, false), nil
}

// desugar replaces the pseudo operators.
func desugar(t *Tree) (*Tree, error) {
	if t == nil || t.isText() {
		return t, nil
	}
	switch t.Op {
	case "negate":
		return nil, parseErrorf("can't use negate operator in this context")
	case "group":
		return desugar(t.Args[0])
	case "minus":
		return desugar(newTree("and", t.Args[0], newTree("not", t.Args[1])))
	case "kindpat", "func":
		if _, err := getSymbol(t.Args[0]); err != nil {
			return nil, err
		}
		arg, err := desugar(t.Args[1])
		return newTree(t.Op, t.Args[0], arg), err
	}
	args := make([]*Tree, len(t.Args))
	for i, a := range t.Args {
		var err error
		if args[i], err = desugar(a); err != nil {
			return nil, err
		}
	}
	return newTree(t.Op, args...), nil
}

// withStatus is a hint that t needs a status with the lists that keys name.
func withStatus(t *Tree, keys []string) *Tree {
	return newTree("withstatus", t, leaf("string", strings.Join(keys, " ")))
}

// insertHints goes bottom up: it returns the status predicates in t, and t with
// hints above each of them and above operators that join several. Arguments of
// functions are a world of their own.
func insertHints(t *Tree) (keys []string, hinted *Tree) {
	if t == nil || t.isPattern() {
		return nil, t
	}
	if t.Op == "func" {
		_, arg := insertHints(t.Args[1])
		call := newTree("func", t.Args[0], arg)
		if p := predicates()[t.Args[0].Value]; p != nil && p.status {
			return []string{p.Name}, withStatus(call, []string{p.Name})
		}
		return nil, call
	}
	args := make([]*Tree, len(t.Args))
	users := 0
	for i, a := range t.Args {
		var more []string
		more, args[i] = insertHints(a)
		keys = append(keys, more...)
		if len(more) > 0 {
			users++
		}
	}
	hinted = newTree(t.Op, args...)
	if users > 1 && (t.Op == "and" || t.Op == "or") {
		hinted = withStatus(hinted, keys)
	}
	return slices.Clip(keys), hinted
}

// mergeHints goes top down: a hint below another one is redundant.
func mergeHints(t *Tree, inside bool) *Tree {
	switch {
	case t == nil || t.isPattern():
		return t
	case t.Op == "withstatus" && inside:
		return mergeHints(t.Args[0], true)
	case t.Op == "withstatus":
		return newTree(t.Op, mergeHints(t.Args[0], true), t.Args[1])
	case t.Op == "func":
		return newTree(t.Op, t.Args[0], mergeHints(t.Args[1], false))
	}
	return t.mapArgs(func(a *Tree) *Tree { return mergeHints(a, inside) })
}
