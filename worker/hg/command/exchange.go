// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/graph"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/repo"
)

// incoming and outgoing between repositories on this machine.

func exchangeOptions() []Option {
	return join(
		native(cmdline.Flag("f", "force"), cmdline.Words("r", "rev"), cmdline.Flag("n", "newest-first"),
			cmdline.Flag("B", "bookmarks"), cmdline.Words("b", "branch"), cmdline.Text("l", "limit", ""),
			cmdline.Flag("M", "no-merges"), cmdline.Flag("G", "graph"),
			cmdline.Flag("p", "patch"), cmdline.Flag("g", "git"), cmdline.Flag("", "stat")),
		remoteOptions(),
		others(cmdline.Flag("", "remote-hidden"), cmdline.Flag("S", "subrepos")),
		templateOptions())
}

// remoteOptions say how to reach another machine, which does not matter on this one.
func remoteOptions() []Option {
	return native(cmdline.Text("e", "ssh", ""), cmdline.Text("", "remotecmd", ""), cmdline.Flag("", "insecure"))
}

// graphAlone refuses --newest-first with a graph, as hg does before all else.
func (c *Context) graphAlone() error {
	if c.Opts.On("graph") && c.Opts.On("newest-first") {
		return inputError("-G/--graph option is incompatible with --newest-first")
	}
	return nil
}

var incomingSpec = Spec{
	Name:    "incoming",
	Options: func() []Option { return join(exchangeOptions(), others(cmdline.Text("", "bundle", ""))) },
	Run:     runIncoming,
}

var outgoingSpec = Spec{Name: "outgoing", Options: exchangeOptions, Run: runOutgoing}

