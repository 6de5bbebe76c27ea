// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"fmt"
	"strings"
)

// revsetForms are the predicates with the kinds of their arguments: s a set, n a
// number, u a user, t a text, T a pattern of names, f a file pattern, d a date, k
// sort keys, x a hash, r a range of numbers, p a path, m fields of matching().
var revsetForms = forms(`
	adds f
	all -
	ancestor s s,s - s,s,s
	ancestors s s s,n s,depth=n s,n,n s,startdepth=n
	author u
	bisect b
	bisected b
	bookmark - T B
	branch T R s
	branchpoint -
	bundle -
	children s
	closed -
	commonancestors s
	conflictlocal -
	conflictother -
	contains f
	contentdivergent -
	converted - x
	date d d
	desc t
	descendants s s s,n s,depth=n s,n,n
	destination - s
	diffcontains t
	draft -
	expectsize s,n s,r s,size=r
	extdata t
	extinct -
	extra t,t t t,value=T
	file f f
	filelog f
	first s s,n s,n,n s,n=n
	follow - f f,s startrev=s
	grep g g
	head -
	heads s s
	hidden -
	id x
	keyword t
	last s s,n
	limit s s,n s,n,n s,offset=n
	matching s s,m
	max s
	merge -
	min s
	modifies f
	named N
	nodefromfile p
	none -
	obsolete -
	only s s,s
	origin - s
	orphan -
	outgoing - p
	p1 - s
	p2 - s
	parents - s
	phasedivergent -
	present s
	public -
	removes f
	rev n
	reverse s s
	revset s
	roots s s
	secret -
	sort s s,k s,k s,k,topo.firstbranch=s s,K,random.seed=t s,k,random.seed=t
	stack - s
	subrepo - T
	successors s
	tag - T
	tagged - T
	unstable -
	user u
	wdir -
	_commonancestorheads s
	_destmerge - s
	_destupdate - clean=n limit=n
	_firstancestors s
	_firstdescendants s
	_followfirst - f
	_hexlist H
	_internal -
	_intlist I
	_list L
	_matchfiles F F,F
	_notpublic -
	_phase n
	_phaseandancestors P,s
	_rev n
	nosuchfunction s
`)

// askRevset is a log of a revset, or what becomes of it on the way to its evaluation.
func (d *dice) askRevset() []string {
	if d.chance(15) {
		return append(append([]string{"debugrevspec"}, pick(d, [][]string{{"-p", "all"}, {"-p", "all", "--verify-optimized"}, {"-p", "parsed", "-p", "optimized"},
			{"--no-optimized", "-p", "all"}, {"-p", "analyzed", "--no-show-revs"}})...), "--", d.broken(d.expression(1+d.IntN(3))))
	}
	args := []string{"log", "-T", pick(d, []string{`{rev}\n`, `{rev}\n`, `{rev}:{node|short}\n`})}
	for range 1 + d.IntN(8)/7 {
		args = append(args, "-r", d.broken(d.expression(1+d.IntN(3))))
	}
	if d.chance(12) {
		args = append(args, pick(d, []string{"--hidden", "-l3", "-G", "--hidden"}))
	}
	return args
}

// askBookmarks is a log of what bookmarks reach.
func (d *dice) askBookmarks() []string {
	args := []string{"log", "-T", `{rev} {bookmarks}\n`}
	for range 1 + d.IntN(2) {
		args = append(args, "-B", pick(d, append([]string{"@", "nosuch", "."}, d.Bookmarks...)))
	}
	return args
}

// expression draws a revset of at most the given depth.
func (d *dice) expression(depth int) string {
	if depth <= 0 {
		if d.chance(60) {
			return d.symbol()
		}
		return pick(d, []string{"all()", "draft()", "head()", ".", "tip", "null", "wdir()", "merge()", "p1()", "public()", "none()", ":", "2:5", "0::3", "reverse(1:4)"})
	}
	a := func() string { return d.expression(depth - 1 - d.IntN(2)) }
	g := func() string { return d.grouped(a()) }
	switch r := d.IntN(44); {
	case r < 17:
		return d.callOf(pick(d, revsetForms), func(kind string) string { return d.revsetArg(kind, depth-1) })
	case r < 19:
		return g() + pick(d, []string{" + ", " or ", "|", " | ", "+"}) + g()
	case r < 22:
		return g() + pick(d, []string{" and ", " & ", "&", " and not ", " - "}) + g()
	case r < 23:
		return pick(d, []string{"not ", "!"}) + g()
	case r < 26:
		return g() + pick(d, []string{"::", "..", ":", "::", ":"}) + g()
	case r < 28:
		return g() + pick(d, []string{"::", ":", ".."})
	case r < 30:
		return pick(d, []string{"::", ":", ".."}) + g()
	case r < 31:
		return g() + " % " + g()
	case r < 32:
		return g() + "%"
	case r < 35:
		return g() + pick(d, []string{"^", "^0", "^1", "^2", "^3", "^^", "^1^2", "^'1'", "^x"})
	case r < 37:
		return g() + pick(d, []string{"~0", "~1", "~2", "~-1", "~(-1)", "~x", "~1^"})
	case r < 39:
		return g() + pick(d, []string{"#generations[0]", "#g[-1]", "#g[:2]", "#g[1:]", "#g[-2:1]", "#g", "#nosuch", "#g[x]", "#g[:]", "#g[1]", "[0]"})
	case r < 40:
		return "'" + strings.Trim(d.symbol(), "'\"\\") + "' ## " + pick(d, []string{"''", "'0'", "'x'", "1"})
	case r < 41:
		return "-" + d.number()
	case r < 42:
		return g() + " and " + g() + " and " + g()
	}
	return "(" + a() + ")"
}

