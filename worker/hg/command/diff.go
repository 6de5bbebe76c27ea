// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
)

// diffFormatOptions are shared by what prints patches.
func diffFormatOptions() []Option {
	return native(cmdline.Flag("a", "text"), cmdline.Flag("g", "git"), cmdline.Flag("", "binary"), cmdline.Flag("", "nodates"))
}

// diffDetailOptions are those that log has not.
func diffDetailOptions() []Option {
	return native(cmdline.Flag("", "noprefix"), cmdline.Flag("p", "show-function"), cmdline.Flag("", "reverse"),
		cmdline.Flag("w", "ignore-all-space"), cmdline.Flag("b", "ignore-space-change"), cmdline.Flag("B", "ignore-blank-lines"),
		cmdline.Flag("Z", "ignore-space-at-eol"), cmdline.Text("U", "unified", ""), cmdline.Flag("", "stat"), cmdline.Text("", "root", ""))
}

var diffSpec = Spec{
	Name: "diff",
	Options: func() []Option {
		return join(
			native(cmdline.Words("r", "rev"), cmdline.Text("", "from", ""), cmdline.Text("", "to", ""), cmdline.Text("c", "change", "")),
			others(cmdline.Flag("", "ignore-changes-from-ancestors")),
			diffFormatOptions(), diffDetailOptions(),
			walkOptions(), subrepoOptions())
	},
	Run: runDiff,
}

func runDiff(c *Context) (int, error) {
	if err := c.exclusive("rev", "change"); err != nil {
		return 0, err
	}
	for _, first := range []string{"from", "to"} {
		for _, other := range []string{"rev", "change"} {
			if err := c.exclusive(first, other); err != nil {
				return 0, err
			}
		}
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	a, b, err := c.diffSides(v)
	if err != nil {
		return 0, err
	}
	opts, err := c.diffOptions(true)
	if err != nil {
		return 0, err
	}
	mt, err := c.matcherIn(v, c.Args, c.Opts.List("include"), c.Opts.List("exclude"), b)
	if err != nil {
		return 0, err
	}
	if opts.Git {
		if err := refuseUnsaid(v); err != nil {
			return 0, err
		}
	}
	q := comparison{a: a, b: b, match: mt, opts: opts}
	if c.Opts.On("reverse") {
		q.a, q.b = b, a
	}
	if err := c.diffRoot(v, &q); err != nil {
		return 0, err
	}
	d := &differ{c: c, v: v, opts: opts}
	err = d.show(c.Stdout, q, c.Opts.On("stat"), 0, c.Opts.On("subrepos"))
	if err == nil && a == node.NullRev && b == node.WdirRev && !c.Opts.Given("rev") && !c.Opts.Given("from") && !c.Opts.Given("to") {
		c.nullParent(v, "", a) // after what is said of files that are not there
	}
	return 0, err
}

// exclusive refuses two options together.
func (c *Context) exclusive(a, b string) error {
	given := func(name string) bool { return c.Opts.Text(name) != "" || len(c.Opts.List(name)) > 0 }
	if given(a) && given(b) {
		return inputError("cannot specify both --%s and --%s", a, b)
	}
	return nil
}

// diffSides are the two sides of hg diff, before --reverse.
func (c *Context) diffSides(v *repo.View) (a, b node.Rev, err error) {
	from, to, change := c.Opts.Text("from"), c.Opts.Text("to"), c.Opts.Text("change")
	switch {
	case change != "":
		if b, err = c.Single(change, ""); err != nil {
			return 0, 0, err
		}
		c.nullParent(v, change, b)
		if b == node.WdirRev {
			a, _ = v.WdirParents()
		} else {
			a, _ = v.Parents(b)
		}
		return a, b, c.plainParent(v, b)
	case from != "" || to != "":
		if err := c.unhide(v, nonEmpty(from, to)); err != nil {
			return 0, 0, err
		}
		if a, err = c.Single(from, ""); err != nil {
			return 0, 0, err
		}
		b, err = c.Single(to, "")
		for spec, rev := range map[string]node.Rev{from: a, to: b} {
			if spec == "." {
				c.nullParent(v, spec, rev)
			}
		}
		return a, b, err
	}
	if specs := c.Opts.List("rev"); len(specs) > 0 {
		return c.pair(v, specs)
	}
	a, _ = v.WdirParents()
	return a, node.WdirRev, nil
}

func nonEmpty(words ...string) []string {
	var out []string
	for _, w := range words {
		if w != "" {
			out = append(out, w)
		}
	}
	return out
}

// diffRoot narrows a comparison to --root and shows files relative to it.
func (c *Context) diffRoot(v *repo.View, q *comparison) error {
	given := c.Opts.Text("root")
	if given == "" {
		return nil
	}
	root, err := repo.Revsets{View: v}.CanonPath(given)
	if err != nil || root == "" {
		return err
	}
	shown, err := c.pathNamer(v, true, nil)
	if err != nil {
		return err
	}
	root += "/"
	for _, path := range q.match.Files() {
		if !strings.HasPrefix(path, root) {
			c.Warnf("warning: %s not inside relative root %s\n", shown(path), shown(root[:len(root)-1]))
		}
	}
	below, err := match.New(match.Options{
		Root: v.Layout.Root, Cwd: v.RelCwd(), Patterns: []string{root}, Default: "path", NoFS: q.b != node.WdirRev, Version: c.Config.Version(),
	})
	if err != nil {
		return err
	}
	if c.At72() {
		q.chosen = q.match
	}
	q.match = match.Intersect(q.match, below)
	q.source = below.Match
	q.name = func(path string) string { return strings.TrimPrefix(path, root) }
	return nil
}
