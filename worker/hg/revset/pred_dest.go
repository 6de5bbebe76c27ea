// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// Rewrites is an optional part of a Repo for _destupdate().
type Rewrites interface {
	// IsObsolete tells whether a changeset has a newer version.
	IsObsolete(rev node.Rev) bool
	// Newest lists what a changeset was rewritten as, in the end, of all sets
	// of successors (obsutil.successorssets); nothing when it was pruned.
	Newest(rev node.Rev) ([]node.Rev, error)
}

func destError(msg, hint string) error {
	a := hgerr.Abortf(hgerr.Other, "%s", msg)
	a.Hint = hint
	return a
}

// openHeads are the heads of a branch that are not closed; known is false when
// there is no such branch.
func (ev *evaluator) openHeads(branch string) (heads []node.Rev, known bool, err error) {
	all, err := ev.repo.BranchHeads()
	if err != nil {
		return nil, false, err
	}
	for _, h := range all {
		name, closes := ev.repo.Branch(h)
		if name != branch {
			continue
		}
		known = true
		if !closes {
			heads = append(heads, h)
		}
	}
	slices.Sort(heads)
	return slices.Compact(heads), known, nil
}

// destMerge is what a merge without a revision merges with.
func destMerge(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	var source smartset
	if x != nil {
		var err error
		if source, err = ev.getAll(x); err != nil {
			return nil, err
		}
	}
	active, err := ev.repo.ActiveBookmark()
	if err != nil {
		return nil, err
	}
	var dest node.Rev
	if active != "" {
		dest, err = ev.destMergeBookmark(active)
	} else {
		dest, err = ev.destMergeBranch(source)
	}
	if err != nil {
		return nil, err
	}
	return intersect(subset, newListSet([]node.Rev{dest})), nil
}

// destMergeBookmark is the one other bookmark whose name differs in what follows
// an "@" only.
func (ev *evaluator) destMergeBookmark(active string) (node.Rev, error) {
	marks, err := ev.repo.Bookmarks()
	if err != nil {
		return 0, err
	}
	stem, _, _ := strings.Cut(active, "@")
	at, _ := findName(marks, active)
	var heads []node.Rev
	for _, m := range marks {
		if s, _, _ := strings.Cut(m.Name, "@"); s == stem {
			heads = append(heads, m.Rev)
		}
	}
	const hint = "run 'hg heads' to see all heads, specify rev with -r"
	switch {
	case len(heads) > 2:
		return 0, destError("multiple matching bookmarks to merge - please merge with an explicit rev or bookmark", hint)
	case len(heads) < 2:
		return 0, destError("no matching bookmark to merge - please merge with an explicit rev or bookmark", hint)
	case heads[0] == at:
		return heads[1], nil
	}
	return heads[0], nil
}

// destMergeBranch is the one other head of the branch that has no bookmark.
func (ev *evaluator) destMergeBranch(source smartset) (node.Rev, error) {
	var from []node.Rev
	var branch string
	if source == nil {
		p1, _ := ev.repo.WdirParents()
		from = []node.Rev{p1}
		branch, _ = ev.repo.Branch(node.WdirRev)
	} else {
		from = list(source)
		if len(from) == 0 {
			return 0, destError("source set is empty", "")
		}
		if slices.Contains(from, node.WdirRev) || slices.Contains(from, node.NullRev) {
			return 0, hgerr.NewUnsupported("_destmerge() of wdir() or null")
		}
		roots, err := ev.revs("roots(%ld::%ld)", from, from)
		if err != nil {
			return 0, err
		}
		for i, r := range roots {
			name, _ := ev.repo.Branch(r)
			if i > 0 && name != branch {
				return 0, destError("source set is rooted in multiple branches", "")
			}
			branch = name
		}
	}
	heads, known, err := ev.openHeads(branch)
	if err != nil {
		return 0, err
	}
	if !known && ev.opts.Version.AtLeast(7, 0) {
		return 0, hgerr.NewUnsupported("_destmerge() on a new branch") // hg fails
	}
	tops, err := ev.repo.HeadRevs()
	if err != nil {
		return 0, err
	}
	if !slices.ContainsFunc(from, func(r node.Rev) bool { return slices.Contains(heads, r) }) {
		if len(tops) <= 1 {
			return 0, destError("nothing to merge", "use 'hg update' instead")
		}
		return 0, destError("working directory not at a head revision", "use 'hg update' or merge with an explicit revision")
	}
	below := ev.descendants(newListSet(from), walk{})
	heads = slices.DeleteFunc(heads, below.contains)
	marks, err := ev.repo.Bookmarks()
	if err != nil {
		return 0, err
	}
	unmarked := slices.DeleteFunc(slices.Clone(heads), func(h node.Rev) bool {
		return slices.ContainsFunc(marks, func(m NamedRev) bool { return m.Rev == h })
	})
	switch {
	case len(unmarked) == 1:
		return unmarked[0], nil
	case len(unmarked) > 1:
		return 0, destError("branch '"+branch+"' has "+node.Rev(len(heads)+1).String()+" heads - please merge with an explicit rev",
			"run 'hg heads .' to see heads, specify rev with -r")
	case len(heads) > 0:
		return 0, destError("heads are bookmarked - please merge with an explicit rev", "run 'hg heads' to see all heads, specify rev with -r")
	case len(tops) > 1:
		return 0, destError("branch '"+branch+"' has one head - please merge with an explicit rev", "run 'hg heads' to see all heads, specify rev with -r")
	}
	return 0, destError("nothing to merge", "")
}

