// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
)

// Which changesets `log FILE...` shows without --follow (Mercurial's logcmdutil). There are two ways: files that all have a history
// are looked up in their filelogs, which know nothing of removals and give one
// changeset for a content that several share; patterns, directories and files
// that are gone are looked for in the files that each changeset names.

// logFiles narrows a set to the changesets that have to do with the files on
// the command line. whole tells that set is every visible changeset, newest
// first.
func (c *Context) logFiles(v *repo.View, set *revset.Set, whole bool) (*revset.Set, error) {
	include, exclude := c.Opts.List("include"), c.Opts.List("exclude")
	if len(c.Args) == 0 && len(include) == 0 && len(exclude) == 0 {
		return set, nil
	}
	mt, err := c.fileMatcher(v, c.Args, include, exclude, node.WdirRev, false)
	if err != nil {
		return nil, err
	}
	c.walked = mt
	if mt.Always() {
		return set, nil
	}
	slow := match.AnyPatterns(mt) || c.Opts.On("removed")
	if !slow {
		if slow, err = c.needsChangelog(v, mt.Files()); err != nil {
			return nil, err
		}
	}
	if slow {
		return c.touching(v, set)
	}
	if len(c.Args) == 0 {
		return set, nil // as when -I names a file of patterns without any
	}
	if kind, _ := match.Kind(c.Args[0], "", c.At72()); whole && len(c.Args) == 1 && kind == "" {
		list, ok, err := c.linksOf(v, c.Args[0])
		if ok || err != nil {
			return revset.List(c.Context, repo.Revsets{View: v}, c.revsetOptions(), list), err
		}
	}
	revs := map[node.Rev]struct{}{}
	for _, p := range c.Args {
		if err := c.filelogsOf(v, p, revs); err != nil {
			return nil, err
		}
	}
	if !whole {
		return set.Filter(func(rev node.Rev) (bool, error) {
			_, ok := revs[rev]
			return ok, nil
		}), nil
	}
	list := make([]node.Rev, 0, len(revs))
	for rev := range revs {
		list = append(list, rev)
	}
	slices.SortFunc(list, func(a, b node.Rev) int { return int(b) - int(a) })
	newest := revset.List(c.Context, repo.Revsets{View: v}, c.revsetOptions(), list)
	newest.Sort(true)
	return newest, nil
}

