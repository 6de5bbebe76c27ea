// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hgbroker/worker/hg/annotate"
	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/subrepo"
	"hgbroker/worker/hg/template"
)

var annotateSpec = Spec{
	Name: "annotate",
	Options: func() []Option {
		return join(
			native(cmdline.Text("r", "rev", ""), cmdline.Flag("", "follow"), cmdline.Flag("", "no-follow"), cmdline.Flag("a", "text"),
				cmdline.Flag("u", "user"), cmdline.Flag("f", "file"), cmdline.Flag("d", "date"), cmdline.Flag("n", "number"),
				cmdline.Flag("c", "changeset"), cmdline.Flag("l", "line-number"), cmdline.Words("", "skip"),
				cmdline.Words("L", "line-range"),
				cmdline.Flag("w", "ignore-all-space"), cmdline.Flag("b", "ignore-space-change"),
				cmdline.Flag("B", "ignore-blank-lines"), cmdline.Flag("Z", "ignore-space-at-eol")),
			walkOptions(), formatterOptions())
	},
	Run: runAnnotate,
}

func runAnnotate(c *Context) (int, error) {
	ranges := c.Opts.List("line-range")
	switch {
	case len(ranges) > 0 && !c.At72():
		return 0, unsupported("annotate --line-range before Mercurial 7")
	case len(ranges) > 0 && c.Opts.On("no-follow"):
		return 0, inputError("--line-range is incompatible with --no-follow")
	case len(ranges) > 0 && len(c.Args) > 0:
		return 0, inputError("cannot combine filename or pattern and --line-range")
	case len(ranges) == 0 && len(c.Args) == 0:
		return 0, inputError("at least one filename or pattern is required")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	if err := refuseUnsaid(v); err != nil {
		return 0, err
	}
	a := &annotator{c: c, v: v}
	if len(ranges) > 0 {
		lines, err := c.lineRanges(v, ranges)
		if err != nil {
			return 0, err
		}
		c.Args = nil
		for _, l := range lines {
			c.Args = append(c.Args, l.path)
		}
		a.only = &lines[0]
	}
	if c.Opts.Given("line-number") && !c.Opts.On("changeset") && !a.numbered() {
		return 0, inputError("at least one of -n/-c is required for -l")
	}
	if a.rev, err = c.Single(c.Opts.Text("rev"), "."); err != nil {
		return 0, err
	}
	c.nullParent(v, c.Opts.Text("rev"), a.rev)
	if a.fm, err = c.formatter("annotate", v); err != nil {
		return 0, err
	}
	if err := a.fm.Unnamed(); err != nil {
		return 0, err
	}
	if a.name, err = c.pathNamer(v, true, nil); err != nil {
		return 0, err
	}
	mt, err := c.matcherIn(v, c.Args, c.Opts.List("include"), c.Opts.List("exclude"), a.rev)
	if err != nil {
		return 0, err
	}
	if err := a.query(); err != nil {
		return 0, err
	}
	if a.rev == node.WdirRev {
		err = a.workingFiles(mt)
	} else {
		err = a.files(mt)
	}
	if err != nil {
		return 0, err
	}
	return 0, a.finish()
}

// annotator is one annotate command.
type annotator struct {
	c    *Context
	v    *repo.View
	fm   *output
	rev  node.Rev
	name func(string) string
	q    annotate.Query
	only *lineRange // --line-range
	ctxs map[node.Rev]template.Changectx
}

// finish prints what is left, unless a template has asked a changeset for what is
// not known of it.
func (a *annotator) finish() error {
	if a.fm.IsPlain() {
		return a.fm.finish()
	}
	err := a.fm.End()
	for _, ctx := range a.ctxs {
		if err == nil {
			err = ctx.Err()
		}
	}
	if err == nil {
		_, err = a.c.Stdout.Write(a.fm.buf.Bytes())
		a.fm.buf.Reset()
	}
	return err
}

func (a *annotator) context(rev node.Rev) (template.Changectx, error) {
	if ctx, ok := a.ctxs[rev]; ok {
		return ctx, nil
	}
	ctx, err := a.fm.repo.Changectx(rev)
	if a.ctxs == nil {
		a.ctxs = map[node.Rev]template.Changectx{}
	}
	a.ctxs[rev] = ctx
	return ctx, err
}

// numbered tells whether revision numbers are shown: by default, if nothing else
// is.
func (a *annotator) numbered() bool {
	o := a.c.Opts
	return o.On("number") || !o.On("user") && !o.On("changeset") && !o.On("date") && !a.named()
}

func (a *annotator) named() bool { return a.c.Opts.On("file") || a.c.Opts.On("follow") }

// query reads what is the same for all files.
func (a *annotator) query() error {
	c := a.c
	a.q = annotate.Query{Rev: a.rev, NoFollow: c.Opts.On("no-follow"), Newer: c.At72(), Check: c.Err, Cache: a.v.Annotations()}
	var err error
	if a.q.Compare, err = c.whitespace("annotate"); err != nil {
		return err
	}
	specs := c.Opts.List("skip")
	if len(specs) == 0 {
		return nil
	}
	set, err := c.eval(a.v, specs)
	if err != nil {
		return err
	}
	revs, err := set.Revs()
	skip := make(map[node.Rev]struct{}, len(revs))
	for _, r := range revs {
		skip[r] = struct{}{}
	}
	a.q.Skip = func(rev node.Rev) bool { _, ok := skip[rev]; return ok }
	return err
}

// whitespace is how lines are compared: by options, else by a section of the
// configuration.
func (c *Context) whitespace(section string) (o bdiff.Options, err error) {
	for _, x := range []struct {
		option, name string
		to           *bool
	}{
		{"ignore-all-space", "ignorews", &o.IgnoreAllSpace},
		{"ignore-space-change", "ignorewsamount", &o.IgnoreSpaceAmount},
		{"ignore-blank-lines", "ignoreblanklines", &o.IgnoreBlankLines},
		{"ignore-space-at-eol", "ignorewseol", &o.IgnoreSpaceAtEOL},
	} {
		if c.Opts.Given(x.option) {
			*x.to = c.Opts.On(x.option)
		} else if *x.to, err = c.Config.Bool(section, x.name); err != nil {
			return o, err
		}
	}
	if n, ok := c.Config.Get(section, "unified"); ok {
		if _, err := strconv.Atoi(n); err != nil {
			return o, unsupported("%s.unified=%s", section, n)
		}
	}
	o.Xdiff, err = c.Config.Bool("experimental", "xdiff")
	return o, err
}

// files annotates the files of a changeset that match.
func (a *annotator) files(mt match.Matcher) error {
	m, err := a.v.ManifestOf(a.rev)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	whole, err := eachMatch(m, mt, func(e manifest.Entry) error {
		seen[string(e.Path)] = true
		a.q.Path, a.q.Node = string(e.Path), e.Node
		return a.file()
	})
	if err != nil || !whole {
		return err
	}
	subs, err := a.v.Subrepos(a.rev)
	if err != nil {
		return err
	}
	for _, f := range sorted(mt.Files()) {
		if f != "" && !seen[f] && (m.IsTree() || !m.Has(f)) && !m.HasDir(f) && !subrepo.Holds(subs, f) {
			return a.missing(f, "no such file in rev "+a.v.Node(a.rev).Short())
		}
	}
	return nil
}

func (a *annotator) missing(path, reason string) error {
	err := hgerr.Abortf(hgerr.FileNotInRevision, "%s: %s", path, reason)
	if a.c.At72() {
		err.Detailed = 0
	}
	return err
}

// workingFiles annotates files of the working directory, which must be named.
func (a *annotator) workingFiles(mt match.Matcher) error {
	for _, section := range []string{"encode", "decode"} {
		if len(a.c.Config.Items(section)) > 0 {
			return unsupported("[%s] filters", section)
		}
	}
	switch {
	case match.AnyPatterns(mt) || len(mt.Files()) == 0:
		return unsupported("annotate of the working directory by patterns")
	case a.q.Skip != nil:
		return unsupported("annotate --skip in the working directory")
	}
	d, err := a.c.dirstate(a.v)
	if err != nil {
		return err
	}
	files := sorted(mt.Files())
	for _, path := range files {
		_, err := os.Lstat(filepath.Join(a.v.Layout.Root, path))
		if _, known := d.Lookup(path); errors.Is(err, fs.ErrNotExist) && !known && !d.HasDir(path) {
			return a.missing(path, "No such file or directory")
		}
	}
	for _, path := range files {
		full := filepath.Join(a.v.Layout.Root, path)
		fi, err := os.Lstat(full)
		if err != nil || !fi.Mode().IsRegular() && fi.Mode()&fs.ModeSymlink == 0 {
			return unsupported("annotate of %s in the working directory, which is no file", path)
		}
		if !mt.Match(path) {
			continue
		}
		if a.q.Contents, err = readWorking(full); err != nil {
			return err
		}
		a.q.Path, a.q.CopySource = path, d.Copies()[path]
		if err := a.file(); err != nil {
			return err
		}
	}
	return nil
}

// file annotates the file that a.q names.
func (a *annotator) file() error {
	fm := a.fm
	a.q.Binary = a.c.Opts.On("text")
	found, err := annotate.File(a.v, a.q)
	var censored *revlog.CensoredError
	switch {
	case errors.As(err, &censored):
		return unsupported("annotate of a censored file")
	case err != nil:
		return err
	}
	fm.StartItem()
	fm.Data("path", bytesValue(a.q.Path))
	if found.Binary {
		fm.Plain(a.name(a.q.Path) + ": binary file\n")
		return nil
	}
	inner := fm.Nested("lines", "{rev}: {line}", "")
	if a.only != nil {
		n := len(found.Lines)
		found.Lines = found.Lines[min(a.only.from, n):min(a.only.to, n)]
	}
	if len(found.Lines) == 0 {
		if !fm.IsPlain() {
			return inner.End()
		}
		return nil
	}
	columns, err := a.columns(found)
	if err != nil {
		return err
	}
	if fm.IsPlain() {
		a.print(found, columns)
		fm.spill()
		return a.c.Err()
	}
	for _, l := range found.Lines {
		o := found.Origins[l.Origin]
		inner.StartItem()
		ctx, err := a.context(o.Rev)
		if err != nil {
			return err
		}
		inner.FileContext(ctx, o.Path)
		for _, col := range columns {
			if col.values == nil {
				inner.Data(col.name, intValue(int64(l.Number)))
			} else {
				inner.Data(col.name, col.values[l.Origin])
			}
		}
		inner.Data("line", bytesValue(string(l.Text)))
	}
	return inner.End()
}

// print writes lines with their columns, each as wide as the widest in it.
func (a *annotator) print(found *annotate.Annotation, columns []annotateColumn) {
	out := a.fm.buf
	used := make([]bool, len(found.Origins))
	highest := int32(0)
	for _, l := range found.Lines {
		used[l.Origin] = true
		highest = max(highest, l.Number)
	}
	widths := make([]int, len(columns))
	for i, col := range columns {
		if col.values == nil {
			widths[i] = len(strconv.Itoa(int(highest)))
			continue
		}
		for o, w := range col.widths {
			if used[o] {
				widths[i] = max(widths[i], w)
			}
		}
	}
	for _, l := range found.Lines {
		for i, col := range columns {
			if i > 0 {
				out.WriteByte(col.separator)
			}
			if col.values == nil {
				text := strconv.Itoa(int(l.Number))
				out.WriteString(pad(widths[i] - len(text)))
				out.WriteString(text)
				continue
			}
			out.WriteString(pad(widths[i] - col.widths[l.Origin]))
			out.WriteString(col.texts[l.Origin])
		}
		if l.Guessed {
			out.WriteString("* ")
		} else {
			out.WriteString(": ")
		}
		out.Write(l.Text)
	}
	if last := found.Lines[len(found.Lines)-1].Text; !bytes.HasSuffix(last, []byte("\n")) {
		out.WriteByte('\n')
	}
}

// AnnotateQuery asks for the origin of a file's lines.
type AnnotateQuery struct {
	Path string // inside the repository
	Rev  string // a revset; "" is the working directory's first parent
	// Buffer, when not nil, is what the file in the working directory is taken
	// to contain; Rev is not used then.
	Buffer   []byte
	NoFollow bool
	Space    bdiff.Options
	Skip     string // a revset, "" for none
}

// Annotate answers a typed question.
func (c *Context) Annotate(q AnnotateQuery) (*annotate.Annotation, error) {
	v, err := c.View()
	if err != nil {
		return nil, err
	}
	c.Opts = nil
	if q.Skip != "" {
		c.Opts.Set("skip", cmdline.Value{List: []string{q.Skip}})
	}
	a := &annotator{c: c, v: v, rev: node.WdirRev}
	if q.Buffer == nil {
		if a.rev, err = c.Single(q.Rev, "."); err != nil {
			return nil, err
		}
	}
	if err := a.query(); err != nil {
		return nil, err
	}
	a.q.Path, a.q.NoFollow, a.q.Compare = q.Path, q.NoFollow, q.Space
	if a.rev != node.WdirRev {
		m, err := v.ManifestOf(a.rev)
		if err != nil {
			return nil, err
		}
		e, ok, err := m.Lookup(q.Path)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, a.missing(q.Path, "no such file in rev "+v.Node(a.rev).Short())
		}
		a.q.Node = e.Node
		return annotate.File(v, a.q)
	}
	d, err := c.dirstate(v)
	if err != nil {
		return nil, err
	}
	a.q.CopySource, a.q.Contents = d.Copies()[q.Path], q.Buffer
	if q.Buffer == nil {
		if a.q.Contents, err = readWorking(filepath.Join(v.Layout.Root, q.Path)); err != nil {
			return nil, err
		}
	}
	return annotate.File(v, a.q)
}

