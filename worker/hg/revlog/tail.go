// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"bytes"
	"errors"
	"io"
	"os"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/store"
)

// tailCheck is how many of the entries already known ReadTail compares with the
// file: 64 KiB, one pread. A strip followed by a pull that brings the same
// changesets in another order shifts or renumbers the entries at the end too,
// so these stand for all the others.
const tailCheck = 1024

// ReadTail brings an index that was read earlier up to date by reading only
// what was appended to its file. It returns all entries, those of known first
// (whose memory it shares), checked as by ParseIndex, and the
// stamp of the file.
//
// appended is false when the file is not known with something behind it (it was
// stripped, rewritten, or turned from inline to split): the caller reads it
// anew with Open.
func ReadTail(files store.Files, known Index) (x Index, stamp store.Stamp, appended bool, err error) {
	fail := func(err error) (Index, store.Stamp, bool, error) { return Index{}, store.Stamp{}, false, err }
	if known.Len() == 0 || known.pages != nil {
		return fail(nil)
	}
	f, err := os.Open(files.IndexPath())
	if err != nil {
		if os.IsNotExist(err) {
			return fail(nil)
		}
		return fail(err)
	}
	defer f.Close()
	stamp, err = store.StampOfFile(f)
	if err != nil {
		return fail(err)
	}
	from := known.FileSize()
	if stamp.Size < from {
		return fail(nil)
	}
	if stamp.Size > store.MaxFileSize {
		return fail(hgerr.NewUnsupported("file of %d bytes (%s)", stamp.Size, files.IndexPath()))
	}
	same, err := known.prefixOf(f)
	if err != nil || !same {
		return fail(err)
	}
	raw := make([]byte, stamp.Size-from)
	if _, err := f.ReadAt(raw, from); err != nil {
		if errors.Is(err, io.EOF) {
			return fail(nil) // truncated since the stat
		}
		return fail(err)
	}
	if len(raw) == 0 {
		return known, stamp, true, nil
	}
	if known.Inline() {
		if raw, err = compact(files.Display, raw, known.Len()); err != nil {
			return fail(err)
		}
	}
	// The new piece is in proportion to what has been appended since the first
	// piece was made, which is not copied.
	tail := append(append(make([]byte, 0, len(known.tail)+len(raw)), known.tail...), raw...)
	x = Index{entries: known.entries, tail: tail}
	if err := x.check(files.Display, known.Len()); err != nil {
		return fail(err)
	}
	return x, stamp, true, nil
}

// prefixOf reports whether a file starts with the entries of x: the first one,
// which holds the header, and the last tailCheck ones.
func (x Index) prefixOf(f *os.File) (bool, error) {
	same := func(rev node.Rev, n int) (bool, error) {
		buf := make([]byte, n*EntrySize)
		at := int64(rev) * EntrySize
		if x.Inline() {
			start, _ := x.chunkSpan(rev)
			at = start - EntrySize
		}
		if _, err := f.ReadAt(buf, at); err != nil {
			if errors.Is(err, io.EOF) {
				return false, nil
			}
			return false, err
		}
		for i := range n {
			if !bytes.Equal(buf[i*EntrySize:][:EntrySize], x.entry(rev + node.Rev(i))[:]) {
				return false, nil
			}
		}
		return true, nil
	}
	if ok, err := same(0, 1); !ok || err != nil {
		return false, err
	}
	first := max(0, x.Len()-tailCheck)
	if !x.Inline() {
		return same(node.Rev(first), x.Len()-first)
	}
	// Inline files are small; their entries lie apart.
	for rev := first; rev < x.Len(); rev++ {
		if ok, err := same(node.Rev(rev), 1); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}
