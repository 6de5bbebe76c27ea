// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
)

// dice makes random command lines about one repository.
type dice struct {
	*rand.Rand
	RepoInfo
	sub  string // directory that the command runs in
	wide bool   // beyond what is native
}

// RandomCommands makes n random command lines from the commands, options and
// expressions that hgbroker answers natively, right and wrong ones. The same
// rng state and info give the same lines.
func RandomCommands(rng *rand.Rand, info RepoInfo, n int) []Command {
	return randomCommands(&dice{Rand: rng, RepoInfo: info}, n)
}

// WideCommands makes n random command lines that also reach beyond that: an
// implementation may call many of them Unsupported, but answer none wrongly.
func WideCommands(rng *rand.Rand, info RepoInfo, n int) []Command {
	return randomCommands(&dice{Rand: rng, RepoInfo: info, wide: true}, n)
}

func randomCommands(d *dice, n int) []Command {
	cmds := make([]Command, n)
	for i := range cmds {
		for cmds[i] = d.command(); d.Special && d.waits(cmds[i]) || remembers(cmds[i]); {
			cmds[i] = d.command()
		}
		cmds[i] = d.within(cmds[i])
	}
	return cmds
}

// within makes half of the commands that can look into subrepositories do so,
// where there are some.
func (d *dice) within(c Command) Command {
	if !slices.Contains(d.Files, ".hgsub") {
		return c
	}
	if slices.Contains([]string{"status", "st", "diff", "files"}, c.Args[0]) && d.chance(50) {
		c.Args = slices.Insert(slices.Clone(c.Args), 1, "-S")
	}
	return c
}

// remembers tells whether hg's server answers by what it was asked before: which
// unresolved files a verbose status has shown is kept from one to the next.
func remembers(c Command) bool {
	status, verbose := false, false
	for _, a := range c.Args {
		status = status || a == "status" || a == "st"
		verbose = verbose || a == "-v" || a == "--verbose" || a == "--debug" || strings.Contains(a, "verbose=")
	}
	return status && verbose
}

// waits tells whether hg may read a file of the working directory, and so wait
// for somebody at the other end of a pipe.
func (d *dice) waits(c Command) bool {
	return slices.ContainsFunc(c.Args, func(a string) bool { return slices.Contains([]string{"grep", "diff", "annotate", "blame", "-L"}, a) })
}

// productions are the commands with how often each is drawn.
var productions = []struct {
	weight int
	make   func(*dice) []string
}{
	{34, (*dice).log},
	{26, (*dice).status},
	{8, (*dice).cat},
	{6, (*dice).files},
	{5, (*dice).identify},
	{4, (*dice).heads},
	{4, (*dice).branches},
	{4, (*dice).bookmarks},
	{4, (*dice).tags},
	{4, (*dice).phase},
	{3, (*dice).parents},
	{3, (*dice).manifest},
	{2, (*dice).tip},
	{2, (*dice).config},
	{2, (*dice).paths},
	{1, (*dice).branch},
	{1, (*dice).root},
	{8, (*dice).askRevset},
	{5, (*dice).askFileset},
	{2, (*dice).askBookmarks},
	{1, (*dice).version},
	{6, (*dice).diff},
	{5, (*dice).annotate},
	{5, (*dice).follow},
	{4, (*dice).copied},
	{4, (*dice).patches},
	{4, (*dice).grep},
	{3, (*dice).debugRead},
	{2, (*dice).summary},
	{2, (*dice).locate},
	{1, (*dice).resolve},
	{1, (*dice).verify},
	{4, (*dice).styled},
	{4, (*dice).templated},
}

func (d *dice) command() Command {
	d.sub = ""
	if len(d.Present) > 0 && d.chance(15) {
		d.sub = pick(d, d.Present)
	}
	sum := 0
	for _, p := range productions {
		sum += p.weight
	}
	at := d.IntN(sum)
	var args []string
	for _, p := range productions {
		if at -= p.weight; at < 0 {
			args = p.make(d)
			break
		}
	}
	c := Command{Args: d.global(args), Sub: d.sub}
	if d.chance(6) {
		c.Env = []string{pick(d, []string{"HGPLAIN=1", "HGPLAIN=", "HGENCODING=latin-1", "HGENCODING=ascii", "HGENCODINGMODE=replace", "TZ=America/New_York", "TZ=Asia/Kolkata"})}
	}
	return c
}

