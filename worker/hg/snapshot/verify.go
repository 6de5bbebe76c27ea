// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"fmt"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
)

// Verify walks all of a snapshot: whatever Build derives is derived again and
// compared. An image that passes cannot make a command read out of bounds or
// give another answer than a build from the same bytes would.
func (s *Snapshot) Verify() error {
	if err := s.img.Verify(); err != nil {
		return err
	}
	n := node.Rev(s.Len())
	for rev := range n {
		p1, p2 := s.index.Parents(rev)
		if p1 < node.NullRev || p1 >= rev || p2 < node.NullRev || p2 >= rev {
			return fmt.Errorf("%w: parents of changeset %d", image.ErrFormat, rev)
		}
		if base := s.index.Base(rev); base < node.NullRev || base > rev || s.index.DataLength(rev) < 0 {
			return fmt.Errorf("%w: data of changeset %d", image.ErrFormat, rev)
		}
	}
	order, fan, err := sortNodes(s.index)
	if err != nil {
		return err
	}
	if !bytes.Equal(image.Bytes(order), image.Bytes(s.order)) || !bytes.Equal(image.Bytes(fan), image.Bytes(s.fan)) {
		return fmt.Errorf("%w: node tables do not fit the index", image.ErrFormat)
	}
	g := &graph{index: s.index, lookup: s, phases: make([]phases.Phase, n)}
	for rev := range n {
		switch g.phases[rev] = s.Phase(rev); g.phases[rev] {
		case phases.Public, phases.Draft, phases.Secret, phases.Archived, phases.Internal:
		default:
			return fmt.Errorf("%w: phase of changeset %d", image.ErrFormat, rev)
		}
		p1, p2 := s.index.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p >= 0 && g.phases[p] > g.phases[rev] {
				return fmt.Errorf("%w: changeset %d is in a lower phase than its parent", image.ErrFormat, rev)
			}
		}
	}
	if err := s.obs.Verify(); err != nil {
		return err
	}
	flags, err := obsolete.Compute(g, s.obs, s.FirstMutable())
	if err != nil {
		return err
	}
	if !bytes.Equal(flags, s.flags) {
		return fmt.Errorf("%w: flags do not fit markers and phases", image.ErrFormat)
	}
	heads := ComputeHeads(s.index, func(rev node.Rev) bool { return flags[rev]&obsolete.Hidden != 0 })
	if !bytes.Equal(image.Bytes(heads), image.Bytes(s.heads)) {
		return fmt.Errorf("%w: heads do not fit the index", image.ErrFormat)
	}
	if !bytes.Equal(encodeStamps(s.stamps), s.section(secInputs)) {
		return fmt.Errorf("%w: section inputs", image.ErrFormat)
	}
	if (s.section(secBranches) == nil) != (s.section(secBranchOf) == nil) || (s.section(secTags) == nil) != (s.section(secTagFiles) == nil) {
		return fmt.Errorf("%w: one section of two is missing", image.ErrFormat)
	}
	for rev, v := range s.branchOf {
		if int(v>>1) >= len(s.branchNames) {
			return fmt.Errorf("%w: changeset %d is on branch %d of %d", image.ErrFormat, rev, v>>1, len(s.branchNames))
		}
	}
	return nil
}

// section is a section's bytes, nil when the image does not have it.
func (s *Snapshot) section(id image.ID) []byte {
	data, _ := s.img.Section(id)
	return data
}
