// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import "strings"

func (d *dice) log() []string {
	args := []string{pick(d, []string{"log", "log", "log", "history"})}
	for range d.IntN(3) {
		switch d.IntN(4) {
		case 0:
			args = append(args, "-r", d.rev())
		case 1:
			args = append(args, "-r"+d.revset(1))
		default:
			args = append(args, "-r", d.revset(2))
		}
	}
	if d.chance(35) {
		args = append(args, pick(d, []string{"-l1", "-l2", "--limit=5", "-l3", "-l10"}))
	}
	args = append(args, d.flags(12, "-G", "-v", "-q")...)
	if d.chance(45) {
		switch d.IntN(4) {
		case 0:
			args = append(args, "-Tjson")
		case 1:
			args = append(args, "--template="+d.template())
		default:
			args = append(args, "-T", d.template())
		}
	}
	if d.wide {
		if d.chance(25) {
			args = append(args, pick(d, [][]string{{"-p"}, {"--stat"}, {"-f"}, {"-M"}, {"-u", "ada"}, {"-k", "fix"}, {"-b", "default"}, {"-d", "2018"}, {"-P", "3"}, {"--removed"}, {"-C"}, {"-l0"}, {"-lx"}, {"--style=compact"}, {"--style", "default"}, {"-pg"}, {"-m"}, {"--bookmark", "@"}, {"--nosuchoption"}})...)
		}
		args = append(args, d.pathArgs(20)...)
	}
	return args
}

func (d *dice) status() []string {
	args := []string{pick(d, []string{"status", "status", "st"})}
	if d.chance(65) {
		letters := []byte("mardcui")
		d.Shuffle(len(letters), func(i, j int) { letters[i], letters[j] = letters[j], letters[i] })
		if cluster := string(letters[:d.IntN(len(letters))]); cluster != "" {
			args = append(args, "-"+cluster)
		}
	}
	args = append(args, d.flags(12, "-A", "-C", "-0", "-n", "--copies", "--no-status", "--print0", "--all", "--modified", "--unknown")...)
	args = append(args, d.statusForm()...)
	if d.wide {
		switch d.IntN(8) {
		case 0:
			args = append(args, "--rev", d.rev())
		case 1:
			args = append(args, "--rev", d.rev(), "--rev", d.rev())
		case 2:
			args = append(args, "--change", d.rev())
		case 3:
			args = append(args, pick(d, [][]string{{"-S"}, {"-t", "mixed"}, {"-v"}, {"-T", "{status} {path}\\n"}, {"--rev", "0:tip"}, {"-T", "{path}"}, {"--terse", "u"}})...)
		}
	}
	return append(args, d.pathArgs(35)...)
}

// statusForm is how a status is to be shown, or between which revisions.
func (d *dice) statusForm() []string {
	switch d.IntN(16) {
	case 0, 1:
		return []string{"-Tjson"}
	case 2:
		return []string{"-t", pick(d, []string{"mardu", "u", "marduic", "mc", "i", "x"})}
	case 3:
		return []string{"--rev", d.rev()}
	case 4:
		return []string{"--rev", d.rev(), "--rev", d.rev()}
	case 5:
		return []string{"--change", d.rev()}
	case 6:
		return []string{"--config", pick(d, []string{"commands.status.terse=mu", "ui.statuscopies=yes", "commands.status.relative=no"})}
	}
	return nil
}

func (d *dice) cat() []string {
	args := []string{"cat"}
	if d.chance(60) {
		args = append(args, "-r", d.rev())
	}
	if d.wide && d.chance(25) {
		args = append(args, pick(d, [][]string{{"-Tjson"}, {"--decode"}, {"-T", "{path}:{data|json}\\n"}, {"-o", "-"}, {"-o", "/dev/null"}})...)
	}
	if d.chance(10) {
		args = append(args, "--")
	}
	for range 1 + d.IntN(3) {
		if r := d.IntN(10); r < 5 {
			args = append(args, d.named(d.relative(pick(d, d.Files))))
		} else if r < 8 {
			args = append(args, d.file())
		} else {
			args = append(args, d.pattern())
		}
	}
	return args
}

func (d *dice) files() []string {
	args := []string{"files"}
	if d.chance(60) {
		args = append(args, "-r", d.rev())
	}
	args = append(args, d.flags(15, "-0", "-v")...)
	args = append(args, d.format(12, "path", "size", "flags")...)
	return append(args, d.pathArgs(50)...)
}

