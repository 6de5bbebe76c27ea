// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

var catSpec = Spec{
	Name: "cat",
	Options: join(
		others(cmdline.Text("o", "output", ""), cmdline.Flag("", "decode")),
		native(cmdline.Text("r", "rev", "")),
		walkOptions(), formatterOptions()),
	Run: runCat,
}

func runCat(c *Context) (int, error) {
	if len(c.Args) == 0 {
		return 0, unsupported("cat without arguments")
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
		return 0, unsupported("cat of the working directory")
	}
	mt, err := c.matcherIn(v, c.Args, c.Opts.List("include"), c.Opts.List("exclude"), rev)
	if err != nil {
		return 0, err
	}
	m, err := v.ManifestOf(rev)
	if err != nil {
		return 0, err
	}
	if m.Has(".hgsubstate") {
		return 0, unsupported("cat with subrepositories")
	}
	fm, err := c.formatter("cat", v)
	if err != nil {
		return 0, err
	}
	code := 1
	show := func(e manifest.Entry) error {
		code = 0
		return c.catFile(v, fm, rev, e)
	}
	if files := mt.Files(); len(files) == 1 && !match.AnyPatterns(mt) {
		e, ok, err := m.Lookup(files[0])
		if err != nil {
			return 0, err
		}
		if ok {
			e.Path = []byte(files[0])
			if err := show(e); err != nil {
				return 0, err
			}
			return code, fm.finish()
		}
	}
	if err := c.manifestFiles(v, rev, m, mt, show); err != nil {
		return 0, err
	}
	return code, fm.finish()
}

func (c *Context) catFile(v *repo.View, fm *output, rev node.Rev, e manifest.Entry) error {
	data, err := fileData(v, e)
	if err != nil {
		return err
	}
	fm.StartItem()
	if err := fm.context(rev); err != nil {
		return err
	}
	fm.Write("data", "%s", template.Bytes(string(data)))
	fm.Data("path", template.Bytes(string(e.Path)))
	fm.spill()
	return c.Err()
}

// fileData is the content of a file in a changeset.
func fileData(v *repo.View, e manifest.Entry) ([]byte, error) {
	f, err := v.Filelog(string(e.Path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	flrev, err := f.FindRev(e.Node)
	if err != nil {
		return nil, err
	}
	return f.Data(flrev)
}
