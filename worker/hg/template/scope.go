// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// resources is a set of the things that keywords need, as templatekw.py
// declares them with requires={...}.
type resources uint8

const (
	resRepo resources = 1 << iota
	resCtx
	resFctx
	resUI
	resCache
	resRevcache
)

// isResource tells whether a name cannot be read or bound by a template.
func isResource(name string) bool {
	switch name {
	case "cache", "ctx", "fctx", "repo", "revcache", "ui":
		return true
	}
	return false
}

// revcache is what was computed about the changeset in view.
type revcache struct {
	copies    []Copy
	hasCopies bool
}

type ctxState uint8

const (
	ctxInherited ctxState = iota
	ctxSet                // ctx holds it (nil: there is none)
	ctxLazy               // to be looked up by the "node" that this mapping binds
)

// scope is a mapping laid over others. A name is looked for from the innermost
// outwards; a mapping that brings a new changeset hides what outer ones say
// about the old: names that override a keyword which needs it.
type scope struct {
	e        *Engine
	up       *scope
	vars     []Binding
	hides    resources // what this mapping brought that up did not have to itself
	hasIndex bool
	hasPath  bool
	original bool // {originalnode} is the node of up
	ctxState ctxState
	index    int
	ctx      Changectx
	path     string
	revcache *revcache
	fresh    revcache // what revcache points to in a mapping with its own changeset
}

// overlay starts a mapping over s. The caller fills in vars and ctx, then calls
// populate.
func (s *scope) overlay() *scope { return &scope{e: s.e, up: s} }

// reset empties a mapping for the next item of a loop, keeping its memory.
func (s *scope) reset() {
	*s = scope{e: s.e, up: s.up, vars: s.vars[:0]}
}

func (s *scope) bind(name string, v Value) { s.vars = append(s.vars, Binding{name, v}) }

// bindCtx puts another revision in view.
func (s *scope) bindCtx(rev node.Rev) error {
	ctx, err := s.e.changectx(rev)
	if err != nil {
		return err
	}
	s.ctxState, s.ctx = ctxSet, ctx
	return nil
}

func (e *Engine) changectx(rev node.Rev) (Changectx, error) {
	if e.repo == nil {
		return nil, &unavailable{"repo"}
	}
	return e.repo.Changectx(rev)
}

// own returns what this mapping itself binds.
func (s *scope) own(name string) (Value, bool) {
	for i := range s.vars {
		if s.vars[i].Name == name {
			return s.vars[i].Value, true
		}
	}
	return Value{}, false
}

// populate completes a mapping after its names were bound: what it brings, and
// what hg derives from it (templateresources.populatemap).
func (s *scope) populate() {
	if s.up != nil {
		s.hides = resUI | resCache
		if s.e.opts.RepoResident {
			s.hides |= resRepo
		}
		if s.ctxState == ctxSet {
			s.hides |= resCtx
		}
	}
	nodeVar, hasNode := s.own("node")
	if hasNode || s.ctxState == ctxSet {
		s.revcache = &s.fresh
		s.original = s.up != nil && s.up.hasNodeSpec()
	}
	if s.ctxState == ctxInherited && hasNode && nodeVar.kind != kindLazy {
		s.ctxState = ctxLazy
	}
	if v, ok := s.own("path"); ok && v.kind != kindLazy && !s.hasPath {
		s.path, s.hasPath = plainString(v), true
	}
}

func plainString(v Value) string {
	if v.kind == kindBytes {
		return v.s
	}
	return ""
}

func (s *scope) hasNodeSpec() bool {
	for f := s; f != nil; f = f.up {
		if f.ctxState != ctxInherited {
			return true
		}
		if _, ok := f.own("node"); ok {
			return true
		}
	}
	return false
}

// context is the changeset in view, nil if there is none.
func (s *scope) context() Changectx {
	for f := s; f != nil; f = f.up {
		switch f.ctxState {
		case ctxSet:
			return f.ctx
		case ctxLazy:
			f.ctx = f.loadCtx()
			f.ctxState = ctxSet
			return f.ctx
		}
	}
	return nil
}

