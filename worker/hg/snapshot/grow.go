// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"slices"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/revlog"
)

// Files are the bytes that a snapshot is made from.
type Files struct {
	Stamps     Stamps
	Index      revlog.Index // of the changelog
	PhaseRoots []byte
	ObsStore   []byte
	Bookmarks  []byte

	// LateObsStore, if not nil, reads the obsstore when it is wanted first, and
	// ObsStore is nil. What it returns must be what the stamp stands for.
	LateObsStore func() ([]byte, error)
	// Appended says that the obsstore is that of the snapshot before with
	// ObsStore behind it.
	Appended bool
	// Prior is how many changesets at the start of Index are those of the
	// snapshot before: all of them, or, after a strip, some.
	Prior int
}

// Fresh is a snapshot of files, without an image. Each part of it is worked out
// when it is asked for; a part that cannot be is in Err.
func Fresh(f *Files) *Snapshot {
	return &Snapshot{stamps: f.Stamps, index: f.Index, phaseText: f.PhaseRoots, bookmarkText: f.Bookmarks, files: f}
}

// Grow is a snapshot of files that takes over from an earlier one of the same
// store what still holds, and works out what was appended since. It holds the
// images of prev, which may be closed afterwards.
func Grow(f *Files, prev *Snapshot) *Snapshot {
	s := Fresh(f)
	if prev == nil {
		return s
	}
	if f.Prior < prev.Len() { // some are gone
		if known := min(f.Prior, prev.BranchesKnown()); known > 0 {
			s.branchOf.base = slices.Clone(prev.branchOf.whole()[:known])
			s.branchNames = slices.Clone(prev.branchNames[:slices.Max(s.branchOf.base)>>1+1])
		}
		if prev.stamps[ObsStore] == f.Stamps[ObsStore] && prev.obs != nil {
			s.hold(prev)
			s.obs = prev.obs
		}
		return s
	}
	s.hold(prev)
	s.img, s.lineage = prev.img, prev.lineage
	s.err = prev.err
	if s.growNodes(prev); s.err != nil {
		return s
	}
	if prev.kids.first != nil {
		s.kids = prev.kids.grown(s.index, prev.Len())
	}
	moved, knownPhases := s.growPhases(prev)
	if s.growMarkers(f, prev) && knownPhases && prev.knows.flags {
		s.growFlags(prev, moved)
	}
	s.branchNames, s.branchOf = prev.branchNames, prev.branchOf
	s.hasTags, s.tagHash, s.tagText, s.tagFiles = prev.hasTags, prev.tagHash, prev.tagText, prev.tagFiles
	s.derived.tags, s.tagRevs = prev.derived.tags, prev.tagRevs
	s.missing = prev.missing
	return s
}

func (s *Snapshot) growNodes(prev *Snapshot) {
	if prev.nodes.fan == nil {
		return
	}
	s.nodes, s.recent = prev.nodes, prev.recent
	if s.Len() == prev.Len() {
		return
	}
	if s.Len()-len(s.nodes.order) > manyRecent {
		s.nodes, s.recent = nodeTable{}, nil
		return
	}
	recent, err := s.addNodes(prev.recent, prev.Len())
	if err != nil {
		s.fail(err)
		return
	}
	s.recent = recent
}

// manyRecent is how many changesets stand beside a table of nodes before it is
// made anew.
const manyRecent = 1 << 16

// growMarkers takes over the markers, and tells whether those of prev are still
// the first ones.
func (s *Snapshot) growMarkers(f *Files, prev *Snapshot) bool {
	switch {
	case prev.obs == nil:
	case f.Stamps[ObsStore] == prev.stamps[ObsStore]:
		s.obs = prev.obs
		return true
	case f.Appended:
		obs, err := prev.obs.Append(f.ObsStore)
		if err != nil {
			s.fail(err)
			return false
		}
		s.obs = obs
		return true
	}
	return false
}

// growFlags works out the flags, and what follows from them, from those before;
// moved are the changesets of prev that are in another phase.
func (s *Snapshot) growFlags(prev *Snapshot, moved []node.Rev) {
	more := make([]obsolete.Flag, s.Len()-prev.Len())
	var changes []change[byte]
	plain := s.obs.Len() == 0 && prev.knows.summary && prev.summary.hideable == 0 && // as nearly everywhere
		!s.localHidden(prev.Len()) && !slices.ContainsFunc(moved, func(rev node.Rev) bool { return s.Phase(rev).LocalHidden() })
	if !plain {
		news, differ, ok, err := obsolete.Update(graph{s}, s.obs, prev.flags.at, prev.Len(), uint32(prev.obs.Len()), moved)
		if err != nil {
			s.fail(err)
			return
		}
		if !ok {
			return
		}
		more = news
		for _, d := range differ {
			changes = append(changes, change[byte]{d.Rev, d.Flags})
		}
	}
	s.knows.flags = true
	s.flags = prev.flags.grown(more).changed(changes)
	s.branches = prev.branches
	var appeared []node.Rev // or vanished
	for _, c := range changes {
		was := prev.flags.at(c.rev)
		if (was^c.value)&obsolete.Hidden != 0 {
			appeared = append(appeared, c.rev)
		}
		if (was^c.value)&(obsolete.Hidden|obsolete.Obsolete) != 0 {
			s.branches.rewind(c.rev)
		}
	}
	if prev.knows.summary {
		s.summary, s.knows.summary = prev.summary, true
		s.summary.add(s, prev.Len())
		other := moved
		for _, c := range changes {
			other = append(other[:len(other):len(other)], c.rev)
		}
		slices.Sort(other)
		for _, rev := range slices.Compact(other) {
			s.summary.count(prev, rev, -1)
			s.summary.count(s, rev, 1)
		}
	}
	if prev.knows.heads {
		s.heads, s.knows.heads = s.growHeads(prev, appeared), true
	}
}

