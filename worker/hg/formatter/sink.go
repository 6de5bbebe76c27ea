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

// fieldOrder puts the fields of items in order by their names. The items of a
// command mostly have the same ones, so it remembers those of the last item.
type fieldOrder struct {
	names []string
	order []int
}

// of is the numbers of the fields in their order.
func (o *fieldOrder) of(fields []template.Binding) []int {
	same := len(fields) == len(o.names)
	for i := 0; same && i < len(fields); i++ {
		same = fields[i].Name == o.names[i]
	}
	if !same {
		o.names, o.order = o.names[:0], o.order[:0]
		for i, f := range fields {
			o.names, o.order = append(o.names, f.Name), append(o.order, i)
		}
		slices.SortFunc(o.order, func(a, b int) int { return strings.Compare(o.names[a], o.names[b]) })
	}
	return o.order
}

// sink is a way of writing items.
type sink interface {
	open(w *bytes.Buffer) error
	item(w *bytes.Buffer, r *template.Item) error
	close(w *bytes.Buffer) error
}

// jsonSink writes an array of objects, a line a field, sorted by name.
type jsonSink struct {
	some  bool
	order fieldOrder
}

func (*jsonSink) open(w *bytes.Buffer) error { w.WriteByte('['); return nil }

func (s *jsonSink) item(w *bytes.Buffer, r *template.Item) error {
	b := w.AvailableBuffer()
	if s.some {
		b = append(b, ',')
	}
	s.some = true
	b = append(b, "\n {\n"...)
	var err error
	for i, at := range s.order.of(r.Fields) {
		f := &r.Fields[at]
		if i > 0 {
			b = append(b, ",\n"...)
		}
		b = append(b, `  "`...)
		b = append(b, f.Name...)
		b = append(b, `": `...)
		if b, err = template.AppendJSON(b, f.Value); err != nil {
			return err
		}
	}
	w.Write(append(b, "\n }"...))
	return nil
}

// written writes an item whose fields are text already, in their order.
func (s *jsonSink) written(w *bytes.Buffer, fields []byte) {
	if s.some {
		w.WriteByte(',')
	}
	s.some = true
	w.WriteString("\n {\n")
	w.Write(fields)
	w.WriteString("\n }")
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
type debugSink struct {
	topic string
	order fieldOrder
}

func (s *debugSink) open(w *bytes.Buffer) error { w.WriteString(s.topic + " = [\n"); return nil }
func (s *debugSink) item(w *bytes.Buffer, r *template.Item) error {
	w.WriteString("    ")
	if len(r.Fields) == 0 {
		w.WriteString("{},\n")
		return nil
	}
	for i, at := range s.order.of(r.Fields) {
		f := &r.Fields[at]
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
func (*debugSink) close(w *bytes.Buffer) error { w.WriteString("]\n"); return nil }

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
