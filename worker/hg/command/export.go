// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/template"
)

var exportSpec = Spec{
	Name: "export",
	Options: func() []Option {
		return join(
			native(cmdline.Text("B", "bookmark", ""), cmdline.Text("o", "output", ""), cmdline.Flag("", "switch-parent"), cmdline.Words("r", "rev")),
			diffFormatOptions(), formatterOptions())
	},
	Run: runExport,
}

func runExport(c *Context) (int, error) {
	if out := c.Opts.Text("output"); out != "" && out != "-" {
		return 0, unsupported("export --output, which writes files")
	}
	if err := c.exclusive("rev", "bookmark"); err != nil {
		return 0, err
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	set, err := c.exported(v)
	if err != nil {
		return 0, err
	}
	revs, err := set.Revs()
	if err != nil {
		return 0, err
	}
	if len(revs) == 0 {
		return 0, inputError("export requires at least one changeset")
	}
	if specs := slices.Concat(c.Opts.List("rev"), c.Args); len(specs) < 2 {
		c.nullParent(v, strings.Join(specs, ""), revs[0])
	}
	if slices.Contains(revs, node.WdirRev) {
		return 0, unsupported("export of the working directory")
	}
	if c.Verbose {
		if len(revs) > 1 {
			c.Print("exporting patches:\n")
		} else {
			c.Print("exporting patch:\n")
		}
	}
	fm, err := c.formatter("export", v)
	if err != nil {
		return 0, err
	}
	opts, err := c.diffOptions(true)
	if err != nil {
		return 0, err
	}
	if opts.Git {
		if err := refuseUnsaid(v); err != nil {
			return 0, err
		}
	}
	d := &differ{c: c, v: v, opts: opts}
	for _, rev := range revs {
		if err := c.exportOne(d, fm, rev); err != nil {
			return 0, err
		}
		fm.spill()
	}
	return 0, fm.finish()
}

// exported is the changesets to export, in order.
func (c *Context) exported(v *repo.View) (*revset.Set, error) {
	if mark := c.Opts.Text("bookmark"); mark != "" {
		if !slices.ContainsFunc(v.BookmarkList(), func(b repo.Bookmark) bool { return b.Name == mark }) {
			return nil, inputError("bookmark '%s' not found", mark)
		}
		if len(c.Config.Items("revsetalias")) > 0 {
			return nil, unsupported("export --bookmark beside [revsetalias]") // which this revset does not see
		}
		return c.eval(v, []string{bookmarkRevs(revset.Quote("literal:" + mark))})
	}
	specs := slices.Concat(c.Args, c.Opts.List("rev"))
	if len(specs) == 0 {
		specs = []string{"."}
	}
	if err := c.unhide(v, specs); err != nil {
		return nil, err
	}
	return c.eval(v, specs)
}

// exportOne prints one changeset as a patch with a header.
func (c *Context) exportOne(d *differ, fm *output, rev node.Rev) error {
	if err := c.Err(); err != nil {
		return err
	}
	ctx, err := c.templates(d.v).Changectx(rev)
	if err != nil {
		return err
	}
	var parents []node.Rev
	p1, p2 := d.v.Parents(rev)
	for _, p := range [2]node.Rev{p1, p2} {
		if p != node.NullRev {
			parents = append(parents, p)
		}
	}
	if c.Opts.On("switch-parent") {
		slices.Reverse(parents)
	}
	prev := node.NullRev
	if len(parents) > 0 {
		prev = parents[0]
	}
	fm.StartItem()
	if err := fm.context(rev); err != nil {
		return err
	}
	unix, offset := ctx.Date()
	fm.Plain("# HG changeset patch\n")
	fm.Write("user", "# User %s\n", template.TextValue(ctx.User()))
	fm.Plain("# Date " + strconv.FormatInt(unix, 10) + " " + strconv.Itoa(offset) + "\n")
	fm.Write("date", "#      %s\n", fm.Date(unix, offset, ""))
	branch := ctx.Branch()
	fm.CondWrite(branch.Local != "" && branch.Local != "default", "branch", "# Branch %s\n", template.TextValue(branch))
	fm.Write("node", "# Node ID %s\n", template.Bytes(ctx.Node().Hex()))
	fm.Plain("# Parent  " + d.v.Node(prev).Hex() + "\n")
	if len(parents) > 1 {
		fm.Plain("# Parent  " + d.v.Node(parents[1]).Hex() + "\n")
	}
	if c.Topic != "" {
		if err := exportTopic(fm, ctx); err != nil {
			return err
		}
	}
	var hashes []string
	for _, p := range parents {
		hashes = append(hashes, d.v.Node(p).Hex())
	}
	fm.Data("parents", fm.strings("node", " ", hashes))
	desc := ctx.Desc()
	desc.Local = rstrip(desc.Local)
	if desc.UTF8 != "" {
		desc.UTF8 = rstrip(desc.UTF8)
	}
	fm.Write("desc", "%s\n", template.TextValue(desc))
	fm.Plain("\n")
	q := comparison{a: prev, b: rev, exact: true, match: match.Always(), opts: d.opts}
	var text bytes.Buffer
	d.plain = !fm.IsPlain()
	if err := d.colored(&text, q); err != nil {
		return err
	}
	if fm.IsPlain() {
		fm.Plain(text.String())
	} else {
		fm.Data("diff", template.Bytes(text.String()))
	}
	return ctx.Err()
}

// exportTopic prints what the extension topic adds to the header of a patch.
func exportTopic(fm *output, ctx template.Changectx) error {
	topic := template.TopicOf(ctx)
	if topic == "" {
		return nil
	}
	for _, x := range ctx.Extras() {
		if x.Key == "topic-namespace" && x.Value != "none" {
			return unsupported("export of a topic in a namespace")
		}
	}
	fm.Plain("# EXP-Topic " + topic + "\n")
	return nil
}

// rstrip is Python's bytes.rstrip().
func rstrip(s string) string { return strings.TrimRight(s, " \t\n\r\v\f") }
