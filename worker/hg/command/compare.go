// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"context"
	"os"
	"path/filepath"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/ignore"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/status"
)

// dirstate reads the whole dirstate.
func (c *Context) dirstate(v *repo.View) (*dirstate.Dirstate, error) {
	return v.Dirstate()
}

// listOf is the files of a status by their letter.
func listOf(r *status.Result, letter byte) []string { return *listIn(r, letter) }

func listIn(r *status.Result, letter byte) *[]string {
	switch letter {
	case 'M':
		return &r.Modified
	case 'A':
		return &r.Added
	case 'R':
		return &r.Removed
	case '!':
		return &r.Deleted
	case '?':
		return &r.Unknown
	case 'I':
		return &r.Ignored
	}
	return &r.Clean
}

// statusOf compares two sides, each a changeset or the working directory.
func (c *Context) statusOf(v *repo.View, a, b node.Rev, mt match.Matcher, unknown, ignored, clean bool) (*status.Result, error) {
	if a == node.WdirRev && b == node.WdirRev {
		return nil, unsupported("status of the working directory against itself")
	}
	if a != node.WdirRev && b != node.WdirRev {
		ma, err := v.ManifestOf(a)
		if err != nil {
			return nil, err
		}
		mb, err := v.ManifestOf(b)
		if err != nil {
			return nil, err
		}
		return status.Revisions(c, ma, mb, mt, clean)
	}
	wc, p1, err := c.workingCopy(v, mt)
	if err != nil {
		return nil, err
	}
	wc.ListUnknown, wc.ListIgnored, wc.ListClean = unknown, ignored, clean
	other := a
	if a == node.WdirRev {
		other = b
	}
	var st *status.Result
	if parent, _ := v.WdirParents(); other == parent {
		st, err = status.Status(c, wc)
	} else {
		var mp, mo manifest.Manifest
		if mp, err = p1.Manifest(); err != nil {
			return nil, err
		}
		if mo, err = v.ManifestOf(other); err != nil {
			return nil, err
		}
		// Here hg names files as the dirstate does, whatever ui.relative-paths says.
		wc.Bad = func(name, reason string) { c.Warnf("%s: %s\n", v.PathTo(name), reason) }
		st, err = status.AgainstRevision(c, wc, mp, mo)
	}
	if err != nil {
		return nil, err
	}
	if a == node.WdirRev {
		st = st.Reverse()
	}
	return st, nil
}

// workingCopy is the working directory, ready to be compared with its first
// parent, whose manifest is returned beside.
func (c *Context) workingCopy(v *repo.View, mt match.Matcher) (*status.WorkingCopy, *repo.LazyManifest, error) {
	filesystem, err := status.CheckFilesystem(v.Layout.Root)
	if err != nil {
		return nil, nil, err
	}
	for _, section := range []string{"encode", "decode"} {
		if len(c.Config.Items(section)) > 0 {
			return nil, nil, unsupported("[%s] filters", section)
		}
	}
	d, err := c.dirstate(v)
	if err != nil {
		return nil, nil, err
	}
	subs, err := v.Subrepos(node.WdirRev)
	if err != nil {
		return nil, nil, err
	}
	parent, _ := v.WdirParents()
	p1 := v.LazyManifest(parent)
	shown := c.badNames
	if shown == nil {
		if shown, err = c.pathNamer(v, true, nil); err != nil {
			return nil, nil, err
		}
	}
	wc := &status.WorkingCopy{
		Root: v.Layout.Root, Cwd: v.RelCwd(), Dirstate: d, P1: p1, Match: mt, Warn: c.warnRaw, Memo: v.StatusMemo(), Began: c.Now,
		Filesystem: filesystem,
		Ignore:     func(warn func(string)) (status.Ignorer, error) { return c.ignoreRules(v, warn) },
		Differs: func(ctx context.Context, path string, e manifest.Entry) (bool, error) {
			return c.differs(v, path, e, parent)
		},
		Bad: func(name, reason string) { c.Warnf("%s: %s\n", shown(name), reason) },
	}
	if v.Layout.Requirements.Has(requires.Sparse) {
		wc.Sparse = func(warn func(string)) (match.Matcher, error) { return c.sparse(v, warn) }
	}
	for _, s := range subs {
		if _, ok := d.Lookup(s.Path); ok {
			return nil, nil, unsupported("a file in the place of subrepository %s", s.Path)
		}
		wc.Subrepos = append(wc.Subrepos, s.Path)
	}
	if c.At72() {
		wc.Now = c.Now.Unix()
	}
	return wc, p1, nil
}

// ignoreRules are the rules of .hgignore and ui.ignore.
func (c *Context) ignoreRules(v *repo.View, warn func(string)) (*ignore.Rules, error) {
	var files []string
	for _, it := range c.Config.Items("ui") {
		if it.Name == "ignore" || len(it.Name) > 7 && it.Name[:7] == "ignore." {
			files = append(files, c.Config.Sources().ExpandPath(it.Text))
		}
	}
	return v.IgnoreRules(files, warn)
}

// differs compares a file on disk with a revision of it, as it stands in rev.
func (c *Context) differs(v *repo.View, path string, e manifest.Entry, rev node.Rev) (bool, error) {
	full := filepath.Join(v.Layout.Root, path)
	fi, err := os.Lstat(full)
	if err != nil {
		return false, err
	}
	var data []byte
	if fi.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(full)
		if err != nil {
			return false, err
		}
		data = []byte(target)
	} else if data, err = os.ReadFile(full); err != nil {
		return false, err
	}
	f, err := v.FilelogPart(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	flrev, err := f.FindNear(e.Node, rev)
	if err != nil {
		return false, err
	}
	same, err := f.Same(flrev, data)
	return !same, err
}
