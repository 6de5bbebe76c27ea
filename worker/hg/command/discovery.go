// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"io"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
)

// discovery is what a comparison of two repositories found out.
type discovery struct {
	common   []node.ID // at least the heads of what both have
	incoming bool      // the peer may have more
	heads    []node.ID // the peer's
}

// sampleSize is up to how many open questions hg asks about at once; when there
// are more it says so with --verbose.
const sampleSize = 100

// discover compares with a peer and says what hg says meanwhile. own are the
// local changesets whose ancestors matter. What is common is known exactly: hg's
// search ends in it whatever it asks (Mercurial's setdiscovery.py).
func (c *Context) discover(v *repo.View, p *peer, own []node.Rev, force bool) (*discovery, error) {
	d := &discovery{}
	for _, rev := range servedHeads(p.View) {
		d.heads = append(d.heads, p.Node(rev))
	}
	if c.Debug {
		c.Print("query 1; heads\n")
	}
	none := len(d.heads) == 1 && d.heads[0].IsNull()
	if v.Tip() < 0 {
		d.common, d.incoming = []node.ID{node.Null}, !none
		if none {
			d.heads = nil
		}
		return d, nil
	}
	c.Status("searching for changes\n")
	var known []node.Rev // the peer's heads that are here
	for _, id := range d.heads {
		if rev, ok := v.Rev(id); ok && rev >= 0 && !v.Hidden(rev) {
			known = append(known, rev)
		}
	}
	if len(known) == len(d.heads) {
		if c.Debug {
			c.Print("all remote heads known locally\n")
		}
		d.common = d.heads
		return d, nil
	}
	all := true
	for _, rev := range own {
		_, ok := p.serves(v.Node(rev))
		all = all && ok
	}
	if all {
		if c.Verbose {
			c.Print("all local changesets known remotely\n")
		}
		for _, rev := range own {
			d.common = append(d.common, v.Node(rev))
		}
		d.incoming = true
		return d, nil
	}
	if c.Debug {
		return nil, unsupported("what --debug tells of the time that a search takes")
	}
	open := 0 // how many are asked about after the heads
	for _, rev := range missing(v, known, own) {
		if _, ok := p.serves(v.Node(rev)); ok {
			d.common = append(d.common, v.Node(rev))
		}
		open++
	}
	if open > sampleSize && c.Verbose {
		return nil, unsupported("what hg says of a long search")
	}
	for _, rev := range known {
		d.common = append(d.common, v.Node(rev))
	}
	d.incoming = !none
	if len(d.common) == 0 && !none {
		if !force {
			return nil, hgerr.Abortf(hgerr.Other, "repository is unrelated")
		}
		c.Warnf("warning: repository is unrelated\n")
		d.common = []node.ID{node.Null}
	}
	return d, nil
}

// revsIn are the changesets of a view among nodes.
func revsIn(v *repo.View, ids []node.ID) []node.Rev {
	var out []node.Rev
	for _, id := range ids {
		if rev, ok := v.Rev(id); ok && rev >= 0 {
			out = append(out, rev)
		}
	}
	return out
}

// branchHeads adds the heads of branches, closed ones included, to revs.
func (c *Context) branchHeads(v *repo.View, current string, branches []string, anchor string) (revs []node.Rev, named []string, err error) {
	if secrets(v) || v.HiddenCount() > 0 {
		return nil, nil, unsupported("branches of a repository with changesets that it does not serve")
	}
	list, err := v.Branches()
	if err != nil {
		return nil, nil, err
	}
	add := func(name string) bool {
		if name == "." {
			name = current
		}
		for _, b := range list {
			if b.Name == name {
				revs = append(revs, b.Heads...)
				return true
			}
		}
		return false
	}
	for _, name := range branches {
		if !add(name) {
			return nil, nil, hgerr.Abortf(hgerr.UnknownRevision, "unknown branch '%s'", name)
		}
	}
	if anchor != "" && !add(anchor) {
		named = append(named, anchor)
	}
	return revs, named, nil
}

// outgoingTo is what the revset outgoing() finds, without a word.
func (c *Context) outgoingTo(v *repo.View, dest string) ([]node.Rev, error) {
	var names []string
	if dest != "" {
		names = append(names, dest)
	}
	at, err := c.pushPlace(names)
	if err != nil {
		return nil, err
	}
	p, err := c.openPeer(at, true)
	if err != nil {
		return nil, err
	}
	if p.branch != "" {
		return nil, unsupported("outgoing() of a branch")
	}
	list, _, err := c.silent().outgoing(v, p)
	return list, err
}

// remoteNode is the changeset that a name stands for in another repository, for
// the revset remote().
func (c *Context) remoteNode(v *repo.View, name, source string) (node.ID, error) {
	at, err := c.pullPlace("remote", source)
	if err != nil {
		return node.Null, err
	}
	p, err := c.openServed(at)
	if err != nil {
		return node.Null, err
	}
	rev, err := p.Lookup(name)
	if err != nil && p.HiddenCount() > 0 {
		err = unsupported("what is not served: %v", err)
	}
	if err == nil && rev == node.WdirRev {
		err = unsupported("another repository's working directory")
	}
	if err != nil {
		return node.Null, err
	}
	return p.Node(rev), nil
}

// silent is the context for a search that hg does without a word.
func (c *Context) silent() *Context {
	silent := *c
	silent.Quiet, silent.Verbose, silent.Debug, silent.Opts, silent.Stderr = true, false, false, nil, io.Discard
	return &silent
}