// destUpdate is where an update without a revision goes.
func destUpdate(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := keyArgs(x, "limit", "clean")
	if err != nil {
		return nil, err
	}
	p1, p2 := ev.repo.WdirParents()
	for _, step := range []func() (node.Rev, bool, error){
		func() (node.Rev, bool, error) { return ev.destOfObsolete(p1) },
		func() (node.Rev, bool, error) { return ev.destOfBookmark(p1, p2) },
		func() (node.Rev, bool, error) {
			branch, _ := ev.repo.Branch(node.WdirRev)
			if args["clean"] != nil {
				branch, _ = ev.repo.Branch(p1)
			}
			heads, known, err := ev.openHeads(branch)
			switch {
			case err != nil:
				return 0, false, err
			case known:
				return ev.highestAbove(p1, heads)
			case branch == "default" && p1 == node.NullRev:
				return ev.firstOf("max(head() and not closed())")
			}
			return p1, true, nil
		},
		func() (node.Rev, bool, error) {
			branch, _ := ev.repo.Branch(node.WdirRev)
			all, err := ev.repo.BranchHeads()
			if err != nil {
				return 0, false, err
			}
			heads := slices.DeleteFunc(slices.Clone(all), func(h node.Rev) bool {
				name, _ := ev.repo.Branch(h)
				return name != branch
			})
			if len(heads) > 0 {
				return ev.highestAbove(p1, heads)
			}
			return ev.tipRev(), true, nil
		},
	} {
		r, ok, err := step()
		if err != nil {
			return nil, err
		}
		if ok {
			return intersect(subset, newListSet([]node.Rev{r})), nil
		}
	}
	return nil, hgerr.NewUnsupported("_destupdate() that finds nothing") // hg fails
}

// destOfObsolete is where to go from an obsolete changeset without children.
func (ev *evaluator) destOfObsolete(p1 node.Rev) (node.Rev, bool, error) {
	rewrites, ok := ev.repo.(Rewrites)
	if !ok {
		return 0, false, hgerr.NewUnsupported("revset _destupdate()")
	}
	if p1 < 0 || !rewrites.IsObsolete(p1) || len(ev.children(p1)) > 0 {
		return 0, false, nil
	}
	newest, err := rewrites.Newest(p1)
	if err != nil {
		return 0, false, err
	}
	newest = slices.DeleteFunc(newest, ev.hidden)
	if len(newest) > 0 {
		return slices.Max(newest), true, nil
	}
	for p1 >= 0 && rewrites.IsObsolete(p1) {
		p1, _ = ev.repo.Parents(p1)
	}
	return p1, true, nil
}

// destOfBookmark is the active bookmark, when it is elsewhere.
func (ev *evaluator) destOfBookmark(p1, p2 node.Rev) (node.Rev, bool, error) {
	active, err := ev.repo.ActiveBookmark()
	if err != nil || active == "" {
		return 0, false, err
	}
	marks, err := ev.repo.Bookmarks()
	if err != nil {
		return 0, false, err
	}
	if r, ok := findName(marks, active); ok && (r == p1 || r == p2 && p2 != node.NullRev) {
		return 0, false, nil
	}
	return 0, false, hgerr.NewUnsupported("_destupdate() away from the active bookmark") // hg says so on stdout
}

// highestAbove is the highest of what lies between start and heads.
func (ev *evaluator) highestAbove(start node.Rev, heads []node.Rev) (node.Rev, bool, error) {
	s, err := ev.between(newListSet([]node.Rev{start}), newListSet(heads))
	if err != nil {
		return 0, false, err
	}
	r, ok := maximum(s)
	return r, ok, nil
}

func (ev *evaluator) firstOf(expr string) (node.Rev, bool, error) {
	revs, err := ev.revs(expr)
	if err != nil || len(revs) == 0 {
		return 0, false, err
	}
	return revs[0], true, nil
}
