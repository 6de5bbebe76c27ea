// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"errors"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/grep"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/match/pyre"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/template"
)

var grepSpec = Spec{
	Name: "grep",
	Options: func() []Option {
		return join(
			native(cmdline.Flag("0", "print0"), cmdline.Flag("", "all"), cmdline.Flag("", "diff"), cmdline.Flag("a", "text")),
			native(cmdline.Flag("f", "follow"), cmdline.Flag("i", "ignore-case"), cmdline.Flag("l", "files-with-matches"), cmdline.Flag("n", "line-number"),
				cmdline.Words("r", "rev"), cmdline.Flag("", "all-files"), cmdline.Flag("u", "user"), cmdline.Flag("d", "date")),
			formatterOptions(), walkOptions())
	},
	Run: runGrep,
}

// grepping is a grep while it runs.
type grepping struct {
	c         *Context
	v         *repo.View
	fm        *output
	re        *pyre.Searcher
	name      func(string) string
	plain     bool // in the working directory alone
	diff      bool
	sep, eol  string
	dateStyle string
	files     *fileGrep

	found bool
	skip  map[string]bool // files that were shown and are done
}

func runGrep(c *Context) (int, error) {
	if len(c.Args) == 0 {
		return 0, unsupported("usage error: grep without a pattern")
	}
	diff := c.Opts.On("all") || c.Opts.On("diff")
	all := c.Opts.On("all-files")
	for _, other := range []string{"all", "diff"} {
		if all && c.Opts.On(other) {
			return 0, inputError("cannot specify both --all-files and --%s", other)
		}
	}
	if !c.Opts.Given("all-files") && !diff {
		all = true
	}
	revs := c.Opts.List("rev")
	follow := c.Opts.On("follow")
	g := &grepping{c: c, diff: diff, plain: all && len(revs) == 0 && !follow, sep: ":", eol: "\n", skip: map[string]bool{}}
	var err error
	if g.re, err = pyre.CompileSearch(c.Args[0], c.Opts.On("ignore-case")); err != nil {
		var invalid *pyre.InvalidError
		if errors.As(err, &invalid) {
			err = unsupported("invalid pattern, of which Python says why")
		}
		return 0, err
	}
	if c.Opts.On("print0") {
		g.sep, g.eol = "\x00", "\x00"
	}
	if g.v, err = c.View(); err != nil {
		return 0, err
	}
	if c.At72() && !g.plain && !c.Opts.On("text") && !c.Opts.On("files-with-matches") && g.v.Layout.Requirements.Has(requires.TreeManifest) {
		return 0, unsupported("grep in revisions with tree manifests, where hg 7 loses files")
	}
	if g.name, err = c.pathNamer(g.v, false, nil); err != nil {
		return 0, err
	}
	if g.dateStyle = dates.DefaultFormat; c.Quiet {
		g.dateStyle = "%Y-%m-%d"
	}
	var set *revset.Set
	var mt match.Matcher
	var matcher func(node.Rev) (match.Matcher, error)
	if follow {
		set, matcher, err = g.follow(revs, all)
	} else {
		set, mt, err = g.walk(revs, all)
	}
	if err != nil {
		return 0, err
	}
	if g.fm, err = c.formatter("grep", g.v); err != nil {
		return 0, err
	}
	if set == nil {
		return 1, g.fm.finish()
	}
	if (!g.fm.IsPlain() || c.Color != nil) && g.re.MinLength() == 0 {
		return 0, unsupported("grep -T or in color for a pattern that can match nothing")
	}
	g.files = newFileGrep(c, g.v, g.re)
	if follow {
		err = g.runFollow(set, matcher, all)
	} else {
		err = g.run(set, mt, all)
	}
	if err != nil {
		return 0, err
	}
	if err := g.fm.finish(); err != nil {
		return 0, err
	}
	if g.found {
		return 0, nil
	}
	return 1, nil
}

