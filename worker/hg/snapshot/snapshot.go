// SPDX-License-Identifier: GPL-2.0-or-later

// Package snapshot is what an image of a store holds, and how to ask it.
//
// A snapshot stands for the changelog, phases, obsolescence markers, bookmarks,
// branches and tags of one store as they were at one moment. It reads no files:
// package repo gives it their bytes, and compares the stamps that it keeps of
// them with the disk. It is a function of those bytes only, so that two builds
// of the same state are the same bytes; but for branch-before, which depends on
// what it has grown from, and decides how soon an answer is found, not which.
//
// Images of their own, each beside its format, are the texts of changesets
// (Texts), and for a working directory its dirstate (Checkout) and its parent's
// manifest (Manifest).
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
//	phase-text  phaseroots, as on disk
//	heads       u32, ascending: heads of what is not hidden
//	branches    names, each a u32 length and bytes
//	branch-of   N u32: index of the branch's name <<1 | closes it
//	tags        u64 hash of the heads it was read from, then lines of .hgtags
//	tag-files   28 bytes each: u32 head, 4 zero bytes, filenode of .hgtags there
//	tag-revs    for each name of the section tags, as they come first, the i32
//	            changeset of the tag, -1 for one that is not here
//	missing     see missing.go
//	roots       u32 changeset, u32 phase: the lines of phaseroots whose changeset
//	            is here, ordered
//	summary     u32 lowest changeset that is not public (N: none), u32 number of
//	            hidden ones, u32 number of those that would be if they had no
//	            visible descendant; of those that are not hidden the u32 numbers of
//	            draft, secret, orphan, content-divergent and phase-divergent ones
//	child-first N+2 u32: list[first[r+1]:first[r+2]] of the next section are the
//	            children of r; -1 is a changeset here
//	child-list  u32
//	lineage     16 bytes each: u64 number n, u64 hash of the first n entries
//	branch-heads, branch-before
//	            see branchheads.go
//
// branches, branch-of, branch-heads, branch-before, tags, tag-files, tag-revs and missing are optional: a store
// that nobody asked about them goes without.
//
// # Growth
//
// A commit appends some bytes to a store, and rewriting an image of it would cost
// as much as the store is large. So what came after an image was made stands in
// another one, of kind Growth, which is cached beside it and written anew each
// time; when it has become large in comparison, both are merged. It has the same
// sections, made of what came after the first M changesets, those of its base:
//
//	of          u64 fingerprint of the base's image, u32 M, u32 number of the
//	            base's markers, u32 version of obsstore there, u32 whether the
//	            base has nothing of obsstore
//	inputs, bookmarks, heads, roots, summary, branches, branch-heads,
//	branch-before, missing, tags, tag-files and tag-revs
//	            as above, for everything; branches and the tags may be missing
//	            when they are those of the base
//	index       N-M entries
//	order       N-M u32
//	phase-text  as above, or missing when it is that of the base
//	phases, flags, branch-of
//	            either N-M records, or N when those of the base do not hold any
//	            more
//	phase-changes, flag-changes
//	            u32 changeset, u32 value, ordered: what of the base's records is
//	            another one; beside N-M records only
//	markers, starts, by-pred, by-succ
//	            what was appended to obsstore; numbers go on from those of the base
//	child-more  u64: (parent+1)<<32 | child, ordered
package snapshot

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"

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
	secRoots
	secSummary
	secChildFirst
	secChildList
	secLineage
	secOf
	secChildMore
	secBranchHeads
	secPhaseText
	secPhaseChanges
	secFlagChanges
	secBranchBefore
	secTagRevs
	secMissing
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
	{id: secTagRevs, name: "tag-revs", width: 4, optional: true},
	{id: secMissing, name: "missing", width: 4, optional: true},
	{id: secRoots, name: "roots", width: 8},
	{id: secSummary, name: "summary", width: 4},
	{id: secChildFirst, name: "child-first", width: 4},
	{id: secChildList, name: "child-list", width: 4},
	{id: secLineage, name: "lineage", width: 16},
	{id: secBranchHeads, name: "branch-heads", width: 4, optional: true},
	{id: secPhaseText, name: "phase-text", width: 1},
	{id: secBranchBefore, name: "branch-before", width: 4, optional: true},
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
	changeSize  = 8
)

// Stamps are what the inputs were when they were read.
type Stamps [NumInputs]store.Stamp

