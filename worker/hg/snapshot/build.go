// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"encoding/binary"
	"fmt"
	"slices"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
	"hgbroker/worker/hg/tags"
)

// Build makes the image of a store's state. prev, which may be nil, is an older
// snapshot of the same store, of which f says what still holds; it must stay
// open until the image is written.
func Build(f *Files, prev *Snapshot) (*image.Builder, error) {
	s := Fresh(f)
	if prev != nil {
		s = Grow(f, prev)
		defer s.Close()
	}
	return s.Image()
}

// complete works out what every image has.
func (s *Snapshot) complete() {
	s.needSummary()
	s.FirstMutable()
	s.Heads()
	if s.err == nil && s.obs == nil {
		s.needMarkers()
	}
}

// Image works out all that is not known yet and makes an image of everything,
// which rests on no other one. s must stay open until it is written.
func (s *Snapshot) Image() (*image.Builder, error) {
	if len(s.recent) > 0 {
		s.nodes = nodeTable{}
	}
	s.needNodes()
	if s.complete(); s.err != nil {
		return nil, s.err
	}
	obs, err := s.obs.Whole()
	if err != nil {
		return nil, err
	}
	if len(s.kids.more) > 0 || s.kids.first == nil {
		s.kids = computeChildren(s.index)
	}
	b := image.NewBuilder(image.Store)
	b.Add(secIndex, s.index.Entries())
	b.Add(secOrder, image.Bytes(s.nodes.order))
	b.Add(secFan, image.Bytes(s.nodes.fan))
	b.Add(secPhases, s.phases.whole())
	b.Add(secFlags, s.flags.whole())
	raw, starts, byPred, bySucc := obs.Tables()
	b.Add(secMarkers, raw)
	b.Add(secStarts, image.Bytes(starts))
	b.Add(secByPred, image.Bytes(byPred))
	b.Add(secBySucc, image.Bytes(bySucc))
	b.Add(secChildFirst, image.Bytes(s.kids.first))
	b.Add(secChildList, image.Bytes(s.kids.list))
	b.Add(secLineage, encodeLineage(s.Lineage()))
	b.Add(secPhaseText, s.phaseText)
	if s.HasBranches() {
		b.Add(secBranches, encodeNames(s.branchNames))
		b.Add(secBranchOf, image.Bytes(s.branchOf.whole()))
	}
	if s.hasTags {
		s.addTags(b)
	}
	s.addCommon(b)
	return b, nil
}

// addCommon adds the sections that are the same in both kinds of image.
func (s *Snapshot) addCommon(b *image.Builder) {
	le := binary.LittleEndian
	if s.HasBranches() {
		s.branches.add(b)
	}
	b.Add(secInputs, encodeStamps(s.stamps))
	b.Add(secBookmarks, s.bookmarkText)
	b.Add(secHeads, image.Bytes(s.heads))
	roots := make([]byte, 0, 8*len(s.roots))
	for _, r := range s.roots {
		roots = le.AppendUint32(le.AppendUint32(roots, uint32(r.rev)), uint32(r.phase))
	}
	b.Add(secRoots, roots)
	sum := le.AppendUint32(nil, uint32(s.lowest))
	sum = le.AppendUint32(sum, uint32(s.summary.hidden))
	sum = le.AppendUint32(sum, uint32(s.summary.hideable))
	for _, n := range s.summary.seen.all() {
		sum = le.AppendUint32(sum, uint32(*n))
	}
	b.Add(secSummary, sum)
	if len(s.missing) > 0 {
		b.Add(secMissing, image.Bytes(s.missing))
	}
}

func (s *Snapshot) addTags(b *image.Builder) {
	b.Add(secTags, binary.LittleEndian.AppendUint64(nil, s.tagHash), s.tagText)
	b.Add(secTagFiles, s.tagFiles)
	b.Add(secTagRevs, image.Bytes(s.findTags()))
}

// findTags are the changesets of the tags. What is known of them is true as long as
// changesets only come.
func (s *Snapshot) findTags() []int32 {
	t := s.AnyTags()
	revs := slices.Clone(s.tagRevs)
	if len(revs) != len(t.Names) {
		revs = slices.Repeat([]int32{-1}, len(t.Names))
	}
	for i, name := range t.Names {
		if revs[i] < 0 {
			if rev, ok := s.Rev(t.ByName[name].Node); ok {
				revs[i] = int32(rev)
			}
		}
	}
	s.tagRevs = revs
	return revs
}

