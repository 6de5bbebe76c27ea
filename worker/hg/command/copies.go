// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
)

// pathCopies finds what the files of b are copies of in a (copies.pathcopies in
// Mercurial). a must be b's ancestor.
func (c *Context) pathCopies(v *repo.View, a, b node.Rev, mt match.Matcher) (map[string]string, error) {
	if mode := c.Config.GetOr("experimental", "copies.read-from", "filelog-only"); mode != "filelog-only" {
		return nil, unsupported("experimental.copies.read-from=%s", mode)
	}
	out := map[string]string{}
	if a == b || a == node.NullRev || b == node.NullRev {
		return out, nil
	}
	if a == node.WdirRev {
		return nil, unsupported("copies backwards in history")
	}
	p1, _ := v.WdirParents()
	if b == node.WdirRev && a == p1 {
		return c.dirstateCopies(v, mt)
	}
	to := b
	if b == node.WdirRev {
		if to = p1; to < 0 {
			return nil, unsupported("copies across unrelated history")
		}
	}
	if !v.IsAncestor(a, to) {
		return nil, unsupported("copies across branches of history")
	}
	copies, err := c.forwardCopies(v, a, to, mt)
	if err != nil {
		return nil, err
	}
	if b == node.WdirRev {
		wdir, err := c.dirstateCopies(v, mt)
		if err != nil {
			return nil, err
		}
		chained := map[string]string{}
		for dest, src := range copies {
			chained[dest] = src
		}
		for dest, src := range wdir {
			if earlier, ok := copies[src]; ok {
				src = earlier
			}
			chained[dest] = src
		}
		copies = chained
	}
	from, err := v.ManifestOf(a)
	if err != nil {
		return nil, err
	}
	tracked, err := c.trackedIn(v, b)
	if err != nil {
		return nil, err
	}
	for dest, src := range copies {
		if dest != src && from.Has(src) && tracked(dest) {
			out[dest] = src
		}
	}
	return out, nil
}

// trackedIn tells which files a side has.
func (c *Context) trackedIn(v *repo.View, rev node.Rev) (func(string) bool, error) {
	if rev == node.WdirRev {
		d, err := c.dirstate(v)
		if err != nil {
			return nil, err
		}
		return func(path string) bool { e, ok := d.Lookup(path); return ok && e.Item.Tracked() }, nil
	}
	m, err := v.ManifestOf(rev)
	return m.Has, err
}

// dirstateCopies are the copies that are not committed yet.
func (c *Context) dirstateCopies(v *repo.View, mt match.Matcher) (map[string]string, error) {
	d, err := c.dirstate(v)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for dest, src := range d.Copies() {
		if e, ok := d.Lookup(dest); ok && e.Item.Tracked() && mt.Match(dest) {
			out[dest] = src
		}
	}
	return out, nil
}

// forwardCopies traces the files that to has and a does not back to a.
func (c *Context) forwardCopies(v *repo.View, a, to node.Rev, mt match.Matcher) (map[string]string, error) {
	out := map[string]string{}
	from, err := v.ManifestOf(a)
	if err != nil {
		return nil, err
	}
	m, err := v.ManifestOf(to)
	if err != nil {
		return nil, err
	}
	for change, err := range manifest.Diff(from, m) {
		if err != nil {
			return nil, err
		}
		if err := c.Err(); err != nil {
			return nil, err
		}
		path := ""
		if change.A == nil {
			path = string(change.Path)
		}
		if path == "" || !mt.Match(path) {
			continue
		}
		source, err := v.TraceFile(path, change.B.Node, from)
		if err != nil {
			return nil, err
		}
		if source != "" {
			out[path] = source
		}
	}
	return out, nil
}
