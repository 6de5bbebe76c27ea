// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"encoding/binary"
	"fmt"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/revlog"
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{image.ErrFormat}, args...)...)
}

// Open checks the sections' extents and returns a snapshot over img, which it
// owns from then on; when it fails, img stays the caller's. It takes time in
// proportion to the number of branches, not of changesets.
func Open(img *image.Image) (*Snapshot, error) {
	if img.Info().Kind != image.Store {
		return nil, malformed("kind %v is not a store", img.Info().Kind)
	}
	s := &Snapshot{img: img, held: []*holder{hold(img)}}
	raw := map[image.ID][]byte{}
	index, ok := img.Section(secIndex)
	if !ok {
		return nil, malformed("no index")
	}
	n := len(index) / revlog.EntrySize
	for _, sec := range sections {
		b, ok := img.Section(sec.id)
		switch {
		case !ok && !sec.optional:
			return nil, malformed("section %s is missing", sec.name)
		case len(b)%sec.width != 0, ok && sec.each && len(b) != n*sec.width:
			return nil, malformed("section %s has %d bytes for %d changesets", sec.name, len(b), n)
		}
		if ok {
			raw[sec.id] = b
		}
	}
	var err error
	if s.index, err = revlog.NewIndex(index); err != nil {
		return nil, err
	}
	if s.nodes, err = openNodes(image.Numbers[int32](raw[secOrder]), image.Numbers[uint32](raw[secFan]), n); err != nil {
		return nil, err
	}
	s.phases.base, s.flags.base = raw[secPhases], raw[secFlags]
	if s.obs, err = obsolete.Open(raw[secMarkers], image.Numbers[uint32](raw[secStarts]),
		image.Numbers[uint32](raw[secByPred]), image.Numbers[uint64](raw[secBySucc])); err != nil {
		return nil, err
	}
	s.kids = children{first: image.Numbers[int32](raw[secChildFirst]), list: image.Numbers[int32](raw[secChildList])}
	if len(s.kids.first) != n+2 {
		return nil, malformed("%d places of children for %d changesets", len(s.kids.first), n)
	}
	if s.lineage = decodeLineage(raw[secLineage]); len(s.lineage) > maxLineage {
		return nil, malformed("a lineage of %d", len(s.lineage))
	}
	return s, s.openRest(func(id image.ID) ([]byte, bool) { b, ok := raw[id]; return b, ok })
}

// openRest reads the sections that stand for everything, of either kind of image.
func (s *Snapshot) openRest(section func(image.ID) ([]byte, bool)) (err error) {
	must := func(id image.ID) []byte {
		b, ok := section(id)
		if !ok && err == nil {
			err = malformed("section %d is missing", id)
		}
		return b
	}
	inputs, summary, roots := must(secInputs), must(secSummary), must(secRoots)
	s.bookmarkText, s.heads = must(secBookmarks), image.Numbers[int32](must(secHeads))
	if err != nil {
		return err
	}
	if s.stamps, err = decodeStamps(inputs); err != nil {
		return err
	}
	seen := s.summary.seen.all()
	if len(summary) != 12+4*len(seen) {
		return malformed("section summary has %d bytes", len(summary))
	}
	le := binary.LittleEndian
	s.lowest = node.Rev(le.Uint32(summary))
	s.summary.hidden, s.summary.hideable = int(le.Uint32(summary[4:])), int(le.Uint32(summary[8:]))
	for i, n := range seen {
		*n = int(le.Uint32(summary[12+4*i:]))
	}
	if s.lowest < 0 || int(s.lowest) > s.Len() {
		return malformed("lowest mutable changeset %d of %d", s.lowest, s.Len())
	}
	if text, ok := section(secPhaseText); ok {
		s.phaseText = text
	}
	s.roots = make([]phaseRoot, len(roots)/8)
	for i := range s.roots {
		s.roots[i] = phaseRoot{node.Rev(le.Uint32(roots[i*8:])), phases.Phase(le.Uint32(roots[i*8+4:]))}
	}
	s.knows.phases, s.knows.flags, s.knows.heads, s.knows.summary = true, true, true, true
	if names, ok := section(secBranches); ok {
		old := len(s.branchNames)
		if s.branchNames, err = decodeNames(names); err != nil {
			return err
		}
		if len(s.branchNames) < old {
			return malformed("%d branches are less than before", len(s.branchNames))
		}
	}
	if of, ok := section(secBranchOf); ok {
		if len(of)/4 == s.Len() || s.branchOf.len() == 0 {
			s.branchOf = column[uint32]{base: image.Numbers[uint32](of)}
		} else {
			s.branchOf.more = image.Numbers[uint32](of)
		}
	}
	if s.branches, err = openBranchHeads(section, s.Len(), len(s.branchNames)); err != nil {
		return err
	}
	if missing, ok := section(secMissing); ok {
		s.missing = image.Numbers[int32](missing)
		if err := checkMissing(s.missing, s.Len()); err != nil {
			return err
		}
	}
	if text, ok := section(secTags); ok {
		files, ok := section(secTagFiles)
		if len(text) < 8 || !ok || len(files)%tagFileSize != 0 {
			return malformed("section tags is cut off")
		}
		s.tagHash, s.tagText, s.hasTags = le.Uint64(text), text[8:], true
		revs, _ := section(secTagRevs)
		s.tagFiles, s.tagRevs = files, image.Numbers[int32](revs)
	}
	return nil
}

