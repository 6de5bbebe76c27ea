// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/status"
)

// Small commands for those who write clients: what can be completed, what a
// repository needs, what an expression names.

var debugrequirementsSpec = Spec{
	Name: "debugrequires",
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 0 {
			return 0, unsupported("debugrequires with arguments")
		}
		for _, name := range c.Repo.Layout.Requirements {
			c.Print(name + "\n")
		}
		return 0, nil
	},
}

var debugnamecompleteSpec = Spec{Name: "debugnamecomplete", Run: runDebugnamecomplete}

var debuglabelcompleteSpec = Spec{Name: "debuglabelcomplete", Run: runDebugnamecomplete}

// runDebugnamecomplete lists tags, bookmarks and open branches that begin like
// one of the arguments.
func runDebugnamecomplete(c *Context) (int, error) {
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	var names []string
	for _, b := range v.BookmarkList() {
		names = append(names, b.Name)
	}
	tags, err := v.TagList()
	if err != nil {
		return 0, err
	}
	for _, t := range tags {
		names = append(names, t.Name)
	}
	if c.Topic != "" {
		topics, err := v.TopicNames()
		if err != nil {
			return 0, err
		}
		names = append(names, topics...)
	}
	branches, err := v.Branches()
	if err != nil {
		return 0, err
	}
	for _, b := range branches {
		if len(b.Open()) > 0 {
			names = append(names, b.Name)
		}
	}
	starts := c.Args
	if len(starts) == 0 {
		starts = []string{""}
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		return !slices.ContainsFunc(starts, func(s string) bool { return strings.HasPrefix(n, s) })
	})
	c.Print(strings.Join(sorted(names), "\n") + "\n")
	return 0, nil
}

var debugdateSpec = Spec{
	Name:    "debugdate",
	Options: func() []Option { return native(cmdline.Flag("e", "extended")) },
	Run: func(c *Context) (int, error) {
		if len(c.Args) != 1 {
			return 0, unsupported("debugdate with a range, of which hg dies")
		}
		d, err := dates.ParseFormats(c.Args[0], c.Now, c.Local, c.Opts.On("extended"))
		if err != nil {
			return 0, err
		}
		text, err := d.Format(dates.DefaultFormat)
		if err != nil {
			return 0, err
		}
		c.Printf("internal: %d %d\nstandard: %s\n", d.Unix, d.Offset, text)
		return 0, nil
	},
}

var debugsubSpec = Spec{
	Name:    "debugsub",
	Options: func() []Option { return native(cmdline.Text("r", "rev", "")) },
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 0 {
			return 0, unsupported("debugsub with arguments")
		}
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		rev, err := c.visible(c.Opts.Text("rev"), "")
		if err != nil {
			return 0, err
		}
		subs, err := v.Subrepos(rev)
		for _, s := range subs {
			c.Printf("path %s\n source   %s\n revision %s\n", s.Path, s.Source, s.Rev)
		}
		return 0, err
	},
}

var debugwalkSpec = Spec{
	Name:    "debugwalk",
	Options: walkOptions,
	Run: func(c *Context) (int, error) {
		if c.Verbose {
			return 0, unsupported("debugwalk --verbose, which shows Mercurial's own objects")
		}
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		mt, err := c.fileMatcher(v, c.Args, c.Opts.List("include"), c.Opts.List("exclude"), node.WdirRev, false)
		if err != nil {
			return 0, err
		}
		wc, _, err := c.workingCopy(v, mt)
		if err != nil {
			return 0, err
		}
		list, err := status.Walk(c, wc)
		if err == nil {
			err = mt.Err()
		}
		if err != nil {
			return 0, err
		}
		width, shown := 0, 0
		for _, path := range list {
			width, shown = max(width, len(path)), max(shown, len(v.PathTo(path)))
		}
		for _, path := range list {
			exact := ""
			if mt.Exact(path) {
				exact = "exact"
			}
			name := v.PathTo(path)
			line := "f  " + path + pad(width-len(path)) + "  " + name + pad(shown-len(name)) + "  " + exact
			c.Print(strings.TrimRight(line, pythonSpace) + "\n")
		}
		return 0, nil
	},
}

var debugfilesetSpec = Spec{
	Name: "debugfileset",
	Options: func() []Option {
		return join(
			native(cmdline.Text("r", "rev", "")),
			others(cmdline.Flag("", "all-files"), cmdline.Flag("s", "show-matcher"), cmdline.Words("p", "show-stage")))
	},
	Run: runDebugfileset,
}

// runDebugfileset lists which files a fileset names: of the working directory
// all, of a changeset only those that it changed.
func runDebugfileset(c *Context) (int, error) {
	if len(c.Args) != 1 {
		return 0, unsupported("usage error: debugfileset")
	}
	if c.Verbose {
		return 0, unsupported("debugfileset --verbose, which shows Mercurial's own objects")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	rev, err := c.visible(c.Opts.Text("rev"), "")
	if err != nil {
		return 0, err
	}
	if _, err := fileset.Parse(c.Args[0]); err != nil {
		return 0, err
	}
	if rev == node.WdirRev && v.Layout.Requirements.Has(requires.Sparse) { // hg walks first
		if _, err := c.sparse(v, c.warnRaw); err != nil {
			return 0, err
		}
	}
	mt, err := c.fileMatcher(v, []string{"set:" + c.Args[0]}, nil, nil, rev, true)
	if err != nil {
		return 0, err
	}
	var files []string
	if rev == node.WdirRev {
		wc, _, err := c.workingCopy(v, match.Always())
		if err != nil {
			return 0, err
		}
		wc.Ignore = nil // what is ignored counts, too
		if files, err = status.Walk(c, wc); err != nil {
			return 0, err
		}
	} else if files, err = (repo.Revsets{View: v}).Files(rev); err != nil {
		return 0, err
	}
	subs, err := v.Subrepos(rev)
	if err != nil {
		return 0, err
	}
	for _, s := range subs {
		files = append(files[:len(files):len(files)], s.Path)
	}
	for _, path := range sorted(files) {
		if mt.Match(path) {
			c.Print(path + "\n")
		}
	}
	return 0, mt.Err()
}
