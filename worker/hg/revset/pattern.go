// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"hgbroker/worker/hg/node"
)

// pattern is a string to compare names or text with (`hg help
// revisions.patterns`): "re:regexp", "literal:text" or plain text.
type pattern struct {
	kind  string // "re" or "literal"
	text  string
	match func(string) bool
	// within is a part of what is searched, in lower case, of anything that
	// matches; "" when none is known.
	within string
}

// pattern matches whole strings, unless it is a regular expression.
func (ev *evaluator) pattern(s string, caseSensitive bool) (*pattern, error) {
	if re, ok := strings.CutPrefix(s, "re:"); ok {
		m, err := compileRegexp(re, !caseSensitive, ev.fail)
		if err != nil {
			return nil, err
		}
		return &pattern{kind: "re", text: re, match: m.match}, nil
	}
	text := strings.TrimPrefix(s, "literal:")
	return &pattern{kind: "literal", text: text, match: func(s string) bool { return s == text }}, nil
}

// substring matches text that contains the string, without case.
func (ev *evaluator) substring(s string) (*pattern, error) {
	p, err := ev.pattern(s, false)
	if err == nil && p.kind == "literal" {
		p.within = ev.opts.lower(p.text)
		p.match = ev.containsFold(p.within)
	}
	return p, err
}

// textsWith is a cheap test that is true for all changesets whose texts contain a
// string, which is in lower case, without case, and for few others.
func (ev *evaluator) textsWith(lower string) func(node.Rev) (may, surely bool) {
	if texts, ok := ev.repo.(TextIndex); ok && lower != "" {
		return texts.TextsWith(lower)
	}
	return func(node.Rev) (bool, bool) { return true, false }
}

// containsFold makes a test whether a text, in lower case, contains part. Texts in
// ASCII, which all encodings contain, are compared where they stand.
func (ev *evaluator) containsFold(part string) func(string) bool {
	if part == "" {
		return func(string) bool { return true }
	}
	if !isASCII(part) {
		return func(s string) bool { return !isASCII(s) && strings.Contains(ev.opts.lower(s), part) }
	}
	first := lowerByte(part[0])
	upper := first
	if first >= 'a' && first <= 'z' {
		upper -= 'a' - 'A'
	}
	return func(s string) bool {
		if !isASCII(s) {
			return strings.Contains(ev.opts.lower(s), part)
		}
	search:
		for i := 0; i+len(part) <= len(s); i++ {
			if c := s[i]; c != first && c != upper {
				continue
			}
			for j := 1; j < len(part); j++ {
				if lowerByte(s[i+j]) != part[j] {
					continue search
				}
			}
			return true
		}
		return false
	}
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (o *Options) lower(s string) string {
	if o.Lower != nil {
		return o.Lower(s)
	}
	return lowerUTF8(s)
}

// patternArgument reads the argument of the predicate name, a text that is a
// pattern.
func (ev *evaluator) patternArgument(x *Tree, name string) (text string, p *pattern, err error) {
	if text, err = getString(x, "the argument to "+name+" must be a string"); err != nil {
		return "", nil, err
	}
	p, err = ev.pattern(text, true)
	return text, p, err
}

// lowerUTF8 is Python's str.lower() of UTF-8, and ASCII lower case of what is
// not UTF-8.
func lowerUTF8(s string) string {
	plain, changes := true, false
	for i := 0; i < len(s); i++ {
		plain = plain && s[i] < utf8.RuneSelf
		changes = changes || s[i] >= 'A' && s[i] <= 'Z'
	}
	switch {
	case plain && !changes:
		return s
	case !plain && utf8.ValidString(s):
		return lowerUnicode(s)
	}
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func lowerUnicode(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		switch r {
		case 'İ': // the one letter whose lower case is two characters
			b.WriteString("i̇")
		case 'Σ':
			if finalSigma(runes, i) {
				b.WriteRune('ς')
			} else {
				b.WriteRune('σ')
			}
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// finalSigma is Unicode's condition: a letter before, none after, with marks
// and the like not counted.
func finalSigma(runes []rune, i int) bool {
	ignorable := func(r rune) bool {
		return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) || strings.ContainsRune("'.:·՟״‘’․‧︓﹒﹕＇．：", r)
	}
	cased := func(r rune) bool { return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) }
	j := i - 1
	for j >= 0 && ignorable(runes[j]) {
		j--
	}
	if j < 0 || !cased(runes[j]) {
		return false
	}
	j = i + 1
	for j < len(runes) && ignorable(runes[j]) {
		j++
	}
	return j == len(runes) || !cased(runes[j])
}
