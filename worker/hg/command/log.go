// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/graph"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/template"
)

var logSpec = Spec{
	Name: "log",
	Options: func() []Option {
		return join(
			native(cmdline.Flag("f", "follow"), cmdline.Flag("", "follow-first"), cmdline.Words("L", "line-range"), cmdline.Flag("", "removed"),
				cmdline.Flag("p", "patch"), cmdline.Flag("g", "git"), cmdline.Flag("", "stat"),
				cmdline.Flag("C", "copies"), cmdline.Text("d", "date", ""), cmdline.Words("k", "keyword"), cmdline.Words("r", "rev"),
				cmdline.Flag("m", "only-merges"), cmdline.Words("u", "user"), cmdline.Words("", "only-branch"),
				cmdline.Words("b", "branch"), cmdline.Words("B", "bookmark"), cmdline.Words("P", "prune"),
				cmdline.Text("l", "limit", ""), cmdline.Flag("M", "no-merges"), cmdline.Flag("G", "graph")),
			templateOptions(), walkOptions())
	},
	Run: runLog,
}

func runLog(c *Context) (int, error) {
	ranges := c.Opts.List("line-range")
	switch {
	case len(ranges) > 0 && !c.Opts.On("follow"):
		return 0, inputError("--line-range requires --follow")
	case len(ranges) > 0 && len(c.Args) > 0:
		return 0, inputError("FILE arguments are not compatible with --line-range option")
	case len(ranges) > 0 && (c.Opts.On("patch") || c.Opts.On("stat")):
		return 0, unsupported("log --line-range with a diff")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	if c.follows() || len(ranges) > 0 {
		if err := refuseUnsaid(v); err != nil {
			return 0, err
		}
	}
	if err := c.unhide(v, c.Opts.List("rev")); err != nil {
		return 0, err
	}
	limit, err := c.limit()
	if err != nil {
		return 0, err
	}
	topo := false
	if c.Opts.On("graph") {
		if topo, err = c.Config.Bool("experimental", "log.topo"); err != nil {
			return 0, err
		}
	}
	revs, err := c.logSet(v, topo)
	if err != nil {
		return 0, err
	}
	if len(ranges) > 0 {
		if limit >= 0 {
			revs, limit = revs.Slice(0, limit), -1
		}
		if revs, err = c.lineRangeSet(v, revs, ranges); err != nil {
			return 0, err
		}
	}
	p, err := c.changesetPrinter(v, true, c.Opts.On("graph"))
	if err != nil {
		return 0, err
	}
	if c.Opts.On("graph") {
		err = c.drawGraph(v, p, revs, limit)
	} else {
		err = p.showSet(revs, limit)
	}
	if err != nil {
		return 0, err
	}
	return 0, p.close()
}

// limit is --limit, -1 without one.
func (c *Context) limit() (int, error) {
	text := c.Opts.Text("limit")
	if text == "" {
		return -1, nil
	}
	n, err := python.Int(text)
	switch {
	case errors.Is(err, python.ErrRange):
		return 0, unsupported("--limit %s", text)
	case err != nil:
		return 0, inputError("limit must be a positive integer")
	case n <= 0:
		return 0, inputError("limit must be positive")
	}
	return int(min(n, math.MaxInt)), nil
}

// logSpecs turns the options that filter into one revset, in hg's order.
func (c *Context) logSpecs(v *repo.View) (string, error) {
	var and []string
	or := func(format func(string) string, values []string) {
		if len(values) == 0 {
			return
		}
		var parts []string
		for _, x := range values {
			parts = append(parts, format(x))
		}
		and = append(and, "("+strings.Join(parts, " or ")+")")
	}
	call := func(name, prefix string) func(string) string {
		return func(x string) string { return name + "(" + revset.Quote(prefix+x) + ")" }
	}
	var branches []string
	for _, b := range append(slices.Clone(c.Opts.List("branch")), c.Opts.List("only-branch")...) {
		name, err := c.lookupBranch(v, b)
		if err != nil {
			return "", err
		}
		branches = append(branches, name)
	}
	or(call("branch", "literal:"), branches)
	if d := c.Opts.Text("date"); d != "" {
		and = append(and, "date("+revset.Quote(d)+")")
	}
	or(call("keyword", ""), c.Opts.List("keyword"))
	if c.Opts.On("no-merges") {
		and = append(and, "not merge()")
	}
	if c.Opts.On("only-merges") {
		and = append(and, "merge()")
	}
	if prune := c.Opts.List("prune"); len(prune) > 0 {
		var parts []string
		for _, x := range prune {
			parts = append(parts, call("ancestors", "")(x))
		}
		and = append(and, "not ("+strings.Join(parts, " or ")+")")
	}
	or(call("user", "literal:"), c.Opts.List("user"))
	or(func(mark string) string {
		mark = revset.Quote("literal:" + mark)
		return "(" + bookmarkRevs(mark) + ")"
	}, c.Opts.List("bookmark"))
	return strings.Join(and, " and "), nil
}

// bookmarkRevs is a revset of what a bookmark reaches and neither another one nor
// another head does. mark is written as a string of the language.
func bookmarkRevs(mark string) string {
	return "ancestors(bookmark(" + mark + ")) - ancestors(head() and not bookmark(" + mark + ")) - ancestors(bookmark() and not bookmark(" + mark + "))"
}

// lookupBranch is a branch by its name, or the branch of a changeset.
func (c *Context) lookupBranch(v *repo.View, key string) (string, error) {
	list, err := v.Branches()
	if err != nil {
		return "", err
	}
	for _, b := range list {
		if b.Name == key {
			return key, nil
		}
	}
	rev, err := v.Lookup(key)
	if err != nil {
		return "", err
	}
	name, _ := repo.Revsets{View: v}.Branch(rev)
	return name, nil
}

// logSet is what log shows, in its order.
func (c *Context) logSet(v *repo.View, topo bool) (set *revset.Set, err error) {
	specs := c.Opts.List("rev")
	graph := c.Opts.On("graph")
	if set, err = c.logStart(v); err != nil {
		return nil, err
	}
	if set.Empty() {
		return set, set.Err()
	}
	slow := false
	if c.follows() {
		if set, slow, err = c.follow(v, set); err != nil {
			return nil, err
		}
	}
	if graph {
		switch {
		case topo:
			if set, err = c.topological(v, set); err != nil {
				return nil, err
			}
		case !set.Descending() && !set.Topological():
			set.Sort(true)
		}
	}
	switch {
	case slow:
		set, err = c.touching(v, set)
	case !c.follows():
		set, err = c.logFiles(v, set, len(specs) == 0)
	}
	if err != nil {
		return nil, err
	}
	filter, err := c.logSpecs(v)
	if err != nil || filter == "" {
		return set, err
	}
	q, err := revset.Compile([]string{filter}, nil, nil)
	if err != nil {
		return nil, err
	}
	return q.Within(set)
}

// beside makes the lines that stand beside a changeset's node in a graph.
func (p *printer) beside(ctx template.Changectx, rev node.Rev) func(width int) ([]string, error) {
	return func(width int) ([]string, error) {
		props, err := p.props(ctx)
		if err != nil {
			return nil, err
		}
		props.GraphWidth, props.Graph = width, true
		p.text.Reset()
		if err := p.Show(&p.text, ctx, props); err != nil {
			return nil, err
		}
		p.Flush(p.buf, rev)
		lines := p.lines[:0]
		for rest, more := p.text.String(), true; more; {
			var l string
			l, rest, more = strings.Cut(rest, "\n")
			lines = append(lines, l)
		}
		if lines[len(lines)-1] == "" {
			lines = lines[:len(lines)-1]
		}
		p.lines = lines
		return lines, nil
	}
}

// drawGraph prints changesets beside their graph.
func (c *Context) drawGraph(v *repo.View, p *printer, revs *revset.Set, limit int) error {
	if specs := c.Opts.List("rev"); len(specs) != 1 || specs[0] != "." {
		v.HiddenCount() // to draw, hg looks at what is visible, and may warn
	}
	styles, err := c.graphStyles()
	if err != nil {
		return err
	}
	symbol, err := c.graphSymbol(p, p.v)
	if err != nil {
		return err
	}
	if limit >= 0 {
		revs = revs.Slice(0, limit)
	}
	walker := graph.NewWalker(v, revs)
	drawer := graph.NewDrawer(p.buf, styles)
	var edges []graph.Edge
	for rev := range revs.All() {
		ctx := p.refer(rev)
		mark, err := symbol(ctx)
		if err != nil {
			return err
		}
		edges = walker.Edges(rev, edges[:0])
		err = drawer.Draw(graph.Row{Rev: rev, Symbol: mark, Edges: edges, Text: p.beside(ctx, rev)})
		if err != nil {
			return err
		}
		if err := p.spill(); err != nil {
			return err
		}
	}
	return revs.Err()
}

func (c *Context) graphStyles() (graph.Styles, error) {
	if c.Config.Plain("graph") {
		return graph.Plain, nil
	}
	s := graph.Default
	for name, to := range map[string]*string{"parent": &s.Parent, "grandparent": &s.Grandparent, "missing": &s.Missing} {
		*to = c.Config.GetOr("experimental", "graphstyle."+name, *to)
	}
	var err error
	s.Shorten, err = c.Config.Bool("experimental", "graphshorten")
	return s, err
}

// graphSymbol is the character of a node, by command-templates.graphnode if set,
// or by what is checked out here.
func (c *Context) graphSymbol(p *printer, here *repo.View) (func(template.Changectx) (string, error), error) {
	spec := c.Config.GetOr("command-templates", "graphnode", c.Config.GetOr("ui", "graphnodetemplate", ""))
	if spec == "" || spec == "{graphnode}" {
		around := p.repo
		if here != p.v {
			around = c.templates(here)
		}
		return func(ctx template.Changectx) (string, error) { return template.GraphNode(around, ctx), ctx.Err() }, nil
	}
	if here != p.v {
		return nil, unsupported("command-templates.graphnode beside another repository")
	}
	cfg, err := c.formatterConfig()
	if err != nil {
		return nil, err
	}
	if n := len(spec); n >= 2 && (spec[0] == '"' || spec[0] == '\'') && spec[n-1] == spec[0] {
		spec = spec[1 : n-1]
	}
	e := template.NewBare(cfg.Options)
	for _, a := range cfg.Aliases {
		e.Alias(a.Key, a.Value)
	}
	t, err := e.Literal(spec)
	if err != nil {
		return nil, err
	}
	return func(ctx template.Changectx) (string, error) {
		var b bytes.Buffer
		err := t.Render(&b, template.Resources{Repo: p.repo, Ctx: ctx, Index: -1})
		return b.String(), err
	}, nil
}

var _ graph.DAG = (*repo.View)(nil)

// parents

var parentsSpec = Spec{
	Name:    "parents",
	Options: func() []Option { return join(native(cmdline.Text("r", "rev", "")), templateOptions()) },
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 1 {
			return 0, unsupported("parents with arguments")
		}
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		rev, err := c.Single(c.Opts.Text("rev"), "")
		if err != nil {
			return 0, err
		}
		p1, p2 := v.WdirParents()
		if rev != node.WdirRev {
			p1, p2 = v.Parents(rev)
		}
		var shown []node.Rev
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= 0 {
				shown = append(shown, p)
			}
		}
		if len(c.Args) == 1 {
			if err := refuseUnsaid(v); err != nil {
				return 0, err
			}
			if shown, err = c.fileParents(v, shown, rev == node.WdirRev); err != nil {
				return 0, err
			}
		}
		if err := c.showAll(v, shown); err != nil || c.Evolve == "" {
			return 0, err
		}
		return 0, c.warnObsolete(v)
	},
}