func (d *dice) manifest() []string {
	args := []string{"manifest"}
	args = append(args, d.flags(20, "-v", "--debug")...)
	if d.chance(50) {
		args = append(args, "-r", d.rev())
	} else if d.chance(30) {
		args = append(args, d.rev())
		if strings.HasPrefix(args[len(args)-1], "-") {
			args = args[:len(args)-1]
		}
	}
	if d.chance(5) {
		args = append(args, "--all")
	}
	return append(args, d.format(15, "path", "type", "mode", "flags", "hash")...)
}

func (d *dice) identify() []string {
	args := []string{pick(d, []string{"identify", "id"})}
	args = append(args, d.flags(25, "-i", "-n", "-b", "-t", "-B")...)
	if d.chance(50) {
		args = append(args, "-r", d.rev())
	}
	return append(args, d.format(15, "id", "branch", "bookmarks", "tags", "dirty", "parents")...)
}

func (d *dice) heads() []string {
	args := []string{"heads"}
	args = append(args, d.flags(25, "-c", "-t", "-a")...)
	if d.chance(20) {
		args = append(args, "-r", d.rev())
	}
	for range d.IntN(3) {
		r := d.rev()
		if !strings.HasPrefix(r, "-") {
			args = append(args, r)
		}
	}
	return d.withTemplate(args)
}

func (d *dice) withTemplate(args []string) []string {
	if d.chance(30) {
		return append(args, "-T", d.template())
	}
	if d.chance(15) {
		return append(args, "-Tjson")
	}
	return append(args, d.flags(10, "-v", "-q")...)
}

func (d *dice) parents() []string {
	args := []string{"parents"}
	if d.chance(40) {
		args = append(args, "-r", d.rev())
	}
	if d.chance(25) {
		args = append(args, d.file())
	}
	return d.withTemplate(args)
}

func (d *dice) tip() []string { return d.withTemplate([]string{"tip"}) }

func (d *dice) branch() []string { return []string{"branch"} }

func (d *dice) branches() []string {
	args := append([]string{"branches"}, d.flags(25, "-c", "-v", "-q")...)
	if d.wide {
		args = append(args, d.flags(10, "-a")...)
	}
	return append(args, d.format(25, "branch", "active", "closed", "current", "rev", "node")...)
}

func (d *dice) bookmarks() []string {
	args := append([]string{pick(d, []string{"bookmarks", "bookmarks", "bookmark", "book"})}, d.flags(15, "-v", "-q", "--list")...)
	if d.chance(20) && len(d.Bookmarks) > 0 {
		args = append(args, "-l", pick(d, d.Bookmarks))
	}
	return append(args, d.format(25, "bookmark", "active", "rev", "node")...)
}

func (d *dice) tags() []string {
	args := append([]string{"tags"}, d.flags(25, "-v", "-q", "--debug")...)
	return append(args, d.format(25, "tag", "type", "rev", "node")...)
}

func (d *dice) phase() []string {
	args := []string{"phase"}
	for range d.IntN(3) {
		switch r := d.revset(1); {
		case d.chance(40):
			args = append(args, "-r", r)
		case !strings.HasPrefix(r, "-"):
			args = append(args, r)
		}
	}
	return args
}

func (d *dice) paths() []string {
	args := append([]string{"paths"}, d.flags(20, "-v", "-q")...)
	args = append(args, d.format(20, "name", "url", "pushurl")...)
	if d.chance(40) {
		args = append(args, pick(d, []string{"default", "default-push", "other", "nosuch", "with space", "rel"}))
	}
	return args
}

func (d *dice) config() []string {
	args := []string{pick(d, []string{"config", "config", "showconfig"})}
	args = append(args, d.format(15, "name", "value", "source", "defaultvalue")...)
	args = append(args, d.flags(10, "--debug", "-q", "-v")...)
	return append(args, d.some(2, []string{"ui", "paths", "paths.default", "ui.username", "ui.nosuch", "extensions", "experimental", "experimental.evolution", "alias", "phases.publish", "ui.merge", "nosuch", "defaults", "diff", "commands"})...)
}

func (d *dice) root() []string {
	args := []string{"root"}
	if d.wide {
		args = append(args, d.format(30, "reporoot", "hgpath", "storepath")...)
	}
	return args
}

func (d *dice) version() []string { return []string{"version", "-q"} }
