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

// Path is the path of entry i. The entries are sorted by it.
func (d *Dirstate) Path(i int) string { return d.entries[i].Path }

// Item is the state of entry i.
func (d *Dirstate) Item(i int) Item { return d.entries[i].Item }

// Copied tells whether entry i is a copy of something.
func (d *Dirstate) Copied(i int) bool { return d.entries[i].CopySource != "" }

// At is entry i.
func (d *Dirstate) At(i int) Entry { return d.entries[i] }

// Directories are the directories with a recorded time, sorted by path.
func (d *Dirstate) Directories() []Directory { return d.dirs }

// Index returns the position of a path among the entries.
func (d *Dirstate) Index(path string) (int, bool) {
	return sort.Find(d.Len(), func(i int) int { return strings.Compare(path, d.Path(i)) })
}

// Lookup returns the entry of a path.
func (d *Dirstate) Lookup(path string) (Entry, bool) {
	i, ok := d.Index(path)
	if !ok {
		return Entry{}, false
	}
	return d.At(i), true
}

// Below returns the range of the entries that lie below a directory: all of
// them for "".
func (d *Dirstate) Below(dir string) (lo, hi int) {
	if dir == "" {
		return 0, d.Len()
	}
	lo, _ = d.Index(dir + "/")
	hi, _ = d.Index(dir + "0") // '0' follows '/'
	return lo, hi
}

// HasDir reports whether an entry, tracked or removed, lies below dir.
func (d *Dirstate) HasDir(dir string) bool {
	lo, hi := d.Below(dir)
	return lo < hi
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
