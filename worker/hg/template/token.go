// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"strings"

	"hgbroker/worker/hg/config/python"
)

// maxDepth bounds how deep expressions and quoted templates nest. Python gives
// up a little below a thousand frames; what lies between goes to the real hg.
const maxDepth = 60

// token is one lexical element of an expression. typ is the operator itself, or
// "integer", "symbol", "string" (s is its text), "template" (parts) or "end".
type token struct {
	typ   string
	s     string
	parts []*tree
	pos   int
}

// lexer produces the tokens of one expression, in text[pos:end]. With term set
// the expression ends at that byte, which becomes the "end" token.
type lexer struct {
	text  string
	start int
	pos   int
	end   int
	term  byte
	depth int
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// next returns the next token. After "end" it must not be called again.
func (l *lexer) next() (token, error) {
	for l.pos < l.end && isSpace(l.text[l.pos]) {
		l.pos++
	}
	if l.pos >= l.end {
		if l.term != 0 {
			return token{}, parseErrorAt(l.start, "unterminated template expansion")
		}
		// hg's counter can run past the end, after r'..\ at the end of the text.
		return token{typ: "end", pos: l.pos}, nil
	}
	c := l.text[l.pos]
	rest := l.text[l.pos:min(l.pos+3, len(l.text))]
	switch {
	case strings.IndexByte("(=,).%|+-*/", c) >= 0:
		l.pos++
		return token{typ: string(c), pos: l.pos - 1}, nil
	case c == '"' || c == '\'':
		start := l.pos + 1
		parts, pos, err := scanTemplate(l.text, start, l.end, c, l.depth+1)
		if err != nil {
			return token{}, err
		}
		l.pos = pos
		return token{typ: "template", parts: parts, pos: start}, nil
	case strings.HasPrefix(rest, "r'") || strings.HasPrefix(rest, `r"`):
		return l.rawString(rest[1])
	case isDigit(c):
		start := l.pos
		for l.pos < l.end && isDigit(l.text[l.pos]) {
			l.pos++
		}
		return token{typ: "integer", s: l.text[start:l.pos], pos: start}, nil
	case strings.HasPrefix(rest, `\'`) || strings.HasPrefix(rest, `\"`):
		return l.escapedString("template", rest[:2])
	case strings.HasPrefix(rest, `r\'`) || strings.HasPrefix(rest, `r\"`):
		l.pos++
		return l.escapedString("string", rest[1:3])
	case isAlnum(c) || c == '_':
		start := l.pos
		for l.pos < l.end && (isAlnum(l.text[l.pos]) || l.text[l.pos] == '_') {
			l.pos++
		}
		return token{typ: "symbol", s: l.text[start:l.pos], pos: start}, nil
	case l.term != 0 && c == l.term:
		return token{typ: "end", pos: l.pos}, nil
	}
	return token{}, parseErrorAt(l.pos, "syntax error")
}

// rawString reads r'...': a backslash keeps the byte after it from ending the
// string, and both stay in it.
func (l *lexer) rawString(quote byte) (token, error) {
	start := l.pos + 2
	for p := start; p < l.end; p++ {
		switch l.text[p] {
		case '\\':
			p++
		case quote:
			l.pos = p + 1
			return token{typ: "string", s: l.text[start:p], pos: start}, nil
		}
	}
	return token{}, parseErrorAt(start, "unterminated string")
}

// escapedString reads \"...\", which templates of hg 2.9 to 3.4 needed inside a
// quoted template and which is still understood (issue4733): the text between
// the escaped quotes is unescaped first, as if it were part of an outer string.
func (l *lexer) escapedString(typ, quote string) (token, error) {
	start := l.pos + 2
	for p := start; p < l.end; {
		if strings.HasPrefix(l.text[p:l.end], `\\\`) {
			p += 4
			continue
		}
		if strings.HasPrefix(l.text[p:l.end], quote) {
			data, err := unescape(l.text[start:p])
			if err != nil {
				return token{}, err
			}
			l.pos = p + 2
			t := token{typ: typ, s: data, pos: start}
			if typ == "template" {
				t.s = ""
				t.parts, _, err = scanTemplate(data, 0, len(data), 0, l.depth+1)
				if err != nil {
					return token{}, err
				}
			}
			return t, nil
		}
		p++
	}
	return token{}, parseErrorAt(start, "unterminated string")
}

// scanTemplate cuts text[start:stop] into literal strings and the expressions
// between braces. With a quote, it ends behind the closing one; the position
// after what was read is returned.
func scanTemplate(text string, start, stop int, quote byte, depth int) (parts []*tree, pos int, err error) {
	parts, pos, err = scanParts(text, start, stop, quote, depth)
	if err != nil {
		return nil, 0, pointAt(err, text)
	}
	return parts, pos, nil
}

func scanParts(text string, start, stop int, quote byte, depth int) ([]*tree, int, error) {
	if depth > maxDepth {
		return nil, 0, errTooDeep
	}
	var parts []*tree
	add := func(raw, tail string) error {
		s, err := unescape(raw)
		if err != nil {
			return err
		}
		parts = append(parts, &tree{op: "string", s: s + tail})
		return nil
	}
	pos := start
	for pos < stop {
		n := pos
		for n < stop && text[n] != '{' && (quote == 0 || text[n] != quote) {
			n++
		}
		if n == stop {
			if err := add(text[pos:stop], ""); err != nil {
				return nil, 0, err
			}
			pos = stop
			break
		}
		backslashes := 0
		for n-backslashes > pos && text[n-backslashes-1] == '\\' {
			backslashes++
		}
		if backslashes%2 == 1 {
			if err := add(text[pos:n-1], text[n:n+1]); err != nil {
				return nil, 0, err
			}
			pos = n + 1
			continue
		}
		if n > pos {
			if err := add(text[pos:n], ""); err != nil {
				return nil, 0, err
			}
		}
		if quote != 0 && text[n] == quote {
			return parts, n + 1, nil
		}
		expr, end, err := parseTokens(&lexer{text: text, start: n + 1, pos: n + 1, end: stop, term: '}', depth: depth})
		if err != nil {
			return nil, 0, err
		}
		if end >= len(text) || text[end] != '}' {
			return nil, 0, parseErrorAt(end, "invalid token")
		}
		parts = append(parts, expr)
		pos = end + 1
	}
	if quote != 0 {
		return nil, 0, parseErrorAt(start, "unterminated string")
	}
	return parts, pos, nil
}

// unescape is Python's, with a ParseError.
func unescape(s string) (string, error) {
	text, err := python.Unescape(s)
	if err != nil {
		return "", parseErrorf("%s", err)
	}
	return text, nil
}
