// SPDX-License-Identifier: GPL-2.0-or-later

package encoding

import (
	"math/bits"
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

// AppendJSON appends local bytes as they stand in a JSON string, without the
// quotes around it. paranoid writes everything but plain ASCII, and < and >, as
// \uXXXX.
func AppendJSON(dst []byte, s string, paranoid bool) []byte {
	return appendEscaped(dst, UTF8b(s), paranoid)
}

// JSON escapes a string of the repository for a JSON string.
func (t Text) JSON(paranoid bool) string { return string(appendEscaped(nil, t.UTF8b(), paranoid)) }

// What of a byte must be escaped.
const (
	escapeAlways = 1 + iota
	escapeParanoid
)

// escaped tells for each byte whether it must be escaped.
var escaped = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c < ' ' || c == 0x7f || c == '"' || c == '\\':
			t[c] = escapeAlways
		case c >= utf8.RuneSelf || c == '<' || c == '>':
			t[c] = escapeParanoid
		}
	}
	return t
}()

// AppendJSONText is AppendJSON for valid UTF-8, not paranoid.
func AppendJSONText[T ~string | ~[]byte](dst []byte, s T) []byte {
	for i := 0; ; i++ {
		end := nextEscape(s, i)
		if dst = append(dst, s[i:end]...); end == len(s) {
			return dst
		}
		dst = appendEscape(dst, s[end])
		i = end
	}
}

// nextEscape is where the next byte stands, from i on, that must always be escaped;
// the length of s without one. It looks at eight bytes at a time.
func nextEscape[T ~string | ~[]byte](s T, i int) int {
	const each = 0x0101010101010101
	// is has the high bit of the lowest byte that is c, and of none below.
	is := func(x, c uint64) uint64 { x ^= c * each; return (x - each) &^ x }
	for ; i+8 <= len(s); i += 8 {
		word := s[i : i+8] // the compiler makes one load of it
		x := uint64(word[0]) | uint64(word[1])<<8 | uint64(word[2])<<16 | uint64(word[3])<<24 |
			uint64(word[4])<<32 | uint64(word[5])<<40 | uint64(word[6])<<48 | uint64(word[7])<<56
		found := (x-' '*each)&^x | is(x, '"') | is(x, '\\') | is(x, 0x7f)
		if found &= 0x80 * each; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(s); i++ {
		if escaped[s[i]] == escapeAlways {
			break
		}
	}
	return i
}

// appendEscaped escapes UTF-8 that may contain surrogates.
func appendEscaped(dst []byte, s string, paranoid bool) []byte {
	if !paranoid {
		return AppendJSONText(dst, s)
	}
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if escaped[c] == 0 {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		if c < utf8.RuneSelf {
			dst = appendEscape(dst, c)
			i++
		} else {
			var size int
			dst, size = appendRune(dst, s[i:])
			i += size
		}
		start = i
	}
	return append(dst, s[start:]...)
}

// appendEscape appends the escape of one byte of ASCII.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\t':
		return append(dst, `\t`...)
	case '\n':
		return append(dst, `\n`...)
	case '\f':
		return append(dst, `\f`...)
	case '\r':
		return append(dst, `\r`...)
	}
	return appendUnit(dst, rune(c))
}

// appendUnit appends \uXXXX.
func appendUnit(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// appendRune appends the character at the start of s as one or two \uXXXX and
// returns its length in s.
func appendRune(dst []byte, s string) ([]byte, int) {
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 && isSurrogate(s) {
		r, size = rune(s[0]&0x0f)<<12|rune(s[1]&0x3f)<<6|rune(s[2]&0x3f), 3
	}
	if r > 0xffff {
		hi, lo := utf16.EncodeRune(r)
		return appendUnit(appendUnit(dst, hi), lo), size
	}
	return appendUnit(dst, r), size
}
