// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/store"
	"hgbroker/worker/hg/subrepo"
	"hgbroker/worker/hg/template"
)

var catSpec = Spec{
	Name: "cat",
	Options: func() []Option {
		return join(
			native(cmdline.Text("o", "output", ""), cmdline.Flag("", "decode"), cmdline.Text("r", "rev", "")),
			walkOptions(), formatterOptions())
	},
	Run: runCat,
}

// nullParent does what hg does before 7.0 to show the files of "." where nothing
// is checked out: it looks for it in what is visible, and so may warn.
func (c *Context) nullParent(v *repo.View, spec string, rev node.Rev) {
	if rev == node.NullRev && (spec == "" || spec == ".") && !c.At72() {
		v.HiddenCount()
	}
}

func runCat(c *Context) (int, error) {
	if len(c.Args) == 0 {
		return 0, unsupported("cat without arguments")
	}
	if to := c.Opts.Text("output"); to != "" && to != "-" {
		return 0, unsupported("cat --output to a file")
	}
	if len(c.Config.Items("decode")) > 0 && c.Opts.On("decode") {
		return 0, unsupported("[decode] filters")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	rev, err := c.Single(c.Opts.Text("rev"), ".")
	if err != nil {
		return 0, err
	}
	if rev == node.WdirRev {
		return c.catWorkingDirectory(v)
	}
	mt, err := c.matcherIn(v, c.Args, c.Opts.List("include"), c.Opts.List("exclude"), rev)
	if err != nil {
		return 0, err
	}
	c.nullParent(v, c.Opts.Text("rev"), rev)
	m, err := v.ManifestOf(rev)
	if err != nil {
		return 0, err
	}
	fm, err := c.formatter("cat", v)
	if err != nil {
		return 0, err
	}
	if err := fm.Unnamed(); err != nil {
		return 0, err
	}
	found, err := c.catFiles(v, fm, rev, m, mt)
	if err != nil {
		return 0, err
	}
	if found {
		return 0, fm.finish()
	}
	return 1, fm.finish()
}

// catFiles shows the files of a changeset that match, then those of its
// subrepositories.
func (c *Context) catFiles(v *repo.View, fm *output, rev node.Rev, m manifest.Manifest, mt match.Matcher) (found bool, err error) {
	show := func(e manifest.Entry) error {
		found = true
		return c.catFile(v, fm, rev, e)
	}
	if files := mt.Files(); len(files) == 1 && !match.AnyPatterns(mt) {
		e, ok, err := m.Lookup(files[0])
		if ok && err == nil {
			e.Path = []byte(files[0])
			return true, show(e)
		}
		if err != nil {
			return false, err
		}
	}
	if err := c.manifestFiles(v, rev, m, mt, show); err != nil {
		return false, err
	}
	inside, err := c.catSubs(v, fm, rev, mt)
	return found || inside, err
}

// catSubs shows the files of subrepositories, at the revisions that are recorded.
func (c *Context) catSubs(v *repo.View, fm *output, rev node.Rev, mt match.Matcher) (found bool, err error) {
	subs, err := v.Subrepos(rev)
	if err != nil {
		return false, err
	}
	name, err := c.pathNamer(v, true, nil)
	if err != nil {
		return false, err
	}
	for _, s := range subs {
		n, err := c.sub(v, s)
		if err != nil {
			return false, err
		}
		if err := fm.plainInside(); err != nil {
			return false, err
		}
		inside, err := n.cat(fm, match.SubDir(s.Path, mt))
		var lost *lostRevision
		if errors.As(err, &lost) {
			fm.release()
			c.Status("skipping missing subrepository: %s\n", name(s.Path))
			continue
		}
		if err = n.wrap(err); err == nil {
			err = n.MatchError()
		}
		if err != nil {
			return false, err
		}
		found = found || inside
	}
	return found, nil
}

// cat shows the files of a subrepository at its recorded revision.
func (n *nested) cat(fm *output, mt match.Matcher) (found bool, err error) {
	rev, err := n.lookup(n.state.Rev, false)
	if err != nil {
		return false, err
	}
	m, err := n.v.ManifestOf(rev)
	if err != nil {
		return false, err
	}
	return n.catFiles(n.v, fm, rev, m, mt)
}

func (c *Context) catFile(v *repo.View, fm *output, rev node.Rev, e manifest.Entry) error {
	data, err := fileData(v, e, rev)
	if err != nil {
		return err
	}
	fm.StartItem()
	if c.within == "" {
		if err := fm.context(rev); err != nil {
			return err
		}
	}
	fm.Write("data", "%s", template.Bytes(string(data)))
	fm.Data("path", template.Bytes(string(e.Path)))
	fm.spill()
	return c.Err()
}

// catWorkingDirectory shows files as they lie there, tracked or not, when they are
// named one by one.
func (c *Context) catWorkingDirectory(v *repo.View) (int, error) {
	if len(c.Config.Items("encode")) > 0 {
		return 0, unsupported("[encode] filters")
	}
	mt, err := c.matcherIn(v, c.Args, c.Opts.List("include"), c.Opts.List("exclude"), node.WdirRev)
	if err != nil {
		return 0, err
	}
	if match.AnyPatterns(mt) {
		return 0, unsupported("cat of patterns in the working directory")
	}
	d, err := c.dirstate(v)
	if err != nil {
		return 0, err
	}
	subs, err := v.Subrepos(node.WdirRev)
	if err != nil {
		return 0, err
	}
	if _, err := c.ignoreRules(v, c.warnRaw); err != nil { // hg walks, and reads them for that
		return 0, err
	}
	if v.Layout.Requirements.Has(requires.Sparse) {
		if _, err := c.sparse(v, c.warnRaw); err != nil {
			return 0, err
		}
	}
	files := slices.DeleteFunc(sorted(mt.Files()), func(path string) bool { return subrepo.Holds(subs, path) })
	data := make([][]byte, len(files))
	auditor := match.Auditor{Root: v.Layout.Root}
	for i, path := range files {
		name := filepath.Join(v.Layout.Root, path)
		fi, err := os.Lstat(name)
		if e, ok := d.Lookup(path); err != nil || !fi.Mode().IsRegular() || !ok || !e.Item.Tracked() || auditor.Audit(path) != nil {
			return 0, unsupported("cat of what is no tracked file of the working directory")
		}
		if data[i], _, err = store.ReadFile(name); err != nil {
			return 0, err
		}
	}
	fm, err := c.formatter("cat", v)
	if err != nil {
		return 0, err
	}
	for i, path := range files {
		fm.StartItem()
		if err := fm.context(node.WdirRev); err != nil {
			return 0, err
		}
		fm.Write("data", "%s", template.Bytes(string(data[i])))
		fm.Data("path", template.Bytes(path))
	}
	inside, err := c.catSubs(v, fm, node.WdirRev, mt)
	if err != nil {
		return 0, err
	}
	if len(files) == 0 && !inside {
		return 1, fm.finish()
	}
	return 0, fm.finish()
}

// fileData is the content of a file in a changeset.
func fileData(v *repo.View, e manifest.Entry, rev node.Rev) ([]byte, error) {
	f, err := v.FilelogPart(string(e.Path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	flrev, err := f.FindNear(e.Node, rev)
	if err != nil {
		return nil, err
	}
	return f.Data(flrev)
}
