// SPDX-License-Identifier: GPL-2.0-or-later

// Package snapshot is what an image of a store holds, and how to ask it.
//
// A snapshot stands for the changelog, phases, obsolescence markers, bookmarks,
// branches and tags of one store as they were at one moment. It reads no files:
// package repo gives it their bytes, and compares the stamps that it keeps of
// them with the disk. It is a function of those bytes only, so that two builds
// of the same state are the same bytes.
//
// # Sections
//
// The table `sections` below lists them all; building, opening, verifying and
// `stats` range over it. Numbers are little-endian in columns, except for the
// changelog's index entries, which stay as they are on disk. N is the number of
// changesets.
//
//	inputs      one 48-byte record for each Input: what the files were
//	index       N 64-byte entries of 00changelog.i, without inline data
//	order       N u32: revisions ordered by node
//	fan         2^k+1 u32: order[fan[x]:fan[x+1]] are the nodes that begin with
//	            the k bits x
//	phases      N u8
//	flags       N u8: obsolete.Flag of each changeset, before anything is pinned
//	markers     obsstore, as on disk
//	starts      u32: offset of each marker
//	by-pred     u32: markers ordered by predecessor
//	by-succ     u64: marker<<8|i ordered by the marker's i-th successor
//	bookmarks   the bookmarks file, as on disk
//	heads       u32, ascending: heads of what is not hidden
//	branches    names, each a u32 length and bytes
//	branch-of   N u32: index of the branch's name <<1 | closes it
//	tags        u64 hash of the heads it was read from, then lines of .hgtags
//	tag-files   28 bytes each: u32 head, 4 zero bytes, filenode of .hgtags there
//
// The last four are optional: they are added the first time that somebody asks.
package snapshot

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
	"hgbroker/worker/hg/tags"
)

// Section ids.
const (
	secInputs image.ID = 1 + iota
	secIndex
	secOrder
	secFan
	secPhases
	secFlags
	secMarkers
	secStarts
	secByPred
	secBySucc
	secBookmarks
	secHeads
	secBranches
	secBranchOf
	secTags
	secTagFiles
)

// section is a row of the table of sections.
type section struct {
	id       image.ID
	name     string
	width    int // size of a record in bytes
	each     bool
	optional bool
}

// sections is the format. each says that there is one record a changeset.
var sections = []section{
	{id: secInputs, name: "inputs", width: stampSize},
	{id: secIndex, name: "index", width: revlog.EntrySize, each: true},
	{id: secOrder, name: "order", width: 4, each: true},
	{id: secFan, name: "fan", width: 4},
	{id: secPhases, name: "phases", width: 1, each: true},
	{id: secFlags, name: "flags", width: 1, each: true},
	{id: secMarkers, name: "markers", width: 1},
	{id: secStarts, name: "starts", width: 4},
	{id: secByPred, name: "by-pred", width: 4},
	{id: secBySucc, name: "by-succ", width: 8},
	{id: secBookmarks, name: "bookmarks", width: 1},
	{id: secHeads, name: "heads", width: 4},
	{id: secBranches, name: "branches", width: 1, optional: true},
	{id: secBranchOf, name: "branch-of", width: 4, each: true, optional: true},
	{id: secTags, name: "tags", width: 1, optional: true},
	{id: secTagFiles, name: "tag-files", width: tagFileSize, optional: true},
}

// Input names a file that a snapshot is made from.
type Input int

// The inputs, in the order of their records.
const (
	Changelog  Input = iota // 00changelog.i
	PhaseRoots              // phaseroots
	ObsStore                // obsstore
	Bookmarks               // bookmarks, in the .hg that owns the store or in the store
	NumInputs
)

const (
	stampSize   = 48
	tagFileSize = 28
)

// Stamps are what the inputs were when they were read.
type Stamps [NumInputs]store.Stamp

// Snapshot answers questions from an image. It is immutable but for what it
// computes on first use, and so belongs to one goroutine at a time.
type Snapshot struct {
	img    *image.Image
	stamps Stamps

	index  revlog.Index
	order  []int32
	fan    []uint32
	bits   uint // number of leading bits that fan is indexed by
	phases []byte
	flags  []byte
	obs    *obsolete.Store
	heads  []int32

	bookmarkText []byte
	branchNames  []string
	branchOf     []uint32
	tagHash      uint64
	tagText      []byte
	tagFiles     []byte
	hasTags      bool

	derived derived
}

