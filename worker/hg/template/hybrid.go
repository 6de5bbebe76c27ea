// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"

	"hgbroker/worker/hg/hgerr"
)

// errUnordered stands for a TypeError with which hg itself falls over.
var errUnordered = hgerr.NewUnsupported("template comparison of different types")

// hybrid is a list or a dict that also prints like the text that keywords were
// in hg's early days: "{files}" prints the names with blanks between, "{files %
// ...}" maps over them, "{get(extras, key)}" looks one up.
type hybrid struct {
	values []Value // a list's items
	dict   *dict   // or a dict
	// text prints the whole; nil means the items with blanks between.
	text func(w *bytes.Buffer, s *scope) error
	// bindItem binds what an item (of a dict: a key) stands for.
	bindItem func(inner *scope, item Value) error
	// format prints one item (of a dict: a key) for join.
	format func(w *bytes.Buffer, s *scope, item Value) error
	// numeric makes contains and member read their argument as a number.
	numeric bool
}

func (h *hybrid) items() []Value {
	if h.dict == nil {
		return h.values
	}
	keys := make([]Value, len(h.dict.keys))
	for i, k := range h.dict.keys {
		keys[i] = Bytes(k)
	}
	return keys
}

func (h *hybrid) key(s *scope, v Value) (Value, error) {
	if h.numeric {
		n, err := unwrapBig(s, v, "not an integer")
		if err != nil {
			return Value{}, err
		}
		return bigValue(n), nil
	}
	return unwrap(s, v)
}

func (h *hybrid) contains(s *scope, item Value) (bool, error) {
	key, err := h.key(s, item)
	if err != nil {
		return false, err
	}
	if h.dict != nil {
		_, ok := h.dict.get(key.s)
		return ok && key.kind == kindBytes, nil
	}
	for _, v := range h.values {
		v, err := unwrap(s, v)
		if err != nil {
			return false, err
		}
		if same(v, key) {
			return true, nil
		}
	}
	return false, nil
}

func (h *hybrid) member(s *scope, key Value) (Value, error) {
	if h.dict == nil {
		return Value{}, parseErrorf("not a dictionary")
	}
	k, err := h.key(s, key)
	if err != nil || k.kind != kindBytes {
		return Value{}, err
	}
	v, ok := h.dict.get(k.s)
	if !ok {
		return Value{}, nil
	}
	return h.item(k, v), nil
}

// item wraps one item so that it prints as its value and maps as its mapping.
func (h *hybrid) item(key, v Value) Value {
	if v.kind == kindNone {
		return Value{}
	}
	if v.kind == kindWrapped {
		if _, nested := v.x.(*hybrid); nested {
			return v
		}
		if _, nested := v.x.(*hybridItem); nested {
			return v
		}
	}
	return wrap(&hybridItem{v: v, bind: func(inner *scope) error { return h.bindItem(inner, key) }})
}

func (h *hybrid) extreme(s *scope, largest bool) (Value, error) {
	v, err := pick(h.items(), largest)
	if err != nil {
		return v, err
	}
	return h.item(v, v), nil
}

func (h *hybrid) filter(s *scope, keep func(Value) (bool, error)) (Value, error) {
	out := &hybrid{bindItem: h.bindItem, format: h.format, numeric: h.numeric}
	if h.dict != nil {
		out.dict = &dict{}
		for i, k := range h.dict.keys {
			ok, err := keep(h.item(Bytes(k), h.dict.vals[i]))
			if err != nil {
				return Value{}, err
			}
			if ok {
				out.dict.set(k, h.dict.vals[i])
			}
		}
		return wrap(out), nil
	}
	for _, v := range h.values {
		ok, err := keep(h.item(v, v))
		if err != nil {
			return Value{}, err
		}
		if ok {
			out.values = append(out.values, v)
		}
	}
	return wrap(out), nil
}

func (h *hybrid) each(s *scope, f func(inner *scope) error) error {
	inner := s.overlay()
	for i, v := range h.items() {
		inner.reset()
		if err := h.bindItem(inner, v); err != nil {
			return err
		}
		if err := mapOnto(inner, i, f); err != nil {
			return err
		}
	}
	return nil
}

func (h *hybrid) join(w *bytes.Buffer, s *scope, sep string) error {
	j := joiner{sep: sep}
	for _, v := range h.items() {
		j.next(w)
		if err := h.format(w, s, v); err != nil {
			return err
		}
	}
	return nil
}

func (h *hybrid) show(w *bytes.Buffer, s *scope) error {
	if h.text != nil {
		return h.text(w, s)
	}
	return h.join(w, s, " ")
}

func (h *hybrid) truth(*scope) (bool, error) {
	if h.dict != nil {
		return len(h.dict.keys) > 0, nil
	}
	return len(h.values) > 0, nil
}

func (h *hybrid) value(s *scope) (Value, error) {
	if h.dict != nil {
		d := &dict{keys: h.dict.keys, vals: make([]Value, len(h.dict.vals))}
		for i, v := range h.dict.vals {
			var err error
			if d.vals[i], err = unwrap(s, v); err != nil {
				return Value{}, err
			}
		}
		return Value{kind: kindDict, x: d}, nil
	}
	out := make([]Value, len(h.values))
	for i, v := range h.values {
		var err error
		if out[i], err = unwrap(s, v); err != nil {
			return Value{}, err
		}
	}
	return PlainList(out), nil
}

// hybridItem is one value that also stands for a mapping: {manifest} prints
// "rev:node", {manifest.rev} is its revision.
type hybridItem struct {
	v    Value
	bind filler
}

