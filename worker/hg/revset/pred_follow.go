// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"context"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// FileFollower is an optional part of a Repo for follow(FILE) and followlines().
type FileFollower interface {
	// FollowFiles yields the changesets in the histories of some files, copies
	// included, from the latest down: the files of revs that matches accepts.
	// Not ok is the end.
	FollowFiles(revs []node.Rev, matches func(rev node.Rev) (func(path string) bool, error), firstOnly bool) (next func() (rev node.Rev, ok bool, err error), err error)
	// OneFile is the one file that a pattern stands for; message is what hg says
	// when it stands for none or several.
	OneFile(pattern string, rev node.Rev, message string) (path string, err error)
	// CheckFile is an error if a changeset does not have a file.
	CheckFile(rev node.Rev, path string) error
	// FollowLines yields the changesets that changed lines from to to (from 0,
	// without to) of a file as it is in rev, descending; with descend those after
	// it, ascending.
	FollowLines(rev node.Rev, path string, from, to int, descend bool) (next func() (rev node.Rev, ok bool, err error), err error)
}

// follow is follow() and _followfirst(): the ancestors of the working directory's
// first parent, or of startrev, or of a file there.
func follow(name string, firstOnly bool) operator {
	return func(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
		args, err := keyArgs(x, name, "file", "startrev")
		if err != nil {
			return nil, err
		}
		var revs smartset
		if start, ok := args["startrev"]; ok {
			if revs, err = ev.getAll(start); err != nil {
				return nil, err
			}
		}
		if file, ok := args["file"]; ok {
			pattern, err := getString(file, name+" expected a pattern")
			if err != nil {
				return nil, err
			}
			return ev.followFile(subset, pattern, revs, firstOnly)
		}
		if revs == nil {
			p, _ := ev.repo.WdirParents()
			revs = newListSet([]node.Rev{p})
		}
		return intersect(subset, ev.ancestors(revs, walk{firstOnly: firstOnly})), nil
	}
}

// followFile follows the files that a pattern matches in revs; nil is the working
// directory's first parent, with the pattern read in the working directory.
func (ev *evaluator) followFile(subset smartset, pattern string, revs smartset, firstOnly bool) (smartset, error) {
	files, ok := ev.repo.(FileFollower)
	if !ok {
		return nil, hgerr.NewUnsupported("revset follow() of a file")
	}
	p1, _ := ev.repo.WdirParents()
	starts := []node.Rev{p1}
	if revs != nil {
		starts = list(revs)
	}
	if ev.err != nil {
		return nil, ev.err
	}
	next, err := files.FollowFiles(starts, func(rev node.Rev) (func(string) bool, error) {
		if revs == nil {
			rev = node.WdirRev
		}
		return ev.matcher(FileQuery{Patterns: []string{pattern}, Default: "path"}, rev)
	}, firstOnly)
	if err != nil {
		return nil, err
	}
	return intersect(subset, newGenSet(ev.pulled(next), false)), nil
}

// pulled makes an iterator of a function that can fail.
func (ev *evaluator) pulled(next func() (node.Rev, bool, error)) iterator {
	return func() (node.Rev, bool) {
		if ev.stopped() {
			return 0, false
		}
		rev, ok, err := next()
		if err != nil {
			ev.fail(err)
			return 0, false
		}
		return rev, ok
	}
}

