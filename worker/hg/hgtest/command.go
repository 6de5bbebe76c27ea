// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"fmt"
	"regexp"
	"strings"
)

// Command is one command line to run in a repository. All strings hold raw
// bytes.
type Command struct {
	Args []string // without "hg"
	Env  []string // NAME=VALUE, on top of BaseEnv
	Sub  string   // directory below the repository's root to run in, "" for the root
}

var (
	plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./^~-]+$`)
	variable  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`) // the name of an environment variable
)

// String writes the command as a line that ParseCommand and a shell (bash,
// for bytes outside of ASCII) read back.
func (c Command) String() string {
	var words []string
	for _, e := range c.Env {
		name, value, _ := strings.Cut(e, "=")
		words = append(words, name+"="+quote(value))
	}
	words = append(words, "hg")
	for _, a := range c.Args {
		words = append(words, quote(a))
	}
	line := strings.Join(words, " ")
	if c.Sub != "" {
		line = "cd " + quote(c.Sub) + " && " + line
	}
	return line
}

func quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	simple := true
	for i := range len(word) {
		simple = simple && word[i] >= ' ' && word[i] < 0x7f
	}
	if simple {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(word) {
		switch c := word[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// ParseCommand reads a line of testdata/commands.txt:
//
//	[cd DIR &&] [NAME=VALUE...] hg WORD...
//
// with the shell's 'single', "double" (backslash escapes " and \) and
// $'\x00\n\t' quotes, and nothing else of the shell.
func ParseCommand(line string) (Command, error) {
	words, err := split(line)
	if err != nil {
		return Command{}, fmt.Errorf("command line %q: %w", line, err)
	}
	var c Command
	if len(words) > 3 && words[0] == "cd" && words[2] == "&&" {
		c.Sub, words = words[1], words[3:]
	}
	for len(words) > 0 && words[0] != "hg" {
		if name, _, is := strings.Cut(words[0], "="); !is || !variable.MatchString(name) {
			return Command{}, fmt.Errorf("command line %q: %q where NAME=VALUE or hg belongs", line, words[0])
		}
		c.Env, words = append(c.Env, words[0]), words[1:]
	}
	if len(words) == 0 {
		return Command{}, fmt.Errorf("command line %q: no hg in it", line)
	}
	c.Args = words[1:]
	return c, nil
}

func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	open := false
	for i := 0; i < len(line); {
		c := line[i]
		switch {
		case c == ' ' || c == '\t':
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
			i++
		case c == '\'':
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				return nil, fmt.Errorf("quote without an end")
			}
			word.WriteString(line[i+1 : i+1+end])
			open = true
			i += end + 2
		case c == '"', c == '$' && strings.HasPrefix(line[i:], "$'"):
			n, err := escaped(&word, line[i:])
			if err != nil {
				return nil, err
			}
			open = true
			i += n
		case c == '\\' && i+1 < len(line):
			word.WriteByte(line[i+1])
			open = true
			i += 2
		default:
			word.WriteByte(c)
			open = true
			i++
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

// escaped appends the "..." or $'...' that s starts with to word and returns
// how many bytes of s it took.
func escaped(word *strings.Builder, s string) (int, error) {
	start, closing := 1, byte('"')
	if s[0] == '$' {
		start, closing = 2, '\''
	}
	for i := start; i < len(s); i++ {
		switch {
		case s[i] == closing:
			return i + 1, nil
		case s[i] != '\\' || i+1 == len(s):
			word.WriteByte(s[i])
		case closing == '"':
			i++
			if s[i] != '"' && s[i] != '\\' && s[i] != '$' {
				word.WriteByte('\\')
			}
			word.WriteByte(s[i])
		default:
			i++
			switch s[i] {
			case 'n':
				word.WriteByte('\n')
			case 't':
				word.WriteByte('\t')
			case 'x':
				var c byte
				if i+2 >= len(s) {
					return 0, fmt.Errorf("cut short: %q", s)
				}
				if _, err := fmt.Sscanf(s[i+1:i+3], "%02x", &c); err != nil {
					return 0, fmt.Errorf("escape %q: %w", s[i-1:i+3], err)
				}
				word.WriteByte(c)
				i += 2
			default:
				word.WriteByte(s[i])
			}
		}
	}
	return 0, fmt.Errorf("quote without an end")
}
