// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/revlog"
)

// Verify walks all of a snapshot that was opened: whatever is derived is derived
// again and compared. Images that pass cannot make a command read out of bounds
// or give another answer than a build from the same bytes would.
func (s *Snapshot) Verify() error {
	for _, h := range s.held {
		if err := h.img.Verify(); err != nil {
			return err
		}
	}
	n := node.Rev(s.Len())
	if err := verifyEntries(s.index, 0); err != nil {
		return err
	}
	if err := s.verifyNodes(); err != nil {
		return err
	}
	kids := computeChildren(s.index.Prefix(len(s.kids.first) - 2))
	kids = kids.grown(s.index, len(s.kids.first)-2)
	if !slices.Equal(kids.first, s.kids.first) || !slices.Equal(kids.list, s.kids.list) || !slices.Equal(kids.more, s.kids.more) {
		return malformed("children do not fit the index")
	}
	for rev := range n {
		if !known(s.Phase(rev)) {
			return malformed("phase of changeset %d", rev)
		}
	}
	for i, r := range s.roots {
		if r.rev < 0 || r.rev >= n || !known(r.phase) || i > 0 && s.roots[i-1].rev > r.rev {
			return malformed("root of phase %d", r.phase)
		}
	}
	if list, err := phases.Parse(s.phaseText); err != nil || !slices.Equal(s.resolveRoots(list), s.roots) {
		return malformed("roots do not fit the text of phaseroots: %v", err)
	}
	public := column[byte]{}
	if ph := s.phasesFrom(&public, 0); !bytes.Equal(ph, s.phases.whole()) {
		return malformed("phases do not fit their roots")
	}
	if s.lowest != s.lowestFrom(0) {
		return malformed("changeset %d is not the lowest that is not public", s.lowest)
	}
	if err := s.obs.Verify(); err != nil {
		return err
	}
	flags, err := obsolete.Compute(graph{s}, s.obs, s.FirstMutable())
	if err != nil {
		return err
	}
	if !bytes.Equal(flags, s.flags.whole()) {
		return malformed("flags do not fit markers and phases")
	}
	var sum summary
	if sum.add(s, 0); sum != s.summary {
		return malformed("summary does not fit the flags")
	}
	heads := ComputeHeads(s.index, func(rev node.Rev) bool { return flags[rev]&obsolete.Hidden != 0 })
	if !slices.Equal(heads, s.heads) {
		return malformed("heads do not fit the index")
	}
	return s.verifyRest()
}

func verifyEntries(x revlog.Index, from int) error {
	for rev := node.Rev(from); int(rev) < x.Len(); rev++ {
		p1, p2 := x.Parents(rev)
		if p1 < node.NullRev || p1 >= rev || p2 < node.NullRev || p2 >= rev {
			return malformed("parents of changeset %d", rev)
		}
		if base := x.Base(rev); base < node.NullRev || base > rev || x.DataLength(rev) < 0 {
			return malformed("data of changeset %d", rev)
		}
	}
	return nil
}

func (s *Snapshot) verifyNodes() error {
	based := len(s.nodes.order)
	nodes, err := sortNodes(s.index.Prefix(based))
	if err != nil {
		return err
	}
	if !slices.Equal(nodes.order, s.nodes.order) || !slices.Equal(nodes.fan, s.nodes.fan) {
		return malformed("node tables do not fit the index")
	}
	recent, err := s.addNodes(nil, based)
	if err != nil {
		return err
	}
	if !slices.Equal(recent, s.recent) {
		return malformed("node tables do not fit the index")
	}
	return nil
}