// walk returns the revisions to look at, nil without any, and the files.
func (g *grepping) walk(specs []string, all bool) (*revset.Set, match.Matcher, error) {
	c, v := g.c, g.v
	if g.plain {
		specs = []string{"wdir()"}
	}
	var set *revset.Set
	var err error
	if len(specs) == 0 {
		set, err = c.everything(v)
	} else {
		set, err = c.eval(v, specs)
	}
	if err == nil {
		if set.Empty() {
			return nil, nil, set.Err()
		}
		err = set.Err()
	}
	if err != nil {
		return nil, nil, err
	}
	inner := *c
	inner.Args = c.Args[1:]
	mt, err := inner.fileMatcher(v, inner.Args, c.Opts.List("include"), c.Opts.List("exclude"), node.WdirRev, false)
	if err == nil && !all {
		set, err = inner.logFiles(v, set, len(specs) == 0)
	}
	if err != nil {
		return nil, nil, err
	}
	return set, mt, mt.Err()
}

// run searches changesets one after the other.
func (g *grepping) run(set *revset.Set, mt match.Matcher, all bool) error {
	for rev := range set.All() {
		if err := g.revision(rev, mt, all); err != nil {
			return err
		}
		g.fm.spill()
	}
	return set.Err()
}

// file shows what was found in a file of a changeset, and with --diff how it
// differs from what the parent has of it under the name before.
func (g *grepping) file(rev, parent node.Rev, before string, f fileMatches) (shown bool, err error) {
	var old []grep.Line
	if g.diff {
		if old, err = g.files.inParent(parent, before); err != nil {
			return false, err
		}
	}
	if len(old)+len(f.lines) == 0 {
		return false, nil
	}
	shown, err = g.show(rev, f, old)
	g.found = g.found || shown
	return shown, err
}

// revision shows what matches in a revision.
func (g *grepping) revision(rev node.Rev, mt match.Matcher, all bool) error {
	found, err := g.files.revision(rev, mt, all, g.skip)
	if err != nil {
		return err
	}
	parent, _ := g.v.WdirParents()
	if rev != node.WdirRev {
		parent, _ = g.v.Parents(rev)
	}
	for _, f := range found {
		if g.skip[f.path] {
			continue
		}
		shown, err := g.file(rev, parent, f.path, f)
		if err != nil {
			return err
		}
		if shown && !g.diff && !all {
			g.skip[f.path] = true
		}
	}
	return nil
}

// show prints the lines of a file.
func (g *grepping) show(rev node.Rev, f fileMatches, old []grep.Line) (bool, error) {
	c, fm := g.c, g.fm
	changes := make([]grep.Change, len(f.lines))
	for i, l := range f.lines {
		changes[i].Line = l
	}
	if g.diff {
		changes = grep.Changes(old, f.lines)
	}
	user, date, err := g.author(rev)
	if err != nil {
		return false, err
	}
	for _, ch := range changes {
		fm.StartItem()
		if err := fm.context(rev); err != nil {
			return false, err
		}
		fm.Data("node", template.Bytes(g.v.Node(rev).Hex()))
		fm.Data("path", template.Bytes(f.path))
		fm.As("grep.filename").Plain(g.name(f.path))
		g.column(!g.plain, "rev", "%d", template.Int(int64(shownRev(rev))))
		g.labeled("grep.linenumber", c.Opts.On("line-number"), "lineno", "%d", template.Int(int64(ch.Line.Number)))
		if g.diff {
			label := "grep.deleted grep.change"
			if ch.Sign == '+' {
				label = "grep.inserted grep.change"
			}
			g.labeled(label, true, "change", "%s", template.Bytes(string(ch.Sign)))
		}
		g.column(c.Opts.On("user"), "user", "%s", user)
		g.column(c.Opts.On("date"), "date", "%s", fm.Date(date.Unix, date.Offset, g.dateStyle))
		if !c.Opts.On("files-with-matches") {
			fm.As("grep.sep").Plain(g.sep)
			if err := g.askBinary(rev); err != nil {
				return false, err
			}
			if err := g.text(ch.Line, f.binary && !c.Opts.On("text")); err != nil {
				return false, err
			}
		}
		fm.Plain(g.eol)
		if c.Opts.On("files-with-matches") {
			break
		}
	}
	return len(changes) > 0, c.Err()
}

