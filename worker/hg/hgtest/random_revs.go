// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"fmt"
	"strings"
)

// rev draws one revision as a user would name it; rarely one that is none.
func (d *dice) rev() string {
	node := pick(d, d.Nodes)
	switch r := d.IntN(40); {
	case r < 8:
		return fmt.Sprint(d.IntN(len(d.Nodes) + 1))
	case r < 16 && node != "":
		return node[:pick(d, []int{12, 12, 40, 1, 2, 3, 4, 7})]
	case r < 20:
		return pick(d, []string{".", "tip", "null", ".", "tip"})
	case r < 23 && len(d.Bookmarks) > 0:
		return pick(d, d.Bookmarks)
	case r < 26 && len(d.Tags) > 0:
		return pick(d, d.Tags)
	case r < 29 && len(d.Branches) > 0:
		return pick(d, d.Branches)
	case r < 32:
		return fmt.Sprint(-1 - d.IntN(len(d.Nodes)+2))
	case r < 33:
		return pick(d, []string{"nosuch", "deadbeef", "e", "0000", "00000000000000", "9999", "-9999", "a b", "@", "default"})
	}
	return pick(d, []string{".", "0", "tip", "-1"})
}

// operand is rev for use inside of an expression.
func (d *dice) operand() string {
	r := d.rev()
	for i := range len(r) {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@", rune(r[i])) {
			if i == 0 && r[0] == '-' && d.chance(30) {
				return r
			}
			return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(r) + "'"
		}
	}
	return r
}

// revset draws an expression of at most the given depth.
func (d *dice) revset(depth int) string {
	if depth == 0 || d.chance(25) {
		if d.chance(60) {
			return d.operand()
		}
		return pick(d, []string{"p1()", "p2()", "all()", "draft()", "head()", ".", "tip", "null"})
	}
	a, b := d.revset(depth-1), d.revset(depth-1)
	if d.wide && d.chance(40) {
		return d.wideRevset(a, b)
	}
	switch d.IntN(15) {
	case 0, 1:
		return d.operand() + ":" + d.operand()
	case 2:
		return d.operand() + ":"
	case 3:
		return ":" + d.operand()
	case 4:
		return pick(d, []string{":", "tip:0", "0:tip", "-1:0"})
	case 5, 6:
		return a + " + " + b
	case 7:
		return a + " - " + b
	case 8:
		return a + " and " + b
	case 9:
		return a + " or " + b
	case 10:
		return "not " + a
	case 11:
		return "(" + a + ") & (" + b + ")"
	case 12:
		return "!(" + a + ")"
	case 13:
		return "(" + a + ") | (" + b + ")"
	}
	return "p1(" + a + ")"
}

func (d *dice) wideRevset(a, b string) string {
	f := pick(d, []string{
		"%s::%s", "%[1]s::", "::%[1]s", "%s..%s", "ancestors(%s)", "descendants(%s)", "parents(%s)", "children(%s)", "p2(%s)",
		"heads(%s)", "roots(%s)", "ancestor(%s, %s)", "max(%s)", "min(%s)", "first(%s)", "last(%s)", "limit(%s, 3)", "reverse(%s)",
		"sort(%s, -rev)", "sort(%s, 'branch user')", "only(%s, %s)", "merge()", "branch(%s)", "branch(default)", "bookmark()", "tag()", "closed()",
		"public()", "secret()", "obsolete()", "orphan()", "hidden()", "successors(%s)", "predecessors(%s)", "extinct()", "present(%s)",
		"user('re:[a-e]')", "author(ada)", "grep('fix')", "keyword('merge')", "desc(add)", "date('>2019-01-01')", "date('2018')", "file('**.txt')",
		"id(abc)", "rev(3)", "named(tags)", "%[1]s^", "%[1]s~2", "%[1]s^2", "filelog('a')", "follow()", "modifies('*')", "adds('*')", "removes('*')",
		"extra(branch)", "outgoing()", "matching(%s)", "origin()", "destination()", "bisect(good)", "nosuchfunction(%s)", "(%s", "%s &",
	})
	switch strings.Count(f, "%") {
	case 0:
		return f
	case 1:
		return fmt.Sprintf(f, a)
	}
	return fmt.Sprintf(f, a, b)
}