func (s *Snapshot) verifyRest() error {
	for _, rev := range s.heads {
		if rev < 0 || int(rev) >= s.Len() {
			return malformed("head %d of %d changesets", rev, s.Len())
		}
	}
	for rev := range s.branchOf.len() {
		if v := s.branchOf.at(node.Rev(rev)); int(v>>1) >= len(s.branchNames) {
			return malformed("changeset %d is on branch %d of %d", rev, v>>1, len(s.branchNames))
		}
	}
	for _, h := range s.held {
		has := func(id image.ID) bool { _, ok := h.img.Section(id); return ok }
		if has(secBranches) != has(secBranchOf) || has(secTags) != has(secTagFiles) || has(secTags) != has(secTagRevs) {
			return malformed("one section of several is missing")
		}
	}
	if inputs, _ := s.held[0].img.Section(secInputs); !bytes.Equal(encodeStamps(s.stamps), inputs) {
		return malformed("section inputs")
	}
	last := Ancestor{0, lineageSeed}
	for i, l := range s.lineage {
		if l.Len <= last.Len && i > 0 || l.Len > s.Len() || l.Hash != hashNodes(s.index.Prefix(l.Len), last) {
			return malformed("section lineage")
		}
		last = l
	}
	if s.img == s.held[0].img && (len(s.lineage) == 0 || last.Len != s.Len()) {
		return malformed("section lineage")
	}
	if s.hasTags {
		last := int64(-1)
		for b := s.tagFiles; len(b) >= tagFileSize; b = b[tagFileSize:] {
			head := int64(binary.LittleEndian.Uint32(b))
			if head <= last {
				return malformed("tag files are not ordered")
			}
			last = head
		}
		t := s.AnyTags()
		if len(s.tagRevs) != len(t.Names) {
			return malformed("the changesets of %d tags of %d", len(s.tagRevs), len(t.Names))
		}
		for i, name := range t.Names {
			if rev := node.Rev(s.tagRevs[i]); rev != node.NullRev && (rev < 0 || int(rev) >= s.Len() || s.Node(rev) != t.ByName[name].Node) {
				return malformed("tag %s is not of changeset %d", name, rev)
			}
		}
	}
	return nil
}

func known(p phases.Phase) bool {
	switch p {
	case phases.Public, phases.Draft, phases.Secret, phases.Archived, phases.Internal:
		return true
	}
	return false
}

// VerifyGrowth walks an image of kind Growth without the image that it belongs
// to: one that passes cannot make a command read out of bounds.
func VerifyGrowth(growth *image.Image) error {
	if err := growth.Verify(); err != nil {
		return err
	}
	_, based, err := GrowthOf(growth)
	if err != nil {
		return err
	}
	section := func(id image.ID) []byte {
		b, _ := growth.Section(id)
		return b
	}
	if len(section(secIndex))%revlog.EntrySize != 0 {
		return malformed("section index has %d bytes", len(section(secIndex)))
	}
	total := based + len(section(secIndex))/revlog.EntrySize
	for _, rev := range image.Numbers[int32](section(secOrder)) {
		if int(rev) < based || int(rev) >= total {
			return malformed("changeset %d of %d in the order", rev, total)
		}
	}
	for i, c := range image.Numbers[uint64](section(secChildMore)) {
		if child := uint32(c); int(child) < based || int(child) >= total || c>>32 > uint64(child) {
			return malformed("pair %d of parent and child", i)
		}
	}
	for i := 0; i < len(section(secRoots))/8; i++ {
		if rev := binary.LittleEndian.Uint32(section(secRoots)[i*8:]); int64(rev) >= int64(total) {
			return malformed("root %d of %d changesets", rev, total)
		}
	}
	for _, id := range [...]image.ID{secPhaseChanges, secFlagChanges} {
		if _, err := decodeChanges(section(id), based); err != nil {
			return err
		}
	}
	for i := 0; i < len(section(secHeads))/4; i++ {
		if rev := binary.LittleEndian.Uint32(section(secHeads)[i*4:]); int64(rev) >= int64(total) {
			return malformed("head %d of %d changesets", rev, total)
		}
	}
	for i, rev := range image.Numbers[int32](section(secTagRevs)) {
		if rev < -1 || int(rev) >= total {
			return malformed("tag %d of changeset %d", i, rev)
		}
	}
	if err := checkMissing(image.Numbers[int32](section(secMissing)), total); err != nil {
		return err
	}
	if of := image.Numbers[uint32](section(secBranchOf)); of != nil {
		names, err := decodeNames(section(secBranches))
		if err != nil {
			return err
		}
		for rev, v := range of {
			if int(v>>1) >= len(names) {
				return malformed("changeset %d is on branch %d of %d", rev, v>>1, len(names))
			}
		}
	}
	if raw := section(secMarkers); len(raw) > 0 {
		of, le := section(secOf), binary.LittleEndian
		starts, byPred, bySucc := image.Numbers[uint32](section(secStarts)), image.Numbers[uint32](section(secByPred)), image.Numbers[uint64](section(secBySucc))
		if le.Uint32(of[20:]) != 0 {
			var obs *obsolete.Store
			if obs, err = obsolete.Open(raw, starts, byPred, bySucc); err == nil {
				err = obs.Verify()
			}
		} else {
			err = obsolete.VerifyMore(of[16], le.Uint32(of[12:]), raw, starts, byPred, bySucc)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", image.ErrFormat, err)
		}
	}
	return nil
}
