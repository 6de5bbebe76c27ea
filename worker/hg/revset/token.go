// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/language"
)

// IsSymbol tells whether a string resolves to one revision, so that a name
// with operator characters in it can stand without quotes.
type IsSymbol func(symbol string) (bool, error)

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
	src    string
	pos    int
	lookup IsSymbol
	dollar bool // "$" starts symbols, as in aliases
	queue  []token
	done   bool
}

func newTokenizer(src string, lookup IsSymbol, dollar bool) *tokenizer {
	return &tokenizer{src: src, lookup: lookup, dollar: dollar}
}

// wholeName tries to read the text as "name", "name:name", ":name" or "name:"
// where the names may contain any character.
func (z *tokenizer) wholeName() (bool, error) {
	if z.src == "" || z.lookup == nil {
		return false, nil
	}
	left, right, ranged := strings.Cut(z.src, ":")
	for _, sym := range []string{left, right} {
		if sym == "" {
			continue
		}
		if ok, err := z.lookup(sym); !ok || err != nil {
			return false, err
		}
	}
	if left != "" {
		z.queue = append(z.queue, token{"symbol", left, 0})
	}
	if ranged {
		z.queue = append(z.queue, token{":", "", len(left)})
		if right != "" {
			z.queue = append(z.queue, token{"symbol", right, len(left) + 1})
		}
	}
	z.pos = len(z.src)
	return true, nil
}

func (z *tokenizer) startsSymbol(c byte) bool {
	return c >= 0x80 || c == '.' || c == '_' || c == '@' || z.dollar && c == '$' ||
		c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func inSymbol(c byte) bool {
	return c >= 0x80 || strings.IndexByte("._@-/", c) >= 0 ||
		c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// next returns the next token; after "end" it returns tokens of no kind.
func (z *tokenizer) next() (token, error) {
	for {
		if len(z.queue) > 0 {
			t := z.queue[0]
			z.queue = z.queue[1:]
			return t, nil
		}
		if z.pos >= len(z.src) {
			if z.done {
				return token{}, nil
			}
			z.done = true
			return token{"end", "", z.pos}, nil
		}
		if err := z.scan(); err != nil {
			return token{}, err
		}
	}
}

// scan reads one token, a hyphenated word, or a space.
func (z *tokenizer) scan() error {
	c := z.src[z.pos]
	rest := z.src[z.pos:]
	emit := func(kind string) {
		z.queue = append(z.queue, token{kind, "", z.pos})
		z.pos += len(kind)
	}
	switch {
	case strings.IndexByte(python.Space, c) >= 0:
		z.pos++
	case strings.HasPrefix(rest, "::"), strings.HasPrefix(rest, ".."), strings.HasPrefix(rest, "##"):
		emit(rest[:2])
	case strings.IndexByte("()[]#:=,-|&+!~^%", c) >= 0:
		emit(rest[:1])
	case c == '"' || c == '\'':
		return z.quoted(z.pos+1, c, false)
	case strings.HasPrefix(rest, "r'"), strings.HasPrefix(rest, `r"`):
		return z.quoted(z.pos+2, rest[1], true)
	case z.startsSymbol(c):
		return z.word()
	default:
		return parseErrorAt(z.pos, "syntax error in revset '%s'", z.src)
	}
	return nil
}

func (z *tokenizer) quoted(start int, quote byte, raw bool) error {
	for i := start; i < len(z.src); i++ {
		switch z.src[i] {
		case '\\':
			i++
		case quote:
			s := z.src[start:i]
			if !raw {
				var err error
				if s, err = language.Unescape(s); err != nil {
					return parseErrorf("%s", err)
				}
			}
			z.queue = append(z.queue, token{"string", s, start})
			z.pos = i + 1
			return nil
		}
	}
	return parseErrorAt(start, "unterminated string")
}

// word reads a symbol or keyword. One with hyphens is a symbol if it resolves,
// and otherwise differences.
func (z *tokenizer) word() error {
	start, end := z.pos, z.pos+1
	for end < len(z.src) && inSymbol(z.src[end]) {
		if z.src[end] == '.' && z.src[end-1] == '.' {
			end-- // the range operator ends a symbol
			break
		}
		end++
	}
	sym := z.src[start:end]
	z.pos = end
	switch {
	case sym == "and" || sym == "or" || sym == "not":
		z.queue = append(z.queue, token{sym, "", start})
		return nil
	case !strings.Contains(sym, "-"):
		z.queue = append(z.queue, token{"symbol", sym, start})
		return nil
	}
	if z.lookup != nil {
		ok, err := z.lookup(sym)
		if err != nil {
			return err
		}
		if ok {
			z.queue = append(z.queue, token{"symbol", sym, start})
			return nil
		}
	}
	for i, part := range strings.Split(sym, "-") {
		if i > 0 {
			z.queue = append(z.queue, token{"-", "", start})
			start++
		}
		if part != "" {
			z.queue = append(z.queue, token{"symbol", part, start})
		}
		start += len(part)
	}
	return nil
}
