// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
)

func fillColumns(columns int) func(*scope, Value) (Value, error) {
	return func(s *scope, v Value) (Value, error) { return fill(s, v, columns, "", "") }
}

// fill wraps paragraph by paragraph. Paragraphs end at an empty line, or where a
// line starts with a bullet; what separates them is kept.
func fill(s *scope, v Value, columns int, first, hang string) (Value, error) {
	enc := s.e.opts.Encoding
	decode := func(local string) (string, error) {
		text, err := enc.FromLocal(local)
		if err != nil {
			// hg falls over.
			return "", hgerr.NewUnsupported("template fill of text that is not in the local encoding")
		}
		return text, nil
	}
	f := wrapper{enc: enc, columns: columns}
	var err error
	if f.first, err = decode(first); err != nil {
		return Value{}, err
	}
	if f.hang, err = decode(hang); err != nil {
		return Value{}, err
	}
	text := v.s
	for {
		start, end := paragraphEnd(text)
		if start < 0 {
			break
		}
		paragraph, err := decode(text[:start])
		if err != nil {
			return Value{}, err
		}
		f.paragraph(paragraph, text[start:end])
		text = text[end:]
	}
	// Of the last one hg looks for the white space at its end in Unicode, and has
	// an error for bytes that are none.
	last, err := enc.FromLocal(text)
	if err != nil {
		return Value{}, err
	}
	trimmed := strings.TrimRightFunc(last, isPythonSpace)
	f.paragraph(trimmed, last[len(trimmed):])
	return Bytes(enc.Local(f.out.String())), nil
}

// wrapper wraps text in Unicode.
type wrapper struct {
	enc         *encoding.Encoding
	columns     int
	first, hang string
	out         strings.Builder
}

func (f *wrapper) paragraph(text, rest string) {
	once := f.wrap(text, "", "")
	f.out.WriteString(f.wrap(squeezeSpaces(once), f.first, f.hang))
	f.out.WriteString(rest)
}

// paragraphEnd finds the first "\n\n", or line end followed by white space and
// a bullet (hg's \n\n|\n\s*[-*]\s*).
func paragraphEnd(text string) (start, end int) {
	for i := 0; i < len(text); i++ {
		if text[i] != '\n' {
			continue
		}
		if strings.HasPrefix(text[i+1:], "\n") {
			return i, i + 2
		}
		j := i + 1
		for j < len(text) && isSpace(text[j]) {
			j++
		}
		if j < len(text) && (text[j] == '-' || text[j] == '*') {
			j++
			for j < len(text) && isSpace(text[j]) {
				j++
			}
			return i, j
		}
	}
	return -1, -1
}

func squeezeSpaces(text string) string {
	if !strings.Contains(text, "  ") {
		return text
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == ' ' && i > 0 && text[i-1] == ' ' {
			continue
		}
		b = append(b, text[i])
	}
	return string(b)
}

// isPythonSpace is str.isspace of one character.
func isPythonSpace(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
}

func (f *wrapper) runeWidth(r rune) int {
	if r < utf8.RuneSelf {
		return 1
	}
	return f.enc.ColWidth(f.enc.Local(string(r)))
}

func (f *wrapper) width(rs []rune) int {
	n := 0
	for _, r := range rs {
		n += f.runeWidth(r)
	}
	return n
}

func blank(rs []rune) bool {
	for _, r := range rs {
		if !isPythonSpace(r) {
			return false
		}
	}
	return true
}