// followLines is followlines(file, from:to[, startrev, descend]).
func followLines(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, lines, err := followLinesArgs(x)
	if err != nil {
		return nil, err
	}
	rev, _ := ev.repo.WdirParents()
	if start, ok := args["startrev"]; ok {
		revs, err := ev.getAll(start)
		if err != nil {
			return nil, err
		}
		found := list(revs)
		if ev.err != nil {
			return nil, ev.err
		}
		if len(found) != 1 {
			return nil, parseErrorf("followlines expects exactly one revision")
		}
		rev = found[0]
	}
	if rev == node.WdirRev {
		return nil, hgerr.NewUnsupported("revset followlines() in the working directory")
	}
	pattern, err := getString(args["file"], "followlines requires a pattern")
	if err != nil {
		return nil, err
	}
	files, ok := ev.repo.(FileFollower)
	if !ok {
		return nil, hgerr.NewUnsupported("revset followlines()")
	}
	path, err := files.OneFile(pattern, rev, "followlines expects exactly one file")
	if err != nil {
		return nil, err
	}
	from, to, err := getIntRange(lines, "followlines expects a line number or a range", "line range bounds must be integers", 0, 0)
	if err != nil {
		return nil, err
	}
	if missing := openEnd(lines); missing {
		return nil, parseErrorf("line range bounds must be integers")
	}
	switch {
	case to-from < 0:
		return nil, parseErrorf("line range must be positive")
	case from < 1:
		return nil, parseErrorf("fromline must be strictly positive")
	}
	if err := files.CheckFile(rev, path); err != nil {
		return nil, err
	}
	descend := false
	if d, ok := args["descend"]; ok {
		if descend, err = getBoolean(d, "descend argument must be a boolean"); err != nil {
			return nil, err
		}
	}
	const most = 1 << 30 // lines; no file has more
	next, err := files.FollowLines(rev, path, int(min(from-1, most)), int(min(to, most)), descend)
	if err != nil {
		return nil, err
	}
	return intersect(subset, newGenSet(ev.pulled(next), descend)), nil
}

// Ancestors are the changesets of a set and their ancestors, descending;
// firstOnly follows only first parents. The set belongs to the result from then
// on.
func (s *Set) Ancestors(firstOnly bool) *Set {
	set := s.ev.ancestors(s.s, walk{firstOnly: firstOnly})
	set.reverse()
	return &Set{set, s.ev}
}

// Generated is a set that next yields, descending.
func Generated(ctx context.Context, repo Repo, opts *Options, next func() (node.Rev, bool, error)) *Set {
	if opts == nil {
		opts = &Options{}
	}
	ev := &evaluator{ctx: ctx, repo: repo, opts: opts}
	set := newGenSet(ev.pulled(next), false)
	set.reverse()
	return &Set{set, ev}
}

// followLinesArgs assigns the arguments of followlines: the file and one range by
// position, the others by name.
func followLinesArgs(x *Tree) (args keyed, lines *Tree, err error) {
	const name = "followlines"
	all := x.list()
	n := 0
	for n < len(all) && (all[n] == nil || all[n].Op != "keyvalue") {
		n++
	}
	if n < 1 {
		return nil, nil, parseErrorf("%s takes at least 1 positional arguments", name)
	}
	args = keyed{"file": all[0]}
	for _, a := range all[n:] {
		if a == nil || a.Op != "keyvalue" || a.Args[0] == nil || a.Args[0].Op != "symbol" {
			return nil, nil, parseErrorf("%s got an invalid argument", name)
		}
		k := a.Args[0].Value
		if k != "startrev" && k != "descend" {
			return nil, nil, parseErrorf("%s got an unexpected keyword argument '%s'", name, k)
		}
		if _, dup := args[k]; dup {
			return nil, nil, parseErrorf("%s got multiple values for keyword argument '%s'", name, k)
		}
		args[k] = a.Args[1]
	}
	if n != 2 {
		return nil, nil, parseErrorf("followlines requires a line range")
	}
	return args, all[1], nil
}

// openEnd tells whether a range leaves out one of its ends.
func openEnd(t *Tree) bool {
	return t != nil && (t.Op == "rangepre" || t.Op == "rangepost" || t.Op == "rangeall")
}

// getBoolean reads a symbol that stands for yes or no.
func getBoolean(t *Tree, msg string) (bool, error) {
	s, err := getSymbol(t)
	if err != nil {
		return false, err
	}
	on, ok := config.ParseBool(s)
	if !ok {
		return false, parseErrorf("%s", msg)
	}
	return on, nil
}
