// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"slices"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
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
	// snapshot before.
	Prior int
}

// Fresh is a snapshot of files, without an image. Each part of it is worked out
// when it is asked for; a part that cannot be is in Err.
func Fresh(f *Files) *Snapshot {
	return &Snapshot{stamps: f.Stamps, index: f.Index, bookmarkText: f.Bookmarks, files: f}
}

// Grow is a snapshot of files that takes over from an earlier one of the same
// store what still holds, and works out what was appended since. It holds the
// images of prev, which may be closed afterwards.
func Grow(f *Files, prev *Snapshot) *Snapshot {
	s := Fresh(f)
	if prev == nil || f.Prior < prev.Len() {
		if prev != nil && prev.stamps[ObsStore] == f.Stamps[ObsStore] && prev.obs != nil {
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
	samePhases := s.growPhases(prev)
	sameMarkers := s.growMarkers(f, prev)
	if samePhases && sameMarkers && prev.knows.flags {
		s.growFlags(prev)
	}
	s.branchNames, s.branchOf = prev.branchNames, prev.branchOf
	s.hasTags, s.tagHash, s.tagText, s.tagFiles = prev.hasTags, prev.tagHash, prev.tagText, prev.tagFiles
	s.derived.tags = prev.derived.tags
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

// growPhases works out the phases from those before. It tells whether those of
// the changesets that prev has are what they were.
func (s *Snapshot) growPhases(prev *Snapshot) (same bool) {
	if !prev.knows.phases {
		return false
	}
	if s.stamps[PhaseRoots] == prev.stamps[PhaseRoots] && s.Len() == prev.Len() {
		s.phases, s.roots, s.knows.phases = prev.phases, prev.roots, true
		s.lowest = prev.lowest
		return true
	}
	roots, err := phases.Parse(s.files.PhaseRoots)
	if err != nil {
		s.fail(err)
		return false
	}
	s.roots = s.resolveRoots(roots)
	// Below the first root that is not what it was, nothing changes.
	from := s.Len()
	if prev.roots == nil && prev.Len() > 0 {
		return false
	}
	for i, k := 0, 0; i < len(prev.roots) || k < len(s.roots); {
		switch {
		case i < len(prev.roots) && k < len(s.roots) && prev.roots[i] == s.roots[k]:
			i++
			k++
			continue
		case k == len(s.roots) || i < len(prev.roots) && prev.roots[i].rev <= s.roots[k].rev:
			from = min(from, int(prev.roots[i].rev))
		default:
			from = min(from, int(s.roots[k].rev))
		}
		break
	}
	s.knows.phases = true
	if from >= prev.Len() {
		s.phases = prev.phases.grown(s.phasesFrom(&prev.phases, prev.Len()))
		s.lowest = prev.lowest
		if int(prev.lowest) >= prev.Len() {
			s.lowest = s.lowestFrom(prev.Len())
		}
		return true
	}
	all := make([]byte, 0, s.Len())
	for rev := range from {
		all = append(all, prev.phases.at(node.Rev(rev)))
	}
	s.phases = column[byte]{base: append(all, s.phasesFrom(&prev.phases, from)...)}
	s.lowest = s.lowestFrom(min(from, int(prev.lowest)))
	for rev := from; rev < prev.Len(); rev++ {
		if prev.phases.at(node.Rev(rev)) != s.phases.at(node.Rev(rev)) {
			return false
		}
	}
	return true
}

// phaseRoot is a line of phaseroots whose changeset is here.
type phaseRoot struct {
	rev   node.Rev
	phase phases.Phase
}

// resolveRoots finds the roots' changesets. The result is ordered, and not nil.
func (s *Snapshot) resolveRoots(roots []phases.Root) []phaseRoot {
	ids := make([]node.ID, len(roots))
	for i, r := range roots {
		ids[i] = r.Node
	}
	out := make([]phaseRoot, 0, len(roots))
	s.Revs(ids, func(i int, rev node.Rev) {
		if rev >= 0 {
			out = append(out, phaseRoot{rev, roots[i].Phase})
		}
	})
	slices.SortFunc(out, func(a, b phaseRoot) int {
		if a.rev != b.rev {
			return int(a.rev) - int(b.rev)
		}
		return int(a.phase) - int(b.phase)
	})
	return slices.Compact(out)
}

// phasesFrom are the phases of the changesets from from on, given those below.
func (s *Snapshot) phasesFrom(below *column[byte], from int) []byte {
	out := make([]byte, s.Len()-from)
	at, _ := slices.BinarySearchFunc(s.roots, node.Rev(from), func(r phaseRoot, rev node.Rev) int { return int(r.rev) - int(rev) })
	for i := range out {
		rev := node.Rev(from + i)
		phase := byte(0)
		for at < len(s.roots) && s.roots[at].rev == rev {
			phase = max(phase, byte(s.roots[at].phase))
			at++
		}
		p1, p2 := s.index.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			switch {
			case p < 0:
			case int(p) < from:
				phase = max(phase, below.at(p))
			default:
				phase = max(phase, out[int(p)-from])
			}
		}
		out[i] = phase
	}
	return out
}

// lowestFrom is the first changeset from from on that is not public.
func (s *Snapshot) lowestFrom(from int) node.Rev {
	for rev := node.Rev(from); int(rev) < s.Len(); rev++ {
		if s.phases.at(rev) != 0 {
			return rev
		}
	}
	return node.Rev(s.Len())
}

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

func (s *Snapshot) growFlags(prev *Snapshot) {
	old := func(rev node.Rev) obsolete.Flag { return prev.flags.at(rev) }
	added := uint32(prev.obs.Len())
	var more, all []obsolete.Flag
	if s.obs.Len() == 0 && prev.summary.hidden == 0 && prev.knows.summary && !s.localHidden(prev.Len()) {
		more = make([]obsolete.Flag, s.Len()-prev.Len()) // as nearly everywhere
	} else {
		var ok bool
		var err error
		more, all, ok, err = obsolete.Update(graph{s}, s.obs, s.lowest, old, prev.Len(), added)
		if err != nil {
			s.fail(err)
			return
		}
		if !ok {
			return
		}
	}
	s.knows.flags = true
	if all != nil {
		s.flags = column[byte]{base: all}
		return
	}
	if len(more) == 0 {
		s.flags = prev.flags
	} else {
		s.flags = prev.flags.grown(more)
	}
	s.branchHeads, s.branchUpTo = prev.branchHeads, prev.branchUpTo
	if prev.knows.summary {
		s.summary, s.knows.summary = prev.summary, true
		s.summary.add(s, prev.Len())
	}
	if prev.knows.heads {
		s.heads, s.knows.heads = s.growHeads(prev), true
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

// growHeads are the heads when no old changeset has appeared or vanished.
func (s *Snapshot) growHeads(prev *Snapshot) []int32 {
	if s.Len() == prev.Len() {
		return prev.heads
	}
	gone := map[int32]bool{}
	var fresh []int32
	for rev := node.Rev(s.Len()) - 1; int(rev) >= prev.Len(); rev-- {
		if s.flags.at(rev)&obsolete.Hidden != 0 {
			continue
		}
		if !gone[int32(rev)] {
			fresh = append(fresh, int32(rev))
		}
		p1, p2 := s.index.Parents(rev)
		gone[int32(p1)], gone[int32(p2)] = true, true
	}
	heads := make([]int32, 0, len(prev.heads)+len(fresh))
	for _, h := range prev.heads {
		if !gone[h] {
			heads = append(heads, h)
		}
	}
	slices.Reverse(fresh)
	return append(heads, fresh...)
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

func (s *Snapshot) needPhases() {
	s.knows.phases = true
	if s.roots == nil {
		roots, err := phases.Parse(s.files.PhaseRoots)
		if err != nil {
			s.fail(err)
		}
		s.roots = s.resolveRoots(roots)
	}
	from := s.Len()
	if len(s.roots) > 0 {
		from = int(s.roots[0].rev)
	}
	all := make([]byte, s.Len())
	if from < len(all) {
		public := column[byte]{base: all}
		copy(all[from:], s.phasesFrom(&public, from))
	}
	s.phases = column[byte]{base: all}
	s.lowest = s.lowestFrom(from)
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

var _ obsolete.Graph = graph{}

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
