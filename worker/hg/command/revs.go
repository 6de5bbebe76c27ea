// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"
	"strconv"
	"strings"

	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/mq"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
)

// unhide makes hidden changesets visible that the user names by hash, as hg's
// read commands do (experimental.directaccess).
func (c *Context) unhide(v *repo.View, specs []string) error {
	on, err := c.Config.BoolOr("experimental", "directaccess", true)
	if err != nil || !on {
		return err
	}
	numbers, err := c.Config.Bool("experimental", "directaccess.revnums")
	if err != nil {
		return err
	}
	var symbols []string
	for _, spec := range specs {
		// What cannot be parsed is reported by the evaluation.
		if t, err := revset.Parse(spec, nil); err == nil {
			symbols = append(symbols, t.HashLikeSymbols()...)
		}
	}
	if len(symbols) > 0 {
		v.Unhide(v.HashLike(symbols, numbers))
	}
	return nil
}

// revsetOptions are what revsets depend on besides the repository.
func (c *Context) revsetOptions() *revset.Options {
	opts := &revset.Options{Now: c.Now, Location: c.Local, Lower: c.Encoding.Lower, Version: c.Config.Version(), Evolve: c.Evolve != "", Topics: c.Topic != "", Aliases: slices.Clip(c.queueAliases)}
	for _, it := range c.Config.Items("revsetalias") {
		opts.Aliases = append(opts.Aliases, revset.Alias{Declaration: it.Name, Definition: it.Text})
	}
	if list := c.Config.List("merge", "preferancestor"); len(list) > 0 {
		opts.PreferAncestor = list
	}
	return opts
}

// revsets is the view as the revset language asks it, filesets in patterns
// included.
func (c *Context) revsets(v *repo.View) repo.Revsets {
	return repo.Revsets{View: v, Sets: func(o match.Options, rev node.Rev) (match.Matcher, error) {
		return c.withSets(v, o, rev, true)
	}}
}

// eval evaluates revsets given by the user; several are joined in order.
func (c *Context) eval(v *repo.View, specs []string) (*revset.Set, error) {
	if len(specs) == 1 && specs[0] == "." {
		// hg knows this one without looking at what is visible.
		p1, _ := v.WdirParents()
		c.nullParent(v, ".", p1)
		return revset.List(c.Context, c.revsets(v), c.revsetOptions(), []node.Rev{p1}), nil
	}
	if err := c.refuseTexts(specs); err != nil {
		return nil, err
	}
	set, warnings, err := revset.Eval(c.Context, c.revsets(v), specs, c.revsetOptions())
	for _, w := range warnings {
		c.warnRaw(w)
	}
	return set, err
}

// queueAlias is the revset mq() of the extension mq, as an alias.
func queueAlias(v *repo.View) ([]revset.Alias, error) {
	if !v.HasQueue() {
		return nil, nil
	}
	q, err := mq.Read(v.Layout.Dot)
	if err != nil {
		return nil, err
	}
	var revs []node.Rev
	for _, a := range q.Applied {
		rev, ok := v.Rev(a.Node)
		if !ok || v.Hidden(rev) {
			return nil, unsupported("an applied patch of mq without its changeset")
		}
		revs = append(revs, rev)
	}
	slices.Sort(revs)
	set := "none()"
	if len(revs) > 0 {
		set = "(" + revList(revs) + ")"
	}
	return []revset.Alias{{Declaration: "mq()", Definition: set}}, nil
}

func (c *Context) refuseTexts(specs []string) error {
	if c.RefuseText == nil {
		return nil
	}
	for _, spec := range specs {
		if err := c.RefuseText(spec); err != nil {
			return err
		}
	}
	return nil
}

// everything is all visible changesets, newest first.
func (c *Context) everything(v *repo.View) (*revset.Set, error) {
	q, err := revset.Compile([]string{"all()"}, nil, nil)
	if err != nil {
		return nil, err
	}
	set, err := q.Eval(c.Context, c.revsets(v), c.revsetOptions())
	if err == nil {
		set.Reverse()
	}
	return set, err
}

// Single is the one changeset that a revset names, its last one when it names
// several; without a revset it is the one that def names ("" is the working
// directory).
func (c *Context) Single(spec, def string) (node.Rev, error) {
	v, err := c.View()
	if err != nil {
		return node.NullRev, err
	}
	if spec == "" {
		if def == "" {
			return node.WdirRev, nil
		}
		return v.Lookup(def)
	}
	if err := c.unhide(v, []string{spec}); err != nil {
		return node.NullRev, err
	}
	return c.last(v, spec)
}

// last is the last changeset that a revset names.
func (c *Context) last(v *repo.View, spec string) (node.Rev, error) {
	revs, err := c.eval(v, []string{spec})
	if err != nil {
		return node.NullRev, err
	}
	rev, ok := revs.Last()
	if err := revs.Err(); err != nil {
		return node.NullRev, err
	}
	if !ok {
		return node.NullRev, inputError("empty revision set")
	}
	return rev, nil
}

// revList is changesets as a revset.
func revList(revs []node.Rev) string {
	words := make([]string, len(revs))
	for i, r := range revs {
		words[i] = "rev(" + strconv.Itoa(int(r)) + ")"
	}
	return strings.Join(words, "+")
}
