// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"errors"
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/status"
	"hgbroker/worker/hg/subrepo"
	"hgbroker/worker/hg/template"
)

var statusSpec = Spec{
	Name: "status",
	Options: func() []Option {
		return join(
			native(cmdline.Flag("A", "all"), cmdline.Flag("m", "modified"), cmdline.Flag("a", "added"), cmdline.Flag("r", "removed"),
				cmdline.Flag("d", "deleted"), cmdline.Flag("c", "clean"), cmdline.Flag("u", "unknown"), cmdline.Flag("i", "ignored"),
				cmdline.Flag("n", "no-status")),
			native(cmdline.Text("t", "terse", "")),
			native(cmdline.Flag("C", "copies"), cmdline.Flag("0", "print0"), cmdline.Words("", "rev"), cmdline.Text("", "change", "")),
			walkOptions(), native(cmdline.Flag("S", "subrepos")), formatterOptions())
	},
	Run: runStatus,
}

// kinds are the states of a file in the order of hg's output.
var kinds = []struct {
	option, label string
	letter        byte
}{{"modified", "status.modified", 'M'}, {"added", "status.added", 'A'}, {"removed", "status.removed", 'R'},
	{"deleted", "status.deleted", '!'}, {"unknown", "status.unknown", '?'}, {"ignored", "status.ignored", 'I'}, {"clean", "status.clean", 'C'}}