// Open checks the sections' extents and returns a snapshot over img, which it
// owns from then on. It takes time in proportion to the number of branches, not
// of changesets.
func Open(img *image.Image) (*Snapshot, error) {
	s := &Snapshot{img: img}
	raw := map[image.ID][]byte{}
	if img.Info().Kind != image.Store {
		return nil, fmt.Errorf("%w: kind %v is not a store", image.ErrFormat, img.Info().Kind)
	}
	index, ok := img.Section(secIndex)
	if !ok {
		return nil, fmt.Errorf("%w: no index", image.ErrFormat)
	}
	n := len(index) / revlog.EntrySize
	for _, sec := range sections {
		b, ok := img.Section(sec.id)
		switch {
		case !ok && !sec.optional:
			return nil, fmt.Errorf("%w: section %s is missing", image.ErrFormat, sec.name)
		case len(b)%sec.width != 0, ok && sec.each && len(b) != n*sec.width:
			return nil, fmt.Errorf("%w: section %s has %d bytes for %d changesets", image.ErrFormat, sec.name, len(b), n)
		}
		if ok {
			raw[sec.id] = b
		}
	}
	var err error
	if s.stamps, err = decodeStamps(raw[secInputs]); err != nil {
		return nil, err
	}
	if s.index, err = revlog.NewIndex(index); err != nil {
		return nil, err
	}
	s.order = image.Numbers[int32](raw[secOrder])
	s.fan = image.Numbers[uint32](raw[secFan])
	if s.bits, err = fanBits(len(s.fan), s.fan, n); err != nil {
		return nil, err
	}
	s.phases, s.flags = raw[secPhases], raw[secFlags]
	if s.obs, err = obsolete.Open(raw[secMarkers], image.Numbers[uint32](raw[secStarts]),
		image.Numbers[uint32](raw[secByPred]), image.Numbers[uint64](raw[secBySucc])); err != nil {
		return nil, err
	}
	s.bookmarkText = raw[secBookmarks]
	s.heads = image.Numbers[int32](raw[secHeads])
	if of, ok := raw[secBranchOf]; ok {
		s.branchOf = image.Numbers[uint32](of)
		if s.branchNames, err = decodeNames(raw[secBranches]); err != nil {
			return nil, err
		}
	}
	if text, ok := raw[secTags]; ok {
		if len(text) < 8 {
			return nil, fmt.Errorf("%w: section tags is cut off", image.ErrFormat)
		}
		s.tagHash, s.tagText, s.hasTags = binary.LittleEndian.Uint64(text), text[8:], true
		s.tagFiles = raw[secTagFiles]
	}
	return s, nil
}

// Close gives the image back.
func (s *Snapshot) Close() error { return s.img.Close() }

// Size is the image's size in bytes.
func (s *Snapshot) Size() int64 { return s.img.Size() }

// Stamps are what the inputs were when the snapshot was made.
func (s *Snapshot) Stamps() Stamps { return s.stamps }

// Index is the changelog's index.
func (s *Snapshot) Index() revlog.Index { return s.index }

// Len is the number of changesets, hidden ones included.
func (s *Snapshot) Len() int { return s.index.Len() }

// Node is the ID of a changeset.
func (s *Snapshot) Node(rev node.Rev) node.ID {
	switch rev {
	case node.NullRev:
		return node.Null
	case node.WdirRev:
		return node.Wdir
	}
	return s.index.Node(rev)
}

// Parents are a changeset's parents, NullRev where there is none.
func (s *Snapshot) Parents(rev node.Rev) (p1, p2 node.Rev) { return s.index.Parents(rev) }

// Phase is a changeset's phase.
func (s *Snapshot) Phase(rev node.Rev) phases.Phase { return phases.Phase(s.phases[rev]) }

// Flags are the properties that obsolescence markers give to a changeset.
func (s *Snapshot) Flags(rev node.Rev) obsolete.Flag { return s.flags[rev] }

