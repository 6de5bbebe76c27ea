// SPDX-License-Identifier: GPL-2.0-or-later

// Package dirstate reads what Mercurial knows of the working directory: its
// parents, and for each file that is tracked in it or in a parent, how it is
// tracked and how it looked on disk when it was last known to be clean.
//
// Both file formats are read, version 1 (v1.go) and dirstate-v2 (v2.go), into
// one sorted list. Reading is total: bytes in, a Dirstate or an error out. A
// Dirstate never changes. This package never writes one, and does not look at
// the working directory itself; package status does.
package dirstate

import (
	"slices"
	"sort"
	"strings"
	"sync"

	"hgbroker/worker/hg/node"
)

// Entry is one file. Path and CopySource are relative to the root of the
// working directory; CopySource is "" without a copy.
type Entry struct {
	Path       string
	CopySource string
	Item       Item
}

// Directory is a directory whose modification time dirstate-v2 holds, so that
// it need not be read again while it is unchanged. Only the Rust
// implementation of hg records them.
type Directory struct {
	Path       string // "" never: the root has none
	MtimeS     int32  // seconds, modulo 1<<31
	MtimeNS    int32
	AllUnknown bool // all unknown entries on disk are among the nodes
	AllIgnored bool // so are all ignored ones
}

// Dirstate is one state of the file. The zero Dirstate is that of a repository
// without one: null parents and no files.
type Dirstate struct {
	p1, p2  node.ID
	entries []Entry
	copies  []string // destinations of copies, in the order of the file
	dirs    []Directory
	ignore  [20]byte
	version int
	name    string

	treeOnce sync.Once
	tree     *Tree
}

// New makes a Dirstate of entries that are sorted by Path, each path once. It
// takes the slice over.
func New(p1, p2 node.ID, entries []Entry) *Dirstate {
	return &Dirstate{p1: p1, p2: p2, entries: entries}
}

// Parents are the parents of the working directory; the second is null unless
// a merge is under way.
func (d *Dirstate) Parents() (p1, p2 node.ID) { return d.p1, d.p2 }

// Version is the format that was read, 1 or 2.
func (d *Dirstate) Version() int { return d.version }

// DataFile is the name, in .hg, of the file that holds the entries:
// "dirstate", or a version 2 docket's data file ("" without one).
func (d *Dirstate) DataFile() string { return d.name }

// IgnoreHash is version 2's hash of the ignore rules that Directories were
// made under (`hg help internals.dirstate-v2`), or zero.
func (d *Dirstate) IgnoreHash() [20]byte { return d.ignore }

// Len is the number of entries.
func (d *Dirstate) Len() int { return len(d.entries) }

// Entries are all files, sorted by path. Do not modify them.
func (d *Dirstate) Entries() []Entry { return d.entries }

// Directories are the directories with a recorded time, sorted by path.
func (d *Dirstate) Directories() []Directory { return d.dirs }

// Index returns the position of a path among the Entries.
func (d *Dirstate) Index(path string) (int, bool) { return d.IndexIn(path, 0, len(d.entries)) }

// IndexIn is Index when the position is known to be in [lo, hi).
func (d *Dirstate) IndexIn(path string, lo, hi int) (int, bool) {
	i, ok := slices.BinarySearchFunc(d.entries[lo:hi], path, func(e Entry, p string) int { return strings.Compare(e.Path, p) })
	return lo + i, ok
}

// Lookup returns the entry of a path.
func (d *Dirstate) Lookup(path string) (Entry, bool) {
	i, ok := d.Index(path)
	if !ok {
		return Entry{}, false
	}
	return d.entries[i], true
}

// Below returns the range of the Entries that lie below a directory: all of
// them for "".
func (d *Dirstate) Below(dir string) (lo, hi int) {
	return d.BelowIn(dir, 0, len(d.entries))
}

// BelowIn is Below when the entries are known to be in [lo, hi).
func (d *Dirstate) BelowIn(dir string, lo, hi int) (int, int) {
	if dir == "" {
		return lo, hi
	}
	in := d.entries[lo:hi]
	first := sort.Search(len(in), func(i int) bool { return in[i].Path >= dir+"/" })
	last := first + sort.Search(len(in)-first, func(i int) bool { return in[first+i].Path >= dir+"0" }) // '0' follows '/'
	return lo + first, lo + last
}

// HasDir reports whether an entry, tracked or removed, lies below dir.
func (d *Dirstate) HasDir(dir string) bool {
	lo, hi := d.Below(dir)
	return lo < hi
}

// HasTrackedDir reports whether a file that is not removed lies below dir.
func (d *Dirstate) HasTrackedDir(dir string) bool {
	lo, hi := d.Below(dir)
	return slices.ContainsFunc(d.entries[lo:hi], func(e Entry) bool { return !e.Item.Removed() })
}

// CopyOrder are the destinations of copies in the order in which hg comes to
// them, which is that of the file; one may stand there twice.
func (d *Dirstate) CopyOrder() []string { return d.copies }

// Copies maps the destinations of copies to their sources.
func (d *Dirstate) Copies() map[string]string {
	m := map[string]string{}
	for i := range d.entries {
		if e := &d.entries[i]; e.CopySource != "" {
			m[e.Path] = e.CopySource
		}
	}
	return m
}
