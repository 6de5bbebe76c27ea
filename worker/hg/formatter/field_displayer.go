// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"bytes"

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
