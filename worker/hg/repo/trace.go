// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"bytes"

	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

// IsAncestor tells whether a is b or an ancestor of it.
func (v *View) IsAncestor(a, b node.Rev) bool {
	if a == b || a == node.NullRev {
		return true
	}
	seen := map[node.Rev]struct{}{}
	todo := []node.Rev{b}
	for len(todo) > 0 {
		rev := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		p1, p2 := v.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p == a {
				return true
			}
			if _, ok := seen[p]; p > a && !ok {
				seen[p] = struct{}{}
				todo = append(todo, p)
			}
		}
	}
	return false
}

// fileRevision is a revision of a file in the walk of TraceFile.
type fileRevision struct {
	path string
	log  *filelog.File
	rev  node.Rev
	link node.Rev
	id   node.ID
}

// TraceFile follows a file's history back, through copies, to the first revision
// that stands in a manifest, and returns its path there; "" when there is none.
// Revisions are visited from the one that was linked last, as hg does.
func (v *View) TraceFile(path string, id node.ID, in manifest.Manifest) (string, error) {
	logs := map[string]*filelog.File{}
	defer func() {
		for _, f := range logs {
			f.Close()
		}
	}()
	open := func(path string, id node.ID) (fileRevision, error) {
		f := logs[path]
		if f == nil {
			var err error
			if f, err = v.Filelog(path); err != nil {
				return fileRevision{}, err
			}
			logs[path] = f
		}
		rev, err := f.FindRev(id)
		if err != nil {
			return fileRevision{}, err
		}
		return fileRevision{path: path, log: f, rev: rev, link: f.LinkRev(rev), id: id}, nil
	}
	// A later visitor of the same link and node replaces an earlier one.
	type key struct {
		link node.Rev
		id   node.ID
	}
	visit := map[key]fileRevision{}
	current, err := open(path, id)
	if err != nil {
		return "", err
	}
	for {
		var parents []fileRevision
		src, srcNode, copied, err := current.log.Renamed(current.rev)
		if err != nil {
			return "", err
		}
		if copied {
			p, err := open(src, srcNode)
			if err != nil {
				return "", err
			}
			parents = append(parents, p)
		}
		p1, p2 := current.log.Parents(current.rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= 0 {
				parents = append(parents, fileRevision{current.path, current.log, p, current.log.LinkRev(p), current.log.Node(p)})
			}
		}
		for _, p := range parents {
			visit[key{p.link, p.id}] = p
		}
		if len(visit) == 0 {
			return "", nil
		}
		var best key
		first := true
		for k := range visit {
			if first || k.link > best.link || k.link == best.link && bytes.Compare(k.id[:], best.id[:]) > 0 {
				best, first = k, false
			}
		}
		current = visit[best]
		delete(visit, best)
		e, ok, err := in.Lookup(current.path)
		if err != nil {
			return "", err
		}
		if ok && e.Node == current.id {
			return current.path, nil
		}
	}
}
