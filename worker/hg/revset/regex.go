// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"fmt"
	"regexp"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match/backtrack"
)

// matcher searches strings for a regular expression of Python's re module, on
// bytes. Syntax that means the same in Go is rewritten for Go, which takes linear
// time; what else Python knows is tried by backtracking. What is wrong is left to
// the real hg, which quotes Python's reason.
type matcher struct {
	re   *regexp.Regexp
	back *backtrack.Pattern // when re is nil
	fail func(error)        // told what backtracking gave up on
}

// match tells whether the expression matches anywhere in s. Bytes above ASCII
// become the runes U+0080 to U+00FF, so that "." is one byte.
func (m *matcher) match(s string) bool {
	if m.re != nil {
		return m.re.MatchString(widen(s))
	}
	loc, err := m.back.Search(s, 0, false)
	if err != nil {
		m.fail(err)
	}
	return loc != nil
}

func widen(s string) string {
	i := 0
	for i < len(s) && s[i] < 0x80 {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:i])
	for ; i < len(s); i++ {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// Python's \s on bytes; Go's lacks \v.
const spaceClass = ` \t\n\r\f\v`

func compileRegexp(src string, fold bool, fail func(error)) (*matcher, error) {
	t := translator{src: src, fold: fold}
	if t.run() {
		out := t.out.String()
		if fold {
			out = "(?i:" + out + ")"
		}
		if re, err := regexp.Compile(out); err == nil {
			return &matcher{re: re}, nil
		}
	}
	back, err := backtrack.Compile(src)
	if err == nil && fold {
		// Flags for the whole are only good at the very beginning.
		back, err = backtrack.Compile("(?i:" + src + ")")
	}
	if err != nil {
		return nil, hgerr.NewUnsupported("regular expression %q", src)
	}
	return &matcher{back: back, fail: fail}, nil
}

// translator copies an expression item by item.
type translator struct {
	src  string
	pos  int
	fold bool
	out  strings.Builder
	// depth is how many groups are open.
	depth int
	// repeatable tells that a quantifier may follow.
	repeatable bool
	// tail is set after a "$": only the end, closing parentheses at the very
	// end, or at the top level an alternative may follow.
	tail bool
}

func (t *translator) rest() string { return t.src[t.pos:] }

func (t *translator) run() bool {
	for t.pos < len(t.src) {
		c := t.src[t.pos]
		if t.tail && !(c == '|' && t.depth == 0) && strings.Trim(t.rest(), ")") != "" {
			return false
		}
		t.tail = false
		if !t.item(c) {
			return false
		}
	}
	return t.depth == 0
}

func (t *translator) item(c byte) bool {
	switch {
	case c == '(':
		t.repeatable = false
		t.depth++
		if strings.HasPrefix(t.rest(), "(?") {
			if !strings.HasPrefix(t.rest(), "(?:") {
				return false
			}
			t.out.WriteString("(?:")
			t.pos += 3
			return true
		}
		t.out.WriteByte('(')
	case c == ')':
		if t.depth--; t.depth < 0 {
			return false
		}
		t.repeatable = true
		t.out.WriteByte(')')
	case c == '|':
		t.repeatable = false
		t.out.WriteByte('|')
	case c == '^':
		t.repeatable = false
		t.out.WriteString(`\A`)
	case c == '$':
		// The end, or before a newline at the end.
		t.repeatable = false
		t.tail = true
		t.out.WriteString(`(?:\n?\z)`)
	case strings.IndexByte("*+?{", c) >= 0:
		return t.quantifier(c)
	case c == '[':
		return t.class()
	case c == '\\':
		return t.escape()
	case c == '.':
		t.repeatable = true
		t.out.WriteByte('.')
	default:
		return t.literal(c)
	}
	t.pos++
	return true
}

func (t *translator) literal(c byte) bool {
	if c >= 0x80 && t.fold {
		return false // no case above ASCII in bytes
	}
	t.repeatable = true
	t.out.WriteString(regexp.QuoteMeta(string(rune(c))))
	t.pos++
	return true
}

func (t *translator) quantifier(c byte) bool {
	if !t.repeatable {
		return false
	}
	t.repeatable = false
	end := t.pos + 1
	if c == '{' {
		closing := strings.IndexByte(t.rest(), '}')
		if closing < 0 {
			return false
		}
		lo, hi, _ := strings.Cut(t.src[t.pos+1:t.pos+closing], ",")
		if lo == "" || strings.Trim(lo+hi, "0123456789") != "" {
			return false
		}
		end = t.pos + closing + 1
	}
	if end < len(t.src) && t.src[end] == '?' {
		end++
	}
	if end < len(t.src) && strings.IndexByte("*+?{", t.src[end]) >= 0 {
		return false // an error, or a possessive quantifier
	}
	t.out.WriteString(t.src[t.pos:end])
	t.pos = end
	return true
}

// escape copies a backslash sequence outside of classes.
func (t *translator) escape() bool {
	if t.pos+1 >= len(t.src) {
		return false
	}
	t.repeatable = true
	switch c := t.src[t.pos+1]; c {
	case 'd', 'D', 'w', 'W':
		t.out.WriteString(t.src[t.pos : t.pos+2])
	case 's':
		t.out.WriteString("[" + spaceClass + "]")
	case 'S':
		t.out.WriteString("[^" + spaceClass + "]")
	case 'b', 'A': // \B on the empty string differs between releases of Python
		t.repeatable = false
		t.out.WriteString(t.src[t.pos : t.pos+2])
	case 'Z':
		t.repeatable = false
		t.out.WriteString(`\z`)
	default:
		s, n, ok := t.char()
		if !ok {
			return false
		}
		t.out.WriteString(s)
		t.pos += n
		return true
	}
	t.pos += 2
	return true
}

// char translates an escape that stands for one character, and returns how
// long it was.
func (t *translator) char() (out string, length int, ok bool) {
	if t.pos+1 >= len(t.src) {
		return "", 0, false
	}
	switch c := t.src[t.pos+1]; {
	case strings.IndexByte("nrtfva", c) >= 0:
		return t.src[t.pos : t.pos+2], 2, true
	case c == 'x' && t.pos+4 <= len(t.src) && isHex(t.src[t.pos+2]) && isHex(t.src[t.pos+3]):
		if t.fold && t.src[t.pos+2] >= '8' {
			return "", 0, false
		}
		return `\x{` + t.src[t.pos+2:t.pos+4] + `}`, 4, true
	case c < 0x80 && c > ' ' && !isWord(c):
		return `\` + string(rune(c)), 2, true
	case c == ' ':
		return " ", 2, true
	}
	return "", 0, false
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// class copies a bracketed class.
func (t *translator) class() bool {
	t.repeatable = true
	t.out.WriteByte('[')
	t.pos++
	if strings.HasPrefix(t.rest(), "^") {
		t.out.WriteByte('^')
		t.pos++
	}
	for first := true; t.pos < len(t.src); first = false {
		c := t.src[t.pos]
		switch {
		case c == ']' && !first:
			t.out.WriteByte(']')
			t.pos++
			return true
		case c == '\\':
			if t.pos+1 >= len(t.src) {
				return false
			}
			switch e := t.src[t.pos+1]; e {
			case 'd', 'D', 'w', 'W':
				t.out.WriteString(t.src[t.pos : t.pos+2])
				t.pos += 2
			case 's':
				t.out.WriteString(spaceClass)
				t.pos += 2
			default:
				s, n, ok := t.char()
				if !ok {
					return false
				}
				t.out.WriteString(s)
				t.pos += n
			}
		case c == '[' || c == ']' || strings.IndexByte("&~|", c) >= 0:
			// literal here, but special to one of the two
			fmt.Fprintf(&t.out, `\x{%02x}`, c)
			t.pos++
		case c >= 0x80 && t.fold:
			return false
		default:
			t.out.WriteRune(rune(c))
			t.pos++
		}
	}
	return false
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
