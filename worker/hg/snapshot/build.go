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
	"hgbroker/worker/hg/store"
	"hgbroker/worker/hg/tags"
)

// Files are the bytes that a snapshot is made from.
type Files struct {
	Stamps     Stamps
	Index      revlog.Index // of the changelog
	PhaseRoots []byte
	ObsStore   []byte
	Bookmarks  []byte
}

// graph answers the computations while the image is being made.
type graph struct {
	index  revlog.Index
	lookup *Snapshot // only its node tables are filled in
	phases []phases.Phase
}

func (g *graph) Len() int                             { return g.index.Len() }
func (g *graph) Parents(r node.Rev) (p1, p2 node.Rev) { return g.index.Parents(r) }
func (g *graph) Node(r node.Rev) node.ID              { return g.index.Node(r) }
func (g *graph) Rev(id node.ID) (node.Rev, bool)      { return g.lookup.Rev(id) }
func (g *graph) Phase(r node.Rev) phases.Phase        { return g.phases[r] }

// Build makes the image of a store's state. prev, which may be nil, is an older
// snapshot of the same store: what still holds is taken over from it, and it
// must stay open until the image is written.
func Build(f *Files, prev *Snapshot) (*image.Builder, error) {
	b := image.NewBuilder(image.Store)
	b.Add(secInputs, encodeStamps(f.Stamps))
	sameLog := prev != nil && prev.stamps[Changelog] == f.Stamps[Changelog]
	nodes := &Snapshot{index: f.Index}
	if sameLog {
		nodes = prev
		for _, id := range []image.ID{secIndex, secOrder, secFan} {
			b.AddFrom(prev.img, id)
		}
	} else {
		b.Add(secIndex, f.Index.Entries())
		var err error
		if nodes.order, nodes.fan, err = sortNodes(f.Index); err != nil {
			return nil, err
		}
		nodes.bits = chooseBits(f.Index.Len())
		b.Add(secOrder, image.Bytes(nodes.order))
		b.Add(secFan, image.Bytes(nodes.fan))
	}
	roots, err := phases.Parse(f.PhaseRoots)
	if err != nil {
		return nil, err
	}
	g := &graph{index: f.Index, lookup: nodes}
	g.phases = phases.Compute(g, roots)
	ph := make([]byte, len(g.phases))
	for i, p := range g.phases {
		ph[i] = byte(p)
	}
	b.Add(secPhases, ph)

	var obs *obsolete.Store
	if prev != nil && prev.stamps[ObsStore] == f.Stamps[ObsStore] {
		obs = prev.obs
		for _, id := range []image.ID{secMarkers, secStarts, secByPred, secBySucc} {
			b.AddFrom(prev.img, id)
		}
	} else {
		if obs, err = obsolete.Parse(f.ObsStore); err != nil {
			return nil, err
		}
		raw, starts, byPred, bySucc := obs.Tables()
		b.Add(secMarkers, raw)
		b.Add(secStarts, image.Bytes(starts))
		b.Add(secByPred, image.Bytes(byPred))
		b.Add(secBySucc, image.Bytes(bySucc))
	}
	flags, err := obsolete.Compute(g, obs, firstMutable(ph))
	if err != nil {
		return nil, err
	}
	b.Add(secFlags, flags)
	b.Add(secBookmarks, f.Bookmarks)
	b.Add(secHeads, image.Bytes(ComputeHeads(f.Index, func(rev node.Rev) bool { return flags[rev]&obsolete.Hidden != 0 })))
	if prev != nil && sameLog {
		for _, id := range []image.ID{secBranches, secBranchOf, secTags, secTagFiles} {
			b.AddFrom(prev.img, id)
		}
	}
	return b, nil
}

// ComputeHeads lists the visible changesets without a visible child, ascending.
func ComputeHeads(x revlog.Index, hidden func(node.Rev) bool) []int32 {
	n := x.Len()
	parent := make([]bool, n)
	var heads []int32
	for rev := node.Rev(n) - 1; rev >= 0; rev-- {
		if hidden(rev) {
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
	for i, j := 0, len(heads)-1; i < j; i, j = i+1, j-1 {
		heads[i], heads[j] = heads[j], heads[i]
	}
	return heads
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

// Extend makes the image of the same state with optional sections added or
// replaced. nil columns are taken over from s, which must stay open until the
// image is written.
func Extend(s *Snapshot, branches *BranchColumns, t *TagColumns) *image.Builder {
	b := image.NewBuilder(image.Store)
	for _, sec := range sections {
		switch {
		case branches != nil && (sec.id == secBranches || sec.id == secBranchOf):
		case t != nil && (sec.id == secTags || sec.id == secTagFiles):
		default:
			b.AddFrom(s.img, sec.id)
		}
	}
	if branches != nil {
		b.Add(secBranches, encodeNames(branches.Names))
		b.Add(secBranchOf, image.Bytes(branches.Of))
	}
	if t != nil {
		text := binary.LittleEndian.AppendUint64(nil, t.HeadsHash)
		for _, name := range t.Table.Names {
			e := t.Table.ByName[name]
			for _, id := range e.History {
				text = fmt.Appendf(text, "%s %s\n", id.Hex(), name)
			}
			text = fmt.Appendf(text, "%s %s\n", e.Node.Hex(), name)
		}
		b.Add(secTags, text)
		var files []byte
		for _, f := range t.Files {
			files = binary.LittleEndian.AppendUint32(files, uint32(f.Head))
			files = append(files, 0, 0, 0, 0)
			files = append(files, f.File[:]...)
		}
		b.Add(secTagFiles, files)
	}
	return b
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
	le := binary.LittleEndian
	out := make([]byte, 0, len(stamps)*stampSize)
	for _, st := range stamps {
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
		out = le.AppendUint64(out, uint64(st.CtimeNs))
	}
	return out
}

func decodeStamps(b []byte) (stamps Stamps, err error) {
	if len(b) != len(stamps)*stampSize {
		return stamps, fmt.Errorf("%w: section inputs has %d bytes", image.ErrFormat, len(b))
	}
	le := binary.LittleEndian
	for i := range stamps {
		r := b[i*stampSize:]
		stamps[i] = store.Stamp{Exists: le.Uint32(r)&1 != 0, Dev: le.Uint64(r[8:]), Ino: le.Uint64(r[16:]),
			Size: int64(le.Uint64(r[24:])), MtimeNs: int64(le.Uint64(r[32:])), CtimeNs: int64(le.Uint64(r[40:]))}
	}
	return stamps, nil
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
