// SPDX-License-Identifier: GPL-2.0-or-later

package encoding

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// UTF8b maps arbitrary local bytes to text for formats that must be Unicode:
// valid UTF-8 stays, every other byte becomes the lone surrogate U+DC00+byte
// (written in three bytes, as UTF-8 would if it allowed surrogates), and so do
// the bytes of such surrogates that are there already, so that the mapping can
// be undone.
func UTF8b(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r != utf8.RuneError || size > 1:
			b.WriteString(s[i : i+size])
		case isSurrogate(s[i:]) && (s[i+1] < 0xb0 || s[i+1] > 0xb3):
			// A surrogate that does not stand for a byte passes.
			size = 3
			b.WriteString(s[i : i+size])
		default:
			writeSurrogate(&b, s[i])
			size = 1
		}
		i += size
	}
	return b.String()
}

// isSurrogate tells whether s starts with a surrogate in three bytes.
func isSurrogate(s string) bool {
	return len(s) >= 3 && s[0] == 0xed && s[1] >= 0xa0 && s[1] <= 0xbf && s[2] >= 0x80 && s[2] <= 0xbf
}

func writeSurrogate(b *strings.Builder, c byte) {
	r := 0xdc00 + rune(c)
	b.WriteByte(0xe0 | byte(r>>12))
	b.WriteByte(0x80 | byte(r>>6&0x3f))
	b.WriteByte(0x80 | byte(r&0x3f))
}

// UTF8b is the text for formats that must be Unicode: the stored form.
func (t Text) UTF8b() string {
	if t.lost {
		return UTF8b(t.Local)
	}
	return t.UTF8
}

// JSONEscape escapes local bytes for a JSON string, without the quotes around
// it. paranoid writes everything but plain ASCII, and < and >, as \uXXXX.
func JSONEscape(s string, paranoid bool) string { return escape(UTF8b(s), paranoid) }

// JSON escapes a string of the repository for a JSON string.
func (t Text) JSON(paranoid bool) string { return escape(t.UTF8b(), paranoid) }

// escape escapes UTF-8 that may contain surrogates.
func escape(s string, paranoid bool) string {
	start := 0
	var b strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			if !paranoid {
				i++
				continue
			}
			b.WriteString(s[start:i])
			i += escapeRune(&b, s[i:])
			start = i
			continue
		}
		e := escapeASCII(c, paranoid)
		if e == "" {
			i++
			continue
		}
		b.WriteString(s[start:i])
		b.WriteString(e)
		i++
		start = i
	}
	if start == 0 {
		return s
	}
	b.WriteString(s[start:])
	return b.String()
}

// escapeASCII returns the escape of one byte, "" when it needs none.
func escapeASCII(c byte, paranoid bool) string {
	switch c {
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '\b':
		return `\b`
	case '\t':
		return `\t`
	case '\n':
		return `\n`
	case '\f':
		return `\f`
	case '\r':
		return `\r`
	}
	if c < ' ' || c == 0x7f || paranoid && (c == '<' || c == '>') {
		return fmt.Sprintf(`\u%04x`, c)
	}
	return ""
}

// escapeRune writes the character at the start of s as one or two \uXXXX and
// returns its length in s.
func escapeRune(b *strings.Builder, s string) int {
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 && isSurrogate(s) {
		r, size = rune(s[0]&0x0f)<<12|rune(s[1]&0x3f)<<6|rune(s[2]&0x3f), 3
	}
	if r > 0xffff {
		hi, lo := utf16.EncodeRune(r)
		fmt.Fprintf(b, `\u%04x\u%04x`, hi, lo)
		return size
	}
	fmt.Fprintf(b, `\u%04x`, r)
	return size
}
