// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/template"
)

// Formatter receives a command's output item by item:
//
//	fm.StartItem()
//	fm.Write("path", "%s\n", template.Bytes(path))
//	fm.Data("size", template.Int(n))
//	...
//	err := fm.End()
//
// Text is collected in the buffer that New was given. The first error is kept
// and returned by End (and by Err, for commands that want to stop early).
type Formatter struct {
	cfg   *Config
	w     *bytes.Buffer
	sink  sink // nil for plain text
	err   error
	rec   *template.Item
	spare *template.Item // memory for the next one
	text  []byte         // what jsonSink writes of rec in place of its fields, unless empty
	repo  template.Repo
	hints map[string]bool
	// nested formatters collect into their parent's field instead.
	nested *[]template.Item
	ending func()
	// values follow a template, which maps over lists that machines get bare.
	mapped bool
	label  string // of the next plain text
}

// New makes the formatter that spec asks for; topic names the command's items.
// What the format puts in front of the first item is written at once. repo may
// be nil.
func New(cfg *Config, spec Spec, topic string, repo template.Repo, w *bytes.Buffer) (*Formatter, error) {
	fm := &Formatter{cfg: cfg, w: w, repo: repo}
	switch {
	case spec.Style == "" && spec.HasArgs:
		p, err := argsParts(newEngine(cfg, Spec{}, false), spec)
		if err != nil {
			return nil, err
		}
		fm.byTemplate(p, spec)
	case spec.Format() && spec.Ref == "json":
		fm.sink = &jsonSink{}
	case spec.Format():
		fm.sink = cborSink{}
	case spec.Style == "" && spec.Ref == "debug":
		fm.sink = &debugSink{topic: topic}
	case !spec.Empty():
		p, err := compileParts(newEngine(cfg, spec, false), spec, func(part string) string {
			switch {
			case part == "":
				return spec.Ref
			case part == "header" || part == "footer":
				return ""
			case spec.Style != "":
				return part
			case spec.Ref != "":
				return spec.Ref + ":" + part
			}
			return ""
		})
		if err != nil {
			return nil, err
		}
		fm.byTemplate(p, spec)
	case cfg.FormatDebug:
		fm.sink = &debugSink{topic: topic}
	case cfg.FormatJSON:
		fm.sink = &jsonSink{}
	}
	if fm.sink != nil {
		if err := fm.sink.open(w); err != nil {
			return nil, err
		}
	}
	return fm, nil
}

func (fm *Formatter) byTemplate(p *parts, spec Spec) {
	fm.sink = &templateSink{parts: p, ref: spec.Ref}
	fm.mapped = true
	fm.hints = map[string]bool{}
	if p.item != nil {
		names, _ := p.item.Symbols()
		for _, n := range names {
			fm.hints[n] = true
		}
	}
}

// IsPlain tells whether the output is the command's own text.
func (fm *Formatter) IsPlain() bool { return fm.sink == nil && fm.nested == nil }

// Templated tells whether a template of the user's makes the output.
func (fm *Formatter) Templated() bool { return fm.mapped }

// Hinted tells whether a template refers to a name, so that a command can skip
// what is dear and not asked for. It is false for machine formats.
func (fm *Formatter) Hinted(name string) bool { return fm.hints[name] }

// Hints tells whether any name is hinted at.
func (fm *Formatter) Hints() bool { return len(fm.hints) > 0 }

// Hash is a node as long as the output wants it.
func (fm *Formatter) Hash(id node.ID) string {
	if fm.IsPlain() {
		return template.FormatNode(id, fm.cfg.Options.Debug)
	}
	return id.Hex()
}

// StartItem begins an item.
func (fm *Formatter) StartItem() {
	if fm.IsPlain() {
		return
	}
	fm.finish()
	if fm.spare == nil {
		fm.spare = &template.Item{}
	}
	fm.rec, fm.spare = fm.spare, nil
}

func (fm *Formatter) finish() {
	if fm.rec == nil || fm.err != nil {
		return
	}
	rec := fm.rec
	fm.rec = nil
	if fm.nested != nil {
		*fm.nested = append(*fm.nested, *rec)
		return
	}
	fm.write(rec)
	fm.text = fm.text[:0]
	*rec = template.Item{Fields: rec.Fields[:0]}
	fm.spare = rec // nobody keeps an item that was written
}

// write writes an item.
func (fm *Formatter) write(rec *template.Item) {
	if len(fm.text) > 0 {
		fm.sink.(*jsonSink).written(fm.w, fm.text)
		return
	}
	fm.err = fm.sink.item(fm.w, rec)
}

// Context puts a changeset in view of the item's template.
func (fm *Formatter) Context(ctx template.Changectx) {
	if fm.mapped && fm.rec != nil {
		fm.rec.Ctx, fm.rec.Repo = ctx, fm.repo
	}
}

// RepoContext puts the repository in view without a changeset; a "node" that the
// item has then leads to one.
func (fm *Formatter) RepoContext() {
	if fm.mapped && fm.rec != nil {
		fm.rec.Repo = fm.repo
	}
}

