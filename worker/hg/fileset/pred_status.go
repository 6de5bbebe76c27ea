// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"slices"

	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/status"
)

func statusPredicates() []*Predicate {
	kind := func(weight float64, name, doc string, pick func(*status.Result) []string) *Predicate {
		p := plain(weight, name, doc, func(sc *scope) (match.Matcher, error) { return among(name, pick(sc.status)), nil })
		p.status = true
		return p
	}
	deleted := func(r *status.Result) []string { return r.Deleted }
	resolution := func(name, doc, state string) *Predicate {
		return plain(weightStatus, name, doc, func(sc *scope) (match.Matcher, error) {
			if sc.rev != node.WdirRev {
				return match.Never(), nil
			}
			ms, err := sc.repo.MergeState()
			if err != nil {
				return nil, err
			}
			var files []string
			if ms != nil {
				for _, f := range ms.Files {
					if f.State == state {
						files = append(files, f.Path)
					}
				}
			}
			return among(name, files), nil
		})
	}
	return []*Predicate{
		kind(weightStatus, "added", "files that are added", func(r *status.Result) []string { return r.Added }),
		kind(weightStatus, "clean", "files that are unchanged", func(r *status.Result) []string { return r.Clean }),
		kind(weightStatus, "deleted", "tracked files that are not there", deleted),
		kind(weightThorough, "ignored", "files that are not tracked and ignored", func(r *status.Result) []string { return r.Ignored }),
		kind(weightStatus, "missing", "tracked files that are not there", deleted),
		kind(weightStatus, "modified", "files that are modified", func(r *status.Result) []string { return r.Modified }),
		kind(weightStatus, "removed", "files that are removed", func(r *status.Result) []string { return r.Removed }),
		kind(weightThorough, "unknown", "files that are not tracked", func(r *status.Result) []string { return r.Unknown }),
		resolution("resolved", "files whose merge conflicts are resolved", "r"),
		resolution("unresolved", "files with merge conflicts", "u"),
	}
}

func revisionPredicates() []*Predicate {
	return []*Predicate{
		{Name: "revs", Usage: "revs(revs, pattern)", Min: 2, Max: 2, weight: weightStatus,
			Doc: "files that a fileset selects in any of some revisions", eval: revs},
		{Name: "status", Usage: "status(base, rev, pattern)", Min: 3, Max: 3, weight: weightStatus,
			Doc: "files that a fileset selects by the changes between two revisions", eval: statusBetween},
		{Name: "subrepo", Usage: "subrepo([pattern])", Max: 1, weight: weightDefault, Doc: "subrepositories", eval: subrepo},
	}
}

func revs(sc *scope, arg *Tree) (match.Matcher, error) {
	args, err := getArgs(arg, 2, 2, "revs takes two arguments")
	if err != nil {
		return nil, err
	}
	spec, err := getString(args[0], "first argument to revs must be a revision")
	if err != nil {
		return nil, err
	}
	list, err := sc.repo.Revs(spec)
	if err != nil {
		return nil, err
	}
	var all []match.Matcher
	for _, rev := range list {
		m, err := sc.between(sc.repo.FirstParent(rev), rev).get(args[1])
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	switch len(all) {
	case 0:
		return match.Never(), nil
	case 1:
		return all[0], nil
	}
	return match.Union(all...), nil
}

func statusBetween(sc *scope, arg *Tree) (match.Matcher, error) {
	args, err := getArgs(arg, 3, 3, "status takes three arguments")
	if err != nil {
		return nil, err
	}
	var specs [2]string
	for i, what := range []string{"first argument to status must be a revision", "second argument to status must be a revision"} {
		if specs[i], err = getString(args[i], what); err != nil {
			return nil, err
		}
		if specs[i] == "" {
			return nil, parseErrorf("%s", what)
		}
	}
	base, rev, err := sc.repo.Pair(specs[0], specs[1])
	if err != nil {
		return nil, err
	}
	return sc.between(base, rev).get(args[2])
}

func subrepo(sc *scope, arg *Tree) (match.Matcher, error) {
	args, err := getArgs(arg, 0, 1, "subrepo takes at most one argument")
	if err != nil {
		return nil, err
	}
	list, err := sc.repo.Subrepos(sc.rev)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 || args[0] == nil {
		return among("subrepo", list), nil
	}
	v := sc.options.Version
	pat, err := getPattern(args[0], v, "subrepo requires a pattern or no arguments")
	if err != nil {
		return nil, err
	}
	chosen := func(path string) bool { return path == pat }
	if kind, _ := match.Kind(pat, "", v.AtLeast(7, 0)); kind != "" {
		o := sc.options
		o.Cwd, o.Patterns = "", []string{pat}
		m, err := sc.matcher(o, sc.rev)
		if err != nil {
			return nil, err
		}
		chosen = m.Match
	}
	return among("subrepo", slices.DeleteFunc(list, func(path string) bool { return !chosen(path) })), nil
}
