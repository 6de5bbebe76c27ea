// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// CommandForm is one native command as the engine's own table has it, so that
// what is drawn of it covers each option that the table calls native.
type CommandForm struct {
	Names   []string // all spellings
	Options []OptionForm
}

// OptionForm is one option of a command.
type OptionForm struct {
	Short, Long string
	Value       bool // it takes one
}

// Setting is a configuration item that may change what a command prints.
type Setting struct {
	Name string // section.name
	Bool bool
}

// TableCommands makes n random command lines out of a table of commands and
// settings: each command comes up about as often as any other, with a random
// subset of its options and values that fit them, or nearly. peer is a
// repository for the commands that compare two, "" without one. The same rng
// state, info, table and settings give the same lines.
func TableCommands(rng *rand.Rand, info RepoInfo, table []CommandForm, settings []Setting, peer string, n int) []Command {
	d := &dice{Rand: rng, RepoInfo: info}
	var often []CommandForm
	for _, c := range table {
		for range max(1, frequent[c.Names[0]]) {
			often = append(often, c)
		}
	}
	cmds := make([]Command, n)
	for i := range cmds {
		for cmds[i] = d.fromTable(pick(d, often), settings, peer); d.Special && d.waits(cmds[i]) || remembers(cmds[i]); {
			cmds[i] = d.fromTable(pick(d, often), settings, peer)
		}
	}
	return cmds
}

// frequent are the commands that are drawn more often than once a round.
var frequent = map[string]int{"log": 6, "diff": 5, "status": 5, "annotate": 4, "grep": 4, "export": 2, "cat": 2, "files": 2, "identify": 2, "heads": 2, "parents": 2, "branches": 2, "incoming": 2, "outgoing": 2}

// mqCommands are there with an extension only.
var mqCommands = []string{"qapplied", "qnext", "qprev", "qseries", "qtop", "qunapplied"}

func (d *dice) fromTable(c CommandForm, settings []Setting, peer string) Command {
	d.sub = ""
	if len(d.Present) > 0 && d.chance(12) {
		d.sub = pick(d, d.Present)
	}
	name := c.Names[0]
	args := []string{pick(d, append([]string{name, name}, c.Names...)), "--config=devel.default-date=2001-02-03 04:05 +0100"}
	percent := 8 + 60/(len(c.Options)+1)
	for _, o := range c.Options {
		if d.chance(percent) || o.Long == "list" {
			args = append(args, d.option(name, o)...)
		}
	}
	for d.chance(22) {
		args = append(args, d.setting(settings))
	}
	switch {
	case slices.Contains(mqCommands, name):
		args = append(args, "--config=extensions.mq=")
	case name == "children":
		args = append(args, "--config=extensions.children=")
	}
	args = d.global(args)
	operands := d.operands(name, peer)
	if d.chance(8) && len(operands) > 0 {
		args = append(args, "--")
	}
	cmd := Command{Args: append(args, operands...), Sub: d.sub}
	if d.chance(5) {
		cmd.Env = []string{pick(d, []string{"HGPLAIN=1", "HGPLAIN=", "HGENCODING=latin-1", "HGENCODINGMODE=replace", "TZ=America/New_York", "HGPLAINEXCEPT=color", "COLUMNS=40"})}
	}
	return cmd
}

// option writes an option in one of its forms.
func (d *dice) option(command string, o OptionForm) []string {
	if !o.Value {
		switch {
		case o.Short != "" && d.chance(60):
			return []string{"-" + o.Short}
		case d.chance(8) && !strings.HasPrefix(o.Long, "no-") && o.Long != "list":
			return []string{"--no-" + o.Long}
		}
		return []string{"--" + o.Long}
	}
	v := d.valueOf(command, o.Long)
	switch {
	case o.Short != "" && d.chance(40):
		return []string{"-" + o.Short, v}
	case o.Short != "" && d.chance(20):
		return []string{"-" + o.Short + v}
	case d.chance(50):
		return []string{"--" + o.Long, v}
	}
	return []string{"--" + o.Long + "=" + v}
}