// GrowthOf is which image a growth belongs to, and of how many changesets.
func GrowthOf(growth *image.Image) (fingerprint uint64, based int, err error) {
	of, _ := growth.Section(secOf)
	if growth.Info().Kind != image.Growth || len(of) != 24 {
		return 0, 0, malformed("kind %v is no growth", growth.Info().Kind)
	}
	n := binary.LittleEndian.Uint32(of[8:])
	if n > revlog.MaxRevisions {
		return 0, 0, malformed("a growth of %d changesets", n)
	}
	return binary.LittleEndian.Uint64(of), int(n), nil
}

// OpenGrown returns what an image and the growth that belongs to it say
// together. On success it owns growth, and base stays open on its own; when it
// fails, growth stays the caller's.
func OpenGrown(base *Snapshot, growth *image.Image) (*Snapshot, error) {
	fingerprint, based, err := GrowthOf(growth)
	if err != nil {
		return nil, err
	}
	if base.img == nil || base.img.Fingerprint() != fingerprint {
		return nil, malformed("the growth is of another image")
	}
	section := func(id image.ID) []byte {
		b, _ := growth.Section(id)
		return b
	}
	index, _ := base.img.Section(secIndex)
	if len(index) != based*revlog.EntrySize || len(section(secIndex))%revlog.EntrySize != 0 {
		return nil, malformed("a growth of %d changesets", based)
	}
	s, err := Open(base.img)
	if err != nil {
		return nil, err
	}
	s.held = []*holder{hold(growth)}
	if s.index, err = revlog.NewGrownIndex(index, section(secIndex)); err != nil {
		return nil, err
	}
	more := s.Len() - based
	if s.recent = image.Numbers[int32](section(secOrder)); len(s.recent) != more {
		return nil, malformed("%d of %d changesets are ordered", len(s.recent), more)
	}
	for _, c := range []struct {
		id, changes image.ID
		of          *column[byte]
	}{{secPhases, secPhaseChanges, &s.phases}, {secFlags, secFlagChanges, &s.flags}} {
		switch b := section(c.id); len(b) {
		case more:
			c.of.more = b
			if c.of.changes, err = decodeChanges(section(c.changes), based); err != nil {
				return nil, err
			}
		case s.Len():
			*c.of = column[byte]{base: b}
		default:
			return nil, malformed("section %d has %d bytes", c.id, len(b))
		}
	}
	if n := len(section(secBranchOf)) / 4; n != 0 && n != s.Len() && n+s.branchOf.len() != s.Len() {
		return nil, malformed("the branch of %d changesets", n)
	}
	if err := s.openMoreMarkers(section); err != nil {
		return nil, err
	}
	s.kids.more = image.Numbers[uint64](section(secChildMore))
	if err := s.openRest(growth.Section); err != nil {
		return nil, err
	}
	for _, h := range base.held {
		if h.img == base.img {
			s.held = append(s.held, h.take())
		}
	}
	return s, nil
}

// openMoreMarkers puts what a growth has of the obsstore behind what the base has.
func (s *Snapshot) openMoreMarkers(section func(image.ID) []byte) (err error) {
	raw, of, le := section(secMarkers), section(secOf), binary.LittleEndian
	if len(raw) == 0 {
		return nil
	}
	starts, byPred, bySucc := image.Numbers[uint32](section(secStarts)), image.Numbers[uint32](section(secByPred)), image.Numbers[uint64](section(secBySucc))
	first := le.Uint32(of[20:]) != 0
	if first != (s.obs.Size() == 0) || int(le.Uint32(of[12:])) != s.obs.Len() || le.Uint32(of[16:]) != uint32(s.obs.Version()) {
		return malformed("the growth is of other markers")
	}
	if first {
		s.obs, err = obsolete.Open(raw, starts, byPred, bySucc)
	} else {
		s.obs, err = s.obs.OpenMore(raw, starts, byPred, bySucc)
	}
	return err
}

// Base is the fingerprint of the image that the snapshot rests on; ok is false
// without one.
func (s *Snapshot) Base() (fingerprint uint64, ok bool) {
	if s.img == nil {
		return 0, false
	}
	return s.img.Fingerprint(), true
}
