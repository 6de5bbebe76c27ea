// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"encoding/json"
	"iter"
	"strings"
	"unicode/utf8"
)

// validJSON reports whether b is one JSON value in UTF-8. encoding/json bounds
// the nesting.
func validJSON(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	if len(b) >= condenseFrom {
		b = condensed(b)
	}
	return json.Valid(b)
}

// condenseFrom is from which size on a value is condensed before it is judged:
// the judge looks at one byte at a time.
const condenseFrom = 4 << 10

// condensed is b without what stands for itself in its strings, and so valid JSON
// if and only if b is: strings begin and end where they do in b, and what may be
// wrong in them and all that is outside of strings is kept.
func condensed(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		quote := bytes.IndexByte(b, '"')
		if quote < 0 {
			break
		}
		out = append(out, b[:quote+1]...)
		b = b[quote+1:]
		for len(b) > 0 {
			b = b[plainRun(b):]
			if len(b) == 0 {
				return out // a string without an end
			}
			c := b[0]
			if c == '\\' && len(b) > 1 && shortEscapes[b[1]] != 0 {
				b = b[2:]
				continue
			}
			out, b = append(out, c), b[1:]
			if c == '"' {
				break
			}
			if c != '\\' || len(b) == 0 {
				continue
			}
			c = b[0]
			out, b = append(out, c), b[1:]
			for k := 0; c == 'u' && k < 4 && len(b) > 0 && isHex(b[0]); k++ {
				out, b = append(out, b[0]), b[1:]
			}
		}
	}
	return append(out, b...)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// validUTF8 is s with what is not UTF-8 written out, for messages to humans.
func validUTF8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// members walks the top level of a JSON object that is known to be valid, and
// yields each name, decoded, and each value, raw and without blanks around it.
func members(obj []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		i := skipBlank(obj, 0)
		if i >= len(obj) || obj[i] != '{' {
			return
		}
		i = skipBlank(obj, i+1)
		for i < len(obj) && obj[i] == '"' {
			end := skipValue(obj, i)
			name, ok := decodeString(obj[i:end])
			if !ok {
				return
			}
			i = skipBlank(obj, end)
			if i >= len(obj) || obj[i] != ':' {
				return
			}
			i = skipBlank(obj, i+1)
			end = skipValue(obj, i)
			if end == i || !yield(name, obj[i:end:end]) {
				return
			}
			i = skipBlank(obj, end)
			if i >= len(obj) || obj[i] != ',' {
				return
			}
			i = skipBlank(obj, i+1)
		}
	}
}

// elements walks a JSON array that is known to be valid, and yields each value,
// raw and without blanks around it.
func elements(arr []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := skipBlank(arr, 0)
		if i >= len(arr) || arr[i] != '[' {
			return
		}
		i = skipBlank(arr, i+1)
		for i < len(arr) && arr[i] != ']' {
			end := skipValue(arr, i)
			if end == i || !yield(arr[i:end:end]) {
				return
			}
			i = skipBlank(arr, end)
			if i >= len(arr) || arr[i] != ',' {
				return
			}
			i = skipBlank(arr, i+1)
		}
	}
}

// plainString is the value of a string literal, known to be valid JSON, that has
// no escapes in it.
func plainString(lit []byte) (string, bool) {
	if len(lit) < 2 || lit[0] != '"' || bytes.IndexByte(lit, '\\') >= 0 {
		return "", false
	}
	return string(lit[1 : len(lit)-1]), true
}

// decodeString is the value of a string literal that is known to be valid JSON.
func decodeString(lit []byte) (string, bool) {
	if s, ok := plainString(lit); ok {
		return s, true
	}
	var s string
	if len(lit) == 0 || lit[0] != '"' || json.Unmarshal(lit, &s) != nil {
		return "", false
	}
	return s, true
}

func skipBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// stringEnd returns the end of the string whose first quote is before b[i].
func stringEnd(b []byte, i int) int {
	for {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b)
		}
		escapes := 0
		for k := i + n - 1; k >= i && b[k] == '\\'; k-- {
			escapes++
		}
		i += n + 1
		if escapes%2 == 0 {
			return i
		}
	}
}

// skipValue returns the end of the value that starts at b[i]. It needs no
// memory for nesting: in valid JSON, brackets outside of strings match.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch c := b[i]; c {
		case '"':
			i = stringEnd(b, i+1)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
			if depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r', ':':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}
