// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/mq"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/patch"
	"hgbroker/worker/hg/repo"
)

var qdiffSpec = Spec{
	Name:    "qdiff",
	Options: func() []Option { return join(diffFormatOptions(), diffDetailOptions(), walkOptions()) },
	Run:     runQdiff,
}

// runQdiff shows what the topmost patch would be with the changes of the working
// directory.
func runQdiff(c *Context) (int, error) {
	args := c.Args
	q, err := c.queue(len(args))
	if err != nil {
		return 0, err
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	if len(q.Applied) == 0 {
		c.Print("no patches applied\n")
		return 0, nil
	}
	top := q.Applied[len(q.Applied)-1]
	p1, _ := v.WdirParents()
	if v.Node(p1) != top.Node {
		return 0, hgerr.Abortf(hgerr.Other, "working directory revision is not qtip")
	}
	below, p2 := v.Parents(p1)
	for _, a := range q.Applied {
		if p2 >= 0 && v.Node(p2) == a.Node {
			below = p2
		}
	}
	opts, err := c.diffOptions(true)
	if err != nil {
		return 0, err
	}
	cmp := comparison{a: below, b: node.WdirRev}
	if c.Opts.On("reverse") {
		cmp.a, cmp.b = cmp.b, cmp.a
	}
	if cmp.match, err = c.matcherIn(v, args, c.Opts.List("include"), c.Opts.List("exclude"), cmp.a); err != nil {
		return 0, err
	}
	d := &differ{c: c, v: v}
	if opts.Git, err = c.queueGit(d, cmp, opts, filepath.Join(q.Dir, top.Name)); err != nil {
		return 0, err
	}
	cmp.opts, d.opts = opts, opts
	return 0, c.showDiff(v, d, cmp)
}

// queueGit tells whether the diff of a patch is in git's format: mq.git says so, or
// what of it that plain diffs cannot express.
func (c *Context) queueGit(d *differ, q comparison, opts patch.Options, file string) (bool, error) {
	mode, set := c.Config.Get("mq", "git")
	if !set {
		mode = "auto"
	}
	if on, ok := config.ParseBool(mode); ok {
		return on, nil
	}
	switch mode {
	case "auto":
		if opts.Git {
			return true, nil
		}
	case "keep":
		if opts.Git {
			return true, nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return false, unsupported("a patch that cannot be read: %v", err)
		}
		return mq.IsGit(text), nil
	default:
		return false, unsupported("mq.git=%s", mode)
	}
	if err := refuseUnsaid(d.v); err != nil {
		return false, err
	}
	silent := *c // what there is to warn of is said when the diff is made
	silent.Stderr = io.Discard
	d = &differ{c: &silent, v: d.v}
	q.opts = opts
	q.opts.Git = true
	lossy := false
	q.inspect = func(change *patch.Change) error {
		lossy = change.Op != "" || !opts.Text && (binaryFile(change.Old) || binaryFile(change.New)) ||
			change.Old == nil && (len(change.New.Data) == 0 || change.New.Flag != 0) ||
			change.New == nil && len(change.Old.Data) == 0 ||
			change.Old != nil && change.New != nil && change.Old.Flag != change.New.Flag
		if lossy {
			return errLossy
		}
		return nil
	}
	err := d.each(q, func(_, _ []byte) error { return nil })
	if err != nil && !errors.Is(err, errLossy) {
		return false, err
	}
	return lossy, nil
}

// errLossy ends the search for what needs git's format.
var errLossy = errors.New("a change that only git's format can express")

func binaryFile(f *patch.File) bool { return f != nil && patch.Binary(f.Data) }

// showDiff prints a comparison as hg diff does.
func (c *Context) showDiff(v *repo.View, d *differ, q comparison) error {
	if q.opts.Git {
		if err := refuseUnsaid(v); err != nil {
			return err
		}
	}
	return d.show(c.Stdout, q, c.Opts.On("stat"), 0, false)
}