// global adds hg's global options, before or behind the command.
func (d *dice) global(args []string) []string {
	var g []string
	for _, o := range []struct {
		percent int
		words   []string
	}{
		{5, []string{"-v"}},
		{4, []string{"-q"}},
		{4, []string{"--debug"}},
		{6, []string{"--hidden"}},
		{2, []string{"-y"}},
		{2, []string{"--color", "never"}},
		{5, []string{"--color=always"}},
		{1, []string{"--config", "extensions.rebase=", "--config", "extensions.purge="}},
		{2, []string{"--pager=no"}},
		{2, []string{"--config", "ui.verbose=yes"}},
		{1, []string{"--config", "ui.quiet=yes"}},
		{1, []string{"--config", "commands.status.relative=yes"}},
		{1, []string{"--config", "ui.relative-paths=yes"}},
		{1, []string{"--config", "ui.slash=yes"}},
		{1, []string{"--encoding", "latin-1"}},
		{1, []string{"--encoding", "ascii"}},
	} {
		if d.chance(o.percent) {
			g = append(g, o.words...)
		}
	}
	if d.chance(30) {
		return append(g, args...)
	}
	// behind the command's name, so that a "--" stays last
	return append(append(args[:1:1], g...), args[1:]...)
}

func (d *dice) chance(percent int) bool { return d.IntN(100) < percent }

// pick draws one of list, "" when it is empty.
func pick[T any](d *dice, list []T) (v T) {
	if len(list) > 0 {
		v = list[d.IntN(len(list))]
	}
	return v
}

// some draws up to n of list, in random order, perhaps repeated.
func (d *dice) some(n int, list []string) []string {
	var out []string
	for range d.IntN(n + 1) {
		out = append(out, pick(d, list))
	}
	return out
}

// flags draws a few of the options, each word of which is one argument.
func (d *dice) flags(percent int, options ...string) []string {
	var out []string
	for _, o := range options {
		if d.chance(percent) {
			out = append(out, strings.Fields(o)...)
		}
	}
	d.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// relative turns a path from the repository's root into one from d.sub.
func (d *dice) relative(p string) string {
	if d.sub == "" {
		return p
	}
	rel, err := filepath.Rel("/"+d.sub, "/"+p)
	if err != nil {
		return p
	}
	return rel
}

// file draws a file name as the user would type it; rarely one of no file.
func (d *dice) file() string {
	switch r := d.IntN(20); {
	case r < 13:
		return d.named(d.relative(pick(d, d.Files)))
	case r < 15:
		return d.named(d.relative(pick(d, d.Tracked)))
	case r < 17:
		return d.named(d.relative(pick(d, d.Loose)))
	case r < 19:
		return d.named(d.relative(pick(d, d.Dirs)))
	}
	return "no/such file"
}

// named keeps an empty name, or one that would be read as an option, away.
func (d *dice) named(p string) string {
	if p == "" {
		return "."
	}
	if p[0] == '-' {
		return "./" + p
	}
	return p
}

// pattern draws a file pattern.
func (d *dice) pattern() string {
	f := pick(d, d.Files)
	base := filepath.Base(f)
	cut := base
	if len(base) > 1 {
		cut = base[:1+d.IntN(len(base)-1)]
	}
	patterns := []string{
		"glob:*", "glob:**", "glob:*" + filepath.Ext(base), "glob:**" + filepath.Ext(base), "glob:" + cut + "*", "glob:**/" + cut + "*",
		"glob:{a,b,c}*", "glob:[a-m]*", "glob:[!a-m]*", "glob:?*",
		"path:" + f, "path:" + filepath.Dir(f), "path:.", "relpath:" + d.relative(f),
		"re:.*\\.txt$", "re:[a-f]", "re:.*" + plainLetters(cut), "relre:" + plainLetters(cut), "relglob:*" + filepath.Ext(base), "relglob:" + cut + "*",
		"rootfilesin:.", "rootfilesin:" + filepath.Dir(f), "rootglob:*", "rootglob:" + cut + "*",
		"*", cut + "*", "**" + filepath.Ext(base),
	}
	p := pick(d, patterns)
	if d.wide && d.chance(10) {
		p = pick(d, []string{"set:modified()", "set:size('>5')", "set:**.txt and not binary()", "listfile:.hgignore", "include:.hgignore", "filepath:" + f, "re:(", "nokind:x", "subinclude:.hgignore"})
	}
	return d.named(p)
}

// plainLetters drops what a regular expression would read otherwise.
func plainLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '.'
	}, s)
}

// paths draws none to a few files and patterns, with -I and -X sometimes.
func (d *dice) pathArgs(percent int) []string {
	if !d.chance(percent) {
		return nil
	}
	var out []string
	for range 1 + d.IntN(2) {
		switch d.IntN(10) {
		case 0:
			out = append(out, "-I", d.pattern())
		case 1:
			out = append(out, "-X", d.pattern())
		case 2, 3, 4:
			out = append(out, d.pattern())
		default:
			out = append(out, d.file())
		}
	}
	return out
}

// format draws a -T for the commands that print a list of things.
func (d *dice) format(percent int, keywords ...string) []string {
	if !d.chance(percent) {
		return nil
	}
	if d.chance(60) {
		return []string{pick(d, []string{"-Tjson", "--template=json"})}
	}
	if d.chance(50) || len(keywords) == 0 {
		return []string{"-T", "{" + pick(d, append(keywords, "rev", "node")) + `}\n`}
	}
	return []string{"-T", fmt.Sprintf(`{%s} {%s|json}\n`, pick(d, keywords), pick(d, keywords))}
}
