// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"strings"
	"sync"

	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
)

// Matcher selects files by patterns that may be filesets. It may be used by
// several goroutines while nothing else uses the Repo.
type Matcher struct {
	match.Matcher
	failure *failure
}

// Err is the first error that testing a file met; what Match said since is not
// to be trusted.
func (m *Matcher) Err() error { return m.failure.get() }

// failure keeps the first error of predicates that test files.
type failure struct {
	mu  sync.Mutex // guards err
	err error
}

func (f *failure) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *failure) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// New is match.New for patterns among which there may be filesets, which are
// evaluated in rev. Those in a listfile: or include: are Unsupported. With none
// it makes what match.New does. quiet says that a status on the way does not
// report names that are not there; those in Include and Exclude never are.
func New(o match.Options, repo Repo, rev node.Rev, quiet bool) (*Matcher, error) {
	ev := &evaluator{
		repo: repo, options: match.Options{Root: o.Root, Cwd: o.Cwd, ReadFile: o.ReadFile, Version: o.Version, Nested: o.Nested},
		failure: &failure{}, quiet: quiet,
	}
	o.Fail = ev.failure.set
	m, err := ev.matcher(o, rev)
	if err != nil {
		return nil, err
	}
	return &Matcher{m, ev.failure}, nil
}

// Compile makes the matcher of one expression, quietly. Of o, Root, Cwd,
// ReadFile and Version count.
func Compile(expr string, o match.Options, repo Repo, rev node.Rev) (*Matcher, error) {
	o.Patterns, o.Include, o.Exclude = []string{"set:" + expr}, nil, nil
	return New(o, repo, rev, true)
}

// IsSet tells whether a pattern is a fileset.
func IsSet(pattern string) bool { return strings.HasPrefix(pattern, "set:") }

// matcher puts patterns, include and exclude together as hg's match.match does.
func (ev *evaluator) matcher(o match.Options, rev node.Rev) (match.Matcher, error) {
	m := match.Always()
	if len(o.Patterns) > 0 {
		var err error
		if m, err = ev.union(o, rev, o.Patterns, func(o *match.Options, list []string) { o.Patterns = list }); err != nil {
			return nil, err
		}
	}
	loud := !ev.quiet
	ev.quiet = true
	defer func() { ev.quiet = !loud }()
	if len(o.Include) > 0 {
		im, err := ev.union(o, rev, o.Include, func(o *match.Options, list []string) { o.Include = list })
		if err != nil {
			return nil, err
		}
		m = match.Intersect(m, im)
	}
	if len(o.Exclude) > 0 {
		// What -I selects is what -X leaves out, whichever of them it is.
		em, err := ev.union(o, rev, o.Exclude, func(o *match.Options, list []string) { o.Include = list })
		if err != nil {
			return nil, err
		}
		m = match.Difference(m, em)
	}
	return m, nil
}

// matchesNothing is a pattern for names that there are none of.
const matchesNothing = "relglob:\x00"

// union matches what a list of patterns matches; put makes it the patterns of
// the right sort.
func (ev *evaluator) union(o match.Options, rev node.Rev, list []string, put func(*match.Options, []string)) (match.Matcher, error) {
	var plain, sets []string
	for _, p := range list {
		if expr, ok := strings.CutPrefix(p, "set:"); ok {
			sets = append(sets, expr)
		} else {
			plain = append(plain, p)
		}
	}
	var all []match.Matcher
	if len(plain) > 0 {
		o.Patterns, o.Include, o.Exclude = nil, nil, nil
		if len(sets) > 0 {
			// No patterns at all, as in an include: of an empty file, are
			// everything, but nothing beside filesets.
			plain = append(plain, matchesNothing)
		}
		put(&o, plain)
		m, err := match.New(o)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	for _, expr := range sets {
		m, err := ev.expression(expr, rev)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return match.Union(all...), nil
}

// testMatcher matches by a function, as hg's predicatematcher does: nothing is
// known of directories.
type testMatcher struct {
	name string
	test func(path string) bool
}

func (m *testMatcher) Match(path string) bool    { return m.test(path) }
func (*testMatcher) Files() []string             { return nil }
func (*testMatcher) Exact(string) bool           { return false }
func (*testMatcher) VisitDir(string) match.Visit { return match.VisitThis }
func (*testMatcher) VisitChildren(string) match.Children {
	return match.Children{Visit: match.VisitThis}
}
func (*testMatcher) Always() bool     { return false }
func (*testMatcher) IsExact() bool    { return false }
func (*testMatcher) Prefix() bool     { return false }
func (m *testMatcher) String() string { return "<predicatenmatcher pred=" + m.name + ">" }
