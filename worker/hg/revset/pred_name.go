// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// named revisions as a set within subset, without null.
func (ev *evaluator) namedRevs(subset smartset, names []NamedRev, keep func(string) bool) smartset {
	var revs []node.Rev
	for _, n := range names {
		if n.Rev != node.NullRev && keep(n.Name) {
			revs = append(revs, n.Rev)
		}
	}
	return ev.withRevs(subset, revs)
}

func everyName(string) bool { return true }

func findName(names []NamedRev, name string) (node.Rev, bool) {
	for _, n := range names {
		if n.Name == name {
			return n.Rev, true
		}
	}
	return 0, false
}

func bookmark(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 0, 1, "bookmark takes one or no arguments")
	if err != nil {
		return nil, err
	}
	names, err := ev.repo.Bookmarks()
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return ev.namedRevs(subset, names, everyName), nil
	}
	text, p, err := ev.patternArgument(args[0], "bookmark")
	if err != nil {
		return nil, err
	}
	if p.kind != "literal" {
		return ev.namedRevs(subset, names, p.match), nil
	}
	name := p.text
	if name == text && name == "." {
		if name, err = ev.repo.ActiveBookmark(); err != nil {
			return nil, err
		}
		if name == "" {
			return nil, lookupErrorf("no active bookmark")
		}
	}
	r, ok := findName(names, name)
	if !ok {
		return nil, lookupErrorf("bookmark '%s' does not exist", name)
	}
	return ev.withRevs(subset, slices.DeleteFunc([]node.Rev{r}, func(r node.Rev) bool { return r == node.NullRev })), nil
}

func tag(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 0, 1, "tag takes one or no arguments")
	if err != nil {
		return nil, err
	}
	names, err := ev.repo.Tags()
	if err != nil {
		return nil, err
	}
	if ev.tipRev() == node.NullRev {
		names = append(slices.Clone(names), NamedRev{"tip", node.NullRev})
	}
	if len(args) == 0 {
		return ev.namedRevs(subset, names, func(n string) bool { return n != "tip" }), nil
	}
	_, p, err := ev.patternArgument(args[0], "tag")
	if err != nil {
		return nil, err
	}
	if p.kind != "literal" {
		var revs []node.Rev
		for _, n := range names {
			if p.match(n.Name) {
				revs = append(revs, n.Rev)
			}
		}
		return ev.withRevs(subset, revs), nil
	}
	r, ok := findName(names, p.text)
	if !ok {
		return nil, lookupErrorf("tag '%s' does not exist", p.text)
	}
	return ev.withRevs(subset, []node.Rev{r}), nil
}

// branch is branch(name or pattern) and branch(set).
func branch(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	nameOf := func(r node.Rev) string {
		name, _ := ev.repo.Branch(r)
		return name
	}
	if t, ok := ev.repo.(TopicBranches); ok && ev.opts.Topics {
		nameOf = t.TopicBranchOf
	}
	if x.isText() {
		p, err := ev.pattern(x.Value, true)
		if err != nil {
			return nil, err
		}
		matching := func(r node.Rev) bool { return p.match(nameOf(r)) }
		if p.kind != "literal" {
			return ev.quickFilter(subset, matching), nil
		}
		names, err := ev.repo.Branches()
		if err != nil {
			return nil, err
		}
		// A plain string that is no branch is a revision.
		if _, ok := findName(names, p.text); ok {
			return ev.quickFilter(subset, matching), nil
		}
		if strings.HasPrefix(x.Value, "literal:") {
			return nil, lookupErrorf("branch '%s' does not exist", p.text)
		}
	}
	s, err := ev.getAll(x)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	it := s.iter()
	for r, ok := it(); ok; r, ok = it() {
		wanted[nameOf(r)] = true
	}
	return ev.quickFilter(subset, func(r node.Rev) bool { return s.contains(r) || wanted[nameOf(r)] }), nil
}

// named is the revisions of all names of one or more namespaces.
func named(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 1, 1, "named requires a namespace argument")
	if err != nil {
		return nil, err
	}
	text, p, err := ev.patternArgument(args[0], "named")
	if err != nil {
		return nil, err
	}
	var revs []node.Rev
	found := false
	if p.match("branches") && !ev.opts.Version.AtLeast(7, 0) {
		return nil, hgerr.NewUnsupported("named branches") // older releases fail to list them
	}
	for _, ns := range []struct {
		name string
		list func() ([]NamedRev, error)
	}{{"bookmarks", ev.repo.Bookmarks}, {"tags", ev.repo.Tags}, {"branches", ev.repo.Branches}} {
		if !p.match(ns.name) {
			continue
		}
		found = true
		names, err := ns.list()
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			if n.Rev != node.NullRev && (ns.name != "tags" || n.Name != "tip") {
				revs = append(revs, n.Rev)
			}
		}
	}
	if p.kind == "literal" && !found {
		return nil, lookupErrorf("namespace '%s' does not exist", text)
	}
	return ev.withRevs(subset, revs), nil
}

