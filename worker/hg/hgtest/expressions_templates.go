// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import "strings"

// templateForms are the functions with the kinds of their arguments: e an
// expression, l a list, q a quoted template, t a text, n a number, d a date, r a
// revset, g a regular expression, f a file pattern, c a colour label.
var templateForms = forms(`
	config t,t t,t,t
	configbool t,t
	configint t,t,n
	count l
	date d d,D
	dict a=e,b=e e,e
	diff - f
	extdata t
	files f
	fill e e,n e,n,q,q
	filter l l,e
	formatnode e
	get l,t e,t
	if e,q e,q,q
	ifcontains t,l,q t,e,q,q
	ifeq e,e,q e,e,q,q
	indent e,q e,q,q
	join l,q l,q l
	label c,q
	latesttag - g
	localdate d d,z
	mailmap e
	max l
	min l
	mod n,n e,n
	obsfatedate e
	obsfateoperations e
	obsfateusers e
	obsfateverb e,e
	pad e,n e,n,P e,n,P,n e,n,left=n
	relpath t
	revset r r,e
	rstdoc t,t
	search g,e
	separate q,e,e q,e,q,e
	shortest e e,n
	startswith t,e
	strip e e,t
	sub g,q,e
	subsetparents e,r
	word n,e n,e,t
	nosuchfunction e
`)

var (
	templateKeywords = strings.Fields(`rev node author desc date branch branches tags bookmarks files phase phaseidx parents p1 p2 p1rev p2rev
		p1node p2node children extras file_adds file_mods file_dels file_copies file_copies_switch graphnode graphwidth index latesttag
		latesttagdistance changessincelatesttag manifest namespaces negrev obsolete onelinesummary path peerurls reporoot size status
		user instabilities verbosity whyunstable termwidth activebookmark currentbookmark bisect closesbranch diffstat obsfate subrepos
		succsandmarkers predecessors successorssets envvars troubles nosuchkeyword 0 42`)
	templateLists   = strings.Fields(`files tags bookmarks branches parents extras file_adds file_copies children namespaces instabilities revset('all()') revset('1:3') dict(a=1,b=2) latesttag splitlines(desc)`)
	templateFilters = strings.Fields(`addbreaks age basename cbor commondir count dirname domain email escape fill68 fill76 firstline hex hgdate isodate
		isodatesec json lower nonempty obfuscate permissions person reverse revescape rfc3339date rfc822date short shortbisect shortdate slashpath
		splitlines stringescape stringify stripdir tabindent upper urlescape user emailuser utf8 xmlescape localdate date strip nosuchfilter`)
)

// askTemplate is a log of one or two changesets with a template.
func (d *dice) askTemplate() []string {
	var b strings.Builder
	for range 1 + d.IntN(3) {
		b.WriteString(d.templateText())
		b.WriteString("{" + d.templateExpr(1+d.IntN(3)) + "}")
	}
	text := d.broken(b.String() + pick(d, []string{`\n`, `\n`, "\n", "", `\0`}))
	if d.chance(4) {
		text = pick(d, []string{"'" + text + "'", `"` + text + `"`})
	}
	args := []string{"log", "-r", d.rev(), "-T", text}
	if d.chance(8) {
		args = append(args, pick(d, []string{"-v", "-q", "--debug", "-G"}))
	}
	return args
}

func (d *dice) templateText() string {
	return pick(d, []string{"", "", " ", "a:", `\t`, `\{`, `\\`, "é", `\x41`, `\101`, "<", "%", "#", `'`})
}

// templateExpr draws an expression of at most the given depth.
func (d *dice) templateExpr(depth int) string {
	if depth <= 0 {
		if d.chance(70) {
			return pick(d, templateKeywords)
		}
		return pick(d, []string{"rev", "'text'", `"a{rev}b"`, "5", "-3", "desc|firstline", "r'a\\b'", "author|person"})
	}
	a := func() string { return d.templateExpr(depth - 1 - d.IntN(2)) }
	switch r := d.IntN(20); {
	case r < 5:
		return a() + "|" + pick(d, templateFilters)
	case r < 12:
		return d.callOf(pick(d, templateForms), func(kind string) string { return d.templateArg(kind, depth-1) })
	case r < 14:
		return pick(d, templateLists) + " % " + pick(d, []string{`"{file} "`, `'{tag}{bookmark}{branch};'`, `'{rev}:{node|short} '`, `'{key}={value} '`, "rev", `'{index}.'`, `'{` + strings.NewReplacer("'", "", `"`, "").Replace(a()) + `}'`})
	case r < 15:
		return a() + pick(d, []string{".rev", ".node", ".branch", ".a", ".nosuch", ".file", ".p1.rev"})
	case r < 17:
		return pick(d, []string{"rev", "1", a()}) + pick(d, []string{" + ", " - ", " * ", " / ", "-"}) + pick(d, []string{"1", "0", "3", "rev"})
	case r < 18:
		return "(" + a() + ")"
	}
	return pick(d, templateKeywords)
}

func (d *dice) templateArg(kind string, depth int) string {
	switch kind {
	case "e", "s":
		return d.templateExpr(depth)
	case "l":
		return pick(d, templateLists)
	case "q":
		return pick(d, []string{"'yes'", `"{rev}"`, "' '", "', '", `'\n'`, "''", "'a b'", `"{branch|upper}"`, d.templateExpr(depth)})
	case "t":
		return pick(d, []string{"'branch'", "'a'", "'ui'", "'username'", "'x'", "''", "'README'", "a", "0", "'minimal'"})
	case "n":
		return pick(d, []string{"0", "1", "2", "5", "20", "-1", "'x'", "rev", "80"})
	case "d":
		return pick(d, []string{"date", "date", "'2020-01-01'", "0", "rev", "'x'"})
	case "D":
		return d.quotedArg(pick(d, []string{"%Y", "%Y-%m-%d %H:%M:%S %1%2", "%a %b", "", "%%", "%s", "%j %U"}))
	case "z":
		return pick(d, []string{"'UTC'", "'+0530'", "3600", "'x'", "'-0100'"})
	case "r":
		return pick(d, []string{"'p1()'", "'all()'", "'%d', rev", "'nosuch'", "'0:2'", "'parents(%d)', rev", "'%s', branch", "'('"})
	case "g":
		return d.quotedArg(pick(d, []string{"a", "^a", `(\w+)`, "[", "re:v.*", "x*", "(?P<w>e)", "é"}))
	case "f":
		return pick(d, []string{"'**'", "'*.txt'", "'README'", "'re:a'", "'['"})
	case "c":
		return pick(d, []string{"'red'", "'log.x'", "''", "rev"})
	case "P":
		return pick(d, []string{"'-'", "'ab'", "''", "0"})
	}
	return kind
}