func runIncoming(c *Context) (int, error) {
	if len(c.Args) > 1 {
		return 0, unsupported("incoming with arguments")
	}
	if err := c.graphAlone(); err != nil {
		return 0, err
	}
	name := "default"
	if len(c.Args) == 1 {
		name = c.Args[0]
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	if err := c.graphAlone(); err != nil {
		return 0, err
	}
	at, err := c.pullPlace("incoming", name)
	if err != nil {
		return 0, err
	}
	p, err := c.openPeer(at, false)
	if err != nil {
		return 0, err
	}
	v.HiddenCount() // hg looks at what is visible, and may warn
	if c.Opts.On("bookmarks") && !c.Opts.On("graph") {
		c.listKeys("namespaces")
		c.Status("comparing with %s\n", p.shown)
		return c.incomingBookmarks(v, p)
	}
	c.Status("comparing with %s\n", p.shown)
	none, some := 1, 0
	if c.Opts.On("graph") {
		none = 0
	}
	list, err := c.incoming(v, p)
	if err != nil {
		return 0, err
	}
	if len(list) == 0 {
		c.Status("no changes found\n")
		return none, nil
	}
	return some, c.showExchange(v, p.View, list)
}

// incoming are the peer's changesets that are not here.
func (c *Context) incoming(v *repo.View, p *peer) ([]node.Rev, error) {
	heads, err := c.wantedOf(v, p)
	if err != nil {
		return nil, err
	}
	d := &discovery{}
	here := len(heads) > 0
	for _, rev := range heads {
		at, ok := v.Rev(p.Node(rev))
		here = here && ok && !v.Hidden(at)
	}
	if here {
		return nil, nil
	}
	var own []node.Rev
	for _, h := range v.Heads() {
		own = append(own, node.Rev(h))
	}
	if d, err = c.discover(v, p, own, c.Opts.On("force")); err != nil {
		return nil, err
	}
	if !d.incoming && len(heads) == 0 {
		return nil, nil
	}
	if len(heads) == 0 {
		heads = revsIn(p.View, d.heads)
	}
	return missing(p.View, revsIn(p.View, d.common), heads), nil
}

// wantedOf are the peer's changesets that --rev, --branch and "#branch" ask for.
func (c *Context) wantedOf(v *repo.View, p *peer) ([]node.Rev, error) {
	names := slices.Clone(c.Opts.List("rev"))
	branches := c.Opts.List("branch")
	var heads []node.Rev
	if len(branches) > 0 || p.branch != "" {
		more, named, err := c.branchHeads(p.View, v.WdirBranch(), branches, p.branch)
		if err != nil {
			return nil, err
		}
		heads, names = more, append(names, named...)
	}
	for _, name := range names {
		rev, err := p.Lookup(name)
		if err != nil {
			return nil, err
		}
		if rev < 0 || p.PhaseOf(rev) >= phases.Secret || rev == node.WdirRev {
			return nil, unsupported("incoming -r of what is not served")
		}
		if name == "." || name == "tip" && secrets(p.View) {
			return nil, unsupported("incoming -r %s", name)
		}
		heads = append(heads, rev)
	}
	return heads, nil
}

func runOutgoing(c *Context) (int, error) {
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	if !c.Opts.On("bookmarks") {
		if err := c.graphAlone(); err != nil {
			return 0, err
		}
	}
	at, err := c.pushPlace(c.Args)
	if err != nil {
		return 0, err
	}
	p, err := c.openPeer(at, true)
	if err != nil {
		if p != nil && !c.Opts.On("bookmarks") {
			c.Status("comparing with %s\n", p.shown) // hg says so before it looks
		}
		return 0, err
	}
	v.HiddenCount() // hg looks at what is visible, and may warn
	if c.Opts.On("bookmarks") {
		c.listKeys("namespaces")
		c.Status("comparing with %s\n", p.shown)
		return c.outgoingBookmarks(v, p)
	}
	c.Status("comparing with %s\n", p.shown)
	list, secret, err := c.outgoing(v, p)
	if err != nil {
		return 0, err
	}
	switch {
	case len(list) == 0 && secret > 0:
		c.Status("no changes found (ignored %d secret changesets)\n", secret)
		return 1, nil
	case len(list) == 0:
		c.Status("no changes found\n")
		return 1, nil
	}
	return 0, c.showExchange(v, v, list)
}

// outgoing are the local changesets that the peer lacks, and how many more would
// be if they were not secret.
func (c *Context) outgoing(v *repo.View, p *peer) (list []node.Rev, secret int, err error) {
	if c.Global.On("hidden") && v.Snapshot().HiddenCount() > 0 {
		return nil, 0, unsupported("outgoing --hidden of what is hidden") // hg leaves out what is extinct
	}
	var only []node.Rev
	specs := slices.Clone(c.Opts.List("rev"))
	if branches := c.Opts.List("branch"); len(branches) > 0 || p.branch != "" {
		more, named, err := c.branchHeads(v, v.WdirBranch(), branches, p.branch)
		if err != nil {
			return nil, 0, err
		}
		only, specs = more, append(specs, named...)
	}
	asked := len(specs) > 0 || len(only) > 0
	if len(specs) > 0 {
		revs, err := c.eval(v, specs)
		if err != nil {
			return nil, 0, err
		}
		for rev := range revs.All() {
			if rev < 0 || rev == node.WdirRev {
				return nil, 0, unsupported("outgoing of what is no changeset")
			}
			only = append(only, rev)
		}
		if err := revs.Err(); err != nil {
			return nil, 0, err
		}
	}
	if asked && len(only) == 0 {
		return nil, 0, unsupported("outgoing of nothing")
	}
	own := only
	if !asked {
		for _, h := range v.Heads() {
			own = append(own, node.Rev(h))
		}
	}
	d, err := c.discover(v, p, own, c.Opts.On("force"))
	if err != nil {
		return nil, 0, err
	}
	common := revsIn(v, d.common)
	if !asked {
		list = missing(v, common, servedHeads(v))
		if len(list) == 0 {
			secret, err = secretCount(v)
		}
		return list, secret, err
	}
	for _, rev := range missing(v, common, only) {
		switch {
		case v.PhaseOf(rev) < phases.Secret && v.Flags(rev) == 0:
			list = append(list, rev)
		case v.Flags(rev) != 0:
			return nil, 0, unsupported("outgoing -r of changesets that markers are about")
		default:
			secret++
		}
	}
	return list, secret, nil
}

// secretCount is how many changesets are secret and not extinct.
func secretCount(v *repo.View) (int, error) {
	n := 0
	for rev := v.Snapshot().FirstMutable(); int(rev) < v.Len(); rev++ {
		if v.Hidden(rev) || v.PhaseOf(rev) < phases.Secret {
			continue
		}
		if v.Flags(rev)&obsolete.Obsolete != 0 {
			return 0, unsupported("obsolete secret changesets, which may be extinct")
		}
		n++
	}
	return n, nil
}

// showExchange prints changesets of one side, as the options ask. here is the view
// of this side.
func (c *Context) showExchange(here, v *repo.View, list []node.Rev) error {
	incoming := here != v
	limit, err := c.limit()
	if err != nil {
		return err
	}
	if incoming && c.Opts.On("stat") && c.Config.GetOr("ui", "relative-paths", "legacy") != "legacy" {
		return unsupported("ui.relative-paths in another repository")
	}
	if c.Opts.On("graph") {
		slices.Reverse(list)
		if limit >= 0 {
			list = list[:min(limit, len(list))]
		}
		return c.drawExchange(here, v, list)
	}
	if c.Opts.On("newest-first") {
		slices.Reverse(list)
	}
	if c.Opts.On("no-merges") {
		list = slices.DeleteFunc(list, func(rev node.Rev) bool {
			p1, p2 := v.Parents(rev)
			return p1 >= 0 && p2 >= 0
		})
	}
	if limit >= 0 {
		list = list[:min(limit, len(list))]
	}
	p, err := c.changesetPrinter(v, false, false)
	if err != nil {
		return err
	}
	each := !incoming && c.At72() // hg 7 ends the output after each changeset
	for _, rev := range list {
		if err := p.show(rev); err != nil {
			return err
		}
		if each {
			if err := p.Close(p.buf); err != nil {
				return err
			}
		}
	}
	if each {
		p.flush()
		return nil
	}
	return p.close()
}

// drawExchange prints the changesets beside a graph in which only they are. Without
// a template of the user's, what is checked out here is marked in it.
func (c *Context) drawExchange(here, v *repo.View, list []node.Rev) error {
	p, err := c.changesetPrinter(v, false, true)
	if err != nil {
		return err
	}
	styles, err := c.graphStyles()
	if err != nil {
		return err
	}
	symbol, err := c.graphSymbol(p, here)
	if err != nil {
		return err
	}
	shown := map[node.Rev]bool{}
	for _, rev := range list {
		shown[rev] = true
	}
	drawer := graph.NewDrawer(p.buf, styles)
	for _, rev := range list {
		ctx, err := p.repo.Changectx(rev)
		if err != nil {
			return err
		}
		mark, err := symbol(ctx)
		if err != nil {
			return err
		}
		var edges []graph.Edge
		p1, p2 := v.Parents(rev)
		for _, up := range sortedRevs(p1, p2) {
			if shown[up] {
				edges = append(edges, graph.Edge{Type: graph.Parent, Rev: up})
			}
		}
		err = drawer.Draw(graph.Row{Rev: rev, Symbol: mark, Edges: edges, Text: p.beside(ctx, rev)})
		if err == nil {
			err = p.spill()
		}
		if err != nil {
			return err
		}
	}
	return p.close()
}

// sortedRevs are two revisions in order, once when they are the same.
func sortedRevs(a, b node.Rev) []node.Rev {
	switch {
	case a == b:
		return []node.Rev{a}
	case a > b:
		a, b = b, a
	}
	return []node.Rev{a, b}
}