// localHidden tells whether a changeset from from on is in a phase that is never
// shown.
func (s *Snapshot) localHidden(from int) bool {
	for rev := node.Rev(from); int(rev) < s.Len(); rev++ {
		if s.Phase(rev).LocalHidden() {
			return true
		}
	}
	return false
}

// growHeads are the heads when of the changesets of prev some have appeared or
// vanished: these, the new ones and the parents of both are looked at.
func (s *Snapshot) growHeads(prev *Snapshot, appeared []node.Rev) []int32 {
	look := slices.Clone(appeared)
	for rev := node.Rev(prev.Len()); int(rev) < s.Len(); rev++ {
		look = append(look, rev)
	}
	for _, rev := range look[:len(look):len(look)] {
		p1, p2 := s.index.Parents(rev)
		look = append(look, p1, p2)
	}
	if len(look) == 0 {
		return prev.heads
	}
	slices.Sort(look)
	heads, rest := make([]int32, 0, len(prev.heads)+len(look)), prev.heads
	for _, rev := range slices.Compact(look) {
		if rev < 0 {
			continue
		}
		at, found := slices.BinarySearch(rest, int32(rev))
		heads = append(heads, rest[:at]...)
		if rest = rest[at:]; found {
			rest = rest[1:]
		}
		if s.isHead(rev) {
			heads = append(heads, int32(rev))
		}
	}
	return append(heads, rest...)
}

// isHead tells whether a changeset is visible, and no child of it is.
func (s *Snapshot) isHead(rev node.Rev) bool {
	visible := func(rev int32) bool { return s.flags.at(node.Rev(rev))&obsolete.Hidden == 0 }
	return visible(int32(rev)) && !slices.ContainsFunc(s.Children(rev), visible)
}

// Continues tells whether the changesets of prev are the first ones of s, with
// the same numbers. False may also mean that it is not known.
func (s *Snapshot) Continues(prev *Snapshot) bool {
	if s.stamps[Changelog] == prev.stamps[Changelog] {
		return true
	}
	base, tail := s.index.Pieces()
	oldBase, oldTail := prev.index.Pieces()
	return shares(base, oldBase) && bytes.HasPrefix(tail, oldTail)
}

// HasMarkers tells whether the markers are known already.
func (s *Snapshot) HasMarkers() bool { return s.obs != nil }

// hold keeps the images of another snapshot open.
func (s *Snapshot) hold(prev *Snapshot) {
	for _, h := range prev.held {
		s.held = append(s.held, h.take())
	}
}

func (s *Snapshot) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// Err is why a part that was asked for is not what it should be: what its file
// holds is damaged, or not known here. The answers that came of it do not count.
func (s *Snapshot) Err() error { return s.err }

// need* work out a part of the snapshot that is not known yet. When that fails,
// the part is empty, and Err tells.

func (s *Snapshot) needNodes() bool {
	if s.nodes.fan != nil {
		return true
	}
	nodes, err := sortNodes(s.index)
	if err != nil {
		s.fail(err)
		return false
	}
	s.nodes, s.recent = nodes, nil
	return true
}

func (s *Snapshot) needMarkers() {
	raw, err := s.files.ObsStore, error(nil)
	if s.files.LateObsStore != nil {
		raw, err = s.files.LateObsStore()
	}
	if err == nil {
		s.obs, err = obsolete.Parse(raw)
	}
	if err != nil {
		s.fail(err)
		s.obs = &obsolete.Store{}
	}
}

func (s *Snapshot) needFlags() {
	s.knows.flags = true
	s.Phase(0)
	if !s.stamps[ObsStore].Exists && len(s.files.ObsStore) == 0 && !s.localHidden(int(s.lowest)) {
		s.flags = column[byte]{base: make([]byte, s.Len())}
		return
	}
	flags, err := obsolete.Compute(graph{s}, s.Markers(), s.lowest)
	if err != nil {
		s.fail(err)
		flags = make([]byte, s.Len())
	}
	s.flags = column[byte]{base: flags}
}

func (s *Snapshot) needHeads() {
	s.knows.heads = true
	hidden := func(rev node.Rev) bool { return s.Flags(rev)&obsolete.Hidden != 0 }
	if s.HiddenCount() == 0 {
		hidden = nil
	}
	s.heads = ComputeHeads(s.index, hidden)
}

// graph answers the computations of package obsolete.
type graph struct{ *Snapshot }

func (g graph) Rev(id node.ID) (node.Rev, bool) {
	if !g.needNodes() {
		return node.NullRev, false
	}
	return g.Snapshot.Rev(id)
}

var _ obsolete.GrownGraph = graph{}

// ComputeHeads lists the visible changesets without a visible child, ascending.
// hidden is nil when all are visible.
func ComputeHeads(x revlog.Index, hidden func(node.Rev) bool) []int32 {
	n := x.Len()
	parent := make([]bool, n)
	var heads []int32
	for rev := node.Rev(n) - 1; rev >= 0; rev-- {
		if hidden != nil && hidden(rev) {
			continue
		}
		if !parent[rev] {
			heads = append(heads, int32(rev))
		}
		p1, p2 := x.Parents(rev)
		if p1 >= 0 {
			parent[p1] = true
		}
		if p2 >= 0 {
			parent[p2] = true
		}
	}
	slices.Reverse(heads)
	return heads
}
