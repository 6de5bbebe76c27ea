// SPDX-License-Identifier: GPL-2.0-or-later

package match

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// FileLine is one pattern of a pattern file (`hg help hgignore`).
type FileLine struct {
	Pattern string // with its kind: "relglob:*.o"
	Line    int    // counted from 1
	Text    string // the line as written, without comment and kind
}

// syntaxes are the names that a pattern file gives to kinds, in the order in
// which hg tries them, and what they put in front of a pattern. That the last
// two have no colon is hg's: a line "include:FILE" keeps its own, and a line
// "includes/x" becomes the odd pattern of the default kind that it looks like.
var syntaxes = []struct{ name, prefix string }{
	{"re", "relre:"},
	{"regexp", "relre:"},
	{"glob", "relglob:"},
	{"rootglob", "rootglob:"},
	{"include", "include"},
	{"subinclude", "subinclude"},
}

// white is what Python's bytes.strip removes.
const white = " \t\n\r\v\f"

// ParseFile reads the text of a pattern file. Lines that set no syntax are
// regular expressions that match anywhere. invalid is called with each unknown
// name in a "syntax:" line.
func ParseFile(text string, invalid func(syntax string)) []FileLine {
	var lines []FileLine
	prefix := "relre:"
	for number := 1; text != ""; number++ {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.TrimRight(uncomment(line), white)
		if line == "" {
			continue
		}
		if name, ok := strings.CutPrefix(line, "syntax:"); ok {
			name = strings.Trim(name, white)
			known := false
			for _, s := range syntaxes {
				if s.name == name {
					prefix, known = s.prefix, true
				}
			}
			if !known && invalid != nil {
				invalid(name)
			}
			continue
		}
		kind := prefix
		for _, s := range syntaxes {
			if after, ok := strings.CutPrefix(line, s.prefix); ok {
				kind, line = s.prefix, after
				break
			}
			if after, ok := strings.CutPrefix(line, s.name+":"); ok {
				kind, line = s.prefix, after
				break
			}
		}
		lines = append(lines, FileLine{kind + line, number, line})
	}
	return lines
}

// uncomment cuts a comment off: a '#' after an even number of backslashes.
func uncomment(line string) string {
	if strings.IndexByte(line, '#') < 0 {
		return line
	}
	slashes := 0
	for i := range len(line) {
		switch {
		case line[i] == '\\':
			slashes++
			continue
		case line[i] == '#' && slashes%2 == 0:
			return strings.ReplaceAll(line[:i], `\#`, "#")
		}
		slashes = 0
	}
	return strings.ReplaceAll(line, `\#`, "#")
}

// includeFile reads the patterns of an include: pattern.
func (b *builder) includeFile(pat, standard string) ([]kindPattern, error) {
	full := join(b.Root, pat)
	text, err := b.readFile(full)
	if err != nil {
		var errno error = err
		var pe *fs.PathError
		if errors.As(err, &pe) {
			errno = pe.Err
		}
		if b.Warn != nil {
			reason, ok := Strerror(errno)
			if !ok {
				return nil, hgerr.NewUnsupported("pattern file %s: %v", pat, err)
			}
			b.Warn(fmt.Sprintf("skipping unreadable pattern file '%s': %s\n", pat, reason))
		}
		return nil, nil
	}
	lines := ParseFile(string(text), func(syntax string) {
		if b.Warn != nil {
			b.Warn(fmt.Sprintf("%s: ignoring invalid syntax '%s'\n", full, syntax))
		}
	})
	if len(lines) == 0 {
		return nil, nil
	}
	patterns := make([]string, len(lines))
	for i, l := range lines {
		patterns[i] = l.Pattern
	}
	kps, err := b.nested().normalize(patterns, standard)
	if err != nil {
		var a *hgerr.Abort
		if errors.As(err, &a) {
			return nil, hgerr.Abortf(hgerr.Other, "%s: %s", pat, a.Message)
		}
		return nil, err
	}
	for i := range kps {
		if kps[i].source == "" {
			kps[i].source = pat
		}
	}
	return kps, nil
}

func (b *builder) readFile(name string) ([]byte, error) {
	if b.ReadFile != nil {
		return b.ReadFile(name)
	}
	return os.ReadFile(name)
}