// shownRev is the number that stands for a revision; the working directory's is
// the largest that there is.
func shownRev(rev node.Rev) node.Rev {
	if rev == node.WdirRev {
		return 1<<31 - 1
	}
	return rev
}

func (g *grepping) column(cond bool, field, format string, value template.Value) {
	g.labeled("grep."+field, cond, field, format, value)
}

// labeled is column for a field whose label is not its name.
func (g *grepping) labeled(label string, cond bool, field, format string, value template.Value) {
	if cond {
		g.fm.As("grep.sep").Plain(g.sep)
	}
	g.fm.As(label).CondWrite(cond, field, format, value)
}

func (g *grepping) text(l grep.Line, binary bool) error {
	switch {
	case binary:
		g.fm.Plain(" Binary file matches")
		return nil
	case g.fm.IsPlain() && g.c.Color == nil:
		g.fm.Plain(l.Text)
		return nil
	}
	chunks, ok := l.Chunks(g.re)
	if !ok {
		return unsupported("grep -T for a match that its line alone does not have")
	}
	inner := g.fm.Nested("texts", "{text}", "")
	for _, chunk := range chunks {
		inner.StartItem()
		if chunk.Matched {
			inner.As("grep.match")
		}
		inner.Write("text", "%s", template.Bytes(chunk.Text))
		inner.Data("matched", template.Bool(chunk.Matched))
	}
	if g.fm.IsPlain() {
		return inner.Err()
	}
	return inner.End()
}

// author is who made a revision, and when.
func (g *grepping) author(rev node.Rev) (template.Value, dates.Date, error) {
	var user template.Text
	var date dates.Date
	if rev == node.WdirRev {
		user = g.c.templates(g.v).Username()
		if user.Local == "" || strings.ContainsAny(user.Local, "\r\n") {
			return template.None(), date, unsupported("grep for a user without a name")
		}
		var err error
		if date, err = g.c.now(); err != nil {
			return template.None(), date, err
		}
	} else {
		ctx, err := g.c.templates(g.v).Changectx(rev)
		if err != nil {
			return template.None(), date, err
		}
		user = ctx.User()
		if date.Unix, date.Offset, err = (repo.Revsets{View: g.v}).Date(rev); err != nil {
			return template.None(), date, err
		}
	}
	if g.fm.IsPlain() && !g.c.Verbose {
		return template.Bytes(shortUser(user.Local)), date, nil
	}
	return template.TextValue(user), date, nil
}

// shortUser is stringutil.shortuser: a name without address, rest and domain.
func shortUser(user string) string {
	user, _, _ = strings.Cut(user, "@")
	if _, after, ok := strings.Cut(user, "<"); ok {
		user = after
	}
	user, _, _ = strings.Cut(user, " ")
	user, _, _ = strings.Cut(user, ".")
	return user
}

// askBinary does what hg does to find out whether a file of the working directory
// is binary: it makes a manifest of a status, and reads a sparse checkout's rules.
func (g *grepping) askBinary(rev node.Rev) error {
	if rev != node.WdirRev || g.c.Opts.On("text") || !g.v.Layout.Requirements.Has(requires.Sparse) {
		return nil
	}
	if _, err := g.c.sparse(g.v, g.c.warnRaw); err != nil {
		return unsupported("grep in a sparse checkout: %v", err)
	}
	return nil
}

// isBinary is stringutil.binary.
func isBinary(data []byte) bool { return bytes.IndexByte(data, 0) >= 0 }
