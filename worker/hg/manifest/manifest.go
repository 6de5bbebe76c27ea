// SPDX-License-Identifier: GPL-2.0-or-later

// Package manifest reads manifests: for one changeset, every tracked file with
// the node of its content and its flag. Tree manifests (requirement treemanifest)
// are written out as flat ones when they are read; see tree.go.
//
// A Manifest is a view over a text: it is never modified, and nothing is parsed
// before it is asked for.
//
// # Format
//
// One line for each file, sorted by path as bytes (mercurial/manifest.py):
//
//	PATH \0 40 hex digits [FLAG] \n
//
// FLAG is 'x' (executable), 'l' (symbolic link), 't' (a directory of a tree manifest) or
// nothing. Worked example, a README and an executable:
//
//	README\0b789fdd96dc2f3bd229c1dd8eedf0fc60e2b68e3\n
//	tools/run\01e88685f5ddec574a34c70af492f95b6debc8741x\n
//
// Paths hold no zero byte and no newline.
package manifest

import (
	"bytes"
	"encoding/hex"
	"iter"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// Flag is what a manifest says of a file beyond its content.
type Flag byte

// The flags.
const (
	Regular    Flag = 0
	Executable Flag = 'x'
	Symlink    Flag = 'l'
	Tree       Flag = 't'
)

// String is the flag as hg prints it: one letter or nothing.
func (f Flag) String() string {
	if f == Regular {
		return ""
	}
	return string(rune(f))
}

// Entry is one file of a manifest.
type Entry struct {
	Path []byte // a part of the manifest's text
	Node node.ID
	Flag Flag
}

// Manifest is one revision of the manifest. The zero Manifest has no files.
type Manifest struct {
	text []byte
	tree *written // of a tree manifest, nil of a flat one
}

// Of is the manifest with the given text, which is taken to be one that Parse
// accepts: texts that hash to their node are hg's own. Any other text gives
// errors or wrong answers later on, but no panic.
func Of(text []byte) Manifest { return Manifest{text: text} }

// Parse checks every line of a text.
func Parse(text []byte) (Manifest, error) {
	m := Manifest{text: text}
	var prev []byte
	for pos := 0; pos < len(text); {
		e, next, err := m.line(pos)
		if err != nil {
			return Manifest{}, err
		}
		if pos > 0 && bytes.Compare(prev, e.Path) >= 0 {
			return Manifest{}, damaged("lines not in sorted order at byte %d", pos)
		}
		prev, pos = e.Path, next
	}
	return m, nil
}

func damaged(format string, args ...any) error {
	return hgerr.Damagef("parse", "manifest", format, args...)
}

// Text returns the whole text. Do not modify it.
func (m Manifest) Text() []byte { return m.text }

// Len counts the files, by reading the whole text.
func (m Manifest) Len() int { return bytes.Count(m.text, []byte{'\n'}) }

// line reads the line that starts at pos.
func (m Manifest) line(pos int) (e Entry, next int, err error) {
	rest := m.text[pos:]
	zero := bytes.IndexByte(rest, 0)
	if zero < 0 || len(rest) < zero+1+node.HexSize+1 {
		return Entry{}, 0, damaged("invalid line at byte %d", pos)
	}
	digits := rest[zero+1 : zero+1+node.HexSize]
	tail := rest[zero+1+node.HexSize:]
	e.Path = rest[:zero:zero]
	if bytes.IndexByte(e.Path, '\n') >= 0 {
		return Entry{}, 0, damaged("invalid line at byte %d", pos)
	}
	if _, err := hex.Decode(e.Node[:], digits); err != nil {
		return Entry{}, 0, damaged("invalid node at byte %d", pos)
	}
	next = pos + zero + 1 + node.HexSize
	switch {
	case tail[0] == '\n':
		return e, next + 1, nil
	case len(tail) > 1 && tail[1] == '\n' && (tail[0] == 'x' || tail[0] == 'l' || tail[0] == 't'):
		e.Flag = Flag(tail[0])
		return e, next + 2, nil
	}
	return Entry{}, 0, damaged("invalid line at byte %d", pos)
}

// lineStart returns the start of the line that holds byte pos.
func (m Manifest) lineStart(pos int) int { return bytes.LastIndexByte(m.text[:pos], '\n') + 1 }

// search returns the start of the first line from from on whose path is not
// below path.
func (m Manifest) search(path string, from int) int {
	lo, hi := from, len(m.text)
	for lo < hi {
		mid := m.lineStart(lo + (hi-lo)/2)
		if mid < lo { // only in a text that no line of starts at from
			mid = lo
		}
		nl := bytes.IndexByte(m.text[mid:hi], '\n')
		end := hi
		if nl >= 0 {
			end = mid + nl + 1
		}
		key, _, _ := bytes.Cut(m.text[mid:end], []byte{0})
		if string(key) < path {
			lo = end
		} else {
			hi = mid
		}
	}
	return lo
}

// Lookup finds a file. It reads in the order of log(size) lines.
func (m Manifest) Lookup(path string) (Entry, bool, error) {
	at := m.search(path, 0)
	if !bytes.HasPrefix(m.text[at:], []byte(path)) || at+len(path) >= len(m.text) || m.text[at+len(path)] != 0 {
		return Entry{}, false, nil
	}
	e, _, err := m.line(at)
	return e, err == nil, err
}

// Has reports whether a file is in the manifest.
func (m Manifest) Has(path string) bool {
	_, ok, err := m.Lookup(path)
	return ok && err == nil
}

// HasDir reports whether a file lies below the directory dir, which has no
// slash at its end. Everything lies below "".
func (m Manifest) HasDir(dir string) bool {
	if dir == "" {
		return len(m.text) > 0
	}
	return bytes.HasPrefix(m.text[m.search(dir+"/", 0):], []byte(dir+"/"))
}

// All iterates over the files in order. It ends with the error of a line that
// cannot be read.
func (m Manifest) All() iter.Seq2[Entry, error] { return m.from(0, len(m.text)) }

// Below iterates over the files below a directory (no slash at its end), or
// over all of them for "".
func (m Manifest) Below(dir string) iter.Seq2[Entry, error] {
	if dir == "" {
		return m.All()
	}
	start := m.search(dir+"/", 0)
	return m.from(start, m.search(dir+"0", start)) // '0' follows '/'
}

func (m Manifest) from(pos, end int) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for at := pos; at < end; {
			e, next, err := m.line(at)
			if !yield(e, err) || err != nil {
				return
			}
			at = next
		}
	}
}