func runStatus(c *Context) (int, error) {
	if len(c.Opts.List("rev")) > 0 && c.Opts.Text("change") != "" {
		return 0, inputError("cannot specify both --rev and --change")
	}
	short := ""
	switch {
	case c.Opts.Given("terse"):
		short = c.Opts.Text("terse")
	case len(c.Opts.List("rev")) == 0:
		short = c.Config.GetOr("commands", "status.terse", "")
	}
	if short != "" && len(c.Opts.List("rev")) > 0 {
		return 0, inputError("cannot use --terse with --rev")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	a, b, err := c.statusRevs(v)
	if err != nil {
		return 0, err
	}
	var force *bool
	if c.Config.IsSet("commands", "status.relative") {
		on, err := c.Config.Bool("commands", "status.relative")
		if err != nil {
			return 0, err
		}
		force = &on
	}
	name, err := c.pathNamer(v, len(c.Args) > 0, force)
	if err != nil {
		return 0, err
	}
	show := c.statusKinds()
	mt, err := c.matcherIn(v, c.Args, c.Opts.List("include"), c.Opts.List("exclude"), b)
	if err != nil {
		return 0, err
	}
	statusOf := c.statusOf
	if c.Opts.On("subrepos") {
		statusOf = c.statusWithin
	}
	st, err := statusOf(v, a, b, mt, short != "" || strings.Contains(show, "?"),
		strings.Contains(show, "I") || strings.Contains(short, "i"), short != "" || strings.Contains(show, "C"))
	if err == nil && short != "" {
		st, err = terse(st, short)
	}
	if err != nil {
		return 0, err
	}
	copied := map[string]string{}
	copies, err := c.Config.Bool("ui", "statuscopies")
	if err != nil {
		return 0, err
	}
	if c.Opts.Given("copies") {
		copies = c.Opts.On("copies")
	}
	if (copies || c.Opts.On("all")) && !c.Opts.On("no-status") {
		if copied, err = c.pathCopies(v, a, b, mt); err != nil {
			return 0, err
		}
	}
	more, err := c.moreStatus(v)
	if err != nil {
		return 0, err
	}
	fm, err := c.formatter("status", v)
	if err != nil {
		return 0, err
	}
	end := "\n"
	if c.Opts.On("print0") {
		end = "\x00"
	}
	for _, k := range kinds {
		if !strings.Contains(show, string(k.letter)) {
			continue
		}
		for _, f := range listOf(st, k.letter) {
			fm.StartItem()
			if err := fm.context(b); err != nil {
				return 0, err
			}
			fm.Data("itemtype", template.Bytes("file"))
			fm.Data("path", template.Bytes(f))
			fm.As(k.label).CondWrite(!c.Opts.On("no-status"), "status", "%s ", template.Bytes(string(k.letter)))
			fm.As(k.label).Plain(name(f) + end)
			if source, ok := copied[f]; ok {
				fm.Data("source", template.Bytes(source))
				fm.As("status.copied").Plain("  " + name(source) + end)
			}
			more.file(fm, f)
			fm.spill()
		}
	}
	more.finish(fm)
	return 0, fm.finish()
}

// statusKinds are the letters of the states to show.
func (c *Context) statusKinds() string {
	show := ""
	for _, k := range kinds {
		if c.Opts.On(k.option) {
			show += string(k.letter)
		}
	}
	if c.Opts.On("all") {
		if c.Quiet {
			show += "MAR!C"
		} else {
			show += "MAR!?IC"
		}
	}
	if show == "" {
		if show = "MAR!?"; c.Quiet {
			show = "MAR!"
		}
	}
	return show
}

// statusRevs are the two sides that status compares.
func (c *Context) statusRevs(v *repo.View) (a, b node.Rev, err error) {
	if change := c.Opts.Text("change"); change != "" {
		if b, err = c.Single(change, ""); err != nil {
			return 0, 0, err
		}
		c.nullParent(v, change, b)
		if b == node.WdirRev {
			a, _ = v.WdirParents()
		} else {
			a, _ = v.Parents(b)
		}
		return a, b, nil
	}
	return c.pair(v, c.Opts.List("rev"))
}

// pair evaluates revsets that stand for two changesets.
func (c *Context) pair(v *repo.View, specs []string) (a, b node.Rev, err error) {
	if err := c.unhide(v, specs); err != nil {
		return 0, 0, err
	}
	if len(specs) == 1 && specs[0] == "." {
		// hg knows this one without looking at what is visible.
		a, _ = v.WdirParents()
		c.nullParent(v, ".", a)
		return a, node.WdirRev, nil
	}
	if err := c.refuseTexts(specs); err != nil {
		return 0, 0, err
	}
	a, b, warnings, err := revset.Pair(c.Context, repo.Revsets{View: v}, specs, c.revsetOptions())
	for _, w := range warnings {
		c.warnRaw(w)
	}
	return a, b, err
}

// FileState is one file of a typed status.
type FileState struct {
	Path       string
	Kind       byte
	CopySource string
}

// StatusQuery is what a typed status asks for.
type StatusQuery struct {
	Rev, Rev2, Change       string
	Paths, Include, Exclude []string
	Kinds                   string
	Copies                  bool
}

// FileStatus answers a typed status.
func (c *Context) FileStatus(q StatusQuery) ([]FileState, error) {
	v, err := c.View()
	if err != nil {
		return nil, err
	}
	c.Opts = cmdline.Values{{Name: "change", Value: cmdline.Value{Text: q.Change}}}
	if q.Rev != "" {
		revs := []string{q.Rev}
		if q.Rev2 != "" {
			revs = append(revs, q.Rev2)
		}
		c.Opts.Set("rev", cmdline.Value{List: revs})
	}
	a, b, err := c.statusRevs(v)
	if err != nil {
		return nil, err
	}
	mt, err := c.matcherIn(v, q.Paths, q.Include, q.Exclude, b)
	if err != nil {
		return nil, err
	}
	copied := map[string]string{}
	if q.Copies {
		if copied, err = c.pathCopies(v, a, b, mt); err != nil {
			return nil, err
		}
	}
	st, err := c.statusOf(v, a, b, mt, strings.Contains(q.Kinds, "?"), strings.Contains(q.Kinds, "I"), strings.Contains(q.Kinds, "C"))
	if err != nil {
		return nil, err
	}
	out := []FileState{}
	for _, k := range kinds {
		if strings.Contains(q.Kinds, string(k.letter)) {
			for _, f := range listOf(st, k.letter) {
				out = append(out, FileState{Path: f, Kind: k.letter, CopySource: copied[f]})
			}
		}
	}
	slices.SortStableFunc(out, func(x, y FileState) int { return strings.Compare(x.Path, y.Path) })
	return out, nil
}

// statusWithin is statusOf with what changed in subrepositories.
func (c *Context) statusWithin(v *repo.View, a, b node.Rev, mt match.Matcher, unknown, ignored, clean bool) (*status.Result, error) {
	st, err := c.statusOf(v, a, b, mt, unknown, ignored, clean)
	if err != nil {
		return nil, err
	}
	if a == node.WdirRev { // hg turns the sides round, and what it finds, but not what is found inside
		a, b = b, a
	}
	all := *st
	err = c.eachSub(v, a, b, func(n *nested, other *subrepo.State) error {
		inner, err := n.status(b, other, match.SubDir(n.path, mt), unknown, ignored, clean)
		if err != nil {
			return err
		}
		for _, k := range kinds {
			list := listIn(&all, k.letter)
			for _, path := range listOf(inner, k.letter) {
				*list = append(*list, n.path+"/"+path)
			}
		}
		return nil
	})
	for _, k := range kinds {
		slices.Sort(*listIn(&all, k.letter))
	}
	return &all, err
}

// status compares what is recorded of a subrepository with what other records, or
// with its working directory.
func (n *nested) status(outer node.Rev, other *subrepo.State, mt match.Matcher, unknown, ignored, clean bool) (*status.Result, error) {
	a, err := n.lookup(n.state.Rev, false)
	b := node.WdirRev
	if err == nil && outer != node.WdirRev && other != nil {
		b, err = n.lookup(other.Rev, false)
	}
	var lost *lostRevision
	if errors.As(err, &lost) {
		n.Warnf("warning: error \"%s\" in subrepository \"%s\"\n", lost.message, n.within)
		return &status.Result{}, nil
	}
	if err != nil {
		return nil, err
	}
	return n.statusWithin(n.v, a, b, mt, unknown, ignored, clean)
}