// Growth makes the image of what came after the one that s rests on, nil when s
// rests on none, or when a whole image is better: a growth may have a part of
// the size of its base, one in growthPart, or be small by itself.
func (s *Snapshot) Growth() (*image.Builder, error) {
	if s.img == nil || s.Len() == 0 {
		return nil, s.err
	}
	base, err := Open(s.img)
	if err != nil || base.Len() == 0 || s.Len()-base.Len() > maxGrowth {
		return nil, err
	}
	if s.nodes.fan == nil || !shares(s.nodes.order, base.nodes.order) || !shares(s.kids.first, base.kids.first) {
		return nil, s.err
	}
	if s.complete(); s.err != nil {
		return nil, s.err
	}
	raw, starts, byPred, bySucc := s.obs.MoreTables()
	had, _, _, _ := base.obs.Tables()
	first := uint32(0) // the base has none of it
	if len(had) == 0 && s.obs.Size() > 0 {
		first = 1
		obs, err := s.obs.Whole()
		if err != nil {
			return nil, err
		}
		raw, starts, byPred, bySucc = obs.Tables()
	} else if have, _, _, _ := s.obs.Tables(); !shares(have, had) {
		return nil, nil
	}
	b := image.NewBuilder(image.Growth)
	le := binary.LittleEndian
	of := le.AppendUint64(nil, s.img.Fingerprint())
	of = le.AppendUint32(of, uint32(base.Len()))
	of = le.AppendUint32(of, uint32(base.obs.Len()))
	of = le.AppendUint32(of, uint32(base.obs.Version()))
	b.Add(secOf, le.AppendUint32(of, first))
	_, tail := s.index.Pieces()
	if len(tail) != (s.Len()-base.Len())*revlog.EntrySize {
		return nil, nil
	}
	b.Add(secIndex, tail)
	b.Add(secOrder, image.Bytes(s.recent))
	add := func(id, changes image.ID, c, of *column[byte]) {
		if shares(c.base, of.base) {
			b.Add(id, c.more)
			b.Add(changes, encodeChanges(c.changes))
		} else {
			b.Add(id, c.whole())
		}
	}
	add(secPhases, secPhaseChanges, &s.phases, &base.phases)
	add(secFlags, secFlagChanges, &s.flags, &base.flags)
	if !shares(s.phaseText, base.phaseText) {
		b.Add(secPhaseText, s.phaseText)
	}
	b.Add(secMarkers, raw)
	b.Add(secStarts, image.Bytes(starts))
	b.Add(secByPred, image.Bytes(byPred))
	b.Add(secBySucc, image.Bytes(bySucc))
	b.Add(secChildMore, image.Bytes(s.kids.more))
	if s.HasBranches() {
		b.Add(secBranches, encodeNames(s.branchNames))
		if base.HasBranches() && shares(s.branchOf.base, base.branchOf.base) {
			b.Add(secBranchOf, image.Bytes(s.branchOf.more))
		} else {
			b.Add(secBranchOf, image.Bytes(s.branchOf.base), image.Bytes(s.branchOf.more))
		}
	}
	if s.hasTags && !(base.hasTags && s.tagHash == base.tagHash && shares(s.tagText, base.tagText)) {
		s.addTags(b)
	}
	s.addCommon(b)
	if size := b.Size(); size > smallGrowth && size > s.img.Size()/growthPart {
		return nil, nil
	}
	return b, nil
}

const (
	growthPart  = 8
	smallGrowth = 1 << 20
	// maxGrowth is how many changesets stand in a growth at most.
	maxGrowth = 1 << 14
)

func encodeChanges(changes []change[byte]) []byte {
	out := make([]byte, 0, changeSize*len(changes))
	for _, c := range changes {
		out = binary.LittleEndian.AppendUint32(out, uint32(c.rev))
		out = binary.LittleEndian.AppendUint32(out, uint32(c.value))
	}
	return out
}

// decodeChanges is the reverse, for a column whose first piece has n values.
func decodeChanges(b []byte, n int) ([]change[byte], error) {
	if len(b)%changeSize != 0 || len(b)/changeSize > maxChanges {
		return nil, malformed("%d bytes of changes", len(b))
	}
	var out []change[byte]
	last := node.NullRev
	for le := binary.LittleEndian; len(b) > 0; b = b[changeSize:] {
		rev, value := le.Uint32(b), le.Uint32(b[4:])
		if int64(rev) >= int64(n) || node.Rev(rev) <= last || value > 0xff {
			return nil, malformed("change %d of %d", len(out), n)
		}
		last = node.Rev(rev)
		out = append(out, change[byte]{last, byte(value)})
	}
	return out, nil
}