// lineRange is lines from to to (from 0, without to) of a file.
type lineRange struct {
	path     string
	from, to int
}

// lineRanges reads FILE,FROM:TO options; FILE is a path or a pattern for one file
// of the working directory.
func (c *Context) lineRanges(v *repo.View, specs []string) ([]lineRange, error) {
	var out []lineRange
	for _, spec := range specs {
		at := strings.LastIndexByte(spec, ',')
		if at < 0 {
			return nil, inputError("malformatted line-range pattern %s", spec)
		}
		pattern, bounds := spec[:at], strings.Split(spec[at+1:], ":")
		var numbers [2]int64
		ok := len(bounds) == 2
		for i := 0; ok && i < 2; i++ {
			n, err := python.Int(bounds[i])
			if errors.Is(err, python.ErrRange) {
				return nil, unsupported("--line-range %s", spec)
			}
			numbers[i], ok = n, err == nil
		}
		if !ok {
			return nil, inputError("invalid line range for %s", pattern)
		}
		path, err := c.revsets(v).OneFile(pattern, node.WdirRev, "line range pattern '"+pattern+"' must match exactly one file")
		if err != nil {
			return nil, err
		}
		from, to, err := repo.LineRange(numbers[0], numbers[1])
		if err != nil {
			return nil, err
		}
		out = append(out, lineRange{path, from, to})
	}
	return out, nil
}