func (h *hybridItem) mapping() filler { return h.bind }
func (h *hybridItem) contains(s *scope, item Value) (bool, error) {
	return contains(s, h.v, item)
}
func (h *hybridItem) member(s *scope, key Value) (Value, error) { return member(s, h.v, key) }
func (h *hybridItem) extreme(s *scope, largest bool) (Value, error) {
	return extreme(s, h.v, largest)
}
func (h *hybridItem) filter(s *scope, keep func(Value) (bool, error)) (Value, error) {
	return filterValue(s, h.v, keep)
}
func (h *hybridItem) each(s *scope, f func(inner *scope) error) error {
	return each(s, wrap(h), f)
}
func (h *hybridItem) join(w *bytes.Buffer, s *scope, sep string) error {
	return join(w, s, h.v, sep)
}
func (h *hybridItem) show(w *bytes.Buffer, s *scope) error {
	w.WriteString(pythonStr(h.v))
	return nil
}
func (h *hybridItem) truth(s *scope) (bool, error)  { return truth(s, h.v) }
func (h *hybridItem) value(s *scope) (Value, error) { return unwrap(s, h.v) }

// printItem is the format of items that print as Python's str().
func printItem(w *bytes.Buffer, _ *scope, v Value) error {
	w.WriteString(pythonStr(v))
	return nil
}

// newList is templateutil.hybridlist: items that bind one name each.
func newList(name string, values []Value) *hybrid {
	return &hybrid{
		values:   values,
		bindItem: func(inner *scope, v Value) error { inner.bind(name, v); return nil },
		format:   printItem,
	}
}

// List makes a list for a formatter's item (fm.formatlist): it prints its items
// with sep between them, and maps each to name.
func List(name, sep string, values []Value) Value {
	h := newList(name, values)
	if sep != " " {
		h.text = func(w *bytes.Buffer, s *scope) error { return h.join(w, s, sep) }
	}
	return wrap(h)
}

// Strings is List for names, with blanks between.
func Strings(name string, values []string) Value {
	items := make([]Value, len(values))
	for i, v := range values {
		items[i] = Bytes(v)
	}
	return List(name, " ", items)
}

// Texts is List for texts, with blanks between.
func Texts(name string, values []Text) Value {
	items := make([]Value, len(values))
	for i, v := range values {
		items[i] = TextValue(v)
	}
	return List(name, " ", items)
}

// newDict is templateutil.hybriddict: entries that bind a key and a value.
func newDict(d *dict, key, value string) *hybrid {
	return &hybrid{
		dict: d,
		bindItem: func(inner *scope, k Value) error {
			inner.bind(key, k)
			v, _ := d.get(k.s)
			inner.bind(value, v)
			return nil
		},
		format: func(w *bytes.Buffer, _ *scope, k Value) error {
			v, _ := d.get(k.s)
			w.WriteString(k.s)
			w.WriteByte('=')
			w.WriteString(pythonStr(v))
			return nil
		},
	}
}

// Dict makes a dictionary for a formatter's item (fm.formatdict), with entries
// in the order given; key and value are the names that they map to.
func Dict(key, value, sep string, entries []Binding) Value {
	d := &dict{}
	for _, b := range entries {
		d.set(b.Name, b.Value)
	}
	h := newDict(d, key, value)
	if sep != " " {
		h.text = func(w *bytes.Buffer, s *scope) error { return h.join(w, s, sep) }
	}
	return wrap(h)
}

// listFragments are the names of the fragments by which a map file formats a
// list whose items are called name and which itself is called plural.
func listFragments(name, plural string) [5]string {
	if plural == "" {
		plural = name + "s"
	}
	return [5]string{"no_" + plural, name, "start_" + plural, "last_" + name, "end_" + plural}
}

// showList prints a list by such fragments, or else by plain, if that is not
// nil (_showcompatlist). bind makes the mapping of one item.
func showList(w *bytes.Buffer, s *scope, name, plural string, n int, bind func(inner *scope, i int) error, plain func(w *bytes.Buffer)) error {
	f := listFragments(name, plural)
	e := s.e
	render := func(name string) error {
		if frag := e.fragment(name); frag != nil {
			return e.process(w, s, frag)
		}
		return nil
	}
	if n == 0 {
		return render(f[0])
	}
	item := e.fragment(name)
	if item == nil {
		if plain == nil {
			// hg prints the names of everything in view.
			return hgerr.NewUnsupported("template keyword %s without its fragment", plural)
		}
		plain(w)
		return nil
	}
	if err := render(f[2]); err != nil {
		return err
	}
	last := e.fragment(f[3])
	inner := s.overlay()
	for i := 0; i < n; i++ {
		if i == n-1 && last != nil {
			item = last
		}
		inner.reset()
		if err := bind(inner, i); err != nil {
			return err
		}
		inner.populate()
		if err := e.process(w, inner, item); err != nil {
			return err
		}
	}
	return render(f[4])
}

// compatList is a list that old map files format by fragments.
func compatList(name, plural, element, sep string, values []Value) *hybrid {
	if element == "" {
		element = name
	}
	h := newList(element, values)
	h.text = func(w *bytes.Buffer, s *scope) error {
		return showList(w, s, name, plural, len(values),
			func(inner *scope, i int) error { inner.bind(name, values[i]); return nil },
			func(w *bytes.Buffer) {
				j := joiner{sep: sep}
				for _, v := range values {
					j.next(w)
					w.WriteString(v.s)
				}
			})
	}
	return h
}
