// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// bisectStates are the words for a changeset's part in a bisection, with the
// revsets of those that have it; the first that applies counts.
var bisectStates = []struct{ word, query string }{
	{"good", "revset(bisect(good))"}, {"bad", "revset(bisect(bad))"}, {"skipped", "revset(bisect(skip))"},
	{"untested", "revset(bisect(untested))"}, {"untested", "revset(bisect(current))"}, {"ignored", "revset(bisect(ignored))"},
	{"good (implicit)", "revset(bisect(goods))"}, {"bad (implicit)", "revset(bisect(bads))"},
}

func checkBisect(e *Engine) error {
	if e.opts.CheckRevset == nil {
		return nil
	}
	return e.opts.CheckRevset(bisectStates[0].query)
}

func bisectStatus(s *scope) (Value, error) {
	// hg looks for the changeset in what is visible first, and may warn.
	if v, ok := s.e.repo.(interface{ LookAtVisible() }); ok {
		v.LookAtVisible()
	}
	rev := s.context().Rev()
	if rev == node.WdirRev {
		return Value{}, hgerr.NewUnsupported("bisection status of the working directory")
	}
	evaluator, ok := s.e.repo.(RevsetEvaluator)
	if !ok {
		return Value{}, &unavailable{"repo"}
	}
	for _, state := range bisectStates {
		revs, known := s.e.revsets[state.query]
		if !known {
			var err error
			if revs, err = evaluator.Revset(state.query); err != nil {
				return Value{}, err
			}
			s.e.revsets[state.query] = revs
		}
		if slices.Contains(revs, rev) {
			return Bytes(state.word), nil
		}
	}
	return Value{}, nil
}

// fastRank is the size of a changeset's ancestry as changelogs of version 2
// store it; no repository with one is opened here, and others have none.
func fastRank(*scope) (Value, error) { return Value{}, nil }
