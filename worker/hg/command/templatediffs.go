// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"

	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

// changesetDiffer makes the diffs of log -p and --stat. Even a command that shows
// none reads its options as hg does, which may fail. Those of machine formats are
// read again, and most of them do not count there.
func (c *Context) changesetDiffer(v *repo.View, machine bool) (*differ, error) {
	opts, err := c.diffOptions(true)
	if err == nil && machine {
		opts, err = c.diffOptions(true)
		opts.Text, opts.NoBinary, opts.NoPrefix = false, false, false
		opts.Whitespace = bdiff.Options{Xdiff: opts.Whitespace.Xdiff}
	}
	d := &differ{c: c, v: v, opts: opts, plain: machine}
	if hgerr.IsUnsupported(err) {
		d.refused, err = err, nil
	}
	if c.walked != nil {
		d.match = func(node.Rev) (match.Matcher, error) { return c.walked, nil }
	}
	if c.followed != nil {
		d.match = c.followed
	}
	return d, err
}

// templateDiffs makes the diffs that templates ask for, by the configuration only.
type templateDiffs struct {
	c *Context
	v *repo.View
	d *differ // nil before it is needed
}

func (t *templateDiffs) differ() (*differ, error) {
	if t.d == nil {
		opts, err := t.c.diffOptions(false)
		if err != nil {
			return nil, err
		}
		t.d = &differ{c: t.c, v: t.v, opts: opts}
	}
	return t.d, nil
}

// comparison is that of a changeset with its first parent.
func (t *templateDiffs) comparison(ctx template.Changectx) (*differ, comparison, error) {
	d, err := t.differ()
	if err != nil {
		return nil, comparison{}, err
	}
	q, err := d.ofChangeset(ctx.Rev())
	return d, q, err
}

// Diff is template.DiffReader's.
func (t *templateDiffs) Diff(ctx template.Changectx, include, exclude []string) (string, error) {
	d, q, err := t.comparison(ctx)
	if err != nil {
		return "", err
	}
	q.match, err = t.c.withSets(t.v, match.Options{
		Root: t.v.Layout.Root, Cwd: t.v.RelCwd(), Include: include, Exclude: exclude, Default: "glob", NoFS: true, Version: t.c.Config.Version(),
	}, ctx.Rev(), false)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := d.patches(&text, q); err != nil {
		return "", err
	}
	return text.String(), nil
}

// DiffStat is template.DiffReader's.
func (t *templateDiffs) DiffStat(ctx template.Changectx) (files, added, removed int, err error) {
	d, q, err := t.comparison(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	q.opts.NoPrefix = false
	st, err := d.count(q)
	added, removed = st.Totals()
	return len(st.Files), added, removed, err
}
