// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
)

// grep --follow: of a merge hg follows the first parent alone, and it compares a
// copy with what it was copied from. Where only the newest match of a file is
// shown, what a shown file was copied from counts as shown, too. hg goes through
// the changesets window by window, and finds that out before it shows anything of
// a window, from its oldest changeset to the newest (scmutil.py, grep.py).

// The first window has that many changesets, and each has twice as many as the
// one before, up to the last number.
const (
	firstWindow   = 8
	largestWindow = 512
)

// followed is what to search in a changeset.
type followed struct {
	rev    node.Rev
	match  match.Matcher
	copies map[string]string // by file
	files  []string          // unless all files are searched
}

// follow chooses the changesets of grep --follow, nil for none, and the matcher of
// each one's files.
func (g *grepping) follow(specs []string, all bool) (*revset.Set, func(node.Rev) (match.Matcher, error), error) {
	c, v := g.c, g.v
	if from := c.Config.GetOr("experimental", "copies.read-from", "filelog-only"); from != "filelog-only" {
		return nil, nil, unsupported("grep --follow with experimental.copies.read-from=%s", from)
	}
	inner := *c
	inner.Args = c.Args[1:]
	inner.Opts = nil
	inner.Opts.Set("follow-first", cmdline.Value{On: true})
	inner.Opts.Set("removed", cmdline.Value{On: all})
	inner.Opts.Set("rev", cmdline.Value{List: specs})
	for _, name := range []string{"include", "exclude"} {
		inner.Opts.Set(name, c.Opts.Get(name))
	}
	if p1, _ := v.WdirParents(); p1 >= 0 || len(specs) > 0 {
		v.HiddenCount() // hg looks at what is visible even for "."
	}
	set, err := inner.logStart(v)
	if err != nil {
		return nil, nil, err
	}
	if set.Empty() {
		return nil, nil, set.Err()
	}
	if set.Contains(node.WdirRev) {
		return nil, nil, unsupported("grep --follow from the working directory")
	}
	set, slow, err := inner.follow(v, set)
	if err == nil && slow && !all {
		set, err = inner.touching(v, set)
	}
	if err != nil {
		return nil, nil, err
	}
	matcher := inner.followed
	if matcher == nil {
		matcher = func(node.Rev) (match.Matcher, error) { return inner.walked, nil }
	}
	return set, matcher, nil
}

// runFollow is the search of grep --follow.
func (g *grepping) runFollow(set *revset.Set, matcher func(node.Rev) (match.Matcher, error), all bool) error {
	size := firstWindow
	var window []followed
	flush := func() error {
		if err := g.prepare(window, all); err != nil {
			return err
		}
		for _, f := range window {
			if err := g.showFollowed(f, all); err != nil {
				return err
			}
			g.fm.spill()
		}
		window, size = window[:0], min(2*size, largestWindow)
		return nil
	}
	for rev := range set.All() {
		mt, err := matcher(rev)
		if err != nil {
			return err
		}
		window = append(window, followed{rev: rev, match: mt})
		if len(window) == size {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := set.Err(); err != nil {
		return err
	}
	return flush()
}

// prepare finds the files to search in a window of changesets.
func (g *grepping) prepare(window []followed, all bool) error {
	if all {
		return nil
	}
	order := make([]*followed, len(window))
	for i := range window {
		order[i] = &window[i]
	}
	slices.SortFunc(order, func(a, b *followed) int { return int(a.rev) - int(b.rev) })
	for _, f := range order {
		if f.rev < 0 {
			continue
		}
		copies, err := g.v.RecordedCopies(f.rev)
		if err != nil {
			return err
		}
		f.copies = map[string]string{}
		for _, copied := range copies {
			f.copies[copied.Dest] = copied.Source
		}
		names, err := (repo.Revsets{View: g.v}).Files(f.rev)
		if err != nil {
			return err
		}
		m, err := g.v.ManifestOf(f.rev)
		if err != nil {
			return err
		}
		for _, path := range names {
			if !f.match.Match(path) || !m.Has(path) {
				continue
			}
			if g.skip[path] {
				g.passOver(f, path)
				continue
			}
			f.files = append(f.files, path)
		}
	}
	return nil
}

// passOver leaves out what a file that is not to be shown any more was copied from.
func (g *grepping) passOver(f *followed, path string) {
	if source := f.copies[path]; source != "" {
		g.skip[source] = true
	}
}

// showFollowed searches one changeset.
func (g *grepping) showFollowed(f followed, all bool) error {
	mt := f.match
	if !all {
		mt = match.Exact(f.files)
	}
	if f.rev < 0 {
		return nil
	}
	found, err := g.files.revision(f.rev, mt, all, nil)
	if err != nil {
		return err
	}
	parent, _ := g.v.Parents(f.rev)
	for _, m := range found {
		if g.skip[m.path] {
			g.passOver(&f, m.path)
			continue
		}
		before := f.copies[m.path]
		if before == "" {
			before = m.path
		}
		shown, err := g.file(f.rev, parent, before, m)
		if err != nil {
			return err
		}
		if shown && !g.diff && !all {
			g.skip[m.path] = true
			g.passOver(&f, m.path)
		}
	}
	return nil
}
