// SPDX-License-Identifier: GPL-2.0-or-later

package python

import "errors"

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