// valueOf draws a value for an option by its name.
func (d *dice) valueOf(command, option string) string {
	switch option {
	case "rev", "prune", "skip", "from", "to", "change":
		switch {
		case command == "grep" && d.chance(50):
			return pick(d, []string{"all()", "tip:0", "0:tip", "draft()"})
		case d.chance(60):
			return d.rev()
		case d.chance(30):
			return d.expression(1)
		}
		return d.revset(1)
	case "include", "exclude":
		return d.pattern()
	case "template":
		return d.templateOf(command)
	case "style":
		return pick(d, []string{"default", "compact", "changelog", "xml", "bisect", "phases", "status", "show", "nosuch", "./nosuch"})
	case "limit":
		return pick(d, []string{"1", "2", "3", "5", "10", "0", "-1", "x", "99"})
	case "keyword":
		return pick(d, []string{"fix", "Ada", "merge", "a", "É", "nosuchword", "", "txt", "FIX"})
	case "user":
		return pick(d, []string{"ada", "Bob", "zo", "re:^[a-d]", "literal:carol", "", "example.org", "re:(", "Zoë"})
	case "only-branch", "branch":
		return pick(d, append([]string{"default", "nosuch", ".", "re:^d", ""}, d.Branches...))
	case "bookmark":
		return pick(d, append([]string{"@", "nosuch", ".", "re:."}, d.Bookmarks...))
	case "date":
		return pick(d, []string{"2010", ">2008-01-01", "<2012-06", "2006-01-01 to 2011-01-01", "-30", "2009-13-40", "", "today", "Mar 2009", "1200000000 0", "> 1999 "})
	case "line-range":
		return fmt.Sprintf("%s,%d:%d", d.relative(pick(d, d.Files)), d.IntN(4), 1+d.IntN(6))
	case "output":
		return pick(d, []string{"-", "-", "/dev/null"})
	case "terse":
		return pick(d, []string{"m", "mardu", "u", "marduic", "c", "i", "x", ""})
	case "unified":
		return pick(d, []string{"0", "1", "2", "5", "100", "-1", "x"})
	case "root":
		return d.named(d.relative(pick(d, d.Dirs)))
	case "tool":
		return "internal:merge"
	case "show-stage":
		return pick(d, []string{"parsed", "expanded", "concatenated", "analyzed", "optimized", "all", "nosuch"})
	}
	return d.operand()
}

// listed are what the templates of a command that prints a list of things can name.
var listed = map[string][]string{
	"annotate":           {"lines", "abspath", "path"},
	"bookmarks":          {"bookmark", "active", "rev", "node"},
	"branches":           {"branch", "active", "closed", "current", "rev", "node"},
	"cat":                {"path", "data", "abspath"},
	"config":             {"name", "value", "source", "defaultvalue"},
	"debug-revlog-index": {"rev", "nodeid", "linkrev", "p1", "p2"},
	"debugformat":        {"name", "repo", "config", "default"},
	"debugobsolete":      {"prednode", "succnodes", "date", "flag", "metadata", "index"},
	"files":              {"path", "size", "flags"},
	"grep":               {"path", "lineno", "texts", "user", "change", "date", "rev", "node"},
	"identify":           {"id", "branch", "bookmarks", "tags", "dirty", "parents", "node"},
	"manifest":           {"path", "type", "mode", "flags", "hash"},
	"paths":              {"name", "url", "pushurl"},
	"resolve":            {"mergestatus", "path"},
	"root":               {"reporoot", "hgpath", "storepath"},
	"status":             {"status", "path", "source"},
	"tags":               {"tag", "type", "rev", "node"},
	"version":            {"ver", "extensions", "bundled"},
}

// templateOf draws a -T for a command.
func (d *dice) templateOf(command string) string {
	if d.chance(30) {
		return pick(d, []string{"json", "json", "json", "cbor", "pickle", "debug", "compact", "xml", "status", "json(rev,node)", "cbor(path)", "nosuch", ""})
	}
	keywords, list := listed[command]
	if !list || d.chance(15) {
		return d.template()
	}
	var b strings.Builder
	for range 1 + d.IntN(3) {
		k := pick(d, keywords)
		fmt.Fprintf(&b, pick(d, []string{"{%s} ", "{%s|json}\t", "{%s|escape} ", "{if(%s, 'y', 'n')}", "{pad(%s, 12)}|", "{%s|upper}"}), k)
	}
	return b.String() + `\n`
}