// BranchColumns are the two sections about branches.
type BranchColumns struct {
	Names []string // in UTF-8, by number
	Of    []uint32 // for each changeset: number<<1 | closes
}

// TagColumns are the two sections about tags.
type TagColumns struct {
	HeadsHash uint64
	Table     *tags.Table
	Files     []TagFile
}

// TagFile says which .hgtags a head has.
type TagFile struct {
	Head node.Rev
	File node.ID // Null: none
}

// SetBranches adds the branches of the changesets from BranchesKnown on. Numbers
// in the column are those of names, of which the first ones are BranchNames.
func (s *Snapshot) SetBranches(cols *BranchColumns) {
	s.branchNames = cols.Names
	if s.branchOf.len() == 0 {
		s.branchOf = column[uint32]{base: cols.Of}
	} else {
		s.branchOf = s.branchOf.grown(cols.Of)
	}
}

// SetTags replaces the tags.
func (s *Snapshot) SetTags(t *TagColumns) {
	var text []byte
	for _, name := range t.Table.Names {
		e := t.Table.ByName[name]
		for _, id := range e.History {
			text = fmt.Appendf(text, "%s %s\n", id.Hex(), name)
		}
		text = fmt.Appendf(text, "%s %s\n", e.Node.Hex(), name)
	}
	s.setTags(t, text)
}

// MoveTags says that the tags at other heads are the same, of the same files.
func (s *Snapshot) MoveTags(headsHash uint64, files []TagFile) {
	known, revs := s.derived.tags, s.tagRevs
	s.setTags(&TagColumns{HeadsHash: headsHash, Files: files}, s.tagText)
	s.derived.tags, s.tagRevs = known, revs
}

func (s *Snapshot) setTags(t *TagColumns, text []byte) {
	var files []byte
	for _, f := range t.Files {
		files = binary.LittleEndian.AppendUint32(files, uint32(f.Head))
		files = append(files, 0, 0, 0, 0)
		files = append(files, f.File[:]...)
	}
	s.tagHash, s.tagText, s.tagFiles, s.hasTags = t.HeadsHash, text, files, true
	s.derived.tags, s.tagRevs = nil, nil
}

// A record of the section inputs:
//
//	0   4   1 = the file exists
//	4   4   zero
//	8   8   device
//	16  8   inode
//	24  8   size in bytes
//	32  8   modification time, nanoseconds since 1970
//	40  8   change time, nanoseconds since 1970
func encodeStamps(stamps Stamps) []byte {
	out := make([]byte, 0, len(stamps)*stampSize)
	for _, st := range stamps {
		out = appendStamp(out, st)
	}
	return out
}

func appendStamp(out []byte, st store.Stamp) []byte {
	le := binary.LittleEndian
	var bits uint32
	if st.Exists {
		bits = 1
	}
	out = le.AppendUint32(out, bits)
	out = le.AppendUint32(out, 0)
	out = le.AppendUint64(out, st.Dev)
	out = le.AppendUint64(out, st.Ino)
	out = le.AppendUint64(out, uint64(st.Size))
	out = le.AppendUint64(out, uint64(st.MtimeNs))
	return le.AppendUint64(out, uint64(st.CtimeNs))
}

func decodeStamps(b []byte) (stamps Stamps, err error) {
	if len(b) != len(stamps)*stampSize {
		return stamps, fmt.Errorf("%w: section inputs has %d bytes", image.ErrFormat, len(b))
	}
	for i := range stamps {
		stamps[i] = decodeStamp(b[i*stampSize:])
	}
	return stamps, nil
}

// decodeStamp reads the stampSize bytes at the beginning of r.
func decodeStamp(r []byte) store.Stamp {
	le := binary.LittleEndian
	return store.Stamp{Exists: le.Uint32(r)&1 != 0, Dev: le.Uint64(r[8:]), Ino: le.Uint64(r[16:]),
		Size: int64(le.Uint64(r[24:])), MtimeNs: int64(le.Uint64(r[32:])), CtimeNs: int64(le.Uint64(r[40:]))}
}

func encodeNames(names []string) []byte {
	var out []byte
	for _, n := range names {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(n)))
		out = append(out, n...)
	}
	return out
}

func decodeNames(b []byte) ([]string, error) {
	out := []string{}
	for len(b) > 0 {
		if len(b) < 4 || int64(binary.LittleEndian.Uint32(b)) > int64(len(b)-4) {
			return nil, fmt.Errorf("%w: section branches is cut off", image.ErrFormat)
		}
		n := int(binary.LittleEndian.Uint32(b))
		out = append(out, string(b[4:4+n]))
		b = b[4+n:]
	}
	return out, nil
}