// Markers are the obsolescence markers.
func (s *Snapshot) Markers() *obsolete.Store { return s.obs }

// Heads are the heads among the changesets that are not hidden, ascending. They
// stand in the image.
func (s *Snapshot) Heads() []int32 { return s.heads }

// HasBranches tells whether the image has the branch columns.
func (s *Snapshot) HasBranches() bool { return s.branchOf != nil || s.branchNames != nil }

// Branch is the name, in UTF-8, of a changeset's branch, and whether the
// changeset closes it. Only with HasBranches.
func (s *Snapshot) Branch(rev node.Rev) (name string, closes bool) {
	v := s.branchOf[rev]
	return s.branchNames[v>>1], v&1 != 0
}

// BranchID is the number of a changeset's branch within BranchNames, and whether
// the changeset closes it.
func (s *Snapshot) BranchID(rev node.Rev) (id int, closes bool) {
	v := s.branchOf[rev]
	return int(v >> 1), v&1 != 0
}

// BranchNames are the names of all branches, in UTF-8, by their number.
func (s *Snapshot) BranchNames() []string { return s.branchNames }

// HasTags tells whether the image has tags, of whatever heads.
func (s *Snapshot) HasTags() bool { return s.hasTags }

// Tags are the tags that .hgtags gives at the heads with the given hash. ok is
// false when the image has none, or those of other heads.
func (s *Snapshot) Tags(headsHash uint64) (t *tags.Table, ok bool) {
	if !s.hasTags || s.tagHash != headsHash {
		return nil, false
	}
	if s.derived.tags == nil {
		s.derived.tags = tags.Parse(s.tagText, nil)
	}
	return s.derived.tags, true
}

// TagFile is the filenode of .hgtags at a head (Null when it has none), if the
// image knows it.
func (s *Snapshot) TagFile(head node.Rev) (node.ID, bool) {
	for b := s.tagFiles; len(b) >= tagFileSize; b = b[tagFileSize:] {
		if node.Rev(binary.LittleEndian.Uint32(b)) == head {
			return node.ID(b[8:28]), true
		}
	}
	return node.Null, false
}

// HeadsHash names a list of heads.
func HeadsHash(index revlog.Index, heads []int32) uint64 {
	h := fnv.New64a()
	for _, rev := range heads {
		id := index.Node(node.Rev(rev))
		h.Write(id[:])
	}
	return h.Sum64()
}

// BookmarkText is the bookmarks file beside the store. A share that has bookmarks
// of its own does not look here.
func (s *Snapshot) BookmarkText() []byte { return s.bookmarkText }

// derived is what is computed from the image at first use.
type derived struct {
	tags     *tags.Table
	children *children
	counted  bool // the next two are known
	hidden   int
	hideable bool
	mutable  node.Rev
	hasMut   bool
}

// HiddenCount is the number of changesets with the flag Hidden.
func (s *Snapshot) HiddenCount() int {
	s.countHidden()
	return s.derived.hidden
}

// Hideable tells whether any changeset would be hidden if nothing kept it
// visible: it is obsolete, or in a phase that is never shown.
func (s *Snapshot) Hideable() bool {
	s.countHidden()
	return s.derived.hideable
}

func (s *Snapshot) countHidden() {
	if s.derived.counted {
		return
	}
	s.derived.counted = true
	for rev := s.FirstMutable(); int(rev) < s.Len(); rev++ {
		flags := s.flags[rev]
		if flags&obsolete.Hidden != 0 {
			s.derived.hidden++
		}
		if flags&obsolete.Obsolete != 0 || s.Phase(rev).LocalHidden() {
			s.derived.hideable = true
		}
	}
}

// FirstMutable is the lowest changeset that is not public, Len() without one.
func (s *Snapshot) FirstMutable() node.Rev {
	if !s.derived.hasMut {
		s.derived.mutable, s.derived.hasMut = firstMutable(s.phases), true
	}
	return s.derived.mutable
}

func firstMutable(ph []byte) node.Rev {
	for i, p := range ph {
		if p != 0 {
			return node.Rev(i)
		}
	}
	return node.Rev(len(ph))
}