func id(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 1, 1, "id requires one argument")
	if err != nil {
		return nil, err
	}
	text, err := getString(args[0], "id requires a string")
	if err != nil {
		return nil, err
	}
	r, ok, err := ev.byHash(text)
	if err != nil || !ok {
		return newListSet(nil), err
	}
	return intersect(newListSet([]node.Rev{r}), subset), nil
}

// byHash finds the visible changeset with a hash that begins with text; ok is
// false when there is none, or several.
func (ev *evaluator) byHash(text string) (r node.Rev, ok bool, err error) {
	if len(text) == node.HexSize {
		var full node.ID
		if full, ok = node.FromHex(text); ok {
			r, ok = ev.repo.Rev(full)
		}
	} else if r, ok, err = ev.repo.LookupPrefix(text); err != nil {
		if isAmbiguous(err) || isLookupError(err) {
			err = nil
		}
		return 0, false, err
	}
	return r, ok && !ev.hidden(r), nil
}

func rev(ev *evaluator, subset smartset, x *Tree, o order) (smartset, error) {
	s, err := existingRev(ev, subset, x, o)
	if err != nil && isLookupError(err) {
		return newListSet(nil), nil
	}
	return s, err
}

// existingRev is rev() where an unknown number is an error.
func existingRev(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 1, 1, "rev requires one argument")
	if err != nil {
		return nil, err
	}
	text, err := getString(args[0], "rev requires a number")
	if err != nil {
		return nil, err
	}
	n, canonical, ok := pyInt(text)
	if !ok {
		return nil, parseErrorf("rev expects a number")
	}
	if n >= 1<<31 && n != int64(node.WdirRev) || n < -1<<31 {
		return nil, hgerr.NewUnsupported("a revision number of more than 32 bits") // hg fails
	}
	if n != int64(node.NullRev) && n != int64(node.WdirRev) {
		if n < 0 || n >= int64(ev.repo.Len()) || ev.repo.Hidden(node.Rev(n)) {
			return nil, lookupErrorf("unknown revision '%s'", canonical)
		}
	}
	return intersect(subset, newListSet([]node.Rev{node.Rev(n)})), nil
}

// Sources of changesets: what graft, transplant and rebase leave in extra.

// sourceOf is the changeset that r was made from, NullRev if it is not known
// here.
func (ev *evaluator) sourceOf(r node.Rev) (node.Rev, error) {
	extra, err := ev.repo.Extra(r)
	if err != nil {
		return 0, err
	}
	for _, label := range []string{"source", "transplant_source", "rebase_source"} {
		v, ok := extra[label]
		if !ok {
			continue
		}
		id, isHex := node.FromHex(v)
		if !isHex {
			if len(v) != node.Size {
				return 0, hgerr.NewUnsupported("changeset with %s %q", label, v)
			}
			id, _ = node.FromBytes([]byte(v))
		}
		if src, ok := ev.repo.Rev(id); ok && !ev.hidden(src) {
			return src, nil
		}
	}
	return node.NullRev, nil
}

func origin(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	var dests smartset = ev.all()
	if x != nil {
		var err error
		if dests, err = ev.getAll(x); err != nil {
			return nil, err
		}
	}
	var revs []node.Rev
	it := dests.iter()
	for r, ok := it(); ok && !ev.stopped(); r, ok = it() {
		src, err := ev.sourceOf(r)
		for steps := 0; err == nil && src != node.NullRev; steps++ {
			if steps > ev.repo.Len() {
				return nil, hgerr.NewUnsupported("changesets that are their own source")
			}
			var prev node.Rev
			if prev, err = ev.sourceOf(src); err == nil && prev == node.NullRev {
				revs = append(revs, src)
			}
			src = prev
		}
		if err != nil {
			return nil, err
		}
	}
	return ev.withRevs(subset, revs), nil
}

func destination(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	var sources smartset = ev.all()
	if x != nil {
		var err error
		if sources, err = ev.getAll(x); err != nil {
			return nil, err
		}
	}
	found := new(bitset)
	it := subset.iter()
	for r, ok := it(); ok && !ev.stopped(); r, ok = it() {
		src, err := ev.sourceOf(r)
		var lineage []node.Rev
		for err == nil && src != node.NullRev {
			if len(lineage) > ev.repo.Len() {
				return nil, hgerr.NewUnsupported("changesets that are their own source")
			}
			lineage = append(lineage, r)
			if sources.contains(src) || found.has(src) {
				for _, l := range lineage {
					found.add(l)
				}
				break
			}
			r = src
			src, err = ev.sourceOf(r)
		}
		if err != nil {
			return nil, err
		}
	}
	return ev.quickFilter(subset, found.has), nil
}
