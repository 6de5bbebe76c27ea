// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"errors"
	"strconv"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// errStop ends a walk early.
var errStop = errors.New("stop")

// errEmptyRevs stands for the ValueError with which hg falls over.
var errEmptyRevs = hgerr.NewUnsupported("template min or max of no revisions")

// revslist is what the revset() function returns: revisions that map to their
// changesets. With a name they print like a list of that name.
type revslist struct {
	revs []node.Rev
	name string
}

func (r *revslist) bindItem(rev node.Rev) filler {
	return func(inner *scope) error {
		if r.name != "" {
			inner.bind(r.name, Int(int64(rev)))
		}
		return inner.bindCtx(rev)
	}
}

func (r *revslist) item(rev node.Rev) Value {
	return wrap(&hybridItem{v: Int(int64(rev)), bind: r.bindItem(rev)})
}

func (r *revslist) contains(s *scope, item Value) (bool, error) {
	n, err := unwrapBig(s, item, "not an integer")
	if err != nil {
		return false, err
	}
	for _, rev := range r.revs {
		if n.IsInt64() && n.Int64() == int64(rev) {
			return true, nil
		}
	}
	return false, nil
}

func (r *revslist) member(*scope, Value) (Value, error) {
	return Value{}, parseErrorf("not a dictionary")
}

func (r *revslist) extreme(_ *scope, largest bool) (Value, error) {
	if len(r.revs) == 0 {
		return Value{}, errEmptyRevs
	}
	best := r.revs[0]
	for _, rev := range r.revs[1:] {
		if rev != best && (rev > best) == largest {
			best = rev
		}
	}
	return r.item(best), nil
}

func (r *revslist) filter(_ *scope, keep func(Value) (bool, error)) (Value, error) {
	out := &revslist{}
	for _, rev := range r.revs {
		ok, err := keep(r.item(rev))
		if err != nil {
			return Value{}, err
		}
		if ok {
			out.revs = append(out.revs, rev)
		}
	}
	return wrap(out), nil
}

func (r *revslist) each(s *scope, f func(inner *scope) error) error {
	inner := s.overlay()
	for i, rev := range r.revs {
		inner.reset()
		if err := r.bindItem(rev)(inner); err != nil {
			return err
		}
		if err := mapOnto(inner, i, f); err != nil {
			return err
		}
	}
	return nil
}

func (r *revslist) join(w *bytes.Buffer, _ *scope, sep string) error {
	j := joiner{sep: sep}
	for _, rev := range r.revs {
		j.next(w)
		w.WriteString(strconv.Itoa(int(rev)))
	}
	return nil
}

func (r *revslist) show(w *bytes.Buffer, s *scope) error {
	if r.name == "" {
		return r.join(w, s, " ")
	}
	return showList(w, s, r.name, "", len(r.revs),
		func(inner *scope, i int) error {
			inner.bind(r.name, Bytes(strconv.Itoa(int(r.revs[i]))))
			return nil
		},
		func(w *bytes.Buffer) { _ = r.join(w, s, " ") })
}

func (r *revslist) truth(*scope) (bool, error) { return len(r.revs) > 0, nil }
func (r *revslist) value(*scope) (Value, error) {
	return Value{kind: kindRevs, x: r}, nil
}

// mappings is a list of mappings, printed by a template of its own, if it has
// one (mappinglist, and mappingdict when it is a single one).
type mappings struct {
	items  []filler
	print  string // template text of one item; "" means it cannot be printed
	sep    string
	single bool
}

// Item is one item of a formatter: its fields, and what stands in view of them.
type Item struct {
	Fields []Binding
	Repo   Repo
	Ctx    Changectx
	// Path is the file in view, empty when there is none or when the item binds
	// "path" itself.
	Path string
}

// Mappings makes nested items for a formatter's item (fm.nested). print is the
// template that shows one of them; without it they can only be mapped.
func Mappings(print, sep string, items []Item) Value {
	m := &mappings{print: print, sep: sep}
	for _, item := range items {
		m.items = append(m.items, func(inner *scope) error {
			inner.vars = append(inner.vars, item.Fields...)
			if item.Ctx != nil {
				inner.ctxState, inner.ctx = ctxSet, item.Ctx
			}
			if item.Path != "" {
				inner.path, inner.hasPath = item.Path, true
			}
			return nil
		})
	}
	return wrap(m)
}

// newMapping is one mapping; single makes it count as such.
func newMapping(print string, fill filler) Value {
	return wrap(&singleMapping{mappings{items: []filler{fill}, print: print, single: true}})
}

type singleMapping struct{ mappings }

func (m *singleMapping) mapping() filler { return m.items[0] }

func (m *mappings) contains(*scope, Value) (bool, error) {
	return false, parseErrorf("not comparable")
}
func (m *mappings) member(*scope, Value) (Value, error) {
	return Value{}, parseErrorf("not a dictionary")
}
func (m *mappings) extreme(*scope, bool) (Value, error) {
	return Value{}, parseErrorf("not comparable")
}
func (m *mappings) filter(*scope, func(Value) (bool, error)) (Value, error) {
	return Value{}, parseErrorf("not filterable without template")
}

func (m *mappings) each(s *scope, f func(inner *scope) error) error {
	inner := s.overlay()
	for i, fill := range m.items {
		inner.reset()
		if err := fill(inner); err != nil {
			return err
		}
		if err := mapOnto(inner, i, f); err != nil {
			return err
		}
	}
	return nil
}

func (m *mappings) join(w *bytes.Buffer, s *scope, sep string) error {
	if m.print == "" {
		return parseErrorf("not displayable without template")
	}
	f, err := s.e.internal(m.print)
	if err != nil {
		return err
	}
	j := joiner{sep: sep}
	return m.each(s, func(inner *scope) error {
		j.next(w)
		return s.e.process(w, inner, f)
	})
}

