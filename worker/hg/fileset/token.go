// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"strings"

	"hgbroker/worker/hg/language"
)

// token is a piece of an expression. kind is "symbol", "string", "end" or the
// operator itself; pos is where it starts in bytes (of a string: after the
// quote).
type token struct {
	kind  string
	value string
	pos   int
}

// tokenizer yields tokens one at a time: an error later in the text must not
// hide one that the parser finds earlier.
type tokenizer struct {
	src  string
	pos  int
	done bool
}

// inSymbol tells whether a byte belongs to a name; every such byte may be its
// first, too. Unlike in revsets "-", "@" and ":" do not.
func inSymbol(c byte) bool {
	return c >= 0x80 || strings.IndexByte(`.*{}[]?/\_`, c) >= 0 ||
		c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// next returns the next token; after "end" it returns tokens of no kind.
func (z *tokenizer) next() (token, error) {
	for z.pos < len(z.src) && strings.IndexByte(language.Space, z.src[z.pos]) >= 0 {
		z.pos++
	}
	if z.pos >= len(z.src) {
		if z.done {
			return token{}, nil
		}
		z.done = true
		return token{"end", "", z.pos}, nil
	}
	start, rest := z.pos, z.src[z.pos:]
	switch c := rest[0]; {
	case strings.IndexByte("(),-:|&+!", c) >= 0:
		z.pos++
		return token{rest[:1], "", start}, nil
	case c == '"' || c == '\'':
		return z.quoted(start+1, c, false)
	case strings.HasPrefix(rest, "r'"), strings.HasPrefix(rest, `r"`):
		return z.quoted(start+2, rest[1], true)
	case inSymbol(c):
		for z.pos < len(z.src) && inSymbol(z.src[z.pos]) {
			z.pos++
		}
		word := z.src[start:z.pos]
		if word == "and" || word == "or" || word == "not" {
			return token{word, "", start}, nil
		}
		return token{"symbol", word, start}, nil
	}
	return token{}, parseErrorAt(start, "syntax error")
}

func (z *tokenizer) quoted(start int, quote byte, raw bool) (token, error) {
	for i := start; i < len(z.src); i++ {
		switch z.src[i] {
		case '\\':
			i++
		case quote:
			z.pos = i + 1
			s := z.src[start:i]
			if !raw {
				var err error
				if s, err = language.Unescape(s); err != nil {
					return token{}, parseErrorf("%s", err)
				}
			}
			return token{"string", s, start}, nil
		}
	}
	return token{}, parseErrorAt(start, "unterminated string")
}
