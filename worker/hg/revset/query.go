// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"context"
	"errors"
	"iter"
	"time"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/node"
)

// Options are what an expression's meaning depends on besides the repository.
type Options struct {
	// Aliases are [revsetalias] in the order of the configuration, then local
	// ones, which win.
	Aliases []Alias
	// Now and Location are for dates. A nil Location is UTC.
	Now      time.Time
	Location *time.Location
	// Lower is lower case in the local encoding (Mercurial's encoding.lower).
	// nil is that of UTF-8.
	Lower func(string) string
	// PreferAncestor is merge.preferancestor; nil is its default.
	PreferAncestor []string
	// Evolve and Topics say that the extensions evolve and topic are on.
	Evolve, Topics bool
	// Version is the release of Mercurial to behave as.
	Version config.Version
}

// Query is one or more expressions, ready to be evaluated. It does not change
// and can be used several times.
type Query struct {
	tree *Tree
	// nothing tells that there was no expression; a nil tree is "()".
	nothing bool
	// Warnings are what hg prints to stderr about aliases, with newlines.
	Warnings []string
}

// Tree is the tree that is evaluated.
func (q *Query) Tree() *Tree { return q.tree }

// Lookup makes the lookup that Parse and Compile take from a repository.
func Lookup(repo Repo) IsSymbol {
	return func(symbol string) (bool, error) {
		_, err := repo.Lookup(symbol)
		switch {
		case err == nil:
			return true, nil
		case isLookupError(err):
			return false, nil
		case isAmbiguous(err):
			return false, inputErrorf("ambiguous revision identifier: %s", symbol)
		}
		return false, err
	}
}

// Compile parses expressions, which together select what any of them does, in
// the order of the expressions. lookup may be nil.
func Compile(exprs []string, lookup IsSymbol, aliases []Alias) (*Query, error) {
	q, err := compile(exprs, lookup, aliases)
	if err != nil {
		return nil, printable(err)
	}
	return q, nil
}

func compile(exprs []string, lookup IsSymbol, aliases []Alias) (*Query, error) {
	if len(exprs) == 0 {
		return &Query{nothing: true}, nil
	}
	for _, e := range exprs {
		if e == "" {
			return nil, parseErrorf("empty query")
		}
	}
	var trees []*Tree
	for _, e := range exprs {
		t, err := parse(e, lookup)
		if err != nil {
			return nil, err
		}
		trees = append(trees, t)
	}
	t := trees[0]
	if len(trees) > 1 {
		t = newTree("or", newTree("list", trees...))
	}
	q := &Query{}
	var err error
	if len(aliases) > 0 {
		if t, q.Warnings, err = expandAliases(t, aliases); err != nil {
			return nil, err
		}
	}
	if t, err = foldConcat(t); err != nil {
		return nil, err
	}
	if t, err = analyze(t); err != nil {
		return nil, err
	}
	if err = checkNames(t); err != nil {
		return nil, err
	}
	q.tree = optimize(t)
	return q, nil
}

// Eval evaluates within all revisions.
func (q *Query) Eval(ctx context.Context, repo Repo, opts *Options) (*Set, error) {
	if opts == nil {
		opts = &Options{}
	}
	ev := &evaluator{ctx: ctx, repo: repo, opts: opts}
	if q.nothing {
		return &Set{newListSet(nil), ev}, nil
	}
	ev.top = q.tree
	s, err := ev.getAll(q.tree)
	if err != nil {
		return nil, printable(err)
	}
	return &Set{s, ev}, nil
}

// Within evaluates within a set, whose order the result keeps. The set belongs
// to the result from then on.
func (q *Query) Within(subset *Set) (*Set, error) {
	ev := subset.ev
	if q.nothing {
		return &Set{newListSet(nil), ev}, nil
	}
	s, err := ev.get(subset.s, q.tree, followOrder)
	if err != nil {
		return nil, printable(err)
	}
	return &Set{s, ev}, nil
}

// Eval compiles and evaluates expressions as -r takes them (Mercurial's
// scmutil.revrange). It also returns the warnings to print.
func Eval(ctx context.Context, repo Repo, exprs []string, opts *Options) (*Set, []string, error) {
	if opts == nil {
		opts = &Options{}
	}
	if len(exprs) == 1 && exprs[0] == "null" {
		return List(ctx, repo, opts, []node.Rev{node.NullRev}), nil, nil
	}
	q, err := Compile(exprs, Lookup(repo), opts.Aliases)
	if err != nil {
		return nil, nil, err
	}
	s, err := q.Eval(ctx, repo, opts)
	return s, q.Warnings, err
}

