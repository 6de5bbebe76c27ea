// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// topicPredicate finds those of the extension topic; nil for other names.
func topicPredicate(name string) *Predicate {
	if name != "topic" {
		return nil
	}
	return built(1, "topic", "topic([string or set])", 0, 1, "changesets with a topic", topic)
}

// predicate finds a function by its name.
func (ev *evaluator) predicate(name string) (*Predicate, error) {
	if p := topicPredicate(name); p != nil && ev.opts.Topics {
		return p, nil
	}
	if ev.opts.Evolve {
		if p := evolvePredicates()[name]; p != nil {
			return p, nil
		}
	}
	p := predicates()[name]
	switch {
	case p == nil && (ev.opts.Topics || ev.opts.Evolve):
		// What is suggested instead is among what the extensions add, too.
		return nil, hgerr.NewUnsupported("unknown function %s beside extensions", name)
	case p == nil:
		return nil, unknownIdentifier(name, documented())
	}
	return p, nil
}

// topic is topic(), topic(name or pattern) and topic(set): what is not public and has
// a topic.
func topic(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 0, 1, "topic takes one or no arguments")
	if err != nil {
		return nil, err
	}
	mutable, err := notPublic(ev, subset, nil, defineOrder)
	if err != nil {
		return nil, err
	}
	of := func(r node.Rev) (string, error) {
		if r == node.WdirRev {
			return "", hgerr.NewUnsupported("the topic of the working directory")
		}
		extra, err := ev.repo.Extra(r)
		return extra["topic"], err
	}
	matching := func(match func(string) bool) smartset {
		return ev.filter(mutable, func(r node.Rev) (bool, error) {
			name, err := of(r)
			return name != "" && match(name), err
		})
	}
	if len(args) == 0 {
		return matching(func(string) bool { return true }), nil
	}
	if args[0].Op == "string" {
		p, err := ev.pattern(args[0].Value, true)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(args[0].Value, "literal:") {
			return nil, hgerr.NewUnsupported("a topic that must exist")
		}
		return matching(p.match), nil
	}
	s, err := ev.getAll(x)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	it := s.iter()
	for r, ok := it(); ok; r, ok = it() {
		if r == node.NullRev || ev.repo.Phase(r) == publicPhase {
			continue
		}
		name, err := of(r)
		if err != nil {
			return nil, err
		}
		names[name] = name != ""
	}
	return matching(func(name string) bool { return names[name] }), nil
}
