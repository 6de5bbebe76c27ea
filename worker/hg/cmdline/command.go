// SPDX-License-Identifier: GPL-2.0-or-later

package cmdline

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
)

// commandsText lists the commands of Mercurial without extensions, one a line,
// fields separated by tabs:
//
//	names    canonical name first, further ones after '|'
//	release  "*" all, "6" up to 6.x, "7" from 7.0 on
//	flags    n needs no repository, o works without one, i can infer it from its arguments
//
// It has those that this program does not implement too, so that abbreviations
// mean here what they mean to hg.
//
//go:embed commands.txt
var commandsText string

// Command is one command that hg knows.
type Command struct {
	Name  string   // canonical
	Names []string // all spellings, canonical first
	// NoRepo commands take no repository, OptionalRepo ones work without, and
	// InferRepo ones look for it around their file arguments when there is
	// none around the working directory.
	NoRepo, OptionalRepo, InferRepo bool
	// Alias is set for an entry of [alias].
	Alias bool
	key   string
}

// Commands lists the commands of a release of hg.
func Commands(v config.Version) []Command { return tableOf(v).list }

// commandTable is the commands of a release.
type commandTable struct {
	list []Command
	// exact has the spellings that stand for one command whatever else starts
	// so: all but those of debug commands, which others hide.
	exact map[string]int
}

func tableOf(v config.Version) *commandTable {
	if v.AtLeast(7, 0) {
		return commands7()
	}
	return commands6()
}

var (
	commands6 = sync.OnceValue(func() *commandTable { return newCommandTable("6") })
	commands7 = sync.OnceValue(func() *commandTable { return newCommandTable("7") })
)

func newCommandTable(release string) *commandTable {
	t := &commandTable{list: loadCommands(release), exact: map[string]int{}}
	for i, c := range t.list {
		for _, n := range c.Names {
			if strings.HasPrefix(c.Name, "debug") || strings.HasPrefix(n, "debug") {
				continue
			}
			if _, taken := t.exact[n]; taken {
				i = -1
			}
			t.exact[n] = i
		}
	}
	return t
}

// Lookup is Find among the commands of a release, without a walk over all of
// them when the name is complete.
func Lookup(name string, v config.Version, aliases []string, strict bool) (Command, error) {
	t := tableOf(v)
	if i, ok := t.exact[name]; ok && i >= 0 {
		c := t.list[i]
		// An alias may be of that name, or take the command's place.
		if !slices.ContainsFunc(aliases, func(a string) bool { return a == name || a == c.key || strings.ContainsAny(a, "-|") }) {
			return c, nil
		}
	}
	return Find(name, t.list, aliases, strict)
}

func loadCommands(release string) []Command {
	var list []Command
	for line := range strings.Lines(commandsText) {
		fields := append(strings.Split(strings.TrimSuffix(line, "\n"), "\t"), "")
		if fields[1] != "*" && fields[1] != release {
			continue
		}
		c := newCommand(fields[0])
		c.NoRepo = strings.Contains(fields[2], "n")
		c.OptionalRepo = strings.Contains(fields[2], "o")
		c.InferRepo = strings.Contains(fields[2], "i")
		list = append(list, c)
	}
	return list
}

// newCommand reads a list of names as Mercurial keys its table: "log|history".
// A name with dashes may also be written without them.
func newCommand(key string) Command {
	names := strings.Split(key, "|")
	for _, n := range names[:len(names):len(names)] {
		if folded := strings.ReplaceAll(n, "-", ""); folded != n && !slices.Contains(names, folded) {
			names = append(names, folded)
		}
	}
	return Command{Name: names[0], Names: names, key: key}
}

// UnknownCommandError is a name that stands for no command. hg looks for it in
// disabled extensions and for similar names before it answers.
type UnknownCommandError struct{ Command string }

func (e *UnknownCommandError) Error() string {
	return fmt.Sprintf("hg: unknown command '%s'", e.Command)
}

// Find resolves the name of a command that may be abbreviated, unless strict
// (ui.strict). aliases are the names in [alias] in their order; they hide
// commands of the same name. Errors: *UnknownCommandError, or an Abort when
// several commands start so.
func Find(name string, commands []Command, aliases []string, strict bool) (Command, error) {
	table := slices.Clone(commands)
	for _, a := range aliases {
		c := newCommand(a)
		c.Alias = true
		if i := slices.IndexFunc(table, func(c Command) bool { return c.key == a }); i >= 0 {
			table[i] = c
		} else {
			table = append(table, c)
		}
	}
	if i := slices.IndexFunc(table, func(c Command) bool { return c.key == name }); i >= 0 {
		return table[i], nil
	}
	// What matches, by the spelling that matched; debug commands count only
	// when nothing else does.
	normal, debug := map[string]Command{}, map[string]Command{}
	for _, c := range table {
		spelling, ok := c.match(name, strict)
		switch {
		case !ok:
		case strings.HasPrefix(c.Name, "debug") || strings.HasPrefix(spelling, "debug"):
			debug[spelling] = c
		default:
			normal[spelling] = c
		}
	}
	choice := normal
	if len(choice) == 0 {
		choice = debug
	}
	if c, ok := choice[name]; ok {
		return c, nil
	}
	var matches []string
	for spelling := range choice {
		matches = append(matches, spelling)
	}
	slices.Sort(matches)
	switch len(matches) {
	case 0:
		return Command{}, &UnknownCommandError{name}
	case 1:
		return choice[matches[0]], nil
	}
	a := hgerr.Abortf(hgerr.Input, "command '%s' is ambiguous:\n    %s", name, strings.Join(matches, " "))
	a.Prefix = "hg: "
	return Command{}, a
}

// match finds the spelling of c that name stands for.
func (c *Command) match(name string, strict bool) (string, bool) {
	if slices.Contains(c.Names, name) {
		return name, true
	}
	if !strict {
		for _, n := range c.Names {
			if strings.HasPrefix(n, name) {
				return n, true
			}
		}
	}
	return "", false
}
