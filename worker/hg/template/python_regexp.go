// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

// pythonRegexp is a regular expression that means the same to Go as to Python's
// re on bytes. Patterns outside the part that both share are Unsupported.
//
// Python matches bytes and Go matches UTF-8, so both pattern and text are seen
// as Latin-1: one character a byte.
type pythonRegexp struct {
	re     *regexp.Regexp
	groups int
	names  []string // of each group, empty for unnamed ones; index 0 is the whole
	// tail is set when the pattern ends in '$', which Python also lets match
	// before a last line end: the last group then holds that line end.
	tail bool
}

func latin1(s string) string {
	if isASCII(s) {
		return s
	}
	r := make([]rune, len(s))
	for i := 0; i < len(s); i++ {
		r[i] = rune(s[i])
	}
	return string(r)
}

func fromLatin1(s string) string {
	if isASCII(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

func unsupportedPattern(pattern string) error {
	return hgerr.NewUnsupported("template pattern %s", python.Repr(pattern))
}

func compilePython(pattern string) (*pythonRegexp, error) {
	text, tail, ok := translate(pattern)
	if !ok {
		return nil, unsupportedPattern(pattern)
	}
	re, err := regexp.Compile(latin1(text))
	if err != nil {
		return nil, unsupportedPattern(pattern)
	}
	p := &pythonRegexp{re: re, groups: re.NumSubexp(), names: re.SubexpNames(), tail: tail}
	if tail {
		p.groups--
		p.names = p.names[:len(p.names)-1]
	}
	return p, nil
}

// translate checks that a pattern uses only what both engines understand alike,
// and rewrites the few things that they spell differently.
func translate(pattern string) (text string, tail, ok bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch c {
		case '\\':
			i++
			if i == len(pattern) {
				return "", false, false
			}
			t, ok := translateEscape(pattern[i], false)
			if !ok {
				return "", false, false
			}
			b.WriteString(t)
		case '[':
			t, n, ok := translateClass(pattern[i:])
			if !ok {
				return "", false, false
			}
			b.WriteString(t)
			i += n - 1
		case '$':
			if i != len(pattern)-1 {
				return "", false, false
			}
			b.WriteString(`(\n?)\z`)
			tail = true
		case '(':
			b.WriteByte(c)
			if strings.HasPrefix(pattern[i+1:], "?") {
				rest := pattern[i+2:]
				if !strings.HasPrefix(rest, ":") && !strings.HasPrefix(rest, "P<") {
					return "", false, false
				}
			}
		case '*', '+', '?', '}':
			b.WriteByte(c)
			if strings.HasPrefix(pattern[i+1:], "+") {
				return "", false, false // possessive in newer Python
			}
		case '{':
			j := i + 1
			for j < len(pattern) && (isDigit(pattern[j]) || pattern[j] == ',') {
				j++
			}
			if j == len(pattern) || pattern[j] != '}' || j == i+1 || !isDigit(pattern[i+1]) {
				return "", false, false
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), tail, true
}

func translateEscape(c byte, class bool) (string, bool) {
	switch c {
	case 'd', 'D', 'w', 'W', 'n', 't', 'r', 'f', 'v':
		return `\` + string(c), true
	case 'b', 'B', 'A':
		return `\` + string(c), !class
	case 'Z':
		return `\z`, !class
	case 's':
		if class {
			return `\t-\r `, true
		}
		return `[\t-\r ]`, true
	case 'S':
		return `[^\t-\r ]`, !class
	}
	if c >= 0x80 || isAlnum(c) {
		return "", false
	}
	return `\` + string(c), true
}

func translateClass(pattern string) (text string, n int, ok bool) {
	var b strings.Builder
	b.WriteByte('[')
	i := 1
	if strings.HasPrefix(pattern[i:], "^") {
		b.WriteByte('^')
		i++
	}
	for first := true; i < len(pattern); first = false {
		c := pattern[i]
		i++
		switch {
		case c == ']' && !first:
			return b.String() + "]", i, true
		case c == '[' || c == '&' || c == '~' || c == '|':
			b.WriteString(`\` + string(c))
		case c == ']':
			b.WriteString(`\]`)
		case c == '\\':
			if i == len(pattern) {
				return "", 0, false
			}
			t, ok := translateEscape(pattern[i], true)
			if !ok {
				return "", 0, false
			}
			b.WriteString(t)
			i++
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, false
}

// matchesEmpty tells whether some match may be empty.
func (p *pythonRegexp) matchesEmpty() bool {
	re, err := syntax.Parse(p.re.String(), syntax.Perl)
	return err != nil || minLength(re) == 0
}

func minLength(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return minLength(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min * minLength(re.Sub[0])
	case syntax.OpConcat:
		n := 0
		for _, sub := range re.Sub {
			n += minLength(sub)
		}
		return n
	case syntax.OpAlternate:
		n := minLength(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			n = min(n, minLength(sub))
		}
		return n
	}
	return 0
}

// group is one group of a match; ok is false where it took no part.
type group struct {
	text string
	ok   bool
}

func (p *pythonRegexp) match(subject string, loc []int) []group {
	out := make([]group, p.groups+1)
	for i := range out {
		if loc[2*i] >= 0 {
			out[i] = group{fromLatin1(subject[loc[2*i]:loc[2*i+1]]), true}
		}
	}
	return out
}

// trim takes the line end that '$' let in out of a match.
func (p *pythonRegexp) trim(loc []int) []int {
	if p.tail && loc[len(loc)-2] >= 0 {
		loc[1] = loc[len(loc)-2]
	}
	return loc
}

// search finds the first match, nil if there is none.
func (p *pythonRegexp) search(text string) []group {
	subject := latin1(text)
	loc := p.re.FindStringSubmatchIndex(subject)
	if loc == nil {
		return nil
	}
	return p.match(subject, p.trim(loc))
}

// sub replaces every match; the pattern must not match nothing.
func (p *pythonRegexp) sub(text string, replace func([]group) string) string {
	subject := latin1(text)
	var b strings.Builder
	last := 0
	for _, loc := range p.re.FindAllStringSubmatchIndex(subject, -1) {
		loc = p.trim(loc)
		b.WriteString(fromLatin1(subject[last:loc[0]]))
		b.WriteString(replace(p.match(subject, loc)))
		last = loc[1]
	}
	b.WriteString(fromLatin1(subject[last:]))
	return b.String()
}

// replacement is a parsed replacement text: literals, and groups by number.
type replacement struct {
	parts []replacePart
}

type replacePart struct {
	text  string
	group int // -1 for text
}

func (r *replacement) expand(m []group) string {
	var b strings.Builder
	for _, p := range r.parts {
		if p.group >= 0 {
			b.WriteString(m[p.group].text)
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// parseReplacement reads \1, \g<1>, \g<name>, octal and control escapes; ok is
// false where Python calls the replacement invalid.
func (p *pythonRegexp) parseReplacement(text string) (*replacement, bool) {
	r := &replacement{}
	lit := func(s string) { r.parts = append(r.parts, replacePart{s, -1}) }
	ref := func(n int) bool {
		r.parts = append(r.parts, replacePart{"", n})
		return n <= p.groups
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			lit(text[i : i+1])
			continue
		}
		i++
		if i == len(text) {
			return nil, false
		}
		c := text[i]
		switch {
		case c == 'g':
			end := strings.IndexByte(text[i:], '>')
			if !strings.HasPrefix(text[i+1:], "<") || end < 3 {
				return nil, false
			}
			name := text[i+2 : i+end]
			n, ok := p.groupNumber(name)
			if !ok || !ref(n) {
				return nil, false
			}
			i += end
		case c == '0':
			v := 0
			for k := 0; k < 2 && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '7'; k++ {
				i++
				v = v*8 + int(text[i]-'0')
			}
			lit(string([]byte{byte(v)}))
		case isDigit(c):
			n := int(c - '0')
			if i+1 < len(text) && isDigit(text[i+1]) {
				if c <= '7' && text[i+1] <= '7' && i+2 < len(text) && text[i+2] >= '0' && text[i+2] <= '7' {
					v := int(c-'0')*64 + int(text[i+1]-'0')*8 + int(text[i+2]-'0')
					if v > 0xff {
						return nil, false
					}
					lit(string([]byte{byte(v)}))
					i += 2
					continue
				}
				i++
				n = n*10 + int(text[i]-'0')
			}
			if !ref(n) {
				return nil, false
			}
		case strings.IndexByte("abfnrtv\\", c) >= 0:
			s, _ := unescape(text[i-1 : i+1])
			lit(s)
		case isAlnum(c) && c < 0x80:
			return nil, false
		default:
			lit(text[i-1 : i+1])
		}
	}
	return r, true
}

func (p *pythonRegexp) groupNumber(name string) (int, bool) {
	if isDigit(name[0]) {
		n := 0
		for i := 0; i < len(name); i++ {
			if !isDigit(name[i]) || n > 1000 {
				return 0, false
			}
			n = n*10 + int(name[i]-'0')
		}
		return n, true
	}
	for i, n := range p.names {
		if i > 0 && n == name {
			return i, true
		}
	}
	return 0, false
}
