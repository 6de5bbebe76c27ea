// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"errors"
	"strings"

	"hgbroker/worker/hg/match/backtrack"
	"hgbroker/worker/hg/match/pyre"
)

// pythonRegexp is a regular expression of Python's re on bytes.
type pythonRegexp struct {
	*backtrack.Pattern
	groups int
	names  []string // of each group, empty for unnamed ones; index 0 is the whole
}

func compilePython(pattern string) (*pythonRegexp, error) {
	p, err := backtrack.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return &pythonRegexp{Pattern: p, groups: p.Groups(), names: p.Names()}, nil
}

// isInvalid tells that Python refuses a pattern.
func isInvalid(err error) bool {
	var invalid *pyre.InvalidError
	return errors.As(err, &invalid)
}

// group is one group of a match; ok is false where it took no part.
type group struct {
	text string
	ok   bool
}

func (p *pythonRegexp) match(text string, loc []int) []group {
	out := make([]group, p.groups+1)
	for i := range out {
		if loc[2*i] >= 0 {
			out[i] = group{text[loc[2*i]:loc[2*i+1]], true}
		}
	}
	return out
}

// search finds the first match, nil if there is none.
func (p *pythonRegexp) search(text string) ([]group, error) {
	loc, err := p.Search(text, 0, false)
	if loc == nil || err != nil {
		return nil, err
	}
	return p.match(text, loc), nil
}

// sub replaces every match, empty ones too, but not one right behind another.
func (p *pythonRegexp) sub(text string, replace func([]group) string) (string, error) {
	var b strings.Builder
	last, advance := 0, false
	for {
		loc, err := p.Search(text, last, advance)
		if err != nil {
			return "", err
		}
		if loc == nil {
			b.WriteString(text[last:])
			return b.String(), nil
		}
		b.WriteString(text[last:loc[0]])
		b.WriteString(replace(p.match(text, loc)))
		last, advance = loc[1], loc[0] == loc[1]
	}
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