func (m *mappings) show(w *bytes.Buffer, s *scope) error { return m.join(w, s, m.sep) }
func (m *mappings) truth(*scope) (bool, error)           { return m.single || len(m.items) > 0, nil }

func (m *mappings) value(s *scope) (Value, error) {
	var out []Value
	for _, fill := range m.items {
		inner := s.overlay()
		if err := fill(inner); err != nil {
			return Value{}, err
		}
		inner.populate()
		d := &dict{}
		for _, b := range inner.vars {
			if isResource(b.Name) {
				continue
			}
			v, err := unwrap(inner, b.Value)
			if err != nil {
				return Value{}, err
			}
			d.set(b.Name, v)
		}
		out = append(out, Value{kind: kindDict, x: d})
	}
	if m.single {
		return out[0], nil
	}
	return PlainList(out), nil
}

// internal compiles one of hg's own small templates, without the user's aliases.
func (e *Engine) internal(text string) (*fragment, error) {
	key := "\x00" + text
	if f := e.named[key]; f != nil {
		return f, f.err
	}
	f := &fragment{name: key, compiled: true}
	e.named[key] = f
	x, err := parseText(text)
	if err == nil {
		f.body, err = e.compile(x, false)
	}
	f.err = err
	return f, err
}

// noMapping is the result of a search() without a match: None, but one that maps
// to nothing.
type noMapping struct{}

func (noMapping) contains(*scope, Value) (bool, error)      { return false, notIterable(Value{}) }
func (noMapping) member(s *scope, key Value) (Value, error) { return member(s, Value{}, key) }
func (noMapping) extreme(*scope, bool) (Value, error)       { return Value{}, notIterable(Value{}) }
func (noMapping) each(*scope, func(*scope) error) error     { return nil }
func (noMapping) join(*bytes.Buffer, *scope, string) error  { return notIterable(Value{}) }
func (noMapping) show(*bytes.Buffer, *scope) error          { return nil }
func (noMapping) truth(*scope) (bool, error)                { return false, nil }
func (noMapping) value(*scope) (Value, error)               { return Value{}, nil }
func (noMapping) filter(*scope, func(Value) (bool, error)) (Value, error) {
	return Value{}, notIterable(Value{})
}

// mapped is the result of '%': a list of texts, made when it is looked at.
type mapped struct {
	s      *scope
	data   Value
	sym    string // keyword that data came from, for errors
	target expr
	keep   func(Value) (bool, error)
}

// texts renders item after item until f stops it.
func (m *mapped) texts(f func(text string) (more bool, err error)) error {
	return m.run(func(inner *scope) error {
		v, err := render(m.target, inner)
		if err != nil {
			return err
		}
		if m.keep != nil {
			ok, err := m.keep(v)
			if err != nil || !ok {
				return err
			}
		}
		more, err := f(v.s)
		if err == nil && !more {
			err = errStop
		}
		return err
	})
}

// run calls f for each item's mapping.
func (m *mapped) run(f func(inner *scope) error) error {
	inside := false
	err := each(m.s, m.data, func(inner *scope) error {
		inside = true
		return f(inner)
	})
	if err == errStop {
		return nil
	}
	if err != nil && !inside && m.sym != "" {
		err = withHint(err, "keyword '%s' does not support map operation", m.sym)
	}
	return err
}

func (m *mapped) all() ([]Value, error) {
	var out []Value
	err := m.texts(func(text string) (bool, error) {
		out = append(out, Bytes(text))
		return true, nil
	})
	return out, err
}

func (m *mapped) contains(s *scope, item Value) (bool, error) {
	text, err := stringify(s, item)
	if err != nil {
		return false, err
	}
	all, err := m.all()
	if err != nil {
		return false, err
	}
	for _, v := range all {
		if v.s == text.s {
			return true, nil
		}
	}
	return false, nil
}

func (m *mapped) member(*scope, Value) (Value, error) {
	return Value{}, parseErrorf("not a dictionary")
}

func (m *mapped) extreme(_ *scope, largest bool) (Value, error) {
	all, err := m.all()
	if err != nil {
		return Value{}, err
	}
	return pick(all, largest)
}

func (m *mapped) filter(_ *scope, keep func(Value) (bool, error)) (Value, error) {
	out := *m
	if m.keep != nil {
		first, second := m.keep, keep
		keep = func(v Value) (bool, error) {
			ok, err := first(v)
			if err != nil || !ok {
				return ok, err
			}
			return second(v)
		}
	}
	out.keep = keep
	return wrap(&out), nil
}

func (m *mapped) each(*scope, func(inner *scope) error) error {
	return parseErrorf("list of strings is not mappable")
}

func (m *mapped) join(w *bytes.Buffer, _ *scope, sep string) error {
	j := joiner{sep: sep}
	if m.keep != nil {
		return m.texts(func(text string) (bool, error) {
			j.next(w)
			w.WriteString(text)
			return true, nil
		})
	}
	return m.run(func(inner *scope) error {
		j.next(w)
		return m.target.write(w, inner)
	})
}

func (m *mapped) show(w *bytes.Buffer, s *scope) error { return m.join(w, s, "") }

func (m *mapped) truth(*scope) (bool, error) {
	some := false
	if m.keep == nil {
		err := m.run(func(inner *scope) error {
			some = true
			if !isLazy(m.target) {
				if _, err := m.target.eval(inner); err != nil {
					return err
				}
			}
			return errStop
		})
		return some, err
	}
	err := m.texts(func(string) (bool, error) { some = true; return false, nil })
	return some, err
}

func (m *mapped) value(*scope) (Value, error) {
	all, err := m.all()
	return PlainList(all), err
}
