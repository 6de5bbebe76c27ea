// SPDX-License-Identifier: GPL-2.0-or-later

// Package dirstate reads what Mercurial knows of the working directory: its
// parents, and for each file that is tracked in it or in a parent, how it is
// tracked and how it looked on disk when it was last known to be clean.
//
// Both file formats are read, version 1 (v1.go) and dirstate-v2 (v2.go), into
// one sorted table (table.go) that an image can hold. Reading is total: bytes in,
// a Dirstate or an error out. A Dirstate never changes. This package never writes
// hg's files, and does not look at the working directory itself; package status
// does.
package dirstate

import (
	"sort"
	"strings"

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

// The flags of a recorded directory in the table.
const (
	allUnknown = 1 << iota
	allIgnored
)

// Parents are the parents of the working directory; the second is null unless
// a merge is under way.
func (d *Dirstate) Parents() (p1, p2 node.ID) { return d.p1, d.p2 }

// Version is the format that was read, 1 or 2.
func (d *Dirstate) Version() int { return d.version }

// IgnoreHash is version 2's hash of the ignore rules that Directories were
// made under (`hg help internals.dirstate-v2`), or zero.
func (d *Dirstate) IgnoreHash() [20]byte { return d.ignore }

// Size is what the entries take, in bytes.
func (d *Dirstate) Size() int { return 4*len(d.entries) + len(d.text) }

// Len is the number of entries.
func (d *Dirstate) Len() int { return len(d.entries) / entryWords }

// Path is the path of entry i. The entries are sorted by it.
func (d *Dirstate) Path(i int) string {
	e := d.entries[i*entryWords:][:2]
	return d.text[e[0]:][:e[1]]
}

// Item is the state of entry i.
func (d *Dirstate) Item(i int) Item {
	e := d.entries[i*entryWords:][:entryWords]
	return Item{Flags: Flags(e[2]), Mode: int32(e[3]), Size: int32(e[4]), MtimeS: int32(e[5]), MtimeNS: int32(e[6])}
}

// Copied tells whether entry i is a copy of something.
func (d *Dirstate) Copied(i int) bool { return d.entries[i*entryWords+2]&copiedFlag != 0 }

// CopySource is what entry i is a copy of, or "".
func (d *Dirstate) CopySource(i int) string {
	if !d.Copied(i) {
		return ""
	}
	n, ok := sort.Find(len(d.copies)/copyWords, func(n int) int { return i - int(d.copies[n*copyWords]) })
	if !ok {
		return "" // Verify refuses this
	}
	return d.source(n)
}

// source is what the copy in row n is a copy of.
func (d *Dirstate) source(n int) string {
	c := d.copies.record(n, copyWords)
	return d.text[c[1]:][:c[2]]
}

// At is entry i.
func (d *Dirstate) At(i int) Entry {
	return Entry{Path: d.Path(i), CopySource: d.CopySource(i), Item: d.Item(i)}
}

// Directories are the directories with a recorded time, as they stand in the file.
func (d *Dirstate) Directories() []Directory {
	list := make([]Directory, len(d.recorded)/recordedWords)
	for i := range list {
		r := d.recorded.record(i, recordedWords)
		list[i] = Directory{d.text[r[0]:][:r[1]], int32(r[2]), int32(r[3]), r[4]&allUnknown != 0, r[4]&allIgnored != 0}
	}
	return list
}

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
func (d *Dirstate) CopyOrder() []string {
	list := make([]string, len(d.places))
	for i, at := range d.places {
		list[i] = d.Path(int(at))
	}
	return list
}

// Copies maps the destinations of copies to their sources.
func (d *Dirstate) Copies() map[string]string {
	m := make(map[string]string, len(d.copies)/copyWords)
	for n := range len(d.copies) / copyWords {
		m[d.Path(int(d.copies[n*copyWords]))] = d.source(n)
	}
	return m
}