// keywords that stand for a value, and the filters that take text, and dates.
var (
	plainKeywords = []string{"rev", "node", "p1rev", "p1node", "p2rev", "p2node", "branch", "phase", "author", "user", "desc", "date"}
	listKeywords  = []string{"parents", "branches", "bookmarks", "tags", "files", "file_adds", "file_mods", "file_dels", "file_copies", "extras"}
	otherKeywords = []string{"activebookmark", "obsolete", "instabilities", "graphnode", "phaseidx", "latesttag", "p1", "p2", "peerurls", "revset", "manifest", "file_copies_switch", "changessincelatesttag", "diffstat", "namespaces", "reporoot", "termwidth", "troubles", "currentbookmark", "nosuchkeyword"}

	textFilters = []string{"firstline", "tabindent", "strip", "escape", "xmlescape", "json", "user", "person", "email", "short"}
	dateFilters = []string{"shortdate", "date", "isodate", "isodatesec", "hgdate", "rfc3339date", "rfc822date", "localdate", "json", "localdate|isodate", "localdate|hgdate"}
	moreFilters = []string{"lower", "upper", "stringify", "nonempty", "addbreaks", "fill68", "fill76", "urlescape", "hex", "emailuser", "domain", "basename", "stripdir", "utf8", "cbor", "age", "commonprefix", "splitlines", "obfuscate", "revescape", "slashpath", "nosuchfilter"}
)

// template draws a log template of plain keywords and the common filters.
func (d *dice) template() string {
	var b strings.Builder
	for range 1 + d.IntN(5) {
		switch r := d.IntN(12); {
		case d.wide && r < 4:
			b.WriteString(d.wideItem())
		case r < 4:
			fmt.Fprintf(&b, "{%s}", pick(d, plainKeywords))
		case r < 6:
			fmt.Fprintf(&b, "{%s}", pick(d, listKeywords))
		case r < 8:
			fmt.Fprintf(&b, "{%s|%s}", pick(d, []string{"author", "desc", "branch", "node", "user"}), pick(d, textFilters))
		case r < 10:
			fmt.Fprintf(&b, "{date|%s}", pick(d, dateFilters))
		case r < 11:
			fmt.Fprintf(&b, "{%s|%s}", pick(d, listKeywords[1:]), pick(d, []string{"json", "count"}))
		default:
			b.WriteString("{node|short}")
		}
		b.WriteString(pick(d, []string{" ", `\t`, ":", "", `\n`, " - ", `\0`, "é ", `\\`}))
	}
	b.WriteString(`\n`)
	return b.String()
}

func (d *dice) wideItem() string {
	k := pick(d, append(append([]string{}, plainKeywords...), append(listKeywords, otherKeywords...)...))
	f := pick(d, []string{
		"{%s}", "{%s|" + pick(d, moreFilters) + "}", "{%s|" + pick(d, textFilters) + "|" + pick(d, moreFilters) + "}",
		"{if(%s, 'yes', 'no')}", "{ifeq(%s, 'default', 'd', '{branch}')}", "{join(%s, ', ')}", "{sub('a', 'b', %s)}", "{pad(%s, 20, '-')}",
		"{shortest(node, 5)}%.0s", "{word(0, %s)}", "{join(files % '<{file}>', ' ')}%.0s", "{ifcontains('a', %s, 'has')}", "{strip(%s)}", "{count(%s)}",
		"{date(date, '%%Y')}%.0s", "{rev + 1}%.0s", "{p1.node}%.0s", "{label('log.x', %s)}", "{dict(a=%s)|json}", "{get(extras, 'branch')}%.0s",
		"{tags % '{tag} '}%.0s", "{parents % '{rev}:{node|short} '}%.0s", "{extras % '{key}={value|stringescape}'}%.0s", "{revset('p1()')}%.0s", "{indent(desc, '  ')}%.0s", "{fill(desc, 30)}%.0s", "{",
	})
	if !strings.Contains(f, "%s") {
		f = strings.ReplaceAll(strings.TrimSuffix(f, "%.0s"), "%%", "%")
		return f
	}
	return strings.Replace(f, "%s", k, 1)
}
