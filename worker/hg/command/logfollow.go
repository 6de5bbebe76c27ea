// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"os"
	"path/filepath"
	"slices"

	"hgbroker/worker/hg/annotate"
	"hgbroker/worker/hg/filehistory"
	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
)

// `log --follow` (Mercurial's logcmdutil): without files it shows ancestors. Files
// that are named and there are followed through their histories, copies
// included; what is no plain file, such as a directory or a pattern, is looked for
// in the files that each of the ancestors names.

// stateError is hg's StateError.
func stateError(format string, args ...any) error {
	err := hgerr.Abortf(hgerr.Other, format, args...)
	err.Detailed = hgerr.DetailedState
	return err
}

func (c *Context) follows() bool { return c.Opts.On("follow") || c.Opts.On("follow-first") }

// logStart is what log selects from, or follows.
func (c *Context) logStart(v *repo.View) (*revset.Set, error) {
	if specs := c.Opts.List("rev"); len(specs) > 0 {
		return c.eval(v, specs)
	}
	if !c.follows() {
		return c.everything(v)
	}
	if p1, _ := v.WdirParents(); p1 < 0 {
		return revset.List(c.Context, c.revsets(v), c.revsetOptions(), nil), nil
	}
	return c.eval(v, []string{"."})
}

// follow turns the changesets that log starts from into those that it shows. slow
// tells that what they touch must still be compared with the matcher.
func (c *Context) follow(v *repo.View, set *revset.Set) (out *revset.Set, slow bool, err error) {
	include, exclude := c.Opts.List("include"), c.Opts.List("exclude")
	mt, err := c.fileMatcher(v, c.Args, include, exclude, node.WdirRev, false)
	if err != nil {
		return nil, false, err
	}
	c.walked = mt
	firstOnly := c.Opts.On("follow-first")
	slow = match.AnyPatterns(mt) || !mt.Always() && c.Opts.On("removed")
	if !slow {
		if len(c.Opts.List("rev")) > 0 {
			slow, err = c.followedRevs(v, set, mt)
		} else {
			slow, err = c.followedFiles(v, mt)
		}
		if err != nil {
			return nil, false, err
		}
		if slow {
			if slow, err = c.anyStored(v, mt.Files()); err != nil {
				return nil, false, err
			}
		}
	}
	if slow || mt.Always() {
		return set.Ancestors(firstOnly), slow, nil
	}
	out, err = c.followFiles(v, set, mt, firstOnly)
	return out, false, err
}

