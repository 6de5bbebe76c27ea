// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"path/filepath"
	"slices"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
)

var locateSpec = Spec{
	Name: "locate",
	Options: func() []Option {
		return join(
			native(cmdline.Text("r", "rev", ""), cmdline.Flag("0", "print0"), cmdline.Flag("f", "fullpath")),
			walkOptions())
	},
	Run: runLocate,
}

func runLocate(c *Context) (int, error) {
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	rev, err := c.visible(c.Opts.Text("rev"), "")
	if err != nil {
		return 0, err
	}
	mt, err := fileset.New(match.Options{
		Root: v.Layout.Root, Cwd: v.RelCwd(), Patterns: c.Args, Include: c.Opts.List("include"), Exclude: c.Opts.List("exclude"),
		Default: "relglob", NoFS: rev != node.WdirRev, Version: c.Config.Version(), Nested: c.nestedIn(v),
	}, &filesets{c: c, v: v, auditor: &match.Auditor{Root: v.Layout.Root}}, rev, false)
	if err != nil {
		return 0, err
	}
	name, err := c.pathNamer(v, len(c.Args) > 0, nil)
	if err != nil {
		return 0, err
	}
	if c.Opts.On("fullpath") {
		name = func(path string) string { return filepath.Join(v.Layout.Root, path) }
	}
	end := "\n"
	if c.Opts.On("print0") {
		end = "\x00"
	}
	code := 1
	show := func(path string) error {
		code = 0
		c.Print(name(path) + end)
		return c.Err()
	}
	if rev == node.WdirRev {
		d, err := c.dirstate(v)
		if err != nil {
			return 0, err
		}
		for _, path := range known(d, mt) {
			if err := show(path); err != nil {
				return 0, err
			}
		}
		return code, mt.Err()
	}
	m, err := v.ManifestOf(rev)
	if err != nil {
		return 0, err
	}
	_, err = eachMatch(m, mt, func(e manifest.Entry) error { return show(string(e.Path)) })
	if err == nil {
		err = mt.Err()
	}
	return code, err
}

// known lists the files of the dirstate that match, removed ones included; each
// as often as it is named when nothing but known files are.
func known(d *dirstate.Dirstate, mt match.Matcher) []string {
	var list []string
	if files := mt.Files(); mt.IsExact() || mt.Prefix() && len(files) > 0 {
		all := true
		for _, path := range files {
			_, ok := d.Lookup(path)
			if all = all && ok; ok {
				list = append(list, path)
			}
		}
		if all || mt.IsExact() {
			slices.Sort(list)
			return list
		}
		list = nil
	}
	for i := range d.Len() {
		if path := d.Path(i); mt.Always() || mt.Match(path) {
			list = append(list, path)
		}
	}
	return list
}
