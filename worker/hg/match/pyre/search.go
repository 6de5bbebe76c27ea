// SPDX-License-Identifier: GPL-2.0-or-later

package pyre

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Searcher finds where a pattern matches in a text of lines, as Python's
// re.search with re.MULTILINE does: there the leftmost match counts, and which
// one of those depends on the order of alternatives and on greediness. Go's
// regexp package has the same rule, so the parsed pattern is written out in its
// syntax. It reads UTF-8 where Python reads bytes: a text with bytes above ASCII
// is widened (each byte becomes the rune of its value) unless the pattern can
// match none of them anyway.
//
// Left out, as Unsupported, are \A and \Z, which look beyond lines, and repeats
// of what can be empty, where the two differ in how they end.
type Searcher struct {
	re     *regexp.Regexp
	narrow bool // no byte above ASCII can be part of a match
	least  int  // length of the shortest match in bytes
}

// CompileSearch compiles a pattern, in which "^" and "$" stand for the ends of
// lines; fold ignores the case of ASCII letters.
func CompileSearch(pattern string, fold bool) (*Searcher, error) {
	e, err := parse(pattern, flags{multiline: true, fold: fold})
	if err != nil {
		return nil, err
	}
	w := &goWriter{narrow: true}
	least, ok := w.write(e.root)
	if !ok {
		return nil, unsupported(pattern, "something beyond lines")
	}
	re, err := regexp.Compile(w.b.String())
	if err != nil {
		return nil, unsupported(pattern, "too much")
	}
	return &Searcher{re: re, narrow: w.narrow, least: least}, nil
}

// MinLength is the length in bytes of the shortest match that could be.
func (s *Searcher) MinLength() int { return s.least }

// Text is a text made ready for searching.
type Text struct {
	bytes []byte // as given
	wide  []byte // widened, or nil when bytes can be searched as they are
}

// Prepare makes a text ready. It keeps the slice.
func (s *Searcher) Prepare(text []byte) Text {
	t := Text{bytes: text}
	if s.narrow {
		return t
	}
	for i, c := range text {
		if c < 0x80 {
			continue
		}
		t.wide = append(make([]byte, 0, len(text)+len(text)/8+16), text[:i]...)
		for _, c := range text[i:] {
			if c < 0x80 {
				t.wide = append(t.wide, c)
			} else {
				t.wide = append(t.wide, 0xc0|c>>6, 0x80|c&0x3f)
			}
		}
		break
	}
	return t
}

// Find returns where the first match begins and ends, in bytes of the text that
// Prepare was given. It looks at nothing before from, which must be the start of
// a line or of the text.
func (s *Searcher) Find(t Text, from int) (start, end int, ok bool) {
	if t.wide == nil {
		loc := s.re.FindIndex(t.bytes[from:])
		if loc == nil {
			return 0, 0, false
		}
		return from + loc[0], from + loc[1], true
	}
	at := t.widened(from)
	loc := s.re.FindIndex(t.wide[at:])
	if loc == nil {
		return 0, 0, false
	}
	start = from + runes(t.wide[at:at+loc[0]])
	return start, start + runes(t.wide[at+loc[0]:at+loc[1]]), true
}

// FindAll returns where the matches in a text are that do not overlap.
func (s *Searcher) FindAll(text []byte) [][2]int {
	t := s.Prepare(text)
	from := t.wide
	if from == nil {
		from = t.bytes
	}
	var list [][2]int
	last, at := 0, 0 // of the last end: in from, in text
	for _, loc := range s.re.FindAllIndex(from, -1) {
		start, end := loc[0], loc[1]
		if t.wide != nil {
			start = at + runes(t.wide[last:loc[0]])
			end = start + runes(t.wide[loc[0]:loc[1]])
		}
		list = append(list, [2]int{start, end})
		last, at = loc[1], end
	}
	return list
}

// widened is where a byte of the text is in its wide form.
func (t Text) widened(at int) int {
	n := at
	for _, c := range t.bytes[:at] {
		n += int(c >> 7)
	}
	return n
}

// runes counts the characters of valid UTF-8.
func runes(b []byte) int {
	n := 0
	for _, c := range b {
		if c&0xc0 != 0x80 {
			n++
		}
	}
	return n
}

// goWriter writes nodes in the syntax of Go's regexp package.
type goWriter struct {
	b      strings.Builder
	narrow bool
}

// write returns the least length of a match; ok is false for what means
// something else in Go.
func (w *goWriter) write(n *node) (least int, ok bool) {
	switch n.op {
	case opSet:
		w.set(n.set)
		return 1, true
	case opConcat:
		for _, sub := range n.subs {
			l, ok := w.group(sub, sub.op == opAlt)
			if !ok {
				return 0, false
			}
			least += l
		}
		return least, true
	case opAlt:
		for i, sub := range n.subs {
			if i > 0 {
				w.b.WriteByte('|')
			}
			l, ok := w.write(sub)
			if !ok {
				return 0, false
			}
			if i == 0 || l < least {
				least = l
			}
		}
		return least, true
	case opRepeat:
		l, ok := w.group(n.subs[0], n.subs[0].op != opSet)
		if !ok || l == 0 && n.max != 1 {
			return 0, false
		}
		w.repeat(n)
		return l * n.min, true
	}
	switch n.assert {
	case assertLine:
		w.b.WriteString("(?m:^)")
	case assertLineEnd:
		w.b.WriteString("(?m:$)")
	case assertWord:
		w.b.WriteString(`\b`)
	default:
		return 0, false
	}
	return 0, true
}

func (w *goWriter) group(n *node, enclose bool) (least int, ok bool) {
	if !enclose {
		return w.write(n)
	}
	w.b.WriteString("(?:")
	least, ok = w.write(n)
	w.b.WriteByte(')')
	return least, ok
}

func (w *goWriter) repeat(n *node) {
	switch {
	case n.min == 0 && n.max == unlimited:
		w.b.WriteByte('*')
	case n.min == 1 && n.max == unlimited:
		w.b.WriteByte('+')
	case n.min == 0 && n.max == 1:
		w.b.WriteByte('?')
	default:
		w.b.WriteString("{" + strconv.Itoa(n.min))
		if n.max == unlimited {
			w.b.WriteByte(',')
		} else if n.max != n.min {
			w.b.WriteString("," + strconv.Itoa(n.max))
		}
		w.b.WriteByte('}')
	}
	if n.lazy {
		w.b.WriteByte('?')
	}
}

// set writes a byte literally, or a class.
func (w *goWriter) set(s byteSet) {
	if s[2]|s[3] != 0 {
		w.narrow = false
	}
	var ranges [][2]int
	for c := 0; c < 256; c++ {
		if !s.has(byte(c)) {
			continue
		}
		if k := len(ranges) - 1; k >= 0 && ranges[k][1] == c-1 {
			ranges[k][1] = c
		} else {
			ranges = append(ranges, [2]int{c, c})
		}
	}
	if len(ranges) == 1 && ranges[0][0] == ranges[0][1] {
		w.b.WriteString(regexp.QuoteMeta(string(rune(ranges[0][0]))))
		return
	}
	if len(ranges) == 0 {
		w.b.WriteString(`[^\x{0}-\x{10FFFF}]`)
		return
	}
	w.b.WriteByte('[')
	for _, r := range ranges {
		fmt.Fprintf(&w.b, `\x{%x}-\x{%x}`, r[0], r[1])
	}
	w.b.WriteByte(']')
}