// grouped puts parentheses around most operands.
func (d *dice) grouped(s string) string {
	if d.chance(45) {
		return "(" + s + ")"
	}
	return s
}

// symbol draws a name as it is written in an expression.
func (d *dice) symbol() string {
	if d.chance(15) {
		names := append(append(append([]string{}, d.Branches...), d.Bookmarks...), d.Tags...)
		if name := pick(d, names); name != "" {
			return name // unquoted, however it is spelled
		}
	}
	return d.operand()
}

func (d *dice) revsetArg(kind string, depth int) string {
	if d.chance(3) {
		kind = pick(d, []string{"s", "n", "t", "f", "d", "k", "r"})
	}
	node := pick(d, d.Nodes)
	switch kind {
	case "s":
		return d.expression(depth)
	case "n":
		return d.number()
	case "r":
		return pick(d, []string{"1:3", ":2", "0:", ":", "2", "'1':'2'", "x:y", "-1:2"})
	case "u":
		user := pick(d, d.Users)
		if len(user) > 3 && d.chance(60) {
			user = user[:2+d.IntN(len(user)-2)]
		}
		return d.quotedArg(pick(d, []string{"", "", "", "literal:", "re:"}) + pick(d, []string{user, "ada", "EXAMPLE", "o", "@", `^.a`, "(", "["}))
	case "t":
		return d.quotedArg(pick(d, []string{"fix", "add", "a", "E", "", "branch", "close", "source", "re:^fi", "re:(?i)FIX", "literal:re:", "re:[", "é", "x.y", "topo", "rebase_source", "1"}))
	case "g":
		return d.quotedArg(pick(d, []string{"fix|add", "^a", "(?i)ADA", "[", "a{2}", `\bfix\b`, "(a)(?=d)", "x*", "", `\d+`, "é", "(?P<n>a).*(?P=n)", "(?i)fIX|aDD", `(a)\1`, "a(?!d)", "(?<=f)ix"}))
	case "T":
		names := append(append(append([]string{"default", "tip", "v1.0"}, d.Branches...), d.Bookmarks...), d.Tags...)
		return d.quotedArg(pick(d, []string{"", "", "re:", "literal:", "re:^"}) + pick(d, append(names, "nosuch", ".", "", "[", "a")))
	case "B":
		return pick(d, []string{"'.'", "@", "'re:.'", "'nosuch'"})
	case "R":
		return d.operand()
	case "N":
		return pick(d, []string{"'bookmarks'", "'tags'", "'branches'", "'re:.'", "'nosuch'", "tags", "'re:book'"})
	case "f":
		return d.quotedArg(pick(d, []string{"", "", ""}) + d.pattern())
	case "F":
		return d.quotedArg(pick(d, []string{"p:", "i:", "x:", "r:", "d:", "q:", "p:"}) + pick(d, []string{"glob:*", "path:src", "relpath", "re:.*", "", ".", "set:added()"}))
	case "d":
		return d.quotedArg(pick(d, []string{"2018", ">2018-01-01", "<2020", "2019-01 to 2021", "-3000", "today", "yesterday", "1970-01-01 00:00 +0000", ">0 0", "jan 2019", "2019-13", "nonsense", "", "to", ">", "-x", "12:30", "2018-5-6 7:08:09", "5/6/18", "< 1500000000 0", "2020-02-30", "sep 10 2018"}))
	case "k":
		return pick(d, []string{"rev", "-rev", "'branch -rev'", "desc", "'-desc user'", "user", "author", "date", "'-date'", "node", "'-node rev'", "topo", "'-topo'", "'topo rev'", "nosuch", "''", "'date -user desc'", "-date"})
	case "K": // without a seed, nobody knows the order
		return pick(d, []string{"random", "'random rev'", "'branch random'", "-random"})
	case "x":
		return d.quotedArg(pick(d, []string{"", "f", "0", "zz", "ffffffffffffffffffffffffffffffffffffffff", "0000000000000000000000000000000000000000", "wdir", node, node[:min(4, len(node))], node[:min(1, len(node))], strings.ToUpper(node), "x" + node, "svn:1@2"}))
	case "H":
		return d.quotedArg(node)
	case "I":
		return fmt.Sprintf(`"%d\x00%d"`, d.IntN(9), 9+d.IntN(9))
	case "L":
		return fmt.Sprintf(`"%d\x00%s\x00%d"`, d.IntN(9), pick(d, []string{"tip", ".", "null", "nosuch", "0"}), d.IntN(9))
	case "P":
		return pick(d, []string{"draft", "secret", "_notpublic", "public", "x"})
	case "p":
		return pick(d, []string{"'nosuchfile'", "'.'", "''", "'.hg/hgrc'", "'README'"})
	case "b":
		return pick(d, []string{"good", "bad", "skip", "goods", "bads", "range", "pruned", "untested", "ignored", "current", "'GOOD'", "nosuch"})
	case "m":
		return d.quotedArg(pick(d, []string{"user", "author date", "branch", "phase", "parents", "summary", "description", "files", "metadata", "substate", "diff", "nosuch", "", "branch phase user"}))
	}
	return kind
}
