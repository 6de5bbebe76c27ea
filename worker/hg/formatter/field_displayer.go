// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"bytes"
	"strconv"

	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/template"
)

// fieldDisplayer prints changesets in a machine format (changesetformatter). How
// many fields there are depends on the verbosity, and for json(...) on what is
// asked for.
type fieldDisplayer struct {
	cfg  *Config
	spec Spec
	repo template.Repo
	o    DisplayOptions
	fm   *Formatter
	out  bytes.Buffer

	// short says that the fields are those without an option, as JSON.
	short   bool
	ids     nodes
	columns template.Columns
}

func newFieldDisplayer(cfg *Config, spec Spec, repo template.Repo, o DisplayOptions) (*fieldDisplayer, error) {
	d := &fieldDisplayer{cfg: cfg, spec: spec, repo: repo, o: o}
	var err error
	if d.fm, err = New(cfg, spec, "log", repo, &d.out); err != nil {
		return nil, err
	}
	if o.Differ == nil && (d.fm.Hinted("diff") || d.fm.Hinted("diffstat")) {
		return nil, hgerr.NewUnsupported("template keyword diff")
	}
	d.ids, _ = repo.(nodes)
	_, isJSON := d.fm.sink.(*jsonSink)
	x := &cfg.Options
	d.short = isJSON && d.ids != nil && !x.Quiet && !x.Verbose && !x.Debug && !o.Stat && !o.Patch
	return d, nil
}

// move hands over what the formatter has finished: it always holds back the
// item that was started last.
func (d *fieldDisplayer) move(w *bytes.Buffer) error {
	w.Write(d.out.Bytes())
	d.out.Reset()
	return d.fm.Err()
}

func (d *fieldDisplayer) Open(w *bytes.Buffer) error    { return d.move(w) }
func (d *fieldDisplayer) Flush(*bytes.Buffer, node.Rev) {}
func (d *fieldDisplayer) Close(w *bytes.Buffer) error {
	err := d.fm.EndOpen()
	if e := d.move(w); err == nil {
		err = e
	}
	return err
}

func (d *fieldDisplayer) texts(name string, texts []template.Text) template.Value {
	values := make([]template.Value, len(texts))
	for i, t := range texts {
		values[i] = template.TextValue(t)
	}
	return d.fm.List(name, " ", values)
}

func (d *fieldDisplayer) names(name string, names []string) template.Value {
	values := make([]template.Value, len(names))
	for i, n := range names {
		values[i] = template.Bytes(n)
	}
	return d.fm.List(name, " ", values)
}

func (d *fieldDisplayer) Show(w *bytes.Buffer, ctx template.Changectx, p Props) error {
	if err := d.fields(ctx, p); err != nil {
		return err
	}
	return d.move(w)
}

func (d *fieldDisplayer) fields(ctx template.Changectx, p Props) error {
	fm, opts := d.fm, &d.cfg.Options
	fm.StartItem()
	if d.short {
		if c, ok := ctx.(template.ColumnReader); ok && c.Columns(&d.columns) {
			fm.text = d.appendShort(fm.text, ctx)
			return ctx.Err()
		}
	}
	fm.Context(ctx)
	fm.Data("rev", template.Int(int64(ctx.Rev())))
	fm.Data("node", template.Bytes(ctx.Node().Hex()))
	if opts.Quiet && !fm.Hints() {
		return ctx.Err()
	}
	unix, offset := ctx.Date()
	fm.Data("branch", template.TextValue(ctx.Branch()))
	fm.Data("phase", template.Bytes(ctx.Phase().String()))
	fm.Data("user", template.TextValue(ctx.User()))
	fm.Data("date", fm.Date(unix, offset, ""))
	fm.Data("desc", template.TextValue(ctx.Desc()))
	fm.Data("bookmarks", d.texts("bookmark", ctx.Bookmarks()))
	fm.Data("tags", d.texts("tag", ctx.Tags()))
	p1, p2 := ctx.Parents()
	parents := make([]template.Value, 0, 2)
	for i, r := range [2]node.Rev{p1, p2} {
		if i == 1 && r == node.NullRev {
			break
		}
		id, err := nodeOf(d.repo, r)
		if err != nil {
			return err
		}
		parents = append(parents, template.Bytes(id.Hex()))
	}
	fm.Data("parents", fm.List("node", " ", parents))
	if opts.Debug || fm.Hinted("manifest") {
		id := ctx.ManifestNode()
		if ctx.Rev() == node.WdirRev {
			id = node.Wdir
		}
		fm.Data("manifest", template.Bytes(id.Hex()))
	}
	if opts.Debug || fm.Hinted("extra") {
		var extras []template.Binding
		for _, x := range ctx.Extras() {
			extras = append(extras, template.Binding{Name: x.Key, Value: template.Bytes(x.Value)})
		}
		fm.Data("extra", fm.Dict("key", "value", " ", extras))
	}
	if opts.Debug || fm.Hinted("modified") || fm.Hinted("added") || fm.Hinted("removed") {
		modified, added, removed := ctx.FileStatus()
		fm.Data("modified", d.names("file", modified))
		fm.Data("added", d.names("file", added))
		fm.Data("removed", d.names("file", removed))
	}
	verbose := !opts.Debug && opts.Verbose
	if verbose || fm.Hinted("files") {
		fm.Data("files", d.names("file", ctx.Files()))
	}
	if verbose && len(p.Copies) > 0 || fm.Hinted("copies") {
		var copies []template.Binding
		for _, c := range p.Copies {
			copies = append(copies, template.Binding{Name: c.Dest, Value: template.Bytes(c.Source)})
		}
		fm.Data("copies", fm.Dict("name", "source", " ", copies))
	}
	if d.o.Stat || fm.Hinted("diffstat") {
		v, err := d.diffstat(ctx)
		if err != nil {
			return err
		}
		fm.Data("diffstat", v)
	}
	if d.o.Patch || fm.Hinted("diff") {
		var text bytes.Buffer
		if err := d.o.Differ.ShowDiff(&text, ctx, false, 0); err != nil {
			return err
		}
		fm.Data("diff", template.Bytes(text.String()))
	}
	return ctx.Err()
}

