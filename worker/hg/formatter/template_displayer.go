// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"bytes"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/template"
)

// templateDisplayer prints changesets by a template (changesettemplater).
type templateDisplayer struct {
	repo  template.Repo
	o     DisplayOptions
	parts *parts
	ref   string
	index int

	lastHeader string
	headers    map[node.Rev]string // that wait for Flush
	footer     string
	text       bytes.Buffer
	item       [1]template.Binding
}

func newTemplateDisplayer(cfg *Config, spec Spec, repo template.Repo, o DisplayOptions) (*templateDisplayer, error) {
	e := newEngine(cfg, spec, true)
	d := &templateDisplayer{repo: repo, o: o, ref: spec.Ref, headers: map[node.Rev]string{}}
	opts := &cfg.Options
	var err error
	d.parts, err = compileParts(e, spec, func(part string) string {
		if spec.Style == "" {
			switch {
			case part == "":
				return spec.Ref
			case spec.Ref == "":
				return ""
			}
			return spec.Ref + ":" + part
		}
		// A style has variants for the verbosity: the last that applies wins.
		base := part
		if base == "" {
			base = spec.Ref
		}
		name := base
		for _, mode := range []struct {
			on     bool
			suffix string
		}{{opts.Verbose || opts.Debug, "_verbose"}, {opts.Quiet, "_quiet"}, {opts.Debug, "_debug"}} {
			if mode.on && e.Defined(base+mode.suffix) {
				name = base + mode.suffix
			}
		}
		return name
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// part renders what does not depend on a changeset.
func (d *templateDisplayer) part(w *bytes.Buffer, t *template.Template) error {
	if t == nil {
		return nil
	}
	return t.Render(w, template.Resources{Repo: d.repo, Index: -1})
}

func (d *templateDisplayer) Open(w *bytes.Buffer) error { return d.part(w, d.parts.docheader) }

func (d *templateDisplayer) Show(w *bytes.Buffer, ctx template.Changectx, p Props) error {
	res := template.Resources{Repo: d.repo, Ctx: ctx, Index: d.index, Copies: p.Copies}
	if p.Graph {
		d.item[0] = template.Binding{Name: "graphwidth", Value: template.Int(int64(p.GraphWidth))}
		res.Item = d.item[:]
	}
	mark, before := w.Len(), d.lastHeader
	if d.o.Log && !d.o.Graph {
		if err := d.header(w, res); err != nil {
			return err
		}
	}
	if d.index > 0 {
		if err := d.part(w, d.parts.separator); err != nil {
			return err
		}
	}
	d.index++
	if !d.o.Log || d.o.Graph {
		if err := d.header(w, res); err != nil {
			return err
		}
	}
	err := d.show(w, res, p)
	if err != nil && d.o.Log {
		w.Truncate(mark)
		d.lastHeader = before
	}
	return err
}

// header writes the header of a changeset if it is not that of the one before,
// or, under --graph, keeps it for Flush.
func (d *templateDisplayer) header(w *bytes.Buffer, res template.Resources) error {
	if d.parts.header == nil {
		return nil
	}
	d.text.Reset()
	if err := d.parts.header.Render(&d.text, res); err != nil {
		return err
	}
	h := d.text.String()
	if d.o.Graph {
		d.headers[res.Ctx.Rev()] = h
	} else if h != d.lastHeader {
		d.lastHeader = h
		w.WriteString(h)
	}
	return nil
}

func (d *templateDisplayer) show(w *bytes.Buffer, res template.Resources, p Props) error {
	if d.parts.item == nil {
		return errNoTemplate(d.ref)
	}
	if err := d.parts.item.Render(w, res); err != nil {
		return err
	}
	if err := d.o.showPatch(w, res.Ctx, p.GraphWidth); err != nil {
		return err
	}
	if d.parts.footer != nil && d.footer == "" {
		d.text.Reset()
		if err := d.parts.footer.Render(&d.text, res); err != nil {
			return err
		}
		d.footer = d.text.String()
	}
	return nil
}

func (d *templateDisplayer) Flush(w *bytes.Buffer, rev node.Rev) {
	h, ok := d.headers[rev]
	if ok && h != d.lastHeader {
		d.lastHeader = h
		w.WriteString(h)
	}
	delete(d.headers, rev)
}

func (d *templateDisplayer) Close(w *bytes.Buffer) error {
	d.text.Reset()
	if err := d.part(&d.text, d.parts.docfooter); err != nil {
		return err
	}
	d.footer += d.text.String()
	w.WriteString(d.footer)
	return nil
}