// Single evaluates an expression that stands for one revision, the last one
// that it selects (Mercurial's scmutil.revsingle). The empty expression is the
// working directory's first parent.
func Single(ctx context.Context, repo Repo, expr string, opts *Options) (node.Rev, []string, error) {
	if expr == "" {
		expr = "."
	}
	s, warnings, err := Eval(ctx, repo, []string{expr}, opts)
	if err != nil {
		return 0, nil, err
	}
	r, ok := s.Last()
	if err := s.Err(); err != nil {
		return 0, warnings, err
	}
	if !ok {
		return 0, warnings, inputErrorf("empty revision set")
	}
	return r, warnings, nil
}

// Pair evaluates what stands for two revisions, as `diff -r` takes it
// (Mercurial's scmutil.revpair). A single revision is paired with WdirRev.
func Pair(ctx context.Context, repo Repo, exprs []string, opts *Options) (a, b node.Rev, warnings []string, err error) {
	if len(exprs) == 0 {
		p, _ := repo.WdirParents()
		return p, node.WdirRev, nil, nil
	}
	s, warnings, err := Eval(ctx, repo, exprs, opts)
	if err != nil {
		return 0, 0, nil, err
	}
	a, ok := s.First()
	b, _ = s.Last()
	if err := s.Err(); err != nil {
		return 0, 0, warnings, err
	}
	if !ok {
		return 0, 0, warnings, inputErrorf("empty revision range")
	}
	if a == b && len(exprs) >= 2 {
		for _, e := range exprs {
			one, more, err := Eval(ctx, repo, []string{e}, opts)
			if err != nil {
				return 0, 0, warnings, err
			}
			warnings = append(warnings, more...)
			if one.Empty() {
				return 0, 0, warnings, errors.Join(one.Err(), inputErrorf("empty revision on one side of range"))
			}
		}
	}
	if a == b && len(exprs) == 1 {
		t, err := Parse(exprs[0], nil)
		if err != nil {
			return 0, 0, warnings, err
		}
		switch t.Op {
		case "range", "rangepre", "rangepost", "rangeall":
		default:
			return a, node.WdirRev, warnings, nil
		}
	}
	return a, b, warnings, nil
}

// Set is an ordered set of revisions. What it yields is found as it is read;
// the reader asks Err afterwards. A Set is used by one goroutine.
type Set struct {
	s  smartset
	ev *evaluator
}

// List makes a set of revisions in the given order, without repetitions; it
// owns revs.
func List(ctx context.Context, repo Repo, opts *Options, revs []node.Rev) *Set {
	if opts == nil {
		opts = &Options{}
	}
	return &Set{newListSet(revs), &evaluator{ctx: ctx, repo: repo, opts: opts}}
}

// Err is the first error that reading met; what was read before is not to be
// trusted then.
func (s *Set) Err() error { return printable(s.ev.err) }

// All iterates in order.
func (s *Set) All() iter.Seq[node.Rev] {
	return func(yield func(node.Rev) bool) {
		it := s.s.iter()
		for r, ok := it(); ok && yield(r); r, ok = it() {
		}
	}
}

// Revs returns the revisions in order.
func (s *Set) Revs() ([]node.Rev, error) {
	revs := list(s.s)
	return revs, s.Err()
}

// Contains tells whether r is in the set.
func (s *Set) Contains(r node.Rev) bool { return s.s.contains(r) }

// Empty reads at most one revision.
func (s *Set) Empty() bool { return s.s.empty() }

// Len reads all.
func (s *Set) Len() int { return s.s.len() }

// First, Last, Min and Max return false when the set is empty.
func (s *Set) First() (node.Rev, bool) { return s.s.first() }

// Last is the last revision in order.
func (s *Set) Last() (node.Rev, bool) { return s.s.last() }

// Min is the lowest revision.
func (s *Set) Min() (node.Rev, bool) { return minimum(s.s) }

// Max is the highest revision.
func (s *Set) Max() (node.Rev, bool) { return maximum(s.s) }

// Reverse reverses the order in place.
func (s *Set) Reverse() { s.s.reverse() }

// Sort sorts by number in place.
func (s *Set) Sort(reverse bool) { s.s.sort(reverse) }

// Ascending tells that the order is known to be ascending; a set of one is.
func (s *Set) Ascending() bool { return s.s.isAsc() }

// Descending tells that the order is known to be descending.
func (s *Set) Descending() bool { return s.s.isDesc() }

// Topological tells that the set was sorted topologically.
func (s *Set) Topological() bool { return s.s.isTopo() }

// Slice is the members from index start to stop-1.
func (s *Set) Slice(start, stop int) *Set { return &Set{s.s.slice(start, stop), s.ev} }

// Filter is the members that keep accepts, in order and as lazily. keep is
// asked once a revision.
func (s *Set) Filter(keep func(node.Rev) (bool, error)) *Set {
	return &Set{s.ev.filter(s.s, keep), s.ev}
}
