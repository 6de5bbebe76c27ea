// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// Phases, as Repo.Phase numbers them.
const (
	publicPhase = 0
	draftPhase  = 1
	secretPhase = 2

	archivedPhase = 32
	internalPhase = 96
)

// inPhase is the members of subset that are in one of the phases, none of
// which is public. Like Mercurial's it does not share the order of its subset
// where that is all revisions or a plain set.
func (ev *evaluator) inPhase(subset smartset, phases ...int) smartset {
	in := func(r node.Rev) bool {
		return r != node.NullRev && slices.Contains(phases, ev.repo.Phase(r))
	}
	if idx, ok := ev.repo.(PhaseIndex); ok {
		var revs []node.Rev
		for _, r := range idx.NonPublic() {
			if in(r) {
				revs = append(revs, r)
			}
		}
		if subset.contains(node.WdirRev) && in(node.WdirRev) {
			revs = append(revs, node.WdirRev)
		}
		return intersect(subset, newSetOf(revs))
	}
	switch s := subset.(type) {
	case *spanSet:
		if s.full {
			fresh := *s
			fresh.full = false
			return &filteredSet{source: &fresh, keep: in}
		}
	case *baseSet:
		if s.order != unordered && s.hashed {
			return intersect(s, newSetOf(slices.DeleteFunc(slices.Clone(s.revs), func(r node.Rev) bool { return !in(r) })))
		}
	}
	return &filteredSet{source: subset, keep: in}
}

// phase makes draft() and secret().
func phase(name string, number int) operator {
	return func(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
		if err := noArgs(x, name); err != nil {
			return nil, err
		}
		return ev.inPhase(subset, number), nil
	}
}

func notPublic(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if err := noArgs(x, "_notpublic"); err != nil {
		return nil, err
	}
	if ev.opts.Version.AtLeast(7, 0) {
		// Since then internal changesets count, which --hidden shows.
		return ev.inPhase(subset, draftPhase, secretPhase, archivedPhase, internalPhase), nil
	}
	return ev.inPhase(subset, draftPhase, secretPhase), nil
}

func public(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if err := noArgs(x, "public"); err != nil {
		return nil, err
	}
	return ev.publicOf(subset), nil
}

func (ev *evaluator) publicOf(subset smartset) smartset {
	any := subset.contains(node.WdirRev) && ev.repo.Phase(node.WdirRev) != publicPhase
	if idx, ok := ev.repo.(PhaseIndex); ok {
		any = any || !idx.AllPublic()
	} else {
		for r := node.Rev(ev.repo.Len()) - 1; r >= 0 && !any && !ev.stopped(); r-- {
			any = ev.repo.Phase(r) != publicPhase
		}
	}
	if !any {
		return subset
	}
	return &filteredSet{source: subset, keep: func(r node.Rev) bool {
		return r == node.NullRev || ev.repo.Phase(r) == publicPhase
	}}
}

// phaseByNumber is _phase(n).
func phaseByNumber(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 1, 1, "_phase requires one argument")
	if err != nil {
		return nil, err
	}
	n, err := getInteger(args[0], "_phase expects a number")
	if err != nil {
		return nil, err
	}
	switch n {
	case publicPhase:
		return ev.publicOf(subset), nil
	case draftPhase, secretPhase, archivedPhase, internalPhase:
		return ev.inPhase(subset, int(n)), nil
	}
	return nil, hgerr.NewUnsupported("revset _phase(%d)", n) // hg fails
}

// internal is what no user sees but with --hidden. Older releases do not know it.
func internal(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if !ev.opts.Version.AtLeast(7, 0) {
		return nil, unknownIdentifier("_internal", documented())
	}
	if err := noArgs(x, "_internal"); err != nil {
		return nil, err
	}
	return ev.inPhase(subset, archivedPhase, internalPhase), nil
}

// phaseAndAncestors is a phase within the ancestors of a set: the walk ends at
// the first public changesets.
func phaseAndAncestors(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 2, 2, "_phaseandancestors requires two arguments")
	if err != nil {
		return nil, err
	}
	name, err := getSymbol(args[0])
	if err != nil {
		return nil, err
	}
	s, err := ev.getAll(args[1])
	if err != nil {
		return nil, err
	}
	lowest := draftPhase
	switch name {
	case "secret":
		lowest = secretPhase
	case "draft", "_notpublic":
	default:
		return nil, parseErrorf("%s is not a valid phasename", "b"+python.Repr(name))
	}
	// Mercurial takes the working directory for public here.
	phaseOf := func(r node.Rev) int {
		if r == node.NullRev || r == node.WdirRev {
			return publicPhase
		}
		return ev.repo.Phase(r)
	}
	revs := ev.ancestors(s, walk{cut: func(r node.Rev) bool { return phaseOf(r) < lowest }})
	if name == "draft" {
		revs = &filteredSet{source: revs, keep: func(r node.Rev) bool { return phaseOf(r) == draftPhase }}
	}
	return intersect(subset, revs), nil
}

// stack is the draft changesets below revisions, down to the first merge or
// public one.
func stack(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	if x == nil {
		one, err := ev.stackOf(".")
		if err != nil {
			return nil, err
		}
		return intersect(subset, one), nil
	}
	s, err := ev.getAll(x)
	if err != nil {
		return nil, err
	}
	var stacks smartset = newListSet(nil)
	for _, r := range list(s) {
		if r == node.WdirRev {
			return nil, errWdir()
		}
		// The number is a symbol there, so that null's, -1, is the tip.
		one, err := ev.stackOf(r.String())
		if err != nil {
			return nil, err
		}
		stacks = union(stacks, one)
	}
	return intersect(subset, stacks), nil
}

// stackOf evaluates hg's own definition of the stack of a revision.
func (ev *evaluator) stackOf(symbol string) (smartset, error) {
	s, err := ev.own("only(%s) and not public() and not ::merge()", symbol)
	if err != nil {
		return nil, err
	}
	s.sort(false)
	return s, nil
}

// obsolescence makes the predicates for hg's computed sets.
func obsolescence(name string, kinds ...ObsSet) operator {
	return func(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
		if err := noArgs(x, name); err != nil {
			return nil, err
		}
		var revs []node.Rev
		for _, k := range kinds {
			list, err := ev.repo.Obsolescence(k)
			if err != nil {
				return nil, err
			}
			revs = append(revs, list...)
		}
		if len(kinds) > 1 {
			visible := slices.DeleteFunc(slices.Clone(revs), ev.hidden)
			if len(visible) < len(revs) && !ev.opts.Version.AtLeast(7, 0) {
				return nil, hgerr.NewUnsupported("revset %s() with hidden changesets", name) // hg fails when it shows them
			}
			return intersect(subset, newSetOf(visible)), nil
		}
		return ev.withRevs(subset, revs), nil
	}
}

func successors(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	s, err := ev.getAll(x)
	if err != nil {
		return nil, err
	}
	start := list(s)
	if slices.Contains(start, node.WdirRev) {
		return nil, errWdir()
	}
	ofNull := slices.Contains(start, node.NullRev)
	start = slices.DeleteFunc(start, func(r node.Rev) bool { return r == node.NullRev })
	revs, err := ev.repo.Successors(start)
	if err != nil {
		return nil, err
	}
	revs = slices.DeleteFunc(slices.Clone(revs), ev.hidden)
	if ofNull {
		revs = append(revs, node.NullRev)
	}
	return intersect(subset, newSetOf(revs)), nil
}
