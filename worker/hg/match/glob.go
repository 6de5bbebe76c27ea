// SPDX-License-Identifier: GPL-2.0-or-later

package match

import (
	"strings"

	"hgbroker/worker/hg/config/python"
)

// special are the bytes that hg escapes in a regular expression.
const special = "()[]{}?*+-|^$\\.&~# \t\n\r\v\f"

func escapeByte(b *strings.Builder, c byte) {
	if strings.IndexByte(special, c) >= 0 {
		b.WriteByte('\\')
	}
	b.WriteByte(c)
}

// escape makes a regular expression that matches s.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		escapeByte(&b, s[i])
	}
	return b.String()
}

// globRegexp is the regular expression of an extended glob, in the very text
// that hg makes of it, because hg prints it and limits its length:
//
//	?      .            (a slash, too)
//	*      [^/]*
//	**     .*           and **/ is (?:.*/)?
//	[...]  a set, where ! negates
//	{a,b}  (?:a|b)      a comma elsewhere is a comma
//	\x     x itself
func globRegexp(pat string) string {
	var b strings.Builder
	groups := 0
	for i := 0; i < len(pat); {
		c := pat[i]
		i++
		switch {
		case c == '*' && strings.HasPrefix(pat[i:], "*/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case c == '*' && strings.HasPrefix(pat[i:], "*"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteByte('.')
		case c == '[':
			start := i
			if i < len(pat) && (pat[i] == '!' || pat[i] == ']') {
				i++
			}
			end := strings.IndexByte(pat[i:], ']')
			if end < 0 {
				b.WriteString(`\[`)
				i = start
				break
			}
			set := strings.ReplaceAll(pat[start:i+end], `\`, `\\`)
			i += end + 1
			switch set[0] {
			case '!':
				set = "^" + set[1:]
			case '^':
				set = `\` + set
			}
			b.WriteString("[" + set + "]")
		case c == '{':
			groups++
			b.WriteString("(?:")
		case c == '}' && groups > 0:
			groups--
			b.WriteByte(')')
		case c == ',' && groups > 0:
			b.WriteByte('|')
		case c == '\\' && i < len(pat):
			escapeByte(&b, pat[i])
			i++
		default:
			escapeByte(&b, c)
		}
	}
	return b.String()
}

// regexpText is the regular expression for one normalized pattern. suffix is
// what follows a glob: the end, or for includes the end or a slash.
func regexpText(kind, pat, suffix string) string {
	switch kind {
	case "re":
		return pat
	case "path", "relpath":
		if pat == "" && kind == "relpath" || pat == "." {
			return ""
		}
		return escape(pat) + "(?:/|$)"
	case "rootfilesin":
		if pat == "." {
			return "[^/]+$"
		}
		return escape(pat) + "/[^/]+$"
	case "relglob":
		g := globRegexp(pat)
		if after, ok := strings.CutPrefix(g, "[^/]*"); ok {
			return ".*" + after + suffix
		}
		return "(?:|.*/)" + g + suffix
	case "relre":
		return relreText(pat)
	}
	if pat == "" && kind == "glob" {
		return ""
	}
	return globRegexp(pat) + suffix
}

// relreText lets a regular expression match anywhere, unless it begins with ^.
// Flags at its start are kept to it alone.
func relreText(pat string) string {
	flags := ""
	if rest, ok := strings.CutPrefix(pat, "(?"); ok {
		n := 0
		for n < len(rest) && strings.IndexByte("aiLmsux", rest[n]) >= 0 {
			n++
		}
		if n > 0 && n < len(rest) && rest[n] == ')' {
			flags = rest[:n]
			pat, _, _ = strings.Cut(rest[n+1:], "\n") // hg's own pattern stops there
		}
	}
	if !strings.HasPrefix(pat, "^") {
		pat = ".*" + pat
	}
	if flags != "" {
		return "(?" + flags + ":" + pat + ")"
	}
	return pat
}

// quoteList is a list of byte strings as hg's pprint shows it.
func quoteList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = python.Repr(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