func (s *scope) loadCtx() Changectx {
	v, _ := s.own("node")
	id, ok := node.FromHex(plainString(v))
	if !ok || s.e.repo == nil {
		return nil
	}
	var rev node.Rev
	switch id {
	case node.Null:
		rev = node.NullRev
	case node.Wdir:
		rev = node.WdirRev
	default:
		if rev, ok = s.e.repo.Lookup(id); !ok {
			return nil
		}
	}
	ctx, err := s.e.repo.Changectx(rev)
	if err != nil {
		return nil
	}
	return ctx
}

// file is the path in view, if any.
func (s *scope) file() (string, bool) {
	for f := s; f != nil; f = f.up {
		if f.hasPath {
			return f.path, f.path != ""
		}
	}
	return "", false
}

func (s *scope) cache() *revcache {
	for f := s; f != nil; f = f.up {
		if f.revcache != nil {
			return f.revcache
		}
	}
	return nil
}

// missing names a resource of need that is not there, or is empty.
func (s *scope) missing(need resources) string {
	if need&resRepo != 0 && s.e.repo == nil {
		return "repo"
	}
	if need&resCtx != 0 && s.context() == nil {
		return "ctx"
	}
	if need&resRevcache != 0 && s.cache() == nil {
		return "revcache"
	}
	if need&resFctx != 0 {
		if _, ok := s.file(); !ok || s.context() == nil {
			return "fctx"
		}
	}
	return ""
}

// lookup finds a bound name. need is what the keyword of this name requires.
func (s *scope) lookup(name string, need resources) (Value, bool) {
	var hidden resources
	for f := s; f != nil; f = f.up {
		if f.hasIndex && name == "index" {
			return Int(int64(f.index)), true
		}
		if len(f.vars) > 0 {
			if v, ok := f.own(name); ok && !v.IsUnset() {
				return v, true
			}
		}
		if f.original && name == "originalnode" {
			if v, ok, err := f.up.symbol("node", keywords()["node"], nil); err == nil && ok {
				return v, true
			}
			return Value{}, false
		}
		hidden |= f.hides
		if hidden&need != 0 {
			break
		}
	}
	return Value{}, false
}

// symbol evaluates a name: bound, or a keyword, or a fragment. ok is false when
// it is none of them.
func (s *scope) symbol(name string, kw *keyword, f *fragment) (v Value, ok bool, err error) {
	if !isResource(name) {
		var need resources
		if kw != nil {
			need = kw.requires
		}
		if v, ok := s.lookup(name, need); ok {
			if v.kind == kindLazy {
				v, err = v.x.(func(*scope) (Value, error))(s)
				return hideUnavailable(v, err)
			}
			return v, true, nil
		}
	}
	if kw != nil {
		if s.missing(kw.requires) != "" {
			return Value{}, true, nil
		}
		v, err = kw.value(s)
		return hideUnavailable(v, err)
	}
	if f != nil {
		return s.namedFragment(f)
	}
	return Value{}, false, nil
}

func hideUnavailable(v Value, err error) (Value, bool, error) {
	if _, missing := err.(*unavailable); missing {
		return Value{}, true, nil
	}
	return v, true, err
}

// namedFragment renders a fragment with its own name poisoned, so that a
// template cannot refer to itself.
func (s *scope) namedFragment(f *fragment) (Value, bool, error) {
	inner := s.overlay()
	inner.bind(f.name, Value{kind: kindLazy, x: func(*scope) (Value, error) {
		return Value{}, hgerr.Abortf(hgerr.Other, "recursive reference '%s' in template", f.name)
	}})
	var b bytes.Buffer
	if err := s.e.process(&b, inner, f); err != nil {
		return Value{}, true, err
	}
	return Bytes(b.String()), true, nil
}

// maxFragments bounds how deep fragments call each other while rendering.
const maxFragments = 100

// process renders a fragment in scope s.
func (e *Engine) process(w *bytes.Buffer, s *scope, f *fragment) error {
	if !f.compiled {
		e.compileFragment(f, e.texts[f.name])
	}
	if f.err != nil {
		return f.err
	}
	if e.depth++; e.depth > maxFragments {
		return hgerr.NewUnsupported("templates that refer to each other without end")
	}
	err := f.body.write(w, s)
	e.depth--
	return err
}
