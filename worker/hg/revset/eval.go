// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"context"
	"sync"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// order says who decides the order of a result. In "X & Y", X defines it and Y
// follows.
type order int8

const (
	anyOrder    order = iota // nobody looks at it
	defineOrder              // functions like sort() and x:y set their own
	followOrder              // the order of the subset is kept
)

// inner is the order for the second operand of "&".
func (o order) inner() order {
	if o == anyOrder {
		return anyOrder
	}
	return followOrder
}

// evaluator is one evaluation.
type evaluator struct {
	ctx  context.Context
	repo Repo
	opts *Options
	top  *Tree // the whole expression
	// err is the first error of a lazy filter, which ends all iterations.
	err   error
	ticks uint
}

func (ev *evaluator) fail(err error) {
	if ev.err == nil {
		ev.err = err
	}
}

// stopped tells that an iteration should end: after an error, or when the
// request was cancelled.
func (ev *evaluator) stopped() bool {
	if ev.err != nil {
		return true
	}
	if ev.ticks++; ev.ticks&1023 == 0 {
		if err := ev.ctx.Err(); err != nil {
			ev.fail(err)
			return true
		}
	}
	return false
}

func (ev *evaluator) hidden(r node.Rev) bool {
	return r >= 0 && int(r) < ev.repo.Len() && ev.repo.Hidden(r)
}

// tipRev is the highest visible revision, NullRev when there is none.
func (ev *evaluator) tipRev() node.Rev {
	r := node.Rev(ev.repo.Len()) - 1
	for r >= 0 && ev.repo.Hidden(r) {
		r--
	}
	return r
}

// quickFilter is the part of subset that keep accepts, for a keep that is as
// cheap as remembering its answer.
func (ev *evaluator) quickFilter(subset smartset, keep func(node.Rev) bool) smartset {
	return &filteredSet{source: subset, keep: func(r node.Rev) bool { return !ev.stopped() && keep(r) }}
}

// filter is the part of subset that keep accepts. keep runs while the set is
// read; its errors surface in Set.Err.
func (ev *evaluator) filter(subset smartset, keep func(node.Rev) (bool, error)) smartset {
	return &filteredSet{source: subset, keep: memo(func(r node.Rev) bool {
		if ev.stopped() {
			return false
		}
		ok, err := keep(r)
		if err != nil {
			ev.fail(err)
			return false
		}
		return ok
	})}
}

// operator evaluates one kind of node.
type operator func(ev *evaluator, subset smartset, t *Tree, o order) (smartset, error)

// operators are made when they are first asked for. An initialiser of the variable
// could not refer to what refers to it.
var operators func() map[string]operator

func init() { operators = sync.OnceValue(makeOperators) }

func makeOperators() map[string]operator {
	table := map[string]operator{
		"range":        evalRange,
		"rangeall":     evalRange,
		"rangepre":     evalRange,
		"rangepost":    evalRange,
		"dagrange":     evalDagRange,
		"string":       evalSymbol,
		"symbol":       evalSymbol,
		"and":          evalAnd,
		"andsmally":    evalAndSmall,
		"or":           evalOr,
		"not":          evalNot,
		"difference":   evalDifference,
		"relation":     evalRelation,
		"relsubscript": evalRelation,
		"subscript":    evalMisplaced("can't use a subscript in this context", ""),
		"list":         evalMisplaced("can't use a list in this context", `see 'hg help "revsets.x or y"'`),
		"keyvalue":     evalMisplaced("can't use a key-value pair in this context", ""),
		"func":         evalFunc,
		"ancestor":     evalNthAncestor,
		"parent":       evalNthParent,
		"parentpost": func(ev *evaluator, subset smartset, t *Tree, _ order) (smartset, error) {
			return p1(ev, subset, t.Args[0], anyOrder)
		},
	}
	return table
}

// get evaluates t within subset.
func (ev *evaluator) get(subset smartset, t *Tree, o order) (smartset, error) {
	if t == nil {
		return nil, parseErrorf("missing argument")
	}
	if ev.stopped() {
		return nil, ev.err
	}
	op := operators()[t.Op]
	if op == nil {
		return nil, hgerr.NewUnsupported("revset operator %s", t.Op)
	}
	s, err := op(ev, subset, t, o)
	if err == nil {
		err = ev.err
	}
	return s, err
}

// getAll evaluates t on its own, within all revisions.
func (ev *evaluator) getAll(t *Tree) (smartset, error) { return ev.get(ev.all(), t, defineOrder) }

func evalMisplaced(msg, hint string) operator {
	return func(*evaluator, smartset, *Tree, order) (smartset, error) {
		return nil, &parseError{msg: msg, hint: hint, at: -1}
	}
}

func isFull(s smartset) bool {
	span, ok := s.(*spanSet)
	return ok && span.full
}

// inSubset tells whether a named revision is selected: null and wdir() are
// outside of all revisions, but join them when named.
func inSubset(subset smartset, r node.Rev) bool {
	return subset.contains(r) || (r == node.NullRev || r == node.WdirRev) && isFull(subset)
}

func evalSymbol(ev *evaluator, subset smartset, t *Tree, _ order) (smartset, error) {
	return ev.symbol(subset, t.Value)
}

func (ev *evaluator) symbol(subset smartset, name string) (smartset, error) {
	if name == "" {
		return nil, parseErrorf("empty string is not a valid revision")
	}
	r, err := ev.repo.Lookup(name)
	if err != nil {
		return nil, err
	}
	if inSubset(subset, r) {
		return newListSet([]node.Rev{r}), nil
	}
	return newListSet(nil), nil
}

