// SPDX-License-Identifier: GPL-2.0-or-later

// Package verify checks a store as `hg verify` does: every revision of every
// revlog is read and compared with its hash, sizes and parents, changesets,
// manifests and filelogs are held against each other, and the list of filelogs
// (fncache) against what is there.
//
// It does so in two ways. Run finds out, with the parsers that all commands use
// and on all cores, whether a store is sound, and counts. Examine takes it step
// by step as hg does and tells what hg would print: it reads revlogs that no
// other command reads (log.go), knows what Python, zlib and hg's C code say of
// what they cannot read, and keeps what each version of hg keeps in memory
// while it reads, where that makes a difference.
//
// What cannot be told exactly is an *hgerr.Unsupported, before anything is
// printed: many damaged zstd frames, a node that comes twice in the changelog, what
// ends hg with a traceback, stores without an fncache.
package verify