// linksOf are the changesets that a file's revisions are linked to, newest first,
// when the file's history has them all in order and none of them is hidden; that
// takes a look at each revision, and no more.
func (c *Context) linksOf(v *repo.View, name string) (list []node.Rev, ok bool, err error) {
	path, err := repo.Revsets{View: v}.CanonPath(name)
	if err != nil {
		return nil, false, err
	}
	f, err := v.FilelogPart(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	list = make([]node.Rev, 0, f.Len())
	after := node.Rev(v.Len())
	for flrev := node.Rev(f.Len() - 1); flrev >= 0; flrev-- {
		link := f.LinkRev(flrev)
		if link < 0 || link > after || int(link) >= v.Len() || v.Hidden(link) {
			return nil, false, nil
		}
		if link < after {
			list = append(list, link)
			after = link
		}
	}
	return list, true, nil
}

// touching narrows a set to the changesets that name a file on the command line,
// none of which may be in a repository inside, be it a subrepository.
func (c *Context) touching(v *repo.View, set *revset.Set) (*revset.Set, error) {
	include, exclude := c.Opts.List("include"), c.Opts.List("exclude")
	mt, err := c.newFileMatcher(v, match.Options{Patterns: c.Args, Include: include, Exclude: exclude}, node.WdirRev, false)
	if err != nil {
		return nil, err
	}
	files := repo.Revsets{View: v}
	set = set.Filter(func(rev node.Rev) (bool, error) {
		if rev == node.WdirRev {
			return false, unsupported("log of files in the working directory")
		}
		names, err := files.Files(rev)
		return err == nil && slices.ContainsFunc(names, mt.Match), err
	})
	if !slices.ContainsFunc(slices.Concat(c.Args, include, exclude), fileset.IsSet) {
		return set, nil
	}
	// What a fileset says may fail late; that must be known before the
	// first changeset is shown.
	list, err := set.Revs()
	if err == nil {
		err = mt.Err()
	}
	return revset.List(c.Context, files, c.revsetOptions(), list), err
}

// needsChangelog tells whether one of the named files has no history, but may be
// a directory or have had one.
func (c *Context) needsChangelog(v *repo.View, files []string) (bool, error) {
	all := true
	for _, path := range files {
		if path == "" {
			return true, nil
		}
		f, err := v.FilelogPart(path)
		if err != nil {
			return false, err
		}
		all = all && f.Len() > 0
		f.Close()
	}
	if all {
		return false, nil
	}
	for _, path := range files {
		if ok, err := storeHas(v, path); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// storeHas tells whether the store has a filelog of a path or below it.
func storeHas(v *repo.View, path string) (bool, error) {
	exists := func(path string) (bool, error) {
		_, err := os.Stat(filepath.Join(v.Store().Path(), v.Store().FilelogPath(path)))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	if ok, err := exists(path); ok || err != nil {
		return ok, err
	}
	// Most directories that are asked about are still there.
	p1, _ := v.WdirParents()
	m, err := v.ManifestOf(p1)
	if err != nil || m.HasDir(path) {
		return err == nil, err
	}
	list, err := v.Store().List()
	if err != nil {
		return false, err
	}
	below := path + "/"
	at, _ := slices.BinarySearch(list, below)
	for ; at < len(list) && strings.HasPrefix(list[at], below); at++ {
		if ok, err := exists(list[at]); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// filelogsOf adds what the revset filelog(pattern) selects.
func (c *Context) filelogsOf(v *repo.View, pattern string, revs map[node.Rev]struct{}) error {
	kind, _ := match.Kind(pattern, "", c.At72())
	if kind == "" {
		path, err := repo.Revsets{View: v}.CanonPath(pattern)
		if err != nil {
			return err
		}
		return filelogRevs(v, path, revs)
	}
	// With a kind it is about what is tracked now.
	mt, err := c.fileMatcher(v, []string{pattern}, nil, nil, node.WdirRev, true)
	if err != nil {
		return err
	}
	d, err := c.dirstate(v)
	if err != nil {
		return err
	}
	for i := range d.Len() {
		if path := d.Path(i); d.Item(i).Tracked() && mt.Match(path) {
			if err := filelogRevs(v, path, revs); err != nil {
				return err
			}
		}
	}
	return mt.Err()
}

// filelogRevs adds the changesets that the revisions of a filelog are linked to.
// A file revision that several changesets share is linked to the first of them.
// When that one is hidden, hg looks for another that is not: once, from there on,
// and remembers which other revisions it meets on the way.
func filelogRevs(v *repo.View, path string, revs map[node.Rev]struct{}) error {
	f, err := v.Filelog(path)
	if err != nil {
		return err
	}
	defer f.Close()
	known := map[node.ID]node.Rev{}
	scan := node.Rev(0) // where the last search ended; NullRev after one in vain
	for flrev := range node.Rev(f.Len()) {
		id := f.Node(flrev)
		if rev, ok := known[id]; ok {
			revs[rev] = struct{}{}
			continue
		}
		link := f.LinkRev(flrev)
		switch {
		case link >= 0 && int(link) < v.Len() && !v.Hidden(link):
			revs[link] = struct{}{}
			continue
		case scan < 0:
			continue
		}
		start := max(link, scan) + 1
		scan = node.NullRev
		for rev := start; int(rev) < v.Len(); rev++ {
			if v.Hidden(rev) {
				continue
			}
			cs, err := v.Changeset(rev)
			if err != nil {
				return err
			}
			if !slices.Contains(cs.FileList(), path) {
				continue
			}
			m, err := v.ManifestOf(rev)
			if err != nil {
				return err
			}
			e, ok, err := m.Lookup(path)
			if err != nil {
				return err
			}
			if _, met := known[e.Node]; !ok || met {
				continue // removed, or met before
			}
			if e.Node == id {
				revs[rev] = struct{}{}
				scan = rev
				break
			}
			known[e.Node] = rev
		}
	}
	return nil
}
