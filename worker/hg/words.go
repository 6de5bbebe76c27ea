// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hgbroker/worker/hg/hgerr"
)

// splitWords splits the text of an alias or of [defaults] as Python's
// shlex.split does: words separated by white space, quotes and backslashes as in
// a POSIX shell.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	in := false // inside a word
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
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

// expandWords is splitWords with variables of the environment put in, as in an
// alias and in [defaults]. "$1" is no variable, nor is one that is not set.
func (d *dispatcher) expandWords(text string) ([]string, error) {
	words, err := splitWords(text)
	for i, w := range words {
		if strings.HasPrefix(w, "~") {
			return nil, hgerr.NewUnsupported("expansion in %q", text)
		}
		words[i] = environmentName().ReplaceAllStringFunc(w, func(name string) string {
			if value, ok := d.env.get(strings.Trim(name, "${}")); ok {
				return value
			}
			return name
		})
	}
	return words, err
}

var (
	environmentName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$(?:[A-Za-z0-9_]+|\{[^}]*\})`) })
	argumentNumber  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$(?:[0-9]+|\$)`) })
	plainShellWord  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9._/+-]+$`) })
)

// placeArguments puts the arguments args of an alias behind its own words; those
// that words name as "$1", "$2", ... stand there instead. Words are quoted before
// that and split after it, so that an argument with a quote in it does what it
// does to hg.
func placeArguments(words, args []string) ([]string, error) {
	if len(words) == 0 {
		return args, nil
	}
	var line []string
	for _, w := range words {
		if !plainShellWord().MatchString(w) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		line = append(line, w)
	}
	used := map[int]bool{}
	var err error
	text := argumentNumber().ReplaceAllStringFunc(strings.Join(line, " "), func(ref string) string {
		n, bad := strconv.Atoi(ref[1:])
		switch {
		case bad != nil || n == 0:
			err = hgerr.NewUnsupported("%s in an alias", ref)
			return ""
		case n > len(args):
			if err == nil {
				err = hgerr.Abortf(hgerr.Input, "too few arguments for command alias")
			}
			return ""
		}
		used[n-1] = true
		return args[n-1]
	})
	if err != nil {
		return nil, err
	}
	if len(used) == 0 {
		return append(slices.Clone(words), args...), nil
	}
	out, err := splitWords(text)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		if !used[i] {
			out = append(out, a)
		}
	}
	return out, nil
}
