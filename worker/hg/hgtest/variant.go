// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import "strings"

// Variant is the on-disk format of a generated repository: features joined by
// commas, on top of what the generating Mercurial makes by default.
//
//	zlib zstd none           how revlogs are compressed
//	nogd nosparse            no generaldelta (which is sparse's condition), no sparse-revlog
//	split                    revlogs leave the inline form after a few hundred bytes
//	dirstate-v2 tracked-hint
//	no-store no-fncache no-dotencode
//	share-safe no-share-safe
//	share share-relative     the working copy is a share of another repository's store
//	share-bookmarks          as share, with the bookmarks shared too
//	bookmarks-in-store nodemap internal-phase archived-phase
//	treemanifest             a manifest for each directory
//	delta-info fileindex plain-names  of Mercurial 7; one before makes none of them
//	sparse subrepo           a sparse checkout, repositories inside (not with share)
//	evolution no-evolution   with obsolescence markers and experimental.evolution=all, or never
//
// and those that this build of hgbroker leaves to real hg:
//
//	revlogv2 changelogv2 sidedata
type Variant string

// Has reports whether the feature was asked for.
func (v Variant) Has(feature string) bool {
	for f := range strings.SplitSeq(string(v), ",") {
		if f == feature {
			return true
		}
	}
	return false
}

// Variants lists the formats that a stable Mercurial creates and that are read
// natively: each feature alone, and combinations in which features meet. All
// of them can be made by each Mercurial since 6.3, but for those of
// Mercurial 7, in whose place those make what they always do.
func Variants() []Variant {
	return []Variant{
		"",
		"evolution",
		"zlib",
		"none",
		"split",
		"nosparse",
		"nogd",
		"dirstate-v2",
		"tracked-hint",
		"no-store",
		"no-fncache",
		"no-dotencode",
		"no-share-safe",
		"share",
		"share-relative",
		"share-bookmarks",
		"no-share-safe,share",
		"no-share-safe,share-relative",
		"no-share-safe,share-bookmarks",
		"bookmarks-in-store",
		"nodemap",
		"internal-phase",
		"archived-phase",
		"treemanifest",
		"treemanifest,split,dirstate-v2",
		"treemanifest,no-fncache,share,evolution",
		"delta-info",
		"fileindex",
		"plain-names,dirstate-v2",
		"delta-info,split,evolution",
		"sparse",
		"sparse,dirstate-v2,evolution",
		"sparse,share,treemanifest",
		"subrepo",
		"subrepo,evolution",
		"subrepo,dirstate-v2,no-share-safe",
		"dirstate-v2,evolution",
		"dirstate-v2,share",
		"dirstate-v2,no-share-safe,share,evolution",
		"zlib,nogd,split",
		"zlib,nosparse,split",
		"zlib,no-store,nogd,no-share-safe",
		"zlib,no-fncache,nogd,split",
		"none,split",
		"none,nogd,split,no-share-safe",
		"none,nosparse,dirstate-v2",
		"zstd,split,nodemap,dirstate-v2,evolution",
		"zstd,nogd,split",
		"split,evolution",
		"share,bookmarks-in-store",
		"share-bookmarks,bookmarks-in-store,dirstate-v2",
		"no-store,dirstate-v2,evolution",
		"no-dotencode,share-relative,split",
		"internal-phase,evolution,share",
		"tracked-hint,dirstate-v2,internal-phase,archived-phase,nodemap,bookmarks-in-store,share-bookmarks,split,evolution",
	}
}

// ForeignVariants lists formats that hg can create, mostly experimental ones,
// and that are left to real hg: requirements that are Unsupported. Not each
// Mercurial makes each of them.
func ForeignVariants() []Variant {
	return []Variant{"changelogv2", "sidedata", "revlogv2"}
}
