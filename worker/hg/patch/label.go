// SPDX-License-Identifier: GPL-2.0-or-later

package patch

import (
	"bytes"

	"hgbroker/worker/hg/bdiff"
)

// A Labeler cuts patches into the pieces that hg colours, and names the label of
// each ("" for none), as patch.difflabel does.
type Labeler struct {
	// Words marks the words that changed within lines (diff.word-diff).
	Words bool
	// Emit is given the pieces, in order.
	Emit func(label, text string)

	head bool
	hunk [][]byte // lines removed and added, next to each other
}

// headLabels are those of header lines by how they begin.
var headLabels = []struct{ prefix, label string }{
	{"diff", "diff.diffline"}, {"copy", "diff.extended"}, {"rename", "diff.extended"}, {"old", "diff.extended"}, {"new", "diff.extended"},
	{"deleted", "diff.extended"}, {"index", "diff.extended"}, {"similarity", "diff.extended"}, {"---", "diff.file_a"}, {"+++", "diff.file_b"},
}

const trailingLabel = "diff.trailingwhitespace"

// space is what Python's bytes.rstrip() removes.
const space = " \t\n\r\v\f"

// Add labels a header or a text of Writer.Write.
func (l *Labeler) Add(chunk []byte) {
	if len(chunk) == 0 {
		return
	}
	for {
		end := bytes.IndexByte(chunk, '\n')
		last := end < 0
		line := chunk
		if !last {
			line = chunk[:end]
		}
		l.line(line, last)
		if last {
			break
		}
		chunk = chunk[end+1:]
	}
	l.flush()
}

// line labels one line, given without its newline, which the last one lacks.
func (l *Labeler) line(line []byte, last bool) {
	if l.head {
		l.head = len(line) == 0 || line[0] != '@'
	} else {
		l.head = len(line) > 0 && bytes.IndexByte([]byte(" +-@\\"), line[0]) < 0
	}
	if !l.head && len(line) > 0 && (line[0] == '+' || line[0] == '-') {
		if !last {
			line = append(line[:len(line):len(line)], '\n')
		}
		l.hunk = append(l.hunk, line)
		return
	}
	l.flush()
	stripped := bytes.TrimRight(line, space)
	label := ""
	if l.head {
		for _, h := range headLabels {
			if bytes.HasPrefix(stripped, []byte(h.prefix)) {
				label = h.label
				break
			}
		}
	} else if len(stripped) > 0 && stripped[0] == '@' {
		label = "diff.hunk"
	}
	if label == "" {
		l.Emit("", string(line))
	} else {
		l.Emit(label, string(stripped))
		if len(stripped) < len(line) {
			l.Emit(trailingLabel, string(line[len(stripped):]))
		}
	}
	if !last {
		l.Emit("", "\n")
	}
}

func (l *Labeler) flush() {
	if len(l.hunk) == 0 {
		return
	}
	var old, new []byte
	for _, line := range l.hunk {
		if line[0] == '-' {
			old = append(old, line[1:]...)
		} else {
			new = append(new, line[1:]...)
		}
	}
	if l.Words && len(old) > 0 && len(new) > 0 {
		l.words(old, new)
	} else {
		for _, line := range l.hunk {
			l.changed(line)
		}
	}
	l.hunk = l.hunk[:0]
}

// changed labels a line that was removed or added as a whole.
func (l *Labeler) changed(line []byte) {
	label := "diff.inserted"
	if line[0] == '-' {
		label = "diff.deleted"
	}
	chomped := bytes.TrimRight(line, "\r\n")
	stripped := bytes.TrimRight(chomped, space)
	l.tabs(stripped, label)
	if len(stripped) < len(chomped) {
		l.Emit(trailingLabel, string(chomped[len(stripped):]))
	}
	if len(chomped) < len(line) {
		l.Emit("", string(line[len(chomped):]))
	}
}

