// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"strings"
	"sync"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/status"
)

// maxSets bounds filesets in filesets.
const maxSets = 20

// evaluator makes the matchers of one New.
type evaluator struct {
	repo    Repo
	options match.Options // without patterns
	failure *failure
	sets    int  // how deep filesets are nested
	quiet   bool // names that are not there are not reported

	mu sync.Mutex // lets one test at a time ask the Repo
}

// scope is where a part of a tree is evaluated: between two revisions, for the
// files that narrow matches (nil is all).
type scope struct {
	*evaluator
	base, rev node.Rev
	narrow    match.Matcher
	status    *status.Result
}

// expression makes the matcher of one fileset.
func (ev *evaluator) expression(expr string, rev node.Rev) (match.Matcher, error) {
	if ev.sets++; ev.sets > maxSets {
		return nil, hgerr.NewUnsupported("filesets nested this deep")
	}
	defer func() { ev.sets-- }()
	t, err := Parse(expr)
	if err != nil {
		return nil, err
	}
	if t, err = Analyze(t); err != nil {
		return nil, err
	}
	sc := &scope{evaluator: ev, base: ev.repo.FirstParent(rev), rev: rev}
	return sc.get(Optimize(t))
}

// get evaluates a tree.
func (sc *scope) get(t *Tree) (match.Matcher, error) {
	if t == nil {
		return nil, parseErrorf("missing argument")
	}
	switch t.Op {
	case "string", "symbol", "kindpat":
		return sc.patterns(t)
	case "patterns":
		return sc.patterns(t.Args...)
	case "withstatus":
		in, err := sc.withStatus(strings.Fields(t.Args[1].Value))
		if err != nil {
			return nil, err
		}
		return in.get(t.Args[0])
	case "and", "minus":
		x, err := sc.get(t.Args[0])
		if err != nil {
			return nil, err
		}
		in := *sc
		in.narrow = x
		y, err := in.get(t.Args[1])
		if err != nil {
			return nil, err
		}
		if t.Op == "and" {
			return match.Intersect(x, y), nil
		}
		return match.Difference(x, y), nil
	case "or":
		var all []match.Matcher
		for _, a := range t.Args {
			m, err := sc.get(a)
			if err != nil {
				return nil, err
			}
			all = append(all, m)
		}
		return match.Union(all...), nil
	case "not":
		m, err := sc.get(t.Args[0])
		if err != nil {
			return nil, err
		}
		return &testMatcher{"<not " + m.String() + ">", func(path string) bool { return !m.Match(path) }}, nil
	case "func":
		p := predicates()[t.Args[0].Value]
		if p == nil {
			return nil, unknownIdentifier(t.Args[0].Value)
		}
		return p.eval(sc, t.Args[1])
	case "list":
		return nil, parseErrorf("can't use a list in this context").WithHint(`see 'hg help "filesets.x or y"'`)
	}
	return nil, hgerr.NewUnsupported("fileset operator %s", t.Op)
}

// patterns matches what any of some names and patterns matches. Names are globs
// relative to the user's directory.
func (sc *scope) patterns(list ...*Tree) (match.Matcher, error) {
	o := sc.options
	for _, t := range list {
		p, err := getPattern(t, o.Version, "pattern must be a string")
		if err != nil {
			return nil, err
		}
		o.Patterns = append(o.Patterns, p)
	}
	o.NoFS = sc.rev != node.WdirRev
	return sc.matcher(o, sc.rev)
}

// withStatus is the scope with a status that has the lists named in keys.
func (sc *scope) withStatus(keys []string) (*scope, error) {
	want := StatusLists{Quiet: sc.quiet}
	for _, k := range keys {
		switch k {
		case "unknown":
			want.Unknown = true
		case "ignored":
			want.Ignored = true
		case "clean":
			want.Clean = true
		}
	}
	in := *sc
	var err error
	in.status, err = sc.repo.Status(sc.base, sc.rev, sc.narrow, want)
	return &in, err
}

// between is the scope moved to other revisions.
func (sc *scope) between(base, rev node.Rev) *scope {
	return &scope{evaluator: sc.evaluator, base: base, rev: rev, narrow: sc.narrow}
}

// among matches the given files.
func among(name string, files []string) match.Matcher {
	set := make(map[string]struct{}, len(files))
	for _, f := range files {
		set[f] = struct{}{}
	}
	return &testMatcher{name, func(path string) bool {
		_, ok := set[path]
		return ok
	}}
}

// tested makes a matcher of a test that asks the Repo and may fail. It is run
// once a path.
func (sc *scope) tested(name string, test func(path string) (bool, error)) match.Matcher {
	known := map[string]bool{} // guarded by sc.mu
	return &testMatcher{name, func(path string) bool {
		sc.mu.Lock()
		defer sc.mu.Unlock()
		yes, ok := known[path]
		if !ok {
			var err error
			if yes, err = test(path); err != nil {
				sc.failure.set(err)
				yes = false
			}
			known[path] = yes
		}
		return yes
	}}
}

// named is how hg shows a predicate with its argument.
func named(name, arg string) string { return "<" + name + "(" + python.Repr(arg) + ")>" }
