// SPDX-License-Identifier: GPL-2.0-or-later

// Package grep finds the lines of texts that a regular expression matches, and
// tells by which of them two revisions of a file differ, as Mercurial's grep.py
// does. It reads no files and prints nothing.
package grep

import (
	"bytes"

	"hgbroker/worker/hg/match/pyre"
)

// Line is a line that has a match, or several when the match spans them.
type Line struct {
	Text   string // without the line end
	Number int    // from 1: the line where the match begins
	Start  int    // where in Text the first match begins
	End    int
}

// Search returns the lines of a text that have a match, each once. What comes
// after a match in the last of its lines is not searched again.
func Search(text []byte, re *pyre.Searcher) []Line {
	var found []Line
	t := re.Prepare(text)
	begin, number := 0, 0
	for begin < len(text) {
		start, end, ok := re.Find(t, begin)
		if !ok {
			break
		}
		number += bytes.Count(text[begin:start], newline) + 1
		from := begin + bytes.LastIndexByte(text[begin:start], '\n') + 1
		to := len(text)
		if i := bytes.IndexByte(text[end:], '\n'); i >= 0 {
			to = end + i
		}
		found = append(found, Line{string(text[from:to]), number, start - from, end - from})
		begin = to + 1
	}
	return found
}

var newline = []byte{'\n'}

// Chunk is a part of a line.
type Chunk struct {
	Text    string
	Matched bool
}

// Chunks cuts a line into what matches and what is between. The expression must
// not match nothing (MinLength); ok is false when the line alone does not match
// as it does in its text.
func (l Line) Chunks(re *pyre.Searcher) (chunks []Chunk, ok bool) {
	spans := re.FindAll([]byte(l.Text))
	if len(spans) == 0 || spans[0] != [2]int{l.Start, l.End} {
		return nil, false
	}
	at := 0
	for _, s := range spans {
		if at < s[0] {
			chunks = append(chunks, Chunk{l.Text[at:s[0]], false})
		}
		chunks = append(chunks, Chunk{l.Text[s[0]:s[1]], true})
		at = s[1]
	}
	if at < len(l.Text) {
		chunks = append(chunks, Chunk{l.Text[at:], false})
	}
	return chunks, true
}