// appendShort appends the fields that short says, as jsonSink writes them, of a
// changeset that has said all of columns.
func (d *fieldDisplayer) appendShort(b []byte, ctx template.Changectx) []byte {
	is := &d.columns
	phase := ctx.Phase().String()
	b = appendNames(append(b, `  "bookmarks": [`...), ctx.Bookmarks())
	tags := ctx.Tags() // after the bookmarks: both may warn
	b = append(b, "],\n  \"branch\": \""...)
	b = encoding.AppendJSONText(b, is.Branch)
	b = append(b, "\",\n  \"date\": ["...)
	b = strconv.AppendInt(b, is.Date.Unix, 10)
	b = append(b, ", "...)
	b = strconv.AppendInt(b, int64(is.Date.Offset), 10)
	b = append(b, "],\n  \"desc\": \""...)
	b = encoding.AppendJSONText(b, is.Desc)
	b = append(b, "\",\n  \"node\": \""...)
	b = is.Node.AppendHex(b)
	b = append(b, "\",\n  \"parents\": [\""...)
	id := d.ids.Node(is.Parents[0])
	b = id.AppendHex(b)
	if is.Parents[1] != node.NullRev {
		id = d.ids.Node(is.Parents[1])
		b = id.AppendHex(append(b, `", "`...))
	}
	b = append(b, "\"],\n  \"phase\": \""...)
	b = append(b, phase...)
	b = append(b, "\",\n  \"rev\": "...)
	b = strconv.AppendInt(b, int64(ctx.Rev()), 10)
	b = append(b, ",\n  \"tags\": ["...)
	b = appendNames(b, tags)
	b = append(b, "],\n  \"user\": \""...)
	b = encoding.AppendJSONText(b, is.User)
	return append(b, '"')
}

// appendNames appends names as what stands in a list of JSON.
func appendNames(b []byte, names []template.Text) []byte {
	for i, t := range names {
		if i > 0 {
			b = append(b, ", "...)
		}
		text := t.UTF8
		if text == "" {
			text = t.Local
		}
		b = append(encoding.AppendJSON(append(b, '"'), text, false), '"')
	}
	return b
}

// diffstat is the histogram as text, or since Mercurial 7 what it shows of each
// file.
func (d *fieldDisplayer) diffstat(ctx template.Changectx) (template.Value, error) {
	if d.cfg.Options.Version < template.Hg72 {
		var text bytes.Buffer
		err := d.o.Differ.ShowDiff(&text, ctx, true, 0)
		return template.Bytes(text.String()), err
	}
	stats, err := d.o.Differ.Stat(ctx)
	files := make([]template.Value, len(stats))
	for i, f := range stats {
		files[i] = d.fm.Dict("key", "value", " ", []template.Binding{
			{Name: "name", Value: template.Bytes(f.Name)},
			{Name: "additions", Value: template.Int(int64(f.Added))},
			{Name: "removals", Value: template.Int(int64(f.Removed))},
			{Name: "binary", Value: template.Bool(f.Binary)},
		})
	}
	return d.fm.List("diffstat", " ", files), err
}
