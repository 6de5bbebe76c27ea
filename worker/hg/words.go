// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// splitWords splits the text of an alias or of [defaults] as Python's
// shlex.split does: words separated by white space, quotes and backslashes as in
// a POSIX shell. Words that hg would expand ("$1", "~") are Unsupported.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	in := false // inside a word
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '$' || c == '~':
			return nil, hgerr.NewUnsupported("expansion in %q", text)
		case quote == '\'' && c != '\'', quote == '"' && c != '"' && c != '\\':
			word.WriteByte(c)
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\':
			if i+1 == len(text) {
				return nil, hgerr.NewUnsupported("backslash at the end of %q", text)
			}
			i++
			if quote == '"' && text[i] != '"' && text[i] != '\\' {
				word.WriteByte('\\')
			}
			word.WriteByte(text[i])
			in = true
		case c == '\'' || c == '"':
			quote, in = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteByte(c)
			in = true
		}
	}
	if quote != 0 {
		return nil, hgerr.NewUnsupported("open quotes in %q", text)
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}