// setting draws a --config.
func (d *dice) setting(settings []Setting) string {
	s := pick(d, settings)
	v := pick(d, []string{"1", "yes", "0", "True", "off"})
	switch {
	case s.Bool:
	case strings.HasSuffix(s.Name, ".unified"):
		v = pick(d, []string{"0", "1", "4", "x", ""})
	case strings.HasSuffix(s.Name, ".terse"):
		v = pick(d, []string{"u", "mardu", "x"})
	case strings.HasSuffix(s.Name, ".skipstates"):
		v = pick(d, []string{"bisect", "merge", ""})
	case strings.HasSuffix(s.Name, ".style"):
		v = pick(d, []string{"compact", "default", "nosuch"})
	case strings.HasPrefix(s.Name, "command-templates."), strings.HasSuffix(s.Name, "template"):
		v = pick(d, []string{"{rev}:{node|short} ", `{rev} {desc|firstline}\n`, "{graphnode}", "compact"})
	case strings.HasSuffix(s.Name, "extendedheader.index"):
		v = pick(d, []string{"full", "short", "12", "0", "x"})
	case strings.HasPrefix(s.Name, "experimental.graphstyle"):
		v = pick(d, []string{"|", ":", ".", "", "2."})
	}
	return "--config=" + s.Name + "=" + v
}

// operands draws the arguments of a command that are no options. Those that would
// make hg write have none.
func (d *dice) operands(name, peer string) []string {
	files := func(percent int) []string {
		var out []string
		for d.chance(percent) {
			out = append(out, pick(d, []string{d.file(), d.pattern(), d.file()}))
			percent /= 2
		}
		return out
	}
	revs := func(most int) []string {
		var out []string
		for range d.IntN(most + 1) {
			if r := d.revset(1); !strings.HasPrefix(r, "-") {
				out = append(out, r)
			}
		}
		return out
	}
	prefix := func() string { return pick(d, []string{"", "a", "b", "d", "s", "sr", "v", "1", "nosuch"}) }
	switch name {
	case "annotate", "cat":
		return append([]string{d.file()}, files(30)...)
	case "diff", "files", "status", "locate", "resolve", "debugwalk":
		return files(35)
	case "log":
		return files(20)
	case "parents":
		if d.chance(25) {
			return []string{d.file()}
		}
	case "grep":
		return append([]string{pick(d, []string{"a", "e", "^.*$", "[0-9]+", "o.*e", "x*", "a|b", "(?i)FIX", `\bt`, "e$", "(", "", "é", "(?P<n>t)"})}, files(25)...)
	case "heads", "phase", "export":
		return revs(2)
	case "children", "debugrename":
		return []string{d.file()}[:1]
	case "manifest":
		return revs(1)
	case "config":
		return d.some(2, []string{"ui", "paths", "paths.default", "ui.username", "extensions", "experimental.evolution", "diff", "commands", "alias", "nosuch"})
	case "paths":
		return d.some(1, []string{"default", "other", "rel", "nosuch"})
	case "incoming", "outgoing":
		if peer != "" && d.chance(85) {
			return []string{peer}
		}
		return []string{pick(d, []string{".", "default", "/nonexistent/repo", "../nosuch"})}
	case "identify":
		if d.chance(15) {
			return []string{pick(d, []string{".", "/nonexistent/repo"})}
		}
	case "debugancestor", "debugpathcopies":
		a, b := d.rev(), d.rev()
		if a == "" || b == "" || a[0] == '-' || b[0] == '-' {
			a, b = "0", "tip"
		}
		return []string{a, b}
	case "debugdata":
		if d.chance(60) {
			return []string{d.relative(pick(d, d.Files)), pick(d, []string{"0", "1", "tip", "99"})}
		}
		return []string{pick(d, []string{"0", "1", "3", "99", "-1"})}
	case "debug-revlog-index", "debugindexdot":
		if d.chance(60) {
			return []string{d.relative(pick(d, d.Files))}
		}
	case "debugcomplete":
		return []string{pick(d, []string{"log", "st", "diff", "debugi", "nosuch", ""})}
	case "debugpathcomplete", "debuglabelcomplete", "debugnamecomplete":
		return []string{prefix()}
	case "debugdate":
		return []string{pick(d, []string{"2020-02-02 20:20", "1200000000 3600", "2010", "nosuch", "Mar 1 2011"}), ">2000"}[:1+d.IntN(2)]
	case "debugfileset":
		return []string{d.fileset(1)}
	case "debugrevspec":
		return []string{strings.TrimPrefix(d.expression(1), "-")}
	case "debugtemplate":
		return []string{d.template()}
	case "shelve":
		return d.some(1, []string{"nosuch", "default", "x*"})
	}
	return nil
}
