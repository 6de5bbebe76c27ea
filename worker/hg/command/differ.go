// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/patch"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

// diffOptions are the options of a diff: those of the command line, unless
// they are to be ignored (as in templates), then those of [diff].
func (c *Context) diffOptions(commandLine bool) (patch.Options, error) {
	o := patch.Options{Identifiers: c.At72(), Context: 3}
	for _, f := range []struct {
		to           *bool
		option, name string
		inPlain      bool // the configuration counts under HGPLAIN, too
	}{
		{&o.NoDates, "nodates", "nodates", true},
		{&o.ShowFunc, "show-function", "showfunc", true},
		{&o.Git, "git", "git", true},
		{&o.Whitespace.IgnoreAllSpace, "ignore-all-space", "ignorews", true},
		{&o.Whitespace.IgnoreSpaceAmount, "ignore-space-change", "ignorewsamount", true},
		{&o.Whitespace.IgnoreBlankLines, "ignore-blank-lines", "ignoreblanklines", true},
		{&o.Whitespace.IgnoreSpaceAtEOL, "ignore-space-at-eol", "ignorewseol", true},
		{&o.NoBinary, "nobinary", "nobinary", false},
		{&o.NoPrefix, "noprefix", "noprefix", false},
	} {
		if commandLine && c.Opts.Given(f.option) {
			*f.to = c.Opts.On(f.option)
			continue
		}
		if !f.inPlain && c.Config.Plain("") {
			continue
		}
		var err error
		if *f.to, err = c.Config.Bool("diff", f.name); err != nil {
			return o, err
		}
	}
	if commandLine {
		o.Text = c.Opts.On("text")
		if c.Opts.Given("binary") {
			o.NoBinary = !c.Opts.On("binary")
		}
	}
	var err error
	if o.Whitespace.Xdiff, err = c.Config.Bool("experimental", "xdiff"); err != nil {
		return o, err
	}
	if on, err := c.Config.Bool("experimental", "extendedheader.similarity"); err != nil {
		return o, err
	} else if on && o.Git {
		return o, unsupported("experimental.extendedheader.similarity")
	}
	if on, err := c.Config.Bool("diff", "merge"); err != nil {
		return o, err
	} else if on {
		return o, unsupported("diff.merge")
	}
	if err := c.diffIndex(&o); err != nil {
		return o, err
	}
	return o, c.diffContext(&o, commandLine)
}

// diffContext reads --unified and diff.unified.
func (c *Context) diffContext(o *patch.Options, commandLine bool) error {
	text, set := "", false
	if commandLine {
		text = c.Opts.Text("unified")
		set = text != ""
	}
	if !set {
		text, set = c.Config.Get("diff", "unified")
	}
	if !set {
		return nil
	}
	if strings.Contains(text, "_") || len(text) > 9 {
		return unsupported("diff.unified=%s", text)
	}
	n, err := strconv.Atoi(python.Strip(text))
	switch {
	case err != nil:
		return inputError("diff context lines count must be an integer, not %s", python.Repr(text))
	case n < 0:
		return unsupported("diff.unified=%s", text)
	}
	o.Context = n
	return nil
}

// diffIndex reads experimental.extendedheader.index.
func (c *Context) diffIndex(o *patch.Options) error {
	text, set := c.Config.Get("experimental", "extendedheader.index")
	if !set {
		return nil
	}
	if strings.Contains(text, "_") || len(text) > 9 {
		return unsupported("experimental.extendedheader.index=%s", text)
	}
	if n, err := strconv.Atoi(python.Strip(text)); err == nil {
		if n < 0 || n > node.HexSize {
			c.Warnf("invalid length for extendedheader.index: '%d'\n", n)
		}
		o.Index = max(n, 0)
		return nil
	}
	switch text {
	case "short", "":
		o.Index = 12
	case "full":
		o.Index = node.HexSize
	case "none":
	default:
		c.Warnf("invalid value for extendedheader.index: '%s'\n", text)
	}
	return nil
}

// differ makes the diffs of a command.
type differ struct {
	c    *Context
	v    *repo.View
	opts patch.Options
	// plain means no colors whatever the user wants.
	plain bool
	// refused is why no diff can be made, if one is asked for.
	refused error
	// match chooses the files of a changeset's diff; nil means all of them.
	match func(rev node.Rev) (match.Matcher, error)
	// keep, if set, chooses among the hunks of a changeset's file.
	keep func(rev node.Rev, path string, start, length int) bool
}

// comparison is what a diff is about.
type comparison struct {
	a, b  node.Rev // NullRev and WdirRev as well
	exact bool     // null against null is no difference
	match match.Matcher
	opts  patch.Options
	name  func(path string) string // how files are shown; nil is as they are
	// source, if set, says what may be named as the source of a copy.
	source func(path string) bool
	keep   func(path string, start, length int) bool
}