// FileContext puts a file of a changeset in view.
func (fm *Formatter) FileContext(ctx template.Changectx, path string) {
	fm.Context(ctx)
	if fm.mapped && fm.rec != nil {
		fm.rec.Path = path
	}
}

// Data adds a value that plain text does not show.
func (fm *Formatter) Data(name string, v template.Value) {
	if v.IsUnset() {
		v = template.None() // bound all the same
	}
	if fm.rec != nil {
		setField(fm.rec, name, v)
	}
}

// Write adds values under the names in fields, and shows them in plain text by
// the format, in which %s stands for text and %d for a number.
func (fm *Formatter) Write(fields, format string, values ...template.Value) {
	fm.CondWrite(true, fields, format, values...)
}

// CondWrite is Write, but plain text shows the values only if cond holds.
func (fm *Formatter) CondWrite(cond bool, fields, format string, values ...template.Value) {
	if fm.IsPlain() {
		if cond {
			b := appendPlain(fm.w.AvailableBuffer(), format, values)
			if fm.label != "" && fm.cfg.Options.Label != nil {
				fm.w.WriteString(fm.cfg.Options.Label(string(b), fm.label))
			} else {
				fm.w.Write(b)
			}
		}
		fm.label = ""
		return
	}
	fm.label = ""
	for i := 0; fields != ""; i++ {
		var name string
		name, fields, _ = strings.Cut(fields, " ")
		fm.Data(name, values[i])
	}
}

// Plain adds text that only plain output has.
func (fm *Formatter) Plain(text string) {
	if fm.IsPlain() {
		if fm.label != "" && fm.cfg.Options.Label != nil {
			text = fm.cfg.Options.Label(text, fm.label)
		}
		fm.w.WriteString(text)
	}
	fm.label = ""
}

// As gives the next Write, CondWrite or Plain hg's labels, separated by blanks,
// by which plain text is colored:
//
//	fm.As("branches.active").Write("branch", "%s", name)
func (fm *Formatter) As(labels string) *Formatter {
	fm.label = labels
	return fm
}

// Date prepares a date for Write: text in the layout, or a date.
func (fm *Formatter) Date(unix int64, offset int, layout string) template.Value {
	if !fm.IsPlain() {
		return template.Date(unix, offset)
	}
	if layout == "" {
		layout = dates.DefaultFormat
	}
	text, err := dates.Date{Unix: unix, Offset: offset}.Format(layout)
	if err != nil && fm.err == nil {
		fm.err = err
	}
	return template.Bytes(text)
}

// List prepares a list for Write; items are called name in templates.
func (fm *Formatter) List(name, sep string, values []template.Value) template.Value {
	switch {
	case fm.mapped:
		return template.List(name, sep, values)
	case fm.IsPlain():
		words := make([]string, len(values))
		for i, v := range values {
			words[i] = fmt.Sprint(plainText(v))
		}
		return template.Bytes(strings.Join(words, sep))
	}
	return template.PlainList(values)
}

// Dict prepares a dictionary for Write, sorted by key.
func (fm *Formatter) Dict(key, value, sep string, entries []template.Binding) template.Value {
	entries = append([]template.Binding(nil), entries...)
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name < entries[j].Name })
	if !fm.IsPlain() {
		return template.Dict(key, value, sep, entries)
	}
	words := make([]string, len(entries))
	for i, e := range entries {
		words[i] = e.Name + "=" + fmt.Sprint(plainText(e.Value))
	}
	return template.Bytes(strings.Join(words, sep))
}

// Nested makes a formatter for items inside a field of the current one. Its End
// must come before the next StartItem. In a template, print shows each of them
// (empty: they can only be mapped) with sep between.
func (fm *Formatter) Nested(field, print, sep string) *Formatter {
	if fm.IsPlain() {
		return fm // plain text has no nesting: it goes straight out
	}
	items := new([]template.Item)
	inner := &Formatter{cfg: fm.cfg, w: fm.w, repo: fm.repo, nested: items, mapped: fm.mapped}
	rec := fm.rec
	inner.ending = func() {
		if rec != nil {
			setField(rec, field, template.Mappings(print, sep, *items))
		}
	}
	return inner
}

// Err is the first error so far.
func (fm *Formatter) Err() error { return fm.err }

// EndOpen completes the output but keeps the last item, which comes again in
// front of the next one.
func (fm *Formatter) EndOpen() error {
	if fm.rec != nil && fm.err == nil {
		fm.write(fm.rec)
	}
	if fm.err == nil {
		fm.err = fm.sink.close(fm.w)
	}
	return fm.err
}

// End completes the output.
func (fm *Formatter) End() error {
	if fm.IsPlain() {
		return fm.err
	}
	fm.finish()
	if fm.ending != nil {
		fm.ending()
		return fm.err
	}
	if fm.err == nil {
		fm.err = fm.sink.close(fm.w)
	}
	return fm.err
}
