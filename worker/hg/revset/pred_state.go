// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"
	"strings"
	"sync"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// WorkState is an optional part of a Repo: what unfinished operations left in
// the working directory.
type WorkState interface {
	// Bisection lists the changesets that a bisection marked, hidden ones
	// included: "good", "bad", "skip", "current".
	Bisection() (map[string][]node.Rev, error)
	// Merging returns the two sides of the merge that is recorded, in an update
	// or a graft as well; ok is false without one.
	Merging() (local, other node.ID, ok bool)
}

// bisectSets are the states that follow from the marked changesets, as
// expressions over those. Where goods come before bads, the first of two; where
// after, the second.
var bisectSets = sync.OnceValue(func() map[string][2]string {
	return map[string][2]string{
		"range":    {bisectRange, bisectRange},
		"goods":    {"::bisect(good)", "bisect(good)::"},
		"bads":     {"bisect(bad)::", "::bisect(bad)"},
		"pruned":   {"::bisect(good) | bisect(bad):: | bisect(skip)", "bisect(good):: | ::bisect(bad) | bisect(skip)"},
		"untested": {bisectRange + " - (::bisect(good) | bisect(bad):: | bisect(skip))", bisectRange + " - (bisect(good):: | ::bisect(bad) | bisect(skip))"},
		"ignored":  {bisectIgnored, bisectIgnored},
	}
})

const (
	bisectRange   = "(bisect(bad)::bisect(good) | bisect(good)::bisect(bad))"
	bisectIgnored = "((::bisect(bad) - ::bisect(good)) | (::bisect(good) - ::bisect(bad))) - " + bisectRange
)

func bisect(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	state, err := getString(x, "bisect requires a string")
	if err != nil {
		return nil, err
	}
	work, ok := ev.repo.(WorkState)
	if !ok {
		return nil, hgerr.NewUnsupported("revset bisect()")
	}
	marked, err := work.Bisection()
	if err != nil {
		return nil, err
	}
	state = strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, state)
	switch state {
	case "good", "bad", "skip", "current":
		return ev.withRevs(subset, slices.Clone(marked[state])), nil
	}
	sets, ok := bisectSets()[state]
	if !ok {
		return nil, parseErrorf("invalid bisect state")
	}
	up, err := ev.revs("bisect(good)::bisect(bad)")
	if err != nil {
		return nil, err
	}
	expr := sets[0]
	if len(up) == 0 {
		expr = sets[1]
	}
	revs, err := ev.revs(expr)
	if err != nil {
		return nil, err
	}
	return ev.withRevs(subset, revs), nil
}

// own evaluates an expression of the engine's own, without aliases.
func (ev *evaluator) own(expr string, args ...any) (smartset, error) {
	if len(args) > 0 {
		var err error
		if expr, err = format(expr, args); err != nil {
			return nil, err
		}
	}
	q, err := compile([]string{expr}, nil, nil)
	if err != nil {
		return nil, err
	}
	return ev.getAll(q.tree)
}

// revs are the changesets of such an expression.
func (ev *evaluator) revs(expr string, args ...any) ([]node.Rev, error) {
	s, err := ev.own(expr, args...)
	if err != nil {
		return nil, err
	}
	return list(s), ev.err
}

// conflict makes conflictlocal() and conflictother().
func conflict(name string, side func(local, other node.ID) node.ID) operator {
	return func(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
		if err := noArgs(x, name); err != nil {
			return nil, err
		}
		work, ok := ev.repo.(WorkState)
		if !ok {
			return nil, hgerr.NewUnsupported("revset %s()", name)
		}
		local, other, ok := work.Merging()
		if !ok {
			return newListSet(nil), nil
		}
		r, ok := ev.repo.Rev(side(local, other))
		if !ok || ev.hidden(r) {
			return newListSet(nil), nil
		}
		return ev.withRevs(subset, []node.Rev{r}), nil
	}
}
