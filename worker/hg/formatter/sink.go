// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"bytes"
	"sort"

	"hgbroker/worker/hg/template"
)

// record is one finished item.
type record struct {
	fields []template.Binding
	repo   template.Repo
	ctx    template.Changectx
	path   string
}

// set gives a field a value, the last one counts.
func (r *record) set(name string, v template.Value) {
	for i := range r.fields {
		if r.fields[i].Name == name {
			r.fields[i].Value = v
			return
		}
	}
	r.fields = append(r.fields, template.Binding{Name: name, Value: v})
}

func (r *record) sorted() []template.Binding {
	out := append([]template.Binding(nil), r.fields...)
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// sink is a way of writing items.
type sink interface {
	open(w *bytes.Buffer) error
	item(w *bytes.Buffer, r *record) error
	close(w *bytes.Buffer) error
}

// jsonSink writes an array of objects, a line a field, sorted by name.
type jsonSink struct{ some bool }

func (*jsonSink) open(w *bytes.Buffer) error { w.WriteByte('['); return nil }

func (s *jsonSink) item(w *bytes.Buffer, r *record) error {
	if s.some {
		w.WriteByte(',')
	}
	s.some = true
	w.WriteString("\n {\n")
	for i, f := range r.sorted() {
		if i > 0 {
			w.WriteString(",\n")
		}
		w.WriteString("  \"" + f.Name + "\": ")
		b, err := template.AppendJSON(w.AvailableBuffer(), f.Value)
		if err != nil {
			return err
		}
		w.Write(b)
	}
	w.WriteString("\n }")
	return nil
}

func (*jsonSink) close(w *bytes.Buffer) error { w.WriteString("\n]\n"); return nil }

// An indefinite-length CBOR array begins and ends with these bytes.
const (
	cborBegin = "\x9f"
	cborBreak = "\xff"
)

// cborSink writes an array of maps.
type cborSink struct{}

func (cborSink) open(w *bytes.Buffer) error { w.WriteString(cborBegin); return nil }
func (cborSink) item(w *bytes.Buffer, r *record) error {
	b, err := template.AppendCBORMap(w.AvailableBuffer(), r.fields)
	w.Write(b)
	return err
}
func (cborSink) close(w *bytes.Buffer) error { w.WriteString(cborBreak); return nil }

// debugSink writes items as Python would, for people.
type debugSink struct{ topic string }

func (s debugSink) open(w *bytes.Buffer) error { w.WriteString(s.topic + " = [\n"); return nil }
func (s debugSink) item(w *bytes.Buffer, r *record) error {
	w.WriteString("    ")
	if len(r.fields) == 0 {
		w.WriteString("{},\n")
		return nil
	}
	for i, f := range r.sorted() {
		if i == 0 {
			w.WriteString("{\n        ")
		} else {
			w.WriteString(",\n        ")
		}
		w.WriteString("'" + template.Escape(f.Name) + "': ")
		if err := template.WritePretty(w, f.Value, 4, 2); err != nil {
			return err
		}
	}
	w.WriteString("\n    },\n")
	return nil
}
func (debugSink) close(w *bytes.Buffer) error { w.WriteString("]\n"); return nil }

// templateSink renders items by a template.
type templateSink struct {
	parts *parts
	repo  template.Repo
	ref   string
	index int
}

func (s *templateSink) part(w *bytes.Buffer, t *template.Template) error {
	if t == nil {
		return nil
	}
	return t.Render(w, template.Resources{Repo: s.repo, Index: -1})
}

func (s *templateSink) open(w *bytes.Buffer) error { return s.part(w, s.parts.docheader) }

func (s *templateSink) item(w *bytes.Buffer, r *record) error {
	if s.index > 0 {
		if err := s.part(w, s.parts.separator); err != nil {
			return err
		}
	}
	if s.parts.item == nil {
		return errNoTemplate(s.ref)
	}
	repo := r.repo
	err := s.parts.item.Render(w, template.Resources{
		Repo: repo, Ctx: r.ctx, Path: r.path, Item: r.fields, Index: s.index,
	})
	s.index++
	return err
}

func (s *templateSink) close(w *bytes.Buffer) error { return s.part(w, s.parts.docfooter) }

// argsSink is json(...) and cbor(...): chosen fields of each item.
func argsParts(e *template.Engine, spec Spec) (*parts, error) {
	p := &parts{}
	header, footer, separator, filter := "[\n ", "\n]\n", ",\n ", "json"
	if spec.Ref == "cbor" {
		header, footer, separator, filter = cborBegin, cborBreak, "", "cbor"
	}
	var err error
	if p.item, err = e.Literal("{dict(" + spec.Args + ")|" + filter + "}"); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		to   **template.Template
		text string
	}{{&p.docheader, header}, {&p.docfooter, footer}, {&p.separator, separator}} {
		if part.text == "" {
			continue
		}
		if *part.to, err = e.Literal(part.text); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// plainText is a value as the plain formatter shows it.
func plainText(v template.Value) any {
	if n, ok := v.AsInt(); ok {
		return n
	}
	return v.AsString()
}