// Snapshot answers questions about a store's state: from an image, from an image
// and what came after it, or, as long as there is no image, from files. It is
// immutable but for what it works out on first use, and so belongs to one
// goroutine at a time.
type Snapshot struct {
	img   *image.Image // the base, if there is one
	held  []*holder    // the images that memory below belongs to
	files *Files       // what is not known yet comes from; nil when all is known
	err   error

	stamps Stamps
	index  revlog.Index
	nodes  nodeTable
	recent []int32 // changesets that nodes does not have, ordered by node
	phases column[byte]
	roots  []phaseRoot
	lowest node.Rev // the first changeset that is not public; with phases
	flags  column[byte]
	obs    *obsolete.Store // nil when not known
	heads  []int32
	kids   children
	knows  struct{ phases, flags, heads, summary bool }

	summary      summary
	phaseText    []byte
	bookmarkText []byte
	branchNames  []string
	branchOf     column[uint32]
	branches     branchHeads
	tagHash      uint64
	tagText      []byte
	tagFiles     []byte
	tagRevs      []int32 // of the names, when they are known
	hasTags      bool
	missing      []int32 // as in the section of that name
	lineage      []Ancestor

	derived derived
}

// summary are numbers about what is hidden and what is not.
type summary struct {
	hidden   int
	hideable int // that would be if they had no visible descendant
	seen     Counts
}

// Counts are numbers of changesets that are not public.
type Counts struct{ Draft, Secret, Orphan, ContentDivergent, PhaseDivergent int }

// Add counts times a changeset.
func (c *Counts) Add(phase phases.Phase, flags obsolete.Flag, times int) {
	switch phase {
	case phases.Draft:
		c.Draft += times
	case phases.Secret:
		c.Secret += times
	}
	if flags&obsolete.Orphan != 0 {
		c.Orphan += times
	}
	if flags&obsolete.ContentDivergent != 0 {
		c.ContentDivergent += times
	}
	if flags&obsolete.PhaseDivergent != 0 {
		c.PhaseDivergent += times
	}
}

// all are the places of the numbers, in the order of the format.
func (c *Counts) all() [5]*int {
	return [5]*int{&c.Draft, &c.Secret, &c.Orphan, &c.ContentDivergent, &c.PhaseDivergent}
}

// add counts the changesets from from on.
func (m *summary) add(s *Snapshot, from int) {
	for rev := max(s.lowest, node.Rev(from)); int(rev) < s.Len(); rev++ {
		m.count(s, rev, 1)
	}
}

// count adds times a changeset.
func (m *summary) count(s *Snapshot, rev node.Rev, times int) {
	flags, phase := s.flags.at(rev), s.Phase(rev)
	if flags&obsolete.Hidden != 0 {
		m.hidden += times
	} else {
		m.seen.Add(phase, flags, times)
	}
	if flags&obsolete.Obsolete != 0 || phase.LocalHidden() {
		m.hideable += times
	}
}

// Close gives the images back.
func (s *Snapshot) Close() error {
	var err error
	for _, h := range s.held {
		if e := h.release(); e != nil {
			err = e
		}
	}
	s.held = nil
	return err
}

// Share is another snapshot of the same state, for another goroutine, which
// closes it: what one works out the other does not see.
func (s *Snapshot) Share() *Snapshot {
	c := *s
	c.held, c.derived = nil, derived{}
	c.hold(s)
	return &c
}

// Inherit takes over from another snapshot of the same state what an image can
// keep, and s does not have. It tells whether there was any.
func (s *Snapshot) Inherit(from *Snapshot) (any bool) {
	if from.hasTags && !(s.hasTags && s.tagHash == from.tagHash) {
		s.hasTags, s.tagHash = true, from.tagHash
		s.tagText, s.tagFiles = bytes.Clone(from.tagText), bytes.Clone(from.tagFiles)
		s.tagRevs = slices.Clone(from.tagRevs)
		s.derived.tags = from.derived.tags
		any = true
	}
	if from.HasBranches() && !s.HasBranches() {
		s.branchNames, s.branchOf = from.branchNames, column[uint32]{base: slices.Clone(from.branchOf.whole())}
		any = true
	}
	if len(from.missing) > 0 && len(s.missing) == 0 {
		s.missing = slices.Clone(from.missing)
		any = true
	}
	return any
}

// Size is the size in bytes of the images that are held.
func (s *Snapshot) Size() (size int64) {
	for _, h := range s.held {
		size += h.img.Size()
	}
	return size
}

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
func (s *Snapshot) Phase(rev node.Rev) phases.Phase {
	if !s.knows.phases {
		if s.needPhases(); s.Len() == 0 {
			return phases.Public
		}
	}
	return phases.Phase(s.phases.at(rev))
}

// Flags are the properties that obsolescence markers give to a changeset.
func (s *Snapshot) Flags(rev node.Rev) obsolete.Flag {
	if !s.knows.flags {
		s.needFlags()
	}
	return s.flags.at(rev)
}

// Markers are the obsolescence markers.
func (s *Snapshot) Markers() *obsolete.Store {
	if s.obs == nil {
		s.needMarkers()
	}
	return s.obs
}

