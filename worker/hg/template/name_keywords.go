// SPDX-License-Identifier: GPL-2.0-or-later

package template

import "bytes"

func textValues(texts []Text) []Value {
	values := make([]Value, len(texts))
	for i, t := range texts {
		values[i] = TextValue(t)
	}
	return values
}

func branches(s *scope) (Value, error) {
	var values []Value
	if b := s.context().Branch(); b.Local != "default" {
		values = []Value{TextValue(b)}
	}
	return wrap(compatList("branch", "branches", "", " ", values)), nil
}

func tags(s *scope) (Value, error) {
	return wrap(compatList("tag", "tags", "", " ", textValues(s.context().Tags()))), nil
}

func bookmarks(s *scope) (Value, error) {
	active := Value{}
	if a := s.e.repo.ActiveBookmark(); a.Local != "" {
		active = TextValue(a)
	}
	h := compatList("bookmark", "bookmarks", "", " ", textValues(s.context().Bookmarks()))
	h.bindItem = func(inner *scope, v Value) error {
		inner.bind("bookmark", v)
		inner.bind("active", active)
		inner.bind("current", active)
		return nil
	}
	return wrap(h), nil
}

func activeBookmark(s *scope) (Value, error) {
	if active := s.e.repo.ActiveBookmark(); active.Local != "" {
		for _, b := range s.context().Bookmarks() {
			if b.Local == active.Local {
				return TextValue(active), nil
			}
		}
	}
	return Bytes(""), nil
}

func namespaces(s *scope) (Value, error) {
	ctx := s.context()
	spaces := []struct {
		name, template string
		names          []Text
	}{
		{"bookmarks", "bookmark", ctx.Bookmarks()},
		{"tags", "tag", ctx.Tags()},
		{"branches", "branch", []Text{ctx.Branch()}},
	}
	if s.e.opts.Topics {
		spaces = append(spaces, struct {
			name, template string
			names          []Text
		}{"topics", "topic", topicList(ctx)})
	}
	d := &dict{}
	templates := map[string]string{}
	var order []Value
	for _, space := range spaces {
		h := compatList("name", "names", "", " ", textValues(space.names))
		h.bindItem = func(inner *scope, v Value) error {
			inner.bind("name", v)
			inner.bind(space.template, v)
			return nil
		}
		d.set(space.name, wrap(h))
		templates[space.name] = space.template
		order = append(order, Bytes(space.name))
	}
	outer := compatList("namespace", "namespaces", "", " ", order)
	return wrap(&hybrid{
		dict: d,
		text: outer.text,
		bindItem: func(inner *scope, k Value) error {
			names, _ := d.get(k.s)
			inner.bind("namespace", k)
			inner.bind("names", names)
			inner.bind("builtin", Bool(k.s != "topics"))
			inner.bind("colorname", Bytes(templates[k.s]))
			return nil
		},
		format: func(w *bytes.Buffer, _ *scope, k Value) error {
			w.WriteString(k.s)
			return nil
		},
	}), nil
}
