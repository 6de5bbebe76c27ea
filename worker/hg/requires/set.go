// SPDX-License-Identifier: GPL-2.0-or-later

// Package requires tells which formats a repository uses and where its parts
// lie: the working directory, the store, and for a share the repository whose
// store it borrows.
//
// It reads .hg/requires, .hg/sharedpath and the store's requires, and nothing
// else. A requirement that the engine does not implement exactly is a
// *hgerr.Unsupported that names it: whether the user's own hg knows it depends
// on that hg's version and extensions, so hg is left to say it.
//
// See `hg help internals.requirements` and `hg help config.format`.
package requires

import (
	"bytes"
	"slices"

	"hgbroker/worker/hg/hgerr"
)

// Names of the requirements that the engine understands.
const (
	RevlogV1           = "revlogv1"
	Store              = "store"
	FnCache            = "fncache"
	DotEncode          = "dotencode"
	GeneralDelta       = "generaldelta"
	SparseRevlog       = "sparserevlog"
	PersistentNodemap  = "persistent-nodemap" // the index is plain v1; the nodemap files are ignored
	CompressionZstd    = "revlog-compression-zstd"
	ExpCompressionZstd = "exp-compression-zstd" // its name before Mercurial 5.1
	ExpCompressionNone = "exp-compression-none" // chunks are stored raw
	DirstateV2         = "dirstate-v2"
	TrackedHintV1      = "dirstate-tracked-key-v1" // only who writes the dirstate must care
	ShareSafe          = "share-safe"
	Shared             = "shared"
	RelShared          = "relshared"
	BookmarksInStore   = "bookmarksinstore"
	InternalPhase      = "internal-phase" // changesets of the phase "internal" may exist; they are hidden
	InternalPhase2     = "internal-phase-2"
	ArchivedPhase      = "exp-archived-phase" // so may "archived" ones
	Sparse             = "exp-sparse"         // .hg/sparse counts; hg wants the extension for it
	TreeManifest       = "treemanifest"       // a manifest for each directory
	DeltaInfo          = "delta-info-revlog"  // more flags in revlogs; of Mercurial 7
	FileIndex          = "fileindex-v1"       // in place of fncache; of Mercurial 7
	PlainEncode        = "exp-very-fragile-and-unsafe-plain-store-encoding"
	// Not native: known, to be refused as hg does without the extension.
	Narrow     = "narrowhg-experimental"
	LargeFiles = "largefiles"
	LFS        = "lfs"
)

// native holds all of the above.
var native = [...]string{
	RevlogV1, Store, FnCache, DotEncode, GeneralDelta, SparseRevlog, PersistentNodemap, CompressionZstd,
	ExpCompressionZstd, ExpCompressionNone, DirstateV2, TrackedHintV1, ShareSafe, Shared, RelShared, BookmarksInStore,
	InternalPhase, InternalPhase2, ArchivedPhase, Sparse, TreeManifest, DeltaInfo, FileIndex, PlainEncode,
}

// Since7 are the native ones that a Mercurial before 7 does not know.
var Since7 = [...]string{DeltaInfo, FileIndex, PlainEncode}

// ByExtension are those that an extension brings. Resolve lets them pass: whether
// it is enabled is for the caller to find out.
var ByExtension = [...]string{LargeFiles, LFS, Narrow}

// Foreign is a requirement that Mercurial 6.3 or 7.2 can make and the engine
// leaves to it.
type Foreign struct{ Name, Reason string }

// ForeignRequirements are those that are known by name, in order. Any other
// unknown requirement is refused as well.
var ForeignRequirements = []Foreign{
	{"exp-changelog-v2", "experimental: another format of the changelog"},
	{"exp-copies-sidedata-changeset", "experimental: copies are kept beside the changesets, which needs changelog v2"},
	{"exp-revlogv2.2", "experimental: another format of all revlogs"},
	{LargeFiles, "the extension shows other files than are stored; what hg says where it is disabled is native"},
	{LFS, "the extension shows other contents than are stored; what hg says where it is disabled is native"},
	{Narrow, "the store has a part of the files; what hg says without the extension is native"},
}

// Limits on a requires file, in bytes and names. Real ones have about ten lines.
const (
	maxFileSize = 64 << 10
	maxNames    = 1024
)

// Set is a set of requirements, sorted, each once.
type Set []string

// Has reports whether name is in the set.
func (s Set) Has(name string) bool {
	_, ok := slices.BinarySearch(s, name)
	return ok
}

// Union returns the requirements of both sets.
func (s Set) Union(t Set) Set {
	u := slices.Concat(s, t)
	slices.Sort(u)
	return slices.Compact(u)
}

// Parse reads the content of a requires file: one name a line. Lines end as
// Python's splitlines has it, with "\n", "\r" or both. A name that does not
// start with a letter or digit is hg's own complaint about a corrupt file.
func Parse(data []byte) (Set, error) {
	if len(data) > maxFileSize {
		return nil, hgerr.Damagef("read", "requires", "%d bytes is more than the limit of %d", len(data), maxFileSize)
	}
	var s Set
	for len(data) > 0 {
		line := data
		if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
			line = data[:i]
			if data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n' {
				i++
			}
			data = data[i+1:]
		} else {
			data = nil
		}
		if len(line) == 0 || !isAlnum(line[0]) {
			return nil, hgerr.Abortf(hgerr.UnsupportedRequirement, ".hg/requires file is corrupt")
		}
		if len(s) == maxNames {
			return nil, hgerr.Damagef("read", "requires", "more than %d names", maxNames)
		}
		s = append(s, string(line))
	}
	slices.Sort(s)
	return slices.Compact(s), nil
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// check refuses what the engine does not implement.
func (s Set) check() error {
	for _, name := range s {
		if slices.Contains(native[:], name) || slices.Contains(ByExtension[:], name) {
			continue // whether the extension is there is for the caller to ask
		}
		if i := slices.IndexFunc(ForeignRequirements, func(f Foreign) bool { return f.Name == name }); i >= 0 {
			return hgerr.NewUnsupported("requirement %s: %s", name, ForeignRequirements[i].Reason)
		}
		return hgerr.NewUnsupported("requirement %s", name)
	}
	// What hg finds to say of those that do not go together is hg's.
	for _, pair := range [][2]string{{DotEncode, PlainEncode}, {FileIndex, FnCache}, {FileIndex, DotEncode}, {FileIndex, TreeManifest}} {
		if s.Has(pair[0]) && s.Has(pair[1]) {
			return hgerr.NewUnsupported("requirements %s and %s together", pair[0], pair[1])
		}
	}
	if s.Has(PlainEncode) && !s.Has(FnCache) && !s.Has(FileIndex) {
		return hgerr.NewUnsupported("requirement %s without a list of files", PlainEncode)
	}
	if !s.Has(RevlogV1) {
		return hgerr.NewUnsupported("repository without requirement %s", RevlogV1)
	}
	return nil
}

// Native lists the requirements that the engine understands.
func Native() []string { return native[:] }
