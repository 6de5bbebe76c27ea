// SPDX-License-Identifier: GPL-2.0-or-later

// Package bookmarks reads the file `bookmarks`: names that a person moves along
// with the work (`hg help bookmarks`).
//
// The file is text in UTF-8, a line a bookmark: "HEXNODE NAME\n". White space
// around a line does not count. A line of another form is left out with a
// warning, and so is, silently, one whose changeset does not exist.
package bookmarks

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/node"
)

// Bookmark is one line of the file.
type Bookmark struct {
	Name string // in UTF-8, as stored
	Node node.ID
}

// Parse reads the text of a bookmarks file. warn is called with hg's message
// (without a newline) for every malformed line; shown is the file's name in it.
func Parse(text []byte, shown string, warn func(string)) []Bookmark {
	var out []Bookmark
	for len(text) > 0 {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		line = trim(line)
		if len(line) == 0 {
			continue
		}
		digits, name, ok := bytes.Cut(line, []byte{' '})
		raw, err := hex.DecodeString(string(digits))
		if !ok || err != nil || len(raw) != node.Size {
			warn(fmt.Sprintf("malformed line in %s: %s", shown, python.Repr(string(line))))
			continue
		}
		out = append(out, Bookmark{Name: string(name), Node: node.ID(raw)})
	}
	return out
}

// Active reads the text of `bookmarks.current`: the first line, or "".
func Active(text []byte) string {
	if i := bytes.IndexAny(text, "\r\n"); i >= 0 {
		text = text[:i]
	}
	return string(text)
}

// trim removes what Python's bytes.strip() removes.
func trim(b []byte) []byte { return bytes.Trim(b, " \t\n\r\x0b\x0c") }