// tabs labels runs of tabs apart from what is between them.
func (l *Labeler) tabs(text []byte, label string) {
	for len(text) > 0 {
		n := 1
		for n < len(text) && (text[n] == '\t') == (text[0] == '\t') {
			n++
		}
		if text[0] == '\t' {
			l.Emit("diff.tab", string(text[:n]))
		} else {
			l.Emit(label, string(text[:n]))
		}
		text = text[n:]
	}
}

// splitWords cuts a text into words, runs of tabs, runs of blanks, and single
// other bytes.
func splitWords(text []byte) [][]byte {
	class := func(c byte) byte {
		switch {
		case c == '\t' || c == ' ':
			return c
		case c >= 0x80 || c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z':
			return 'w'
		}
		return 0
	}
	var out [][]byte
	for len(text) > 0 {
		n := 1
		for kind := class(text[0]); kind != 0 && n < len(text) && class(text[n]) == kind; {
			n++
		}
		out = append(out, text[:n])
		text = text[n:]
	}
	return out
}

// asLines makes each word a line, to be compared as one.
func asLines(words [][]byte) []byte {
	var out []byte
	for _, w := range words {
		out = append(out, w...)
		if w[0] != '\n' {
			out = append(out, '\n')
		}
	}
	return out
}

// token is a piece of a line, with its newline if it is the last one.
type token struct {
	text    []byte
	changed bool
}

func tokens(out []token, words [][]byte, changed bool) []token {
	lines := bdiff.Split(bytes.Join(words, nil))
	for i := range lines.Len() {
		out = append(out, token{lines.Line(i), changed})
	}
	return out
}

// words labels removed lines and then added ones, with the words that differ.
func (l *Labeler) words(old, new []byte) {
	a, b := splitWords(old), splitWords(new)
	var removed, added []token
	for _, p := range bdiff.Parts(asLines(a), asLines(b), bdiff.Options{}) {
		removed = tokens(removed, a[p.A1:p.A2], p.Kind == bdiff.PartChanged)
		added = tokens(added, b[p.B1:p.B2], p.Kind == bdiff.PartChanged)
	}
	l.side("-", "diff.deleted", removed)
	l.side("+", "diff.inserted", added)
}

func (l *Labeler) side(prefix, label string, list []token) {
	begins := true
	for _, t := range list {
		if begins {
			l.Emit(label, prefix)
			begins = false
		}
		text := t.text
		var blanks, end []byte
		ends := text[len(text)-1] == '\n'
		if ends {
			chomped := bytes.TrimSuffix(text[:len(text)-1], []byte{'\r'})
			end = text[len(chomped):]
			text = bytes.TrimRight(chomped, space)
			blanks = chomped[len(text):]
		}
		if t.changed {
			l.tabs(text, label+".changed")
		} else {
			l.tabs(text, label+".unchanged")
		}
		if ends {
			if len(blanks) > 0 {
				l.Emit(trailingLabel, string(blanks))
			}
			l.Emit("", string(end))
			begins = true
		}
	}
}

// LabelStat cuts a histogram of Stat.Append into pieces with labels.
func LabelStat(text []byte, emit func(label, text string)) {
	for len(text) > 0 {
		end := bytes.IndexAny(text, "\r\n")
		if end < 0 {
			end = len(text)
		}
		line := text[:end]
		if bytes.HasPrefix(text[end:], []byte("\r\n")) {
			end++
		}
		text = text[min(end+1, len(text)):]
		blank := bytes.LastIndexByte(line, ' ')
		if n := len(line); n == 0 || blank < 0 || line[n-1] != '+' && line[n-1] != '-' {
			emit("", string(line))
		} else {
			emit("", string(line[:blank+1]))
			graph := line[blank+1:]
			minus := bytes.IndexByte(graph, '-')
			if minus < 0 {
				minus = len(graph)
			}
			if minus > 0 {
				emit("diffstat.inserted", string(graph[:minus]))
			}
			if minus < len(graph) {
				emit("diffstat.deleted", string(graph[minus:]))
			}
		}
		emit("", "\n")
	}
}