// evalRange is x:y and its forms with open ends.
func evalRange(ev *evaluator, subset smartset, t *Tree, o order) (smartset, error) {
	from, to := node.Rev(0), node.NullRev
	var x, y *Tree
	switch t.Op {
	case "range":
		x, y = t.Args[0], t.Args[1]
	case "rangepre":
		y = t.Args[0]
	case "rangepost":
		x = t.Args[0]
	}
	var m, n smartset
	var err error
	if x != nil || t.Op == "range" || t.Op == "rangepost" {
		if m, err = ev.getAll(x); err != nil {
			return nil, err
		}
	}
	if y != nil || t.Op == "range" || t.Op == "rangepre" {
		if n, err = ev.getAll(y); err != nil {
			return nil, err
		}
	}
	if m != nil {
		if m.empty() {
			return newListSet(nil), nil
		}
	}
	if n != nil {
		if n.empty() {
			return newListSet(nil), nil
		}
	}
	if m != nil {
		from, _ = m.first()
	}
	if n != nil {
		to, _ = n.last()
	} else {
		to = ev.tipRev()
	}
	var r smartset
	switch {
	case from == to:
		r = newListSet([]node.Rev{from})
	case to == node.WdirRev:
		r = union(ev.newSpan(from, node.Rev(ev.repo.Len())), newListSet([]node.Rev{to}))
	case from == node.WdirRev:
		r = union(newListSet([]node.Rev{from}), ev.newSpan(ev.tipRev(), to-1))
	case from < to:
		r = ev.newSpan(from, to+1)
	default:
		r = ev.newSpan(from, to-1)
	}
	if from == 0 && ev.repo.Len() == 0 {
		if t != ev.top {
			return nil, hgerr.NewUnsupported("range in an empty repository, inside of an expression")
		}
		// The range begins with a revision that is not there, which is noticed
		// when somebody looks at it.
		r = &filteredSet{source: r, keep: func(r node.Rev) bool {
			if r == 0 {
				ev.fail(lookupErrorf("unknown revision '0'"))
			}
			return !ev.stopped()
		}}
	}
	if o == defineOrder {
		return intersect(r, subset), nil
	}
	return intersect(subset, r), nil
}

func evalDagRange(ev *evaluator, subset smartset, t *Tree, _ order) (smartset, error) {
	roots, err := ev.getAll(t.Args[0])
	if err != nil {
		return nil, err
	}
	heads, err := ev.getAll(t.Args[1])
	if err != nil {
		return nil, err
	}
	s, err := ev.between(roots, heads)
	if err != nil {
		return nil, err
	}
	return intersect(subset, s), nil
}

func evalAnd(ev *evaluator, subset smartset, t *Tree, o order) (smartset, error) {
	x, err := ev.get(subset, t.Args[0], o)
	if err != nil {
		return nil, err
	}
	return ev.get(x, t.Args[1], o.inner())
}

// evalAndSmall is "and" where the second operand is cheaper.
func evalAndSmall(ev *evaluator, subset smartset, t *Tree, o order) (smartset, error) {
	y, err := ev.get(subset, t.Args[1], o.inner())
	if err != nil {
		return nil, err
	}
	return ev.get(y, t.Args[0], o)
}

func evalDifference(ev *evaluator, subset smartset, t *Tree, o order) (smartset, error) {
	x, err := ev.get(subset, t.Args[0], o)
	if err != nil {
		return nil, err
	}
	y, err := ev.get(subset, t.Args[1], anyOrder)
	if err != nil {
		return nil, err
	}
	return subtract(x, y), nil
}

func evalNot(ev *evaluator, subset smartset, t *Tree, _ order) (smartset, error) {
	x, err := ev.get(subset, t.Args[0], anyOrder)
	if err != nil {
		return nil, err
	}
	return subtract(subset, x), nil
}

func evalOr(ev *evaluator, subset smartset, t *Tree, o order) (smartset, error) {
	return ev.or(subset, t.Args[0].list(), o)
}

func (ev *evaluator) or(subset smartset, xs []*Tree, o order) (smartset, error) {
	if len(xs) == 0 {
		return newListSet(nil), nil
	}
	if o == followOrder {
		s, err := ev.orList(ev.all(), xs, anyOrder)
		if err != nil {
			return nil, err
		}
		return intersect(subset, s), nil
	}
	return ev.orList(subset, xs, o)
}

// orList joins pairwise, so that membership in a long union takes a logarithm
// of its length.
func (ev *evaluator) orList(subset smartset, xs []*Tree, o order) (smartset, error) {
	if len(xs) == 1 {
		return ev.get(subset, xs[0], o)
	}
	a, err := ev.orList(subset, xs[:len(xs)/2], o)
	if err != nil {
		return nil, err
	}
	b, err := ev.orList(subset, xs[len(xs)/2:], o)
	if err != nil {
		return nil, err
	}
	return union(a, b), nil
}

func evalFunc(ev *evaluator, subset smartset, t *Tree, o order) (smartset, error) {
	name, err := getSymbol(t.Args[0])
	if err != nil {
		return nil, err
	}
	p, err := ev.predicate(name)
	if err != nil {
		return nil, err
	}
	return p.eval(ev, subset, t.Args[1], o)
}
