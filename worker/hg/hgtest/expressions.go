// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Expressions draws n different command lines that ask hg to evaluate an
// expression of one of its languages: revsets, templates, filesets. They come
// from the languages' grammars: all operators, all functions with plausible and
// silly arguments, and one in eight is broken afterwards. seen are those drawn
// before, to which the new ones are added.
func Expressions(rng *rand.Rand, info RepoInfo, n int, seen map[string]bool) []Command {
	d := &dice{Rand: rng, RepoInfo: info}
	var cmds []Command
	for tries := 0; len(cmds) < n && tries < 50*n; tries++ {
		var args []string
		switch r := d.IntN(20); {
		case r < 11:
			args = d.askRevset()
		case r < 16:
			args = d.askTemplate()
		default:
			args = d.askFileset()
		}
		c := Command{Args: args}
		if key := c.String(); !seen[key] {
			seen[key] = true
			cmds = append(cmds, c)
		}
	}
	return cmds
}

// shape is a function with the kinds of its arguments, one list for each way to
// call it.
type shape struct {
	name string
	args []string
}

// form reads "name a,b name2 c" into shapes: a name is followed by the ways to
// call it, "-" for none; equal names may repeat to come up more often.
func forms(text string) []shape {
	var out []shape
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		s := shape{name: f[0]}
		for _, way := range f[1:] {
			s.args = append(s.args, strings.TrimPrefix(way, "-"))
		}
		out = append(out, s)
	}
	return out
}

// calls writes a call of one of the shapes: each letter of a way is one argument,
// which arg draws; "key=x" is a keyword argument. Rarely there is one too many or
// too few.
func (d *dice) callOf(s shape, arg func(kind string) string) string {
	var args []string
	if way := pick(d, s.args); way != "" {
		for kind := range strings.SplitSeq(way, ",") {
			if key, k, ok := strings.Cut(kind, "="); ok {
				args = append(args, key+"="+arg(k))
				continue
			}
			args = append(args, arg(kind))
		}
	}
	switch r := d.IntN(60); {
	case r == 0:
		args = append(args, arg(pick(d, []string{"s", "n", "t"})))
	case r == 1 && len(args) > 0:
		args = args[:len(args)-1]
	case r == 2 && len(args) > 0:
		args[d.IntN(len(args))] = ""
	case r == 3:
		args = append(args, "nosuch="+arg("n"))
	}
	return s.name + "(" + strings.Join(args, pick(d, []string{", ", ","})) + ")"
}

// broken spoils an expression: something is cut, doubled or put in.
func (d *dice) broken(s string) string {
	if s == "" || !d.chance(12) {
		return s
	}
	at := d.IntN(len(s))
	switch d.IntN(5) {
	case 0:
		return s[:at]
	case 1:
		return s[:at] + s[at+1:]
	case 2:
		return s[:at] + s[at:min(at+3, len(s))] + s[at:]
	case 3:
		return s[:at] + pick(d, []string{"(", ")", ",", "'", `"`, "{", "}", "|", "#", "##", "[", "]", ":", "::", "=", "%", "\\", "\xff", "é", " ", "!", "$", "not "}) + s[at:]
	}
	b := []byte(s)
	b[at] = "()'\",:|&-{}% \\xz0"[d.IntN(17)]
	return string(b)
}

// quotedArg writes text as a string of the languages.
func (d *dice) quotedArg(s string) string {
	if d.chance(8) && !strings.ContainsAny(s, `'\`) {
		return "r'" + s + "'"
	}
	q := pick(d, []string{"'", "'", `"`})
	return q + strings.NewReplacer(`\`, `\\`, q, `\`+q, "\n", `\n`).Replace(s) + q
}

// number draws a small number, rarely a silly one.
func (d *dice) number() string {
	if d.chance(12) {
		return pick(d, []string{"-1", "99999999999999999999", "x", "''", "1.5", "0x10", "-0", " 7", "2147483648"})
	}
	return fmt.Sprint(d.IntN(6))
}
