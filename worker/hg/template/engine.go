// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"sort"
	"time"

	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// Engine holds what the templates of one command share: the options, the named
// fragments ([templates] of the configuration, or those of a style), the
// aliases, and what was computed about the repository on the way.
type Engine struct {
	opts    Options
	texts   map[string]string
	aliases map[string]*alias
	named   map[string]*fragment
	// pending are fragments that a compiled template refers to and which must be
	// compiled before it runs.
	pending []*fragment
	depth   int // fragments being rendered, one inside the other
	repo    Repo

	latest   map[string]map[node.Rev]latestTag
	revsets  map[string][]node.Rev
	patterns map[string]*pythonRegexp
	scratch  []*bytes.Buffer
	mailmap  map[mailPerson]mailPerson // nil before it is read
	summary  *Template                 // of {onelinesummary}; nil before it is needed
}

// fragment is a named template. Its error, if any, waits for its first use.
type fragment struct {
	name      string
	body      expr
	err       error
	tree      *tree
	compiling bool
	compiled  bool
}

// New makes an Engine that knows hg's own small fragments.
func New(opts Options) *Engine {
	e := NewBare(opts)
	const changeID = "{rev}:{node|formatnode}"
	e.texts["parent"] = changeID + " "
	e.texts["manifest"] = changeID
	e.texts["file_copy"] = "{name} ({source})"
	e.texts["filecopy"] = "{name} ({source})"
	e.texts["envvar"] = "{key}={value}"
	e.texts["extra"] = "{key}={value|stringescape}"
	return e
}

// NewBare makes an Engine without any fragment, as hg does for the nodes of a
// graph and for summaries in one line.
func NewBare(opts Options) *Engine {
	if opts.Encoding == nil {
		opts.Encoding = encoding.UTF8()
	}
	if opts.Location == nil {
		opts.Location = time.UTC
	}
	return &Engine{
		opts:     opts,
		texts:    map[string]string{},
		aliases:  map[string]*alias{},
		named:    map[string]*fragment{},
		latest:   map[string]map[node.Rev]latestTag{},
		revsets:  map[string][]node.Rev{},
		patterns: map[string]*pythonRegexp{},
	}
}

// Define names a fragment; a later one of the same name replaces it. All must
// be defined before the first Literal or Named.
func (e *Engine) Define(name, text string) { e.texts[name] = text }

// Defined tells whether a fragment of this name exists.
func (e *Engine) Defined(name string) bool { _, ok := e.texts[name]; return ok }

// Alias adds a line of [templatealias]; decl is the part before the equals sign.
func (e *Engine) Alias(decl, defn string) {
	a := newAlias(decl, defn)
	e.aliases[a.name] = a
}

// Options returns what the Engine was made with.
func (e *Engine) Options() *Options { return &e.opts }

// Template is a compiled template.
type Template struct {
	e   *Engine
	f   *fragment
	top scope
}

// Literal compiles the text of a template. The error is always an Unsupported;
// mistakes in the text are returned by Render, or earlier by Err.
func (e *Engine) Literal(text string) (*Template, error) {
	return e.template(&fragment{name: "", tree: nil}, text)
}

// Named compiles a fragment that was defined; ok is false when there is none.
func (e *Engine) Named(name string) (t *Template, ok bool, err error) {
	text, ok := e.texts[name]
	if !ok {
		return nil, false, nil
	}
	f := e.fragment(name)
	t, err = e.template(f, text)
	return t, true, err
}

func (e *Engine) template(f *fragment, text string) (*Template, error) {
	e.compileFragment(f, text)
	for len(e.pending) > 0 {
		next := e.pending[0]
		e.pending = e.pending[1:]
		e.compileFragment(next, e.texts[next.name])
		if hgerr.IsUnsupported(next.err) {
			f.err = next.err
		}
	}
	if hgerr.IsUnsupported(f.err) {
		return nil, f.err
	}
	return &Template{e: e, f: f}, nil
}

// fragment returns the entry of a defined fragment, not yet compiled perhaps.
func (e *Engine) fragment(name string) *fragment {
	if f := e.named[name]; f != nil {
		return f
	}
	if _, ok := e.texts[name]; !ok {
		return nil
	}
	f := &fragment{name: name}
	e.named[name] = f
	return f
}

// touch makes sure that a fragment which may be used while rendering is compiled.
func (e *Engine) touch(name string) *fragment {
	f := e.fragment(name)
	if f != nil && !f.compiled && !f.compiling {
		e.pending = append(e.pending, f)
	}
	return f
}

func (e *Engine) compileFragment(f *fragment, text string) {
	if f.compiled || f.compiling {
		return
	}
	f.compiling = true
	defer func() { f.compiling, f.compiled = false, true }()
	x, err := parseText(text)
	if err == nil {
		x, err = e.expandAliases(x)
	}
	if err == nil {
		f.tree = x
		f.body, err = e.compile(x, false)
	}
	f.err = err
}

// Err is the mistake in the template's text that Render would return.
func (t *Template) Err() error { return abort(t.f.err) }

// Render appends the template's text for one item to w. On error w is as it was.
func (t *Template) Render(w *bytes.Buffer, res Resources) error {
	if t.f.err != nil {
		return abort(t.f.err)
	}
	e := t.e
	e.repo, e.depth = res.Repo, 0
	s := &t.top
	*s = scope{e: e, vars: res.Item, index: res.Index, hasIndex: res.Index >= 0}
	if res.Ctx != nil {
		s.ctxState, s.ctx = ctxSet, res.Ctx
	}
	if res.Path != "" {
		s.path, s.hasPath = res.Path, true
	}
	s.populate()
	if res.Copies != nil {
		if s.revcache == nil {
			s.revcache = &s.fresh
		}
		s.revcache.copies, s.revcache.hasCopies = res.Copies, true
	}
	mark := w.Len()
	err := t.f.body.write(w, s)
	if err == nil && res.Ctx != nil {
		err = res.Ctx.Err()
	}
	if err != nil {
		w.Truncate(mark)
		return abort(err)
	}
	return nil
}

// Symbols lists the keywords that the template refers to, directly or through
// fragments, sorted; formatters call it the data hint. The error is that of the
// template's text.
func (t *Template) Symbols() ([]string, error) {
	if t.f.err != nil {
		return nil, abort(t.f.err)
	}
	seen := map[string]bool{}
	t.e.symbols(t.f.tree, seen)
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, nil
}

func (e *Engine) symbols(x *tree, seen map[string]bool) {
	if x == nil {
		return
	}
	kids := x.kids
	switch x.op {
	case "symbol":
		if seen[x.s] {
			return
		}
		seen[x.s] = true
		if f := e.fragment(x.s); f != nil {
			e.compileFragment(f, e.texts[x.s])
			e.symbols(f.tree, seen)
		}
		return
	case "|":
		kids = kids[:1]
	case "func":
		kids = kids[1:]
	}
	for _, kid := range kids {
		e.symbols(kid, seen)
	}
}

// CheckExpression parses a bare expression, for mistakes in its syntax.
func CheckExpression(text string) error {
	_, err := parseExpr(text)
	return abort(err)
}
