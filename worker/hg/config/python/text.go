// SPDX-License-Identifier: GPL-2.0-or-later

package python

import (
	"errors"
	"strings"
)

const hexDigits = "0123456789abcdef"

// Repr prints s as hg's messages print a byte string: Python's repr() of bytes
// without the leading b.
func Repr(s string) string {
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	b := make([]byte, 0, len(s)+2)
	b = append(b, quote)
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
	return string(append(b, quote))
}

// Errors of Split, in the words of Python's shlex.
var (
	ErrNoClosingQuotation = errors.New("No closing quotation") //lint:ignore ST1005 Python's words
	ErrNoEscapedCharacter = errors.New("No escaped character") //lint:ignore ST1005 Python's words
)

// Split cuts a line into words as shlex.split(line) does, which is how hg cuts
// aliases and [defaults]: white space separates, both kinds of quotes group, a
// backslash escapes outside quotes and, before a double quote or another
// backslash, inside double quotes. There are no comments.
func Split(line string) ([]string, error) {
	const (
		between = iota
		inWord
		inSingle
		inDouble
	)
	var (
		words []string
		word  []byte
		state = between
	)
	end := func() {
		words = append(words, string(word))
		word, state = word[:0], between
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch state {
		case between, inWord:
			switch {
			case c == ' ' || c == '\t' || c == '\r' || c == '\n':
				if state == inWord {
					end()
				}
			case c == '\'':
				state = inSingle
			case c == '"':
				state = inDouble
			case c == '\\':
				if i++; i == len(line) {
					return nil, ErrNoEscapedCharacter
				}
				word, state = append(word, line[i]), inWord
			default:
				word, state = append(word, c), inWord
			}
		case inSingle:
			if c == '\'' {
				state = inWord
			} else {
				word = append(word, c)
			}
		case inDouble:
			switch {
			case c == '"':
				state = inWord
			case c == '\\':
				if i++; i == len(line) {
					return nil, ErrNoEscapedCharacter
				}
				if line[i] != '"' && line[i] != '\\' {
					word = append(word, '\\')
				}
				word = append(word, line[i])
			default:
				word = append(word, c)
			}
		}
	}
	switch state {
	case inSingle, inDouble:
		return nil, ErrNoClosingQuotation
	case inWord:
		end()
	}
	return words, nil
}
