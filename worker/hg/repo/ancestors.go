// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"container/heap"

	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

// CommonAncestorHeads are the highest changesets that a and b both are or
// descend from: those of which no other one is a descendant. Changesets are
// visited from the highest down, each once, and no further than the answer needs.
func (v *View) CommonAncestorHeads(a, b node.Rev) []node.Rev {
	const (
		fromA = 1 << iota
		fromB
		below // an ancestor of a head that was found
	)
	if a < 0 || b < 0 {
		return nil
	}
	marks := map[node.Rev]uint8{}
	queue := &node.Heap{}
	interesting := 0 // queued revisions that are not below
	mark := func(rev node.Rev, bits uint8) {
		old, queued := marks[rev]
		if !queued {
			heap.Push(queue, rev)
			interesting++
		}
		if old&below == 0 && bits&below != 0 {
			interesting--
		}
		marks[rev] = old | bits
	}
	mark(a, fromA)
	mark(b, fromB)
	var heads []node.Rev
	for interesting > 0 {
		rev := heap.Pop(queue).(node.Rev)
		bits := marks[rev]
		if bits&below == 0 {
			interesting--
			if bits == fromA|fromB {
				heads = append(heads, rev)
				bits |= below
			}
		}
		p1, p2 := v.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= 0 {
				mark(p, bits)
			}
		}
	}
	return heads
}

// removedByParent tells, for a merge, which of the files that it lacks were
// removed on one side only, so that the merge itself did not remove them: the
// other side still has what the common ancestors have.
func (v *View) removedByParent(p1, p2 node.Rev, m1, m2 manifest.Manifest) (func(path string) (bool, error), error) {
	bases := v.CommonAncestorHeads(p1, p2)
	if len(bases) == 0 {
		bases = []node.Rev{node.NullRev}
	}
	var old []manifest.Manifest
	for _, b := range bases {
		m, err := v.ManifestOf(b)
		if err != nil {
			return nil, err
		}
		old = append(old, m)
	}
	unchanged := func(path string, e manifest.Entry) (bool, error) {
		for _, m := range old {
			base, ok, err := m.Lookup(path)
			if err != nil || !ok || base.Node != e.Node || base.Flag != e.Flag {
				return false, err
			}
		}
		return true, nil
	}
	return func(path string) (bool, error) {
		e1, in1, err := m1.Lookup(path)
		if err != nil {
			return false, err
		}
		e2, in2, err := m2.Lookup(path)
		switch {
		case err != nil:
			return false, err
		case in1 && in2:
			return false, nil
		case in1:
			return unchanged(path, e1)
		case in2:
			return unchanged(path, e2)
		}
		return true, nil
	}, nil
}
