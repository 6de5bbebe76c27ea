// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

// The commands about names: branch, branches, bookmarks, tags, heads, tip,
// phase.

var branchSpec = Spec{
	Name: "branch",
	Options: func() []Option {
		return others(cmdline.Flag("f", "force"), cmdline.Flag("C", "clean"), cmdline.Words("r", "rev"))
	},
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 0 && strings.TrimSpace(c.Args[0]) != "" {
			return 0, unsupported("branch NAME")
		}
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		c.Print(v.WdirBranch() + "\n")
		return 0, nil
	},
}

var branchesSpec = Spec{
	Name: "branches",
	Options: func() []Option {
		return join(native(cmdline.Flag("a", "active"), cmdline.Flag("c", "closed"), cmdline.Words("r", "rev")), formatterOptions())
	},
	Run: runBranches,
}

func runBranches(c *Context) (int, error) {
	if len(c.Args) > 0 {
		return 0, unsupported("branches with arguments")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	var selected map[string]bool
	if specs := c.Opts.List("rev"); len(specs) > 0 {
		revs, err := c.eval(v, specs)
		if err != nil {
			return 0, err
		}
		selected = map[string]bool{}
		for rev := range revs.All() {
			if rev == node.WdirRev {
				return 0, unsupported("branches -r 'wdir()'")
			}
			name, _ := repo.Revsets{View: v}.Branch(rev)
			if c.Topic != "" && !strings.HasPrefix(c.Topic, "0.") {
				if name, err = v.TopicBranch(rev); err != nil {
					return 0, err
				}
			}
			selected[name] = true
		}
		if err := revs.Err(); err != nil {
			return 0, err
		}
	}
	fm, err := c.formatter("branches", v)
	if err != nil {
		return 0, err
	}
	list, err := v.Branches()
	if err != nil {
		return 0, err
	}
	heads := v.Heads()
	type row struct {
		*repo.Branch
		tip          node.Rev
		active, open bool
	}
	var rows []row
	for _, b := range list {
		if selected != nil && !selected[b.Name] {
			continue
		}
		tip, closed := b.Tip()
		r := row{Branch: b, tip: tip, open: !closed}
		for _, h := range b.Open() {
			if _, ok := slices.BinarySearch(heads, int32(h)); ok {
				r.active = true
			}
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int {
		switch {
		case a.active != b.active:
			return order(b.active, a.active)
		case a.tip != b.tip:
			return int(b.tip) - int(a.tip)
		case a.Name != b.Name:
			return strings.Compare(b.Name, a.Name)
		}
		return order(b.open, a.open)
	})
	for _, r := range rows {
		notice, label := "", "branches.active"
		switch {
		case c.Opts.On("active") && !r.active:
			continue
		case r.active:
		case !r.open:
			if !c.Opts.On("closed") {
				continue
			}
			notice, label = " (closed)", "branches.closed"
		default:
			notice, label = " (inactive)", "branches.inactive"
		}
		if r.Name == v.WdirBranch() {
			label = "branches.current"
		}
		fm.StartItem()
		row := nameRow{field: "branch", labels: label, room: 31 - len(r.tip.String())}
		if c.Color != nil {
			row.atLabels = "log.changeset changeset." + v.PhaseOf(r.tip).String()
		}
		fm.named(row, template.Text{Local: r.Name, UTF8: r.UTF8}, r.tip, v.Node(r.tip))
		if err := fm.context(r.tip); err != nil {
			return 0, err
		}
		fm.Data("active", template.Bool(r.active))
		fm.Data("closed", template.Bool(!r.open))
		fm.Data("current", template.Bool(r.Name == v.WdirBranch()))
		if !c.Quiet {
			fm.Plain(notice)
		}
		fm.Plain("\n")
	}
	return 0, fm.finish()
}

// order compares truth values, false first.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

var bookmarksSpec = Spec{
	Name: "bookmarks",
	Options: func() []Option {
		return join(
			others(cmdline.Flag("f", "force"), cmdline.Text("r", "rev", ""), cmdline.Flag("d", "delete"),
				cmdline.Text("m", "rename", ""), cmdline.Flag("i", "inactive")),
			native(cmdline.Flag("l", "list")), formatterOptions())
	},
	Run: runBookmarks,
}

func runBookmarks(c *Context) (int, error) {
	if len(c.Args) > 0 && !c.Opts.On("list") {
		return 0, unsupported("bookmarks NAME")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	list := v.BookmarkList()
	if len(c.Args) > 0 {
		var chosen []repo.Bookmark
		for _, name := range c.Args {
			if name == "." {
				if name = v.ActiveName(); name == "" {
					return 0, unsupported("bookmark . without an active bookmark")
				}
			}
			i := slices.IndexFunc(list, func(b repo.Bookmark) bool { return b.Name == name })
			if i < 0 {
				return 0, inputError("bookmark '%s' does not exist", name)
			}
			if !slices.Contains(chosen, list[i]) {
				chosen = append(chosen, list[i])
			}
		}
		slices.SortFunc(chosen, func(a, b repo.Bookmark) int { return strings.Compare(a.Name, b.Name) })
		list = chosen
	}
	fm, err := c.formatter("bookmarks", v)
	if err != nil {
		return 0, err
	}
	if len(list) == 0 && fm.IsPlain() {
		c.Status("no bookmarks set\n")
	}
	for _, b := range list {
		active := b.Name == v.ActiveName()
		v.Hidden(b.Rev) // hg looks it up in what is visible, and may warn
		fm.StartItem()
		fm.RepoContext()
		mark, label := "   ", ""
		if active {
			mark, label = " * ", "bookmarks.active bookmarks.current"
		}
		if !c.Quiet {
			fm.As(label).Plain(mark)
		}
		row := nameRow{field: "bookmark", labels: label, atLabels: label, room: 25}
		fm.named(row, template.Text{Local: b.Name, UTF8: b.UTF8}, b.Rev, v.Node(b.Rev))
		fm.Data("active", template.Bool(active))
		fm.Plain("\n")
	}
	return 0, fm.finish()
}

var tagsSpec = Spec{
	Name:    "tags",
	Options: formatterOptions,
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 0 {
			return 0, unsupported("tags with arguments")
		}
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		fm, err := c.formatter("tags", v)
		if err != nil {
			return 0, err
		}
		list, err := v.TagList()
		if err != nil {
			return 0, err
		}
		for _, t := range slices.Backward(list) {
			kind, label := t.Type, "tags.normal"
			if kind == "global" {
				kind = ""
			}
			if kind != "" {
				label = "tags." + kind
			}
			fm.StartItem()
			fm.RepoContext()
			row := nameRow{field: "tag", labels: label, atLabels: label, room: 30, revWidth: 5}
			fm.named(row, template.Text{Local: t.Name, UTF8: t.UTF8}, t.Rev, t.Node)
			fm.As(label).CondWrite(c.Verbose && kind != "", "type", " %s", template.Bytes(kind))
			fm.Plain("\n")
		}
		return 0, fm.finish()
	},
}

var phaseSpec = Spec{
	Name: "phase",
	Options: func() []Option {
		return join(
			others(cmdline.Flag("p", "public"), cmdline.Flag("d", "draft"), cmdline.Flag("s", "secret"), cmdline.Flag("f", "force")),
			native(cmdline.Words("r", "rev")))
	},
	Run: func(c *Context) (int, error) {
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		show := func(rev node.Rev) {
			c.Printf("%d: %s\n", rev, v.PhaseOf(rev))
		}
		specs := append(slices.Clone(c.Args), c.Opts.List("rev")...)
		if len(specs) == 0 {
			p1, p2 := v.WdirParents()
			show(p1)
			if p2 >= 0 {
				show(p2)
			}
			return 0, nil
		}
		revs, err := c.eval(v, specs)
		if err != nil {
			return 0, err
		}
		for rev := range revs.All() {
			if rev == node.WdirRev {
				return 0, unsupported("phase of the working directory")
			}
			show(rev)
		}
		return 0, revs.Err()
	},
}

var tipSpec = Spec{
	Name: "tip",
	Options: func() []Option {
		return join(native(cmdline.Flag("p", "patch"), cmdline.Flag("g", "git")), templateOptions())
	},
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 0 {
			return 0, unsupported("tip with arguments")
		}
		v, err := c.View()
		if err != nil {
			return 0, err
		}
		return 0, c.showAll(v, []node.Rev{v.Tip()})
	},
}

// showAll prints changesets one after the other.
func (c *Context) showAll(v *repo.View, revs []node.Rev) error {
	p, err := c.changesetPrinter(v, false, false)
	if err != nil {
		return err
	}
	for _, rev := range revs {
		if err := p.show(rev); err != nil {
			return err
		}
	}
	return p.close()
}

var headsSpec = Spec{
	Name: "heads",
	Options: func() []Option {
		return join(
			native(cmdline.Text("r", "rev", ""), cmdline.Flag("t", "topo"), cmdline.Flag("a", "active"), cmdline.Flag("c", "closed")),
			templateOptions())
	},
	Run: runHeads,
}

func runHeads(c *Context) (int, error) {
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	start := node.NullRev
	if spec := c.Opts.Text("rev"); spec != "" {
		if start, err = c.Single(spec, ""); err != nil {
			return 0, err
		}
		if start == node.WdirRev {
			return 0, unsupported("heads of the working directory")
		}
	}
	var heads []node.Rev
	if c.Opts.On("topo") {
		for _, h := range v.Heads() {
			heads = append(heads, node.Rev(h))
		}
		if v.Len() == 0 {
			heads = []node.Rev{node.NullRev}
		}
	} else {
		list, err := v.Branches()
		if err != nil {
			return 0, err
		}
		for _, b := range list {
			if c.Opts.On("closed") {
				heads = append(heads, b.Heads...)
			} else {
				heads = append(heads, b.Open()...)
			}
		}
	}
	heads = slices.DeleteFunc(heads, func(h node.Rev) bool { return !v.IsAncestor(start, h) })
	if len(c.Args) > 0 {
		if heads, err = c.headsOn(v, heads, start); err != nil {
			return 0, err
		}
	}
	if len(heads) == 0 {
		return 1, nil
	}
	slices.SortFunc(heads, func(a, b node.Rev) int { return int(b) - int(a) })
	return 0, c.showAll(v, heads)
}

// headsOn keeps the heads on the branches of the changesets that were named, and
// warns of a branch without one.
func (c *Context) headsOn(v *repo.View, heads []node.Rev, start node.Rev) ([]node.Rev, error) {
	revs, err := c.eval(v, c.Args)
	if err != nil {
		return nil, err
	}
	branchOf := repo.Revsets{View: v}.Branch
	wanted := map[string]bool{} // true once it has a head
	for rev := range revs.All() {
		name, _ := branchOf(rev)
		wanted[name] = false
	}
	if err := revs.Err(); err != nil {
		return nil, err
	}
	top := v.Heads()
	var kept []node.Rev
	for _, h := range heads {
		name, _ := branchOf(h)
		if _, ok := wanted[name]; !ok {
			continue
		}
		if _, isTop := slices.BinarySearch(top, int32(h)); c.Opts.On("active") && !isTop && h >= 0 {
			continue
		}
		wanted[name] = true
		kept = append(kept, h)
	}
	var without []string
	for name, has := range wanted {
		if !has {
			without = append(without, name)
		}
	}
	switch {
	case len(without) > 1:
		return nil, unsupported("several branches without heads, which hg names in any order")
	case len(without) == 1:
		started := ""
		if spec := c.Opts.Text("rev"); spec != "" {
			started = " (started at " + spec + ")"
		}
		c.Warnf("no open branch heads found on branches %s%s\n", without[0], started)
	}
	return kept, nil
}