// each makes the patches of all files that differ, in order. What it hands over
// is good until it returns.
func (d *differ) each(q comparison, yield func(header, text []byte) error) error {
	c, v := d.c, d.v
	if q.a == node.NullRev && q.b == node.NullRev && !q.exact {
		q.a, _ = v.WdirParents() // hg takes two nulls for no revisions
	}
	st, err := c.statusOf(v, q.a, q.b, q.match, false, false, false)
	if err != nil {
		return err
	}
	if len(st.Modified)+len(st.Added)+len(st.Removed) == 0 {
		return nil
	}
	old, err := d.side(q.a)
	if err != nil {
		return err
	}
	new, err := d.side(q.b)
	if err != nil {
		return err
	}
	// What a merge brought in was not there before: files that it changed are
	// new, and those that were removed since never were.
	var modified, removed []string
	added := st.Added
	for _, path := range st.Modified {
		if old.has(path) {
			modified = append(modified, path)
		} else {
			added = append(added, path)
		}
	}
	for _, path := range st.Removed {
		if old.has(path) {
			removed = append(removed, path)
		}
	}
	var copied map[string]string
	if q.opts.Git && len(added) > 0 {
		if copied, err = c.pathCopies(v, q.a, q.b, match.Exact(added)); err != nil {
			return err
		}
		for to, from := range copied {
			if !old.has(from) || q.source != nil && !q.source(from) {
				delete(copied, to)
			}
		}
	}
	w := patch.Writer{Options: q.opts, OldDate: old.date, NewDate: new.date}
	for _, rev := range [2]node.Rev{q.a, q.b} {
		if rev == node.WdirRev {
			continue
		}
		hash := v.Node(rev).Hex()
		if !c.Debug {
			hash = hash[:12]
		}
		w.Revs = append(w.Revs, hash)
	}
	name := q.name
	if name == nil {
		name = func(path string) string { return path }
	}
	for _, p := range patch.Pairs(modified, added, removed, copied, q.opts.Git) {
		if err := c.Err(); err != nil {
			return err
		}
		change := patch.Change{Op: p.Op}
		if change.Old, err = old.file(p.Old); err != nil {
			return err
		}
		if change.New, err = new.file(p.New); err != nil {
			return err
		}
		if p.Old == "" {
			p.Old = p.New
		} else if p.New == "" {
			p.New = p.Old
		}
		change.OldName, change.NewName = name(p.Old), name(p.New)
		change.OldKnown, change.NewKnown = old.has(change.OldName), new.has(change.NewName)
		if q.keep != nil {
			w.Keep = func(start, length int) bool { return q.keep(p.New, start, length) }
		}
		if err := yield(w.Write(&change)); err != nil {
			return err
		}
	}
	return nil
}

// side is a changeset or the working directory while it is compared.
type side struct {
	v        *repo.View
	onDisk   bool
	date     string
	has      func(path string) bool
	manifest manifest.Manifest
	auditor  match.Auditor
}

func (d *differ) side(rev node.Rev) (*side, error) {
	c, v := d.c, d.v
	s := &side{v: v, onDisk: rev == node.WdirRev}
	if s.onDisk {
		dir, err := c.dirstate(v)
		if err != nil {
			return nil, err
		}
		s.has = checkedOut{dir}.Tracked
		s.auditor.Root = v.Layout.Root
		date := dates.Now(c.Now, c.Local)
		if text, set := c.Config.Get("devel", "default-date"); set {
			if date, err = dates.Parse(text, c.Now, c.Local); err != nil {
				return nil, unsupported("devel.default-date=%s", text)
			}
		}
		s.date = date.String()
		return s, nil
	}
	var err error
	if s.manifest, err = v.ManifestOf(rev); err != nil {
		return nil, err
	}
	s.has = s.manifest.Has
	var date dates.Date
	if rev >= 0 {
		if date.Unix, date.Offset, err = (repo.Revsets{View: v}).Date(rev); err != nil {
			return nil, err
		}
	}
	s.date = date.String()
	return s, nil
}

// file reads a file; nil for "".
func (s *side) file(path string) (*patch.File, error) {
	if path == "" {
		return nil, nil
	}
	if s.onDisk {
		return s.workingFile(path)
	}
	e, ok, err := s.manifest.Lookup(path)
	if err != nil || !ok {
		return nil, unsupportedUnless(err, "diff of a file that is in no manifest")
	}
	e.Path = []byte(path)
	data, err := fileData(s.v, e)
	return &patch.File{Flag: e.Flag, Data: data}, err
}

