// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"sort"
)

// fileList is a list of paths: each binds "file" and "path".
func fileList(name string, paths []string) Value {
	values := make([]Value, len(paths))
	for i, p := range paths {
		values[i] = Bytes(p)
	}
	h := compatList(name, "", "", " ", values)
	h.bindItem = func(inner *scope, v Value) error {
		inner.bind("file", v)
		inner.bind("path", v)
		return nil
	}
	return wrap(h)
}

func files(s *scope) (Value, error) { return fileList("file", s.context().Files()), nil }

func fileMods(s *scope) (Value, error) {
	m, _, _ := s.context().FileStatus()
	return fileList("file_mod", m), nil
}

func fileAdds(s *scope) (Value, error) {
	_, a, _ := s.context().FileStatus()
	return fileList("file_add", a), nil
}

func fileDels(s *scope) (Value, error) {
	_, _, r := s.context().FileStatus()
	return fileList("file_del", r), nil
}

func fileCopies(s *scope) (Value, error) {
	cache := s.cache()
	if cache.hasCopies {
		return copyList(cache.copies), nil
	}
	tracer, ok := s.e.repo.(CopyTracer)
	if !ok {
		return Value{}, &unavailable{"repo"}
	}
	copies, err := tracer.Copies(s.context())
	if err != nil {
		return Value{}, err
	}
	return copyList(copies), nil
}

func fileCopiesSwitch(s *scope) (Value, error) { return copyList(s.cache().copies), nil }

func copyList(copies []Copy) Value {
	d := &dict{}
	for _, c := range copies {
		d.set(c.Dest, Bytes(c.Source))
	}
	return wrap(&hybrid{
		dict: d,
		text: func(w *bytes.Buffer, s *scope) error {
			return showList(w, s, "file_copy", "file_copies", len(copies), func(inner *scope, i int) error {
				inner.bind("name", Bytes(copies[i].Dest))
				inner.bind("source", Bytes(copies[i].Source))
				return nil
			}, nil)
		},
		bindItem: func(inner *scope, k Value) error {
			source, _ := d.get(k.s)
			inner.bind("name", k)
			inner.bind("path", k)
			inner.bind("source", source)
			return nil
		},
		format: func(w *bytes.Buffer, _ *scope, k Value) error {
			source, _ := d.get(k.s)
			w.WriteString(k.s + " (" + source.s + ")")
			return nil
		},
	})
}

func filePath(s *scope) (Value, error) {
	path, _ := s.file()
	return Bytes(path), nil
}

func fileSize(s *scope) (Value, error) {
	path, _ := s.file()
	reader, ok := s.e.repo.(FileReader)
	if !ok {
		return Value{}, &unavailable{"fctx"}
	}
	size, ok, err := reader.FileSize(s.context(), path)
	if err != nil || !ok {
		return Value{}, err
	}
	return Int(size), nil
}

func fileStatus(s *scope) (Value, error) {
	path, _ := s.file()
	reader, ok := s.e.repo.(FileReader)
	if !ok {
		return Value{}, &unavailable{"fctx"}
	}
	letter, err := reader.FileStatus(s.context(), path)
	if err != nil || letter == "" {
		return Value{}, err
	}
	return Bytes(letter), nil
}

// filesFunc is files(pattern): those of a changeset, all of them, that match.
func filesFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 1 {
		return Value{}, parseErrorf("files expects one argument")
	}
	pattern, err := evalString(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	ctx := s.context()
	reader, ok := s.e.repo.(FileReader)
	if ctx == nil || !ok {
		return Value{}, &unavailable{"ctx"}
	}
	paths, err := reader.MatchFiles(ctx, pattern)
	return fileList("file", paths), err
}

// subrepos are the subrepositories that a changeset adds, updates or removes.
func subrepos(s *scope) (Value, error) {
	ctx := s.context()
	reader, ok := s.e.repo.(FileReader)
	if !ok {
		return Value{}, &unavailable{"ctx"}
	}
	mine, err := reader.Subrepos(ctx)
	if err != nil {
		return Value{}, err
	}
	var names []string
	if len(mine) > 0 {
		p1, _ := ctx.Parents()
		parent, err := s.e.changectx(p1)
		if err != nil {
			return Value{}, err
		}
		old, err := reader.Subrepos(parent)
		if err != nil {
			return Value{}, err
		}
		for path, state := range mine {
			if was, ok := old[path]; !ok || was != state {
				names = append(names, path)
			}
		}
		for path := range old {
			if _, ok := mine[path]; !ok {
				names = append(names, path)
			}
		}
	}
	sort.Strings(names)
	values := make([]Value, len(names))
	for i, n := range names {
		values[i] = Bytes(n)
	}
	return wrap(compatList("subrepo", "", "", " ", values)), nil
}
