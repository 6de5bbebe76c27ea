// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"fmt"
	"os"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/store"
)

const (
	// pageEntries is how many entries are read together: 32 KiB.
	pageEntries = 512
	// pagedFrom is the size of an index file from which on it is worth reading
	// in parts, in bytes.
	pagedFrom = 4 * pageEntries * EntrySize
)

// pages are the entries of an index file that is read in parts, each when it is
// asked for first: who wants one revision of a long history reads the entries
// of its delta chain and not all others.
type pages struct {
	path  string
	name  string
	stamp store.Stamp
	n     int
	file  *os.File // opened when needed
	list  [][]byte
	err   error // the first one
}

// OpenPaged is Open for a caller who wants few revisions. The index of a large
// revlog is then read, and checked, as far as it is asked for; entries that
// cannot be read are like those of revisions that do not exist.
func OpenPaged(files store.Files) (*Revlog, error) {
	stamp, err := store.StampOf(files.IndexPath())
	if err != nil {
		return nil, err
	}
	if stamp.Size < pagedFrom || stamp.Size > store.MaxFileSize || stamp.Size%EntrySize != 0 {
		return Open(files)
	}
	p := &pages{path: files.IndexPath(), name: files.Display, stamp: stamp, n: int(stamp.Size / EntrySize)}
	if p.n > MaxRevisions {
		return Open(files)
	}
	p.list = make([][]byte, (p.n+pageEntries-1)/pageEntries)
	first := p.page(0)
	if first == nil || header(first)&FlagInline != 0 || checkHeader(p.name, first) != nil {
		p.close()
		return Open(files) // which says what is wrong, or can read it
	}
	return OpenWithIndex(files, Index{pages: p}, stamp), nil
}

// page reads a part, nil when that fails.
func (p *pages) page(i int) []byte {
	if have := p.list[i]; have != nil {
		return have
	}
	if p.err != nil {
		return nil
	}
	buf, err := p.read(i)
	if err != nil {
		p.err = err
		return nil
	}
	p.list[i] = buf
	return buf
}

func (p *pages) read(i int) ([]byte, error) {
	if p.file == nil {
		f, err := os.Open(p.path)
		if err != nil {
			return nil, err
		}
		now, err := store.StampOfFile(f)
		if err != nil || now.Ino != p.stamp.Ino || now.Dev != p.stamp.Dev {
			f.Close()
			return nil, &hgerr.Damage{Op: "read", Path: p.name, Cause: "the index was replaced", Changed: true}
		}
		p.file = f
	}
	at := int64(i) * pageEntries * EntrySize
	buf := make([]byte, min(pageEntries*EntrySize, p.stamp.Size-at))
	if _, err := p.file.ReadAt(buf, at); err != nil {
		return nil, fmt.Errorf("read %s: %w", p.name, err)
	}
	// Checked as if the entries before were there.
	for k := 0; k < len(buf); k += EntrySize {
		if err := checkEntry(p.name, (*[EntrySize]byte)(buf[k:]), i*pageEntries+k/EntrySize); err != nil {
			return nil, err
		}
	}
	return buf, nil
}

func (p *pages) entry(rev node.Rev) *[EntrySize]byte {
	if rev < 0 || int(rev) >= p.n {
		return nullEntry
	}
	page := p.page(int(rev) / pageEntries)
	if page == nil {
		return nullEntry
	}
	return (*[EntrySize]byte)(page[int(rev)%pageEntries*EntrySize:])
}

func (p *pages) close() {
	if p.file != nil {
		p.file.Close()
		p.file = nil
	}
}

// all are the entries in one piece.
func (p *pages) all() []byte {
	out := make([]byte, 0, p.n*EntrySize)
	for i := range p.list {
		page := p.page(i)
		if page == nil {
			return nil
		}
		out = append(out, page...)
	}
	return out
}
