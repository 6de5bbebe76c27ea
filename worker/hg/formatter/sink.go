// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"bytes"
	"slices"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/template"
)

// setField gives a field a value; the last one counts.
func setField(r *template.Item, name string, v template.Value) {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			r.Fields[i].Value = v
			return
		}
	}
	r.Fields = append(r.Fields, template.Binding{Name: name, Value: v})
}

// sortedFields puts the fields in order; templates do not care.
func sortedFields(r *template.Item) []template.Binding {
	slices.SortFunc(r.Fields, func(a, b template.Binding) int { return strings.Compare(a.Name, b.Name) })
	return r.Fields
}

// sink is a way of writing items.
type sink interface {
	open(w *bytes.Buffer) error
	item(w *bytes.Buffer, r *template.Item) error
	close(w *bytes.Buffer) error
}

// jsonSink writes an array of objects, a line a field, sorted by name.
type jsonSink struct{ some bool }

func (*jsonSink) open(w *bytes.Buffer) error { w.WriteByte('['); return nil }

func (s *jsonSink) item(w *bytes.Buffer, r *template.Item) error {
	if s.some {
		w.WriteByte(',')
	}
	s.some = true
	w.WriteString("\n {\n")
	for i, f := range sortedFields(r) {
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
func (cborSink) item(w *bytes.Buffer, r *template.Item) error {
	b, err := template.AppendCBORMap(w.AvailableBuffer(), r.Fields)
	w.Write(b)
	return err
}
func (cborSink) close(w *bytes.Buffer) error { w.WriteString(cborBreak); return nil }

// debugSink writes items as Python would, for people.
type debugSink struct{ topic string }

func (s debugSink) open(w *bytes.Buffer) error { w.WriteString(s.topic + " = [\n"); return nil }
func (s debugSink) item(w *bytes.Buffer, r *template.Item) error {
	w.WriteString("    ")
	if len(r.Fields) == 0 {
		w.WriteString("{},\n")
		return nil
	}
	for i, f := range sortedFields(r) {
		if i == 0 {
			w.WriteString("{\n        ")
		} else {
			w.WriteString(",\n        ")
		}
		w.WriteString("'" + python.Escape(f.Name) + "': ")
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
	ref   string
	index int
}

func (s *templateSink) part(w *bytes.Buffer, t *template.Template) error {
	if t == nil {
		return nil
	}
	return t.Render(w, template.Resources{Index: -1})
}

// Unnamed is hg's error about a style that says nothing about the topic, which
// hg meets where it asks what a template shows, before there is anything to show.
func (f *Formatter) Unnamed() error {
	if s, ok := f.sink.(*templateSink); ok && s.parts.item == nil {
		return errNoTemplate(s.ref)
	}
	return nil
}

func (s *templateSink) open(w *bytes.Buffer) error { return s.part(w, s.parts.docheader) }

func (s *templateSink) item(w *bytes.Buffer, r *template.Item) error {
	if s.index > 0 {
		if err := s.part(w, s.parts.separator); err != nil {
			return err
		}
	}
	if s.parts.item == nil {
		return errNoTemplate(s.ref)
	}
	err := s.parts.item.Render(w, template.Resources{
		Repo: r.Repo, Ctx: r.Ctx, Path: r.Path, Item: r.Fields, Index: s.index,
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
