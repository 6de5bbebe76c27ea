// SPDX-License-Identifier: GPL-2.0-or-later

// Package tags reads the text of `.hgtags` and `localtags`, and merges what
// several heads say.
//
// A line is "HEXNODE NAME\n" (`hg help tags`; the rules of merging are told in
// Mercurial's tags.py). Later lines of a file win; the nodes of earlier lines
// for the same name are that tag's history in that file. Between two files the
// later one wins, unless the earlier one knows of it: a side whose node stands
// in the other's history has been superseded. The null node removes a tag.
package tags

import (
	"bytes"
	"encoding/hex"
	"slices"

	"hgbroker/worker/hg/node"
)

// Entry is what is known about one name.
type Entry struct {
	Node    node.ID
	History []node.ID // nodes that it had before, oldest first
}

// Table is tags by name, in the order in which they were first met. Names are
// in UTF-8.
type Table struct {
	Names  []string
	ByName map[string]*Entry
	// Skipped counts the lines that were of another form. hg --debug names them.
	Skipped int
}

func (t *Table) put(name string, e *Entry) {
	if t.ByName == nil {
		t.ByName = map[string]*Entry{}
	}
	t.Names = append(t.Names, name)
	t.ByName[name] = e
}

// Parse reads the text of a tags file. Lines of another form are left out, as in
// hg. recode, if not nil, turns a name into UTF-8.
func Parse(text []byte, recode func(string) string) *Table {
	t := &Table{}
	for _, line := range splitLines(text) {
		digits, rest, ok := bytes.Cut(line, []byte{' '})
		if !ok {
			if len(line) > 0 {
				t.Skipped++
			}
			continue
		}
		name := string(bytes.Trim(rest, " \t\n\r\x0b\x0c"))
		if recode != nil {
			name = recode(name)
		}
		raw, err := hex.DecodeString(string(digits))
		if err != nil || len(raw) != node.Size {
			t.Skipped++
			continue
		}
		if e := t.ByName[name]; e != nil {
			e.History = append(e.History, e.Node)
			e.Node = node.ID(raw)
			continue
		}
		t.put(name, &Entry{Node: node.ID(raw)})
	}
	return t
}

// splitLines is Python's bytes.splitlines: \n, \r and \r\n end a line.
func splitLines(text []byte) [][]byte {
	var out [][]byte
	for len(text) > 0 {
		i := bytes.IndexAny(text, "\r\n")
		if i < 0 {
			return append(out, text)
		}
		out = append(out, text[:i])
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		text = text[i+1:]
	}
	return out
}

// Merge takes over what a later file says. The names that it decided are
// returned: those that are new, or that the later file won.
func (t *Table) Merge(later *Table) (won []string) {
	t.Skipped += later.Skipped
	for _, name := range later.Names {
		a := later.ByName[name]
		b := t.ByName[name]
		if b == nil {
			t.put(name, &Entry{Node: a.Node, History: slices.Clone(a.History)})
			won = append(won, name)
			continue
		}
		merged := &Entry{Node: a.Node, History: slices.Clone(a.History)}
		if b.Node != a.Node && slices.Contains(b.History, a.Node) &&
			(!slices.Contains(a.History, b.Node) || len(b.History) > len(a.History)) {
			merged.Node = b.Node
		} else {
			won = append(won, name)
		}
		for _, id := range b.History {
			if !slices.Contains(merged.History, id) {
				merged.History = append(merged.History, id)
			}
		}
		t.ByName[name] = merged
	}
	return won
}

// MergeAll merges n texts in their order; read gives them, perhaps more than once.
//
// Most heads of a history have the same file at different ages. When each text is
// the beginning of the longest one, and there no name stands twice, the longest
// one says it all: a line that is older than another says the same.
func MergeAll(n int, read func(i int) ([]byte, error)) (*Table, error) {
	var longest []byte
	one := true
	for i := 0; i < n && one; i++ {
		text, err := read(i)
		if err != nil {
			return nil, err
		}
		short := text
		if len(text) > len(longest) {
			short, longest = longest, text
		}
		one = bytes.HasPrefix(longest, short) && (len(short) == 0 || len(short) == len(longest) || short[len(short)-1] == '\n')
	}
	if one {
		if t := Parse(longest, nil); !t.hasHistory() {
			return t, nil
		}
	}
	t := &Table{}
	for i := range n {
		text, err := read(i)
		if err != nil {
			return nil, err
		}
		t.Merge(Parse(text, nil))
	}
	return t, nil
}

func (t *Table) hasHistory() bool {
	for _, e := range t.ByName {
		if len(e.History) > 0 {
			return true
		}
	}
	return false
}
