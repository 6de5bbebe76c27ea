// SPDX-License-Identifier: GPL-2.0-or-later

package python

import (
	"errors"
	"fmt"
	"strings"
)

const hexDigits = "0123456789abcdef"

// AppendEscaped appends s as codecs.escape_encode() writes bytes: backslashes,
// single quotes and all that is not printable ASCII become escapes.
func AppendEscaped(b []byte, s string) []byte { return appendEscaped(b, s, '\'') }

// Escape is s as codecs.escape_encode() writes it.
func Escape(s string) string { return string(AppendEscaped(nil, s)) }

func appendEscaped(b []byte, s string, quote byte) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote || c == '\\':
			b = append(b, '\\', c)
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c < ' ' || c >= 0x7f:
			b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}

// Repr prints s as hg's messages print a byte string: Python's repr() of bytes
// without the leading b.
func Repr(s string) string {
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	b := append(make([]byte, 0, len(s)+2), quote)
	return string(append(appendEscaped(b, s, quote), quote))
}

// ErrTrailingBackslash is Unescape's error for a text that ends in a lone
// backslash, in Python's words.
var ErrTrailingBackslash = errors.New(`trailing \ in string`)

// Unescape decodes backslash escapes as codecs.escape_decode() does: \n and
// \t and their like, up to three octal digits, \x with two digits. A backslash
// at the end of a line joins lines, and an unknown escape stays as it is. The
// errors have Python's words, as hg prints them.
func Unescape(s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		if i++; i == len(s) {
			return "", ErrTrailingBackslash
		}
		switch c := s[i]; c {
		case '\n':
		case '\\', '\'', '"':
			b = append(b, c)
		case 'a':
			b = append(b, '\a')
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'v':
			b = append(b, '\v')
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v, end := 0, min(i+3, len(s))
			for ; i < end && s[i] >= '0' && s[i] <= '7'; i++ {
				v = v*8 + int(s[i]-'0')
			}
			i--
			b = append(b, byte(v))
		case 'x':
			high, low := -1, -1
			if i+2 < len(s) {
				high, low = hexValue(s[i+1]), hexValue(s[i+2])
			}
			if high < 0 || low < 0 {
				return "", fmt.Errorf(`invalid \x escape at position %d`, i-1)
			}
			b = append(b, byte(high<<4|low))
			i += 2
		default:
			b = append(b, '\\', c)
		}
	}
	return string(b), nil
}

// hexValue is the value of a hexadecimal digit, -1 of any other byte.
func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
