// SPDX-License-Identifier: GPL-2.0-or-later

package encoding

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// codec is one of Python's codecs as far as hg uses it.
type codec interface {
	// decode converts to UTF-8; in Strict mode the error is a *decodeError.
	decode(s string, mode Mode) (string, error)
	// encodeReplace converts from valid UTF-8, with "?" for what is missing.
	encodeReplace(s string) string
	// encode converts from valid UTF-8 and reports false for what is missing.
	encode(s string) (string, bool)
}

// decodeError is Python's UnicodeDecodeError.
type decodeError struct {
	codec      string
	text       string
	start, end int
	reason     string
}

func (e *decodeError) Error() string {
	if e.end == e.start+1 {
		return fmt.Sprintf("'%s' codec can't decode byte 0x%02x in position %d: %s", e.codec, e.text[e.start], e.start, e.reason)
	}
	return fmt.Sprintf("'%s' codec can't decode bytes in position %d-%d: %s", e.codec, e.start, e.end-1, e.reason)
}

// utf8Codec is "utf-8".
type utf8Codec struct{}

func (utf8Codec) encodeReplace(s string) string  { return s }
func (utf8Codec) encode(s string) (string, bool) { return s, true }

func (utf8Codec) decode(s string, mode Mode) (string, error) {
	if utf8.ValidString(s) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r != utf8.RuneError || size > 1 {
			b.WriteString(s[i : i+size])
			i += size
			continue
		}
		size, reason := badUTF8(s[i:])
		switch mode {
		case Strict:
			return "", &decodeError{"utf-8", s, i, i + size, reason}
		case Replace:
			b.WriteRune(utf8.RuneError)
		}
		i += size
	}
	return b.String(), nil
}

// badUTF8 measures the bytes at the start of s that Python takes for one
// error: the longest beginning of some character, or one byte.
func badUTF8(s string) (size int, reason string) {
	c := s[0]
	var need int
	lo, hi := byte(0x80), byte(0xbf) // bounds of the second byte
	switch {
	case c >= 0xc2 && c <= 0xdf:
		need = 2
	case c >= 0xe0 && c <= 0xef:
		need = 3
		if c == 0xe0 {
			lo = 0xa0
		} else if c == 0xed {
			hi = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		need = 4
		if c == 0xf0 {
			lo = 0x90
		} else if c == 0xf4 {
			hi = 0x8f
		}
	default:
		return 1, "invalid start byte"
	}
	for size = 1; size < need; size++ {
		if size == len(s) {
			return size, "unexpected end of data"
		}
		if s[size] < lo || s[size] > hi {
			return size, "invalid continuation byte"
		}
		lo, hi = 0x80, 0xbf
	}
	return size, "invalid continuation byte" // not reached: s[:need] is valid
}

// tableCodec is a codec of one byte a character.
type tableCodec struct {
	name   string // as Python's errors call it
	reason string
	toRune func(b byte) rune // -1 for bytes that stand for nothing

	made  sync.Once // the tables
	runes [256]rune // toRune's
	bytes map[rune]byte
}

// tables makes the tables, when they are first needed.
func (t *tableCodec) tables() {
	t.made.Do(func() {
		t.bytes = map[rune]byte{}
		for i := range 256 {
			r := t.toRune(byte(i))
			t.runes[i] = r
			if r >= 0 {
				t.bytes[r] = byte(i)
			}
		}
	})
}

func (t *tableCodec) decode(s string, mode Mode) (string, error) {
	t.tables()
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if r := t.runes[s[i]]; r >= 0 {
			b.WriteRune(r)
			continue
		}
		switch mode {
		case Strict:
			return "", &decodeError{t.name, s, i, i + 1, t.reason}
		case Replace:
			b.WriteRune(utf8.RuneError)
		}
	}
	return b.String(), nil
}

func (t *tableCodec) encodeReplace(s string) string {
	t.tables()
	b := make([]byte, 0, len(s))
	for _, r := range s {
		c, ok := t.bytes[r]
		if !ok {
			c = '?'
		}
		b = append(b, c)
	}
	return string(b)
}

func (t *tableCodec) encode(s string) (string, bool) {
	t.tables()
	b := make([]byte, 0, len(s))
	for _, r := range s {
		c, ok := t.bytes[r]
		if !ok {
			return "", false
		}
		b = append(b, c)
	}
	return string(b), true
}
