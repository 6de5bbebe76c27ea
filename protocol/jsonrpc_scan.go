// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/json"
	"iter"
	"strings"
	"unicode/utf8"
)

// validJSON reports whether b is one JSON value in UTF-8. encoding/json bounds
// the nesting.
func validJSON(b []byte) bool { return utf8.Valid(b) && json.Valid(b) }

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
			var name string
			if json.Unmarshal(obj[i:end], &name) != nil {
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

func skipBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the end of the value that starts at b[i]. It needs no
// memory for nesting: in valid JSON, brackets outside of strings match.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch c := b[i]; c {
		case '"':
			i++
			for i < len(b) && b[i] != '"' {
				if b[i] == '\\' {
					i++
				}
				i++
			}
			i = min(i+1, len(b))
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