func (s *side) workingFile(path string) (*patch.File, error) {
	full := filepath.Join(s.v.Layout.Root, path)
	if err := s.auditor.Audit(path); err != nil {
		return nil, unsupported("diff of a file that hg may not read: %v", err)
	}
	fi, err := os.Lstat(full)
	if err != nil {
		return nil, unsupported("diff of a file that is gone: %v", err)
	}
	f := &patch.File{}
	switch {
	case fi.Mode()&fs.ModeSymlink != 0:
		f.Flag = manifest.Symlink
		var target string
		target, err = os.Readlink(full)
		f.Data = []byte(target)
	case !fi.Mode().IsRegular():
		return nil, unsupported("diff of what is no file")
	default:
		if fi.Mode()&0o100 != 0 {
			f.Flag = manifest.Executable
		}
		f.Data, err = os.ReadFile(full)
	}
	if err != nil {
		return nil, unsupported("diff of a file that cannot be read: %v", err)
	}
	return f, nil
}

func unsupportedUnless(err error, what string) error {
	if err != nil {
		return err
	}
	return unsupported("%s", what)
}

// ShowDiff writes the diff or the histogram of a changeset against its first
// parent, for the displayers.
func (d *differ) ShowDiff(w *bytes.Buffer, ctx template.Changectx, stat bool, graphWidth int) error {
	q, err := d.ofChangeset(ctx.Rev())
	if err != nil {
		return err
	}
	if stat {
		return d.histogram(w, q, graphWidth)
	}
	return d.colored(w, q)
}

// Stat counts the lines that a changeset changes.
func (d *differ) Stat(ctx template.Changectx) ([]patch.FileStat, error) {
	q, err := d.ofChangeset(ctx.Rev())
	if err != nil {
		return nil, err
	}
	if err := d.forStat(&q); err != nil {
		return nil, err
	}
	st, err := d.count(q)
	return st.Files, err
}

func (d *differ) ofChangeset(rev node.Rev) (comparison, error) {
	if rev == node.WdirRev {
		return comparison{}, unsupported("patch of the working directory")
	}
	q := comparison{b: rev, opts: d.opts, match: match.Always()}
	if d.refused != nil {
		return q, d.refused
	}
	q.a, _ = d.v.Parents(rev)
	if d.match != nil {
		var err error
		if q.match, err = d.match(rev); err != nil {
			return q, err
		}
	}
	if d.keep != nil {
		q.keep = func(path string, start, length int) bool { return d.keep(rev, path, start, length) }
	}
	return q, nil
}

// patches writes the whole diff without colors.
func (d *differ) patches(w *bytes.Buffer, q comparison) error {
	return d.each(q, func(header, text []byte) error {
		w.Write(header)
		w.Write(text)
		return nil
	})
}

// colored writes the diff as the user is to see it.
func (d *differ) colored(w io.Writer, q comparison) error {
	if d.c.Color == nil || d.plain {
		return d.each(q, func(header, text []byte) error {
			w.Write(header)
			_, err := w.Write(text)
			return err
		})
	}
	words, err := d.c.Config.Bool("diff", "word-diff")
	if err != nil {
		return err
	}
	emit := func(label, text string) { io.WriteString(w, d.c.Color.Label(label, text)) }
	l := patch.Labeler{Emit: emit, Words: words && !d.c.Config.Plain("")}
	return d.each(q, func(header, text []byte) error {
		l.Add(header)
		l.Add(text)
		return d.c.Err()
	})
}

// forStat changes a comparison to that of --stat.
func (d *differ) forStat(q *comparison) error {
	q.opts = q.opts.ForStat()
	if q.name != nil {
		return nil // --root counts, and not ui.relative-paths
	}
	var err error
	q.name, err = d.c.pathNamer(d.v, false, nil)
	return err
}

func (d *differ) count(q comparison) (patch.Stat, error) {
	var st patch.Stat
	err := d.each(q, st.Add)
	st.End()
	return st, err
}

// histogram writes the diffstat beside a graph.
func (d *differ) histogram(w *bytes.Buffer, q comparison, graphWidth int) error {
	if err := d.forStat(&q); err != nil {
		return err
	}
	st, err := d.count(q)
	if err != nil {
		return err
	}
	width := 80
	if !d.c.Config.Plain("") {
		width = d.c.termWidth() - graphWidth
	}
	if d.c.Color == nil || d.plain {
		st.Append(w, width, d.c.Encoding.ColWidth)
		return nil
	}
	var text bytes.Buffer
	st.Append(&text, width, d.c.Encoding.ColWidth)
	patch.LabelStat(text.Bytes(), func(label, text string) { w.WriteString(d.c.Color.Label(label, text)) })
	return nil
}
