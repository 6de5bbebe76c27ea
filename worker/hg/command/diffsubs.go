// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/subrepo"
)

// show writes a diff, or its histogram, and then those of the subrepositories
// that the user names or, with all, of each of them. hg opens all of them in any
// case.
func (d *differ) show(w io.Writer, q comparison, stat bool, graphWidth int, all bool) error {
	if err := d.foresee(q, all); err != nil {
		return err
	}
	return d.showAll(w, q, stat, graphWidth, all)
}

// foresee finds out, before anything is shown, what of the subrepositories hg
// must show.
func (d *differ) foresee(q comparison, all bool) error {
	silent := *d
	silent.c = d.c.quiet()
	err := silent.within(q, all, func(n *nested, inner comparison, lost *lostRevision) error {
		if n.unordered {
			return unsupported("diff of several new subrepositories, which hg shows in any order")
		}
		if lost != nil {
			return nil
		}
		if q.opts.Git {
			if err := refuseUnsaid(n.v); err != nil {
				return err
			}
		}
		return silent.inside(n).foresee(inner, true)
	})
	if hgerr.IsUnsupported(err) {
		return err
	}
	return nil // what else is wrong is said where it belongs
}

func (d *differ) showAll(w io.Writer, q comparison, stat bool, graphWidth int, all bool) error {
	if stat {
		var buf bytes.Buffer
		if err := d.histogram(&buf, q, graphWidth); err != nil {
			return err
		}
		if _, err := w.Write(buf.Bytes()); err != nil {
			return err
		}
	} else if err := d.colored(w, q); err != nil {
		return err
	}
	return d.within(q, all, func(n *nested, inner comparison, lost *lostRevision) error {
		if lost != nil {
			n.Warnf("warning: error \"%s\" in subrepository \"%s\"\n", lost.message, n.within)
			return nil
		}
		return d.inside(n).showAll(w, inner, stat, 0, true)
	})
}

// inside makes the diffs of a subrepository.
func (d *differ) inside(n *nested) *differ {
	return &differ{c: n.Context, v: n.v, opts: d.opts, plain: d.plain, asked: d.asking()}
}

// within opens all subrepositories of a comparison, and hands over those that are
// to be compared, with the revision that one of them has not.
func (d *differ) within(q comparison, all bool, yield func(n *nested, inner comparison, lost *lostRevision) error) error {
	chosen := q.chosen
	if chosen == nil {
		chosen = q.match
	}
	return d.c.eachSub(d.v, q.a, q.b, func(n *nested, other *subrepo.State) error {
		mt := match.SubDir(n.path, chosen)
		if !all && !chosen.Exact(n.path) && len(mt.Files()) == 0 {
			return nil
		}
		inner := comparison{match: mt, opts: q.opts, prefix: n.path, exact: true}
		if q.prefix != "" {
			inner.prefix = q.prefix + "/" + n.path
		}
		var err error
		inner.a, err = n.lookup(n.state.Rev, true)
		if inner.b = node.WdirRev; err == nil && q.b != node.WdirRev && other != nil {
			inner.b, err = n.lookup(other.Rev, true)
		}
		var lost *lostRevision
		if err != nil && !errors.As(err, &lost) {
			return err
		}
		return yield(n, inner, lost)
	})
}

// asking is the command that the user called: what concerns the way things look
// is settled there.
func (d *differ) asking() *Context {
	if d.asked != nil {
		return d.asked
	}
	return d.c
}

// refuseLostSubs refuses diffs of changesets, of which there may be many, when
// one of them may have a subrepository that is not there: hg would make it.
func (c *Context) refuseLostSubs(v *repo.View) error {
	if c.lostSubs == nil {
		err := c.quiet().findLostSubs(v)
		c.lostSubs = &err
	}
	return *c.lostSubs
}

func (c *Context) findLostSubs(v *repo.View) error {
	if _, err := os.Stat(filepath.Join(v.Store().Path(), v.Store().FilelogPath(subrepo.SpecFile))); err != nil {
		return nil //nolint:nilerr // no changeset has any
	}
	f, err := v.Filelog(subrepo.SpecFile)
	if err != nil {
		return err
	}
	defer f.Close()
	seen := map[string]bool{}
	for flrev := range node.Rev(f.Len()) {
		text, err := f.Data(flrev)
		if err != nil {
			return unsupported("subrepositories: %v", err)
		}
		list, err := subrepo.Read(func(path string) ([]byte, bool, error) { return text, path == subrepo.SpecFile, nil },
			subrepo.Options{Mapped: len(c.Config.Items("subpaths")) > 0})
		if err != nil {
			return unsupported("subrepositories: %v", err)
		}
		for _, s := range list {
			if seen[s.Kind+"\x00"+s.Path] {
				continue
			}
			seen[s.Kind+"\x00"+s.Path] = true
			if _, err := c.sub(v, s); hgerr.IsUnsupported(err) {
				return err
			}
		}
	}
	return nil
}
