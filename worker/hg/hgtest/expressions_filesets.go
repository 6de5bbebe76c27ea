// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

// filesetForms are the predicates with the kinds of their arguments: s a
// fileset, f a pattern, z a size, e an encoding, l a style of line ends, g a
// regular expression, v a revset.
var filesetForms = forms(`
	added -
	binary -
	clean -
	copied -
	deleted -
	encoding e
	eol l
	exec -
	grep g
	hgignore -
	ignored -
	missing -
	modified -
	portable -
	removed -
	resolved -
	revs v,s
	size z
	status v,v,s
	subrepo - f
	symlink -
	tracked -
	unknown -
	unresolved -
	nosuchpredicate -
`)

// askFileset is a command that lists files of a fileset.
func (d *dice) askFileset() []string {
	set := "set:" + d.broken(d.fileset(1+d.IntN(3)))
	at := d.IntN(10)
	if d.Special {
		at = 0 // hg would open a pipe and wait for somebody to write
	}
	switch at {
	case 0, 1, 2:
		return []string{"files", "-r", d.rev(), set}
	case 3, 4:
		return []string{"status", "-A", set}
	case 5:
		return []string{"files", "-X", set}
	case 6:
		return []string{"status", "-I", set}
	}
	return []string{"files", set}
}

func (d *dice) fileset(depth int) string {
	if depth <= 0 {
		return d.filesetPattern()
	}
	a := func() string { return d.fileset(depth - 1 - d.IntN(2)) }
	g := func() string { return d.grouped(a()) }
	switch r := d.IntN(24); {
	case r < 12:
		return d.callOf(pick(d, filesetForms), func(kind string) string { return d.filesetArg(kind, depth-1) })
	case r < 14:
		return g() + pick(d, []string{" or ", " | ", "|"}) + g()
	case r < 17:
		return g() + pick(d, []string{" and ", " & ", "&", " - ", " and not "}) + g()
	case r < 19:
		return pick(d, []string{"not ", "!"}) + g()
	case r < 20:
		return "-" + g()
	case r < 21:
		return a() + ", " + a()
	case r < 23:
		return d.filesetPattern()
	}
	return "(" + a() + ")"
}

func (d *dice) filesetPattern() string {
	p := d.pattern()
	switch d.IntN(6) {
	case 0:
		return d.quotedArg(p)
	case 1:
		return pick(d, []string{"**", "*.txt", "glob:*", "path:src", "path:.", "'glob:*'", "re:'a'", "a*", "relglob:*.c", "set:added()", "'set:added()'", "rootfilesin:.", "filepath:README"})
	}
	return d.quotedArg(pick(d, d.Files))
}

func (d *dice) filesetArg(kind string, depth int) string {
	switch kind {
	case "s":
		return d.fileset(depth)
	case "f":
		return d.filesetPattern()
	case "z":
		return d.quotedArg(pick(d, []string{"1k", "<1k", "> 10", ">= 5B", "<=100 b", "1 - 50", "0", "1k - 2k", "1.5k", "5-", "x", "", "<", "1e3", "10 kB", "<.1k", "1m", "2 gigabytes"}))
	case "e":
		return d.quotedArg(pick(d, []string{"ascii", "utf-8", "latin-1", "UTF8", "nosuch", "", "cp1252", "utf-16"}))
	case "l":
		return pick(d, []string{"unix", "dos", "mac", "win", "'nosuch'", "''"})
	case "g":
		return d.quotedArg(pick(d, []string{"a", "^fix", "[", "x{2}", "(?i)A", "", `\d`, "é", "a(?=b)"}))
	case "v":
		return d.quotedArg(d.revsOfFileset())
	case "n":
		return d.number()
	case "t":
		return d.quotedArg("x")
	}
	return kind
}

// revsOfFileset draws a revset; the working directory is left out where hg would
// wait for a pipe.
func (d *dice) revsOfFileset() string {
	list := []string{".", "tip", "0", "null", "1:3", "nosuch", "p1()", "all()", "(", d.rev()}
	if !d.Special {
		list = append(list, "wdir()", "")
	}
	return pick(d, list)
}