// wrap is Python's textwrap.fill, as hg adapts it to wide characters: lines
// of at most so many columns, broken at white space and after hyphens, and
// inside words that are too long.
func (f *wrapper) wrap(text, first, hang string) string {
	columns := f.columns
	if indent := max(len(first), len(hang)); columns <= indent {
		columns = max(78, indent+1)
	}
	chunks := wrapChunks([]rune(mungeSpace(text)))
	var lines []string
	for len(chunks) > 0 {
		indent := first
		if len(lines) > 0 {
			indent = hang
		}
		room := columns - utf8.RuneCountInString(indent)
		if len(lines) > 0 && blank(chunks[0]) {
			chunks = chunks[1:]
		}
		var line [][]rune
		used := 0
		for len(chunks) > 0 {
			n := f.width(chunks[0])
			if used+n > room {
				break
			}
			line = append(line, chunks[0])
			used += n
			chunks = chunks[1:]
		}
		if len(chunks) > 0 && f.width(chunks[0]) > room {
			head, tail := f.cut(chunks[0], max(room-used, 1))
			if len(head) == 0 && used == 0 {
				// A wide character where there is room for one column: hg
				// never gets past it, we do.
				head, tail = chunks[0][:1], chunks[0][1:]
			}
			line = append(line, head)
			if len(tail) > 0 {
				chunks[0] = tail
			} else {
				chunks = chunks[1:]
			}
		}
		if n := len(line); n > 0 && blank(line[n-1]) {
			line = line[:n-1]
		}
		if len(line) > 0 {
			var b strings.Builder
			b.WriteString(indent)
			for _, c := range line {
				b.WriteString(string(c))
			}
			lines = append(lines, b.String())
		}
	}
	return strings.Join(lines, "\n")
}

// cut splits a word before the character that would go over.
func (f *wrapper) cut(word []rune, columns int) (head, tail []rune) {
	used := 0
	for i, r := range word {
		if used += f.runeWidth(r); used > columns {
			return word[:i], word[i:]
		}
	}
	return word, nil
}

// mungeSpace expands tabs to columns of eight and makes all white space blanks.
func mungeSpace(text string) string {
	var b strings.Builder
	column := 0
	for _, r := range text {
		switch r {
		case '\t':
			n := 8 - column%8
			b.WriteString("        "[:n])
			column += n
			continue
		case '\n', '\r':
			b.WriteByte(' ')
			column = 0
			continue
		case '\v', '\f':
			r = ' '
		}
		b.WriteRune(r)
		column++
	}
	return b.String()
}

func isWord(r rune) bool   { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }
func isLetter(r rune) bool { return isWord(r) && !unicode.IsDigit(r) }

// isWordPunct is textwrap's word_punct.
func isWordPunct(r rune) bool { return isWord(r) || strings.ContainsRune(`!"'&.,?`, r) }

// isWrapSpace is textwrap's white space; other blanks, like U+00A0, hold words
// together.
func isWrapSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// wrapChunks cuts text into runs of white space, words, the parts of hyphenated
// words, and dashes between words.
func wrapChunks(text []rune) [][]rune {
	var out [][]rune
	at := func(i int) rune {
		if i >= 0 && i < len(text) {
			return text[i]
		}
		return -1
	}
	is := func(i int, f func(rune) bool) bool { r := at(i); return r >= 0 && f(r) }
	// dashes returns the end of a run of two or more hyphens at i that a word
	// follows.
	dashes := func(i int) int {
		j := i
		for at(j) == '-' {
			j++
		}
		if j-i >= 2 && is(j, isWord) {
			return j
		}
		return -1
	}
	for pos := 0; pos < len(text); {
		end := pos
		switch {
		case isWrapSpace(text[pos]):
			for is(end, isWrapSpace) {
				end++
			}
		case is(pos-1, isWordPunct) && dashes(pos) > 0:
			end = dashes(pos)
		default:
			for end = pos + 1; ; end++ {
				// After end characters of the word: may it be cut here?
				if at(end) == '-' {
					lettersBefore := is(end-2, isLetter) && is(end-1, isLetter)
					hyphenBefore := is(end-3, isLetter) && at(end-2) == '-' && is(end-1, isWordPunct)
					next := end + 1
					lettersAfter := is(next, isLetter) && (is(next+1, isLetter) || at(next+1) == '-' && is(next+2, isLetter))
					if (lettersBefore || hyphenBefore) && lettersAfter {
						end++
						break
					}
				}
				if end >= len(text) || isWrapSpace(text[end]) {
					break
				}
				if is(end-1, isWordPunct) && dashes(end) > 0 {
					break
				}
			}
		}
		out = append(out, text[pos:end])
		pos = end
	}
	return out
}