// Heads are the heads among the changesets that are not hidden, ascending.
func (s *Snapshot) Heads() []int32 {
	if !s.knows.heads {
		s.needHeads()
	}
	return s.heads
}

// HasBranches tells whether the branch of every changeset is known.
func (s *Snapshot) HasBranches() bool {
	return s.branchOf.len() == s.Len() && (s.branchNames != nil || s.Len() == 0)
}

// BranchesKnown is of how many changesets, from the first one on, the branch is
// known.
func (s *Snapshot) BranchesKnown() int { return s.branchOf.len() }

// Branch is the name, in UTF-8, of a changeset's branch, and whether the
// changeset closes it. Only with HasBranches.
func (s *Snapshot) Branch(rev node.Rev) (name string, closes bool) {
	v := s.branchOf.at(rev)
	return s.branchNames[v>>1], v&1 != 0
}

// BranchID is the number of a changeset's branch within BranchNames, and whether
// the changeset closes it.
func (s *Snapshot) BranchID(rev node.Rev) (id int, closes bool) {
	v := s.branchOf.at(rev)
	return int(v >> 1), v&1 != 0
}

// BranchNumber is BranchID without a word about closing.
func (s *Snapshot) BranchNumber(rev node.Rev) int { return int(s.branchOf.at(rev) >> 1) }

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
	return s.AnyTags(), true
}

// AnyTags are the tags that are known, of whatever heads. Only with HasTags.
func (s *Snapshot) AnyTags() *tags.Table {
	if s.derived.tags == nil {
		s.derived.tags = tags.Parse(s.tagText, nil)
	}
	return s.derived.tags
}

// DistinctTagFiles are the filenodes that the known tags were read from, in
// their order.
func (s *Snapshot) DistinctTagFiles() []node.ID {
	var out []node.ID
	seen := map[node.ID]bool{node.Null: true}
	for b := s.tagFiles; len(b) >= tagFileSize; b = b[tagFileSize:] {
		if id := node.ID(b[8:28]); !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// TagFile is the filenode of .hgtags at a head (Null when it has none), if the
// image knows it.
func (s *Snapshot) TagFile(head node.Rev) (node.ID, bool) {
	record := func(i int) []byte { return s.tagFiles[i*tagFileSize:][:tagFileSize] }
	n := len(s.tagFiles) / tagFileSize
	at := sort.Search(n, func(i int) bool { return node.Rev(binary.LittleEndian.Uint32(record(i))) >= head })
	if at < n && node.Rev(binary.LittleEndian.Uint32(record(at))) == head {
		return node.ID(record(at)[8:28]), true
	}
	return node.Null, false
}

// TagRevs are the changesets of the tags that are known, in the order of their
// names; -1 is one that was not here, and may be by now. It is nil when that is not
// known. The names are those of AnyTags.
func (s *Snapshot) TagRevs() []int32 { return s.tagRevs }

// HeadsHash names a list of heads among those of one history: as long as changesets
// only come to it, their numbers say which they are. After a strip no tags are known.
// It is FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), a number at a time.
func HeadsHash(heads []int32) uint64 {
	h := uint64(14695981039346656037)
	for _, rev := range heads {
		h = (h ^ uint64(uint32(rev))) * 1099511628211
	}
	return h
}

// BookmarkText is the bookmarks file beside the store. A share that has bookmarks
// of its own does not look here.
func (s *Snapshot) BookmarkText() []byte { return s.bookmarkText }

// derived is what is computed from the image at first use.
type derived struct {
	tags    *tags.Table
	scanned int // nodes that were looked for without a table
	// resolved are nodes that were looked for together without a table.
	resolved map[node.ID]node.Rev
}

// HiddenCount is the number of changesets with the flag Hidden.
func (s *Snapshot) HiddenCount() int {
	s.needSummary()
	return s.summary.hidden
}

// Hideable tells whether any changeset would be hidden if nothing kept it
// visible: it is obsolete, or in a phase that is never shown.
func (s *Snapshot) Hideable() bool {
	s.needSummary()
	return s.summary.hideable > 0
}

func (s *Snapshot) needSummary() {
	if s.knows.summary {
		return
	}
	s.knows.summary = true
	if s.Len() > 0 {
		s.Flags(0)
	}
	s.summary = summary{}
	s.summary.add(s, 0)
}

// Seen counts the changesets without the flag Hidden.
func (s *Snapshot) Seen() Counts {
	s.needSummary()
	return s.summary.seen
}

// FirstMutable is the lowest changeset that is not public, Len() without one.
func (s *Snapshot) FirstMutable() node.Rev {
	if !s.knows.phases {
		s.needPhases()
	}
	return s.lowest
}