// warnObsolete warns, as the extension evolve does after parents, when what is
// checked out is obsolete.
func (c *Context) warnObsolete(v *repo.View) error {
	p1, _ := v.WdirParents()
	advice, err := v.EvolveAdvice(p1)
	if err != nil || advice == "" {
		return err
	}
	if list := c.Config.List("experimental", "evolution"); !slices.Contains(list, "all") && !slices.Contains(list, "allnewcommands") {
		return unsupported("advice of evolve without its commands")
	}
	c.Warnf("working directory parent is obsolete! (%s)\n", v.Node(p1).Short())
	if !c.Quiet {
		c.Warnf("(%s)\n", advice)
	}
	return nil
}

// fileParents are the changesets that brought the revisions of the named file
// that the given changesets have.
func (c *Context) fileParents(v *repo.View, revs []node.Rev, onDisk bool) ([]node.Rev, error) {
	mt, err := c.matcher(v, c.Args, nil, nil, onDisk)
	if err != nil {
		return nil, err
	}
	if match.AnyPatterns(mt) || len(mt.Files()) != 1 {
		return nil, inputError("can only specify an explicit filename")
	}
	path := mt.Files()[0]
	var out []node.Rev
	for _, rev := range revs {
		id, err := v.FileNode(rev, path)
		if err != nil {
			return nil, err
		}
		if id.IsNull() {
			continue
		}
		f, err := v.FilelogPart(path)
		if err != nil {
			return nil, err
		}
		flrev, err := f.FindNear(id, rev)
		link := f.LinkRev(flrev)
		f.Close()
		if err != nil {
			return nil, err
		}
		if link < 0 || int(link) >= v.Len() || v.Hidden(link) {
			return nil, unsupported("parents of a file revision that a hidden changeset brought")
		}
		out = append(out, link)
	}
	if len(out) == 0 {
		return nil, inputError("'%s' not found in manifest", path)
	}
	return out, nil
}