// anyStored tells whether one of the paths has or had a history, or something
// below it.
func (c *Context) anyStored(v *repo.View, paths []string) (bool, error) {
	for _, path := range paths {
		if path == "" {
			return true, nil
		}
		if ok, err := storeHas(v, path); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// followedRevs looks for the named files in the revisions to start from. A
// directory there makes it slow.
func (c *Context) followedRevs(v *repo.View, set *revset.Set, mt *fileset.Matcher) (slow bool, err error) {
	all := mt.Files()
	missing := map[string]bool{}
	for _, f := range all {
		missing[f] = true
	}
	revs, err := set.Revs()
	if err != nil {
		return false, err
	}
	files := all
	for _, rev := range revs {
		if len(files) == 0 {
			break
		}
		if rev == node.WdirRev {
			return false, unsupported("log --follow of files from the working directory")
		}
		m, err := v.ManifestOf(rev)
		if err != nil {
			return false, err
		}
		again := slow
		for _, f := range files {
			switch {
			case m.Has(f):
			case f == "" && m.Len() > 0 || f != "" && m.HasDir(f):
				slow = true
			default:
				continue
			}
			if again {
				// hg takes it out of the set that it is going through, and fails.
				return false, unsupported("log --follow of a file beside a directory")
			}
			delete(missing, f)
		}
		if slow && !again || again {
			files = nil
			for f := range missing {
				files = append(files, f)
			}
		}
	}
	for _, f := range all {
		if missing[f] {
			return false, stateError("cannot follow file not in any of the specified revisions: \"%s\"", f)
		}
	}
	return slow, nil
}

// followedFiles looks for the named files in the working directory. What is there
// and not tracked may be a directory, which is slow.
func (c *Context) followedFiles(v *repo.View, mt *fileset.Matcher) (slow bool, err error) {
	d, err := c.dirstate(v)
	if err != nil {
		return false, err
	}
	for _, path := range mt.Files() {
		if !(checkedOut{d}).Tracked(path) {
			if _, err := os.Stat(filepath.Join(v.Layout.Root, path)); err != nil {
				return false, stateError("cannot follow file not in parent revision: \"%s\"", path)
			}
			slow = true
			continue
		}
		f, err := v.Filelog(path)
		if err != nil {
			return false, err
		}
		n := f.Len()
		f.Close()
		if n == 0 {
			return false, stateError("cannot follow nonexistent file: \"%s\"", path)
		}
	}
	return slow, nil
}

// followFiles follows the matching files of the changesets in set.
func (c *Context) followFiles(v *repo.View, set *revset.Set, mt *fileset.Matcher, firstOnly bool) (*revset.Set, error) {
	h := filehistory.New(v)
	var starts []filehistory.Revision
	for rev := range set.All() {
		if rev == node.WdirRev {
			return nil, unsupported("log --follow of files from the working directory")
		}
		m, err := v.ManifestOf(rev)
		if err != nil {
			return nil, err
		}
		err = c.manifestFiles(v, rev, m, mt, func(e manifest.Entry) error {
			r, err := h.At(rev, string(e.Path), e.Node)
			if err == nil {
				r, err = h.Intro(r)
			}
			starts = append(starts, r)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if err := set.Err(); err != nil {
		return nil, err
	}
	w, err := h.NewWalk(firstOnly, starts...)
	if err != nil {
		return nil, err
	}
	names := map[node.Rev][]string{}
	c.followed = func(rev node.Rev) (match.Matcher, error) { return match.Exact(names[rev]), nil }
	return revset.Generated(c.Context, c.revsets(v), c.revsetOptions(), func() (node.Rev, bool, error) {
		rev, met, ok, err := w.Next()
		if !ok {
			h.Close()
			return rev, ok, err
		}
		for i := range met {
			if path := h.Path(&met[i]); !slices.Contains(names[rev], path) {
				names[rev] = append(names[rev], path)
			}
		}
		return rev, ok, err
	}), nil
}

// lineRangeSet is what --line-range leaves of a set: the changesets that changed
// the lines, newest first.
func (c *Context) lineRangeSet(v *repo.View, set *revset.Set, specs []string) (*revset.Set, error) {
	ranges, err := c.lineRanges(v, specs)
	if err != nil {
		return nil, err
	}
	d, err := c.dirstate(v)
	if err != nil {
		return nil, err
	}
	for _, section := range []string{"encode", "decode"} {
		if len(c.Config.Items(section)) > 0 {
			return nil, unsupported("[%s] filters", section)
		}
	}
	h := filehistory.New(v)
	defer h.Close()
	compare, err := v.LineCompare()
	if err != nil {
		return nil, err
	}
	found := map[node.Rev]bool{}
	for _, lines := range ranges {
		if !(checkedOut{d}).Tracked(lines.path) {
			return nil, stateError("cannot follow file not in parent revision: \"%s\"", lines.path)
		}
		l := annotate.LineHistory{History: h, Compare: compare, CopySource: d.Copies()[lines.path], Check: c.Err}
		full := filepath.Join(v.Layout.Root, lines.path)
		if _, err := os.Lstat(full); err != nil {
			return nil, err
		}
		if l.Contents, err = readWorking(full); err != nil {
			return nil, err
		}
		r, err := h.File(lines.path)
		if err != nil {
			return nil, err
		}
		w := l.Ancestors(r, lines.from, lines.to, false)
		for {
			change, ok, err := w.Next()
			if err != nil {
				return nil, err
			}
			if !ok {
				break
			}
			rev, err := h.Introduced(&change.Revision)
			if err != nil {
				return nil, err
			}
			if set.Contains(rev) {
				found[rev] = true
			}
		}
		l.Close()
	}
	if err := set.Err(); err != nil {
		return nil, err
	}
	var revs []node.Rev
	for rev := range found {
		revs = append(revs, rev)
	}
	slices.SortFunc(revs, func(a, b node.Rev) int { return int(b) - int(a) })
	return revset.List(c.Context, c.revsets(v), c.revsetOptions(), revs), nil
}
