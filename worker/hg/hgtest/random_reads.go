// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"math/rand/v2"
	"strings"
)

// The rarer commands that read: what looks into one revlog, searches contents,
// sums up, verifies.

func (d *dice) summary() []string {
	return append([]string{pick(d, []string{"summary", "sum"})}, d.flags(10, "-q")...)
}

func (d *dice) resolve() []string {
	args := append([]string{"resolve", "-l"}, d.flags(20, "-n", "-a")...)
	return append(args, d.format(30, "mergestatus", "path")...)
}

func (d *dice) grep() []string {
	args := []string{"grep"}
	switch d.IntN(4) {
	case 0: // in the working directory, whose date is now
		if d.chance(50) {
			args = append(append(args, "-f"), d.flags(30, "--diff", "--no-all-files")...)
		}
	case 1:
		args = append(args, "--diff", "-r", d.rev())
		fallthrough
	default:
		args = append(append(args, "-r", d.rev()), d.flags(20, "-d", "-f")...)
		args = append(args, d.format(15, "path", "lineno", "texts", "user", "change")...)
	}
	args = append(args, d.flags(20, "-n", "-l", "-i", "-u", "-0", "-a")...)
	args = append(args, pick(d, []string{"a", "e", "line", "^.*$", "[0-9]+", "the", "o.*e", "x*", "a|b", "(?i)FIX", "nosuchtext", `\bt`, "e$", "[^a-z]+ "}))
	return append(args, d.pathArgs(30)...)
}

func (d *dice) locate() []string {
	args := append([]string{"locate"}, d.flags(20, "-0", "-f")...)
	if d.chance(50) {
		args = append(args, "-r", d.rev())
	}
	return append(args, d.pathArgs(60)...)
}

// storage draws the revlog of a debug command.
func (d *dice) storage() []string {
	switch d.IntN(4) {
	case 0:
		return []string{"-c"}
	case 1:
		return []string{"-m"}
	}
	return []string{pick(d, d.Files)}
}

func (d *dice) debugRead() []string {
	switch d.IntN(13) {
	case 0:
		return append([]string{"debugdata"}, append(d.storage(), pick(d, []string{"0", "1", "2", "5", "99"}))...)
	case 1:
		return append(append([]string{"debugindex"}, d.storage()...), d.format(20, "rev", "nodeid", "linkrev")...)
	case 2:
		return append([]string{"debugindexdot"}, d.storage()...)
	case 3:
		return append([]string{"debugobsolete"}, append(d.flags(30, "--index"), d.format(20, "prednode", "succnodes", "date", "flag")...)...)
	case 4:
		return []string{"debugnamecomplete", pick(d, []string{"", "a", "b", "s", "d", "v"})}
	case 5:
		return []string{"debugrevspec", strings.TrimPrefix(d.revset(1), "-")}
	case 6:
		return append([]string{"debugwalk"}, d.pathArgs(50)...)
	case 7:
		if a, b := d.rev(), d.rev(); !strings.HasPrefix(a, "-") && !strings.HasPrefix(b, "-") {
			return []string{"debugancestor", a, b}
		}
	case 8:
		return append(append([]string{"debugsuccessorssets"}, d.flags(50, "--closest", "--hidden")...), "--", d.revset(1))
	case 9:
		return append([]string{"debugmergestate"}, append(d.flags(30, "-v"), d.format(30, "commits", "files", "extras")...)...)
	case 10:
		return append([]string{"debugignore"}, d.pathArgs(60)...)
	case 11:
		return append([]string{"debugdirstate"}, d.flags(30, "--no-dates", "--datesort", "--all")...)
	}
	return pick(d, [][]string{{"debugrequires"}, {"debugformat"}, {"debugsub"}, {"debugdate", "2020-02-02 20:20"}, {"debugfileset", "all()"}})
}

func (d *dice) verify() []string { return append([]string{"verify"}, d.flags(20, "-q")...) }

// clientRead is what completions, editors and prompts run beside the commands that
// have a function of their own.
func (d *dice) clientRead() []string {
	switch d.IntN(6) {
	case 0:
		return append(append([]string{"debugpathcomplete"}, d.flags(25, "-f", "-n", "-a", "-r")...), pick(d, []string{"", "a", "s", "d", "..", ".", "/"}))
	case 1:
		return []string{"debugcomplete", pick(d, []string{"log", "b", "debugi", "i", "nosuch"})} // extensions and aliases that a server has loaded add none of these
	case 2:
		return []string{"debugcomplete", "-o", pick(d, []string{"log", "status", "st", "diff", "commit", "id"})}
	case 3:
		return []string{"log", "-q", "-r", pick(d, []string{`outgoing(".")`, `outgoing(".") or 0`, `heads(outgoing("nosuch"))`})}
	case 4:
		return []string{"cat", "-r", "wdir()", "path:" + pick(d, d.Files)}
	}
	return []string{pick(d, []string{"log", "status", "branches", "heads", "tags", "parents", "identify", "files"}), "--debug"}
}

// ReadCommands makes n random command lines of the rarer commands that read.
func ReadCommands(rng *rand.Rand, info RepoInfo, n int) []Command {
	d := &dice{Rand: rng, RepoInfo: info}
	cmds := make([]Command, n)
	for i := range cmds {
		d.sub = ""
		if len(d.Present) > 0 && d.chance(15) {
			d.sub = pick(d, d.Present)
		}
		args := pick(d, []func(*dice) []string{(*dice).summary, (*dice).resolve, (*dice).grep, (*dice).grep, (*dice).grep,
			(*dice).locate, (*dice).debugRead, (*dice).debugRead, (*dice).clientRead, (*dice).clientRead, (*dice).verify})(d)
		cmds[i] = Command{Args: d.global(args), Sub: d.sub}
	}
	return cmds
}
