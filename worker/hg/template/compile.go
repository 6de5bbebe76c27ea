// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"math/big"

	"hgbroker/worker/hg/hgerr"
)

// callArgs are the compiled arguments of a function call.
type callArgs struct {
	// pos are the positional arguments; for a function with named parameters,
	// one entry a parameter, nil where it was not given.
	pos []expr
	// rest are those that a parameter like *args takes up.
	rest []expr
	// options are those that a parameter like **kwargs takes up, in order.
	options []option
}

type option struct {
	name string
	x    expr
}

// compile turns a tree into an expression. hg reads a bare number at the top of
// an expansion as a name ({1} after search()) and elsewhere as a number;
// numbers tells which.
func (e *Engine) compile(x *tree, numbers bool) (expr, error) {
	if x == nil {
		return nil, parseErrorf("missing argument")
	}
	switch x.op {
	case "integer":
		if !numbers {
			return e.compileSymbol(x.s)
		}
		n, ok := new(big.Int).SetString(x.s, 10)
		if !ok || len(x.s) > maxDigits {
			return nil, hgerr.NewUnsupported("template number of more than %d digits", maxDigits)
		}
		return constant{bigValue(n)}, nil
	case "symbol":
		return e.compileSymbol(x.s)
	case "string":
		return constant{Bytes(x.s)}, nil
	case "template":
		parts := make([]expr, len(x.kids))
		for i, kid := range x.kids {
			var err error
			if parts[i], err = e.compile(kid, false); err != nil {
				return nil, err
			}
		}
		return sequence{parts}, nil
	case "group":
		return e.compile(x.kids[0], true)
	case "|":
		return e.compileFilter(x)
	case "%":
		data, err := e.compile(x.kids[0], false)
		if err != nil {
			return nil, err
		}
		target, err := e.compileTarget(x.kids[1])
		if err != nil {
			return nil, err
		}
		return mapOp{data, target}, nil
	case ".":
		data, err := e.compile(x.kids[0], false)
		if err != nil {
			return nil, err
		}
		name, err := symbolName(x.kids[1])
		if err != nil {
			return nil, err
		}
		sym, err := e.compileSymbol(name)
		if err != nil {
			return nil, err
		}
		return memberOp{data, sym.(*symbolExpr)}, nil
	case "negate":
		arg, err := e.compile(x.kids[0], true)
		if err != nil {
			return nil, err
		}
		return negateOp{arg}, nil
	case "+", "-", "*", "/":
		left, err := e.compile(x.kids[0], true)
		if err != nil {
			return nil, err
		}
		right, err := e.compile(x.kids[1], true)
		if err != nil {
			return nil, err
		}
		return arithmeticOp{x.op[0], left, right}, nil
	case "func":
		return e.compileCall(x)
	case "keyvalue":
		return nil, parseErrorf("can't use a key-value pair in this context")
	case "list":
		return nil, &parseError{msg: "can't use a list in this context", hint: "check place of comma and parens", loc: -1}
	}
	return nil, parseErrorf("missing argument")
}

// maxDigits bounds a number written in a template.
const maxDigits = 1000

func symbolName(x *tree) (string, error) {
	if x.op == "symbol" {
		return x.s, nil
	}
	return "", parseErrorf("expected a symbol, got '%s'", x.op)
}

func (e *Engine) compileSymbol(name string) (expr, error) {
	sym := &symbolExpr{name: name}
	kw := keywords()[name]
	if kw == nil && e.opts.Topics {
		kw = topicKeywords()[name]
	}
	if kw != nil && kw.since <= e.opts.Version && !e.opts.NoKeywords {
		if err := e.usable("template keyword "+name, kw.unsupported, kw.feature); err != nil {
			return nil, err
		}
		if kw.check != nil {
			if err := kw.check(e); hgerr.IsUnsupported(err) {
				return nil, err
			}
		}
		sym.keyword = kw
		e.touchList(kw.list, kw.plural)
		return sym, nil
	}
	sym.fragment = e.touch(name)
	return sym, nil
}

// touchList compiles the fragments with which a map file formats a list.
func (e *Engine) touchList(name, plural string) {
	if name == "" {
		return
	}
	for _, n := range listFragments(name, plural) {
		e.touch(n)
	}
}

func (e *Engine) usable(what, reason string, need Feature) error {
	if reason != "" {
		return hgerr.NewUnsupported("%s (%s)", what, reason)
	}
	if need&^e.opts.Features != 0 {
		return hgerr.NewUnsupported("%s", what)
	}
	return nil
}

func (e *Engine) compileFilter(x *tree) (expr, error) {
	name, err := symbolName(x.kids[1])
	if err != nil {
		return nil, err
	}
	if f := filters()[name]; f != nil {
		arg, err := e.compile(x.kids[0], false)
		if err != nil {
			return nil, err
		}
		return e.filterCall(name, f, arg)
	}
	if fn := functions()[name]; fn != nil {
		return e.functionCall(name, fn, x.kids[0], false)
	}
	return nil, parseErrorf("unknown function '%s'", name)
}

func (e *Engine) compileCall(x *tree) (expr, error) {
	name, err := symbolName(x.kids[0])
	if err != nil {
		return nil, err
	}
	if fn := functions()[name]; fn != nil {
		return e.functionCall(name, fn, x.kids[1], true)
	}
	if f := filters()[name]; f != nil {
		args, err := e.compileList(arguments(x.kids[1]), true)
		if err != nil {
			return nil, err
		}
		if len(args) != 1 {
			return nil, parseErrorf("filter %s expects one argument", name)
		}
		return e.filterCall(name, f, args[0])
	}
	return nil, parseErrorf("unknown function '%s'", name)
}

func (e *Engine) filterCall(name string, f *filter, arg expr) (expr, error) {
	if err := e.usable("template filter "+name, f.unsupported, 0); err != nil {
		return nil, err
	}
	return &filterOp{f, arg}, nil
}

func (e *Engine) compileList(xs []*tree, numbers bool) ([]expr, error) {
	out := make([]expr, len(xs))
	for i, x := range xs {
		var err error
		if out[i], err = e.compile(x, numbers); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (e *Engine) functionCall(name string, fn *function, list *tree, numbers bool) (expr, error) {
	args := &callArgs{}
	var err error
	if fn.params == nil {
		args.pos, err = e.compileList(arguments(list), numbers)
	} else {
		args, err = e.bindParams(name, fn.params, arguments(list), numbers)
	}
	if err != nil {
		return nil, err
	}
	if err := e.usable("template function "+name, fn.unsupported, fn.feature); err != nil {
		return nil, err
	}
	if fn.check != nil {
		if err := fn.check(e, args); err != nil {
			return nil, err
		}
	}
	e.touchList(fn.list, fn.plural)
	return &callOp{fn, args}, nil
}

// params are a function's named parameters, as in parser.splitargspec: must come
// by position, a rest takes up more of them, keys come either way, options take
// up unknown keywords.
type params struct {
	must, keys    []string
	rest, options bool
}

func (e *Engine) bindParams(name string, p *params, xs []*tree, numbers bool) (*callArgs, error) {
	positional := len(xs)
	for i, x := range xs {
		if x != nil && x.op == "keyvalue" {
			positional = i
			break
		}
	}
	if positional < len(p.must) {
		return nil, parseErrorf("%s takes at least %d positional arguments", name, len(p.must))
	}
	all := append(append([]string(nil), p.must...), p.keys...)
	if !p.rest && positional > len(all) {
		return nil, parseErrorf("%s takes at most %d positional arguments", name, len(all))
	}
	given := make([]*tree, len(all))
	present := make([]bool, len(all))
	var rest []*tree
	for i, x := range xs[:positional] {
		if i >= len(p.must) && p.rest {
			rest = append(rest, x)
			continue
		}
		given[i], present[i] = x, true
	}
	type namedTree struct {
		name string
		x    *tree
	}
	var extra []namedTree
	for _, x := range xs[positional:] {
		if x == nil || x.op != "keyvalue" || x.kids[0] == nil || x.kids[0].op != "symbol" {
			return nil, parseErrorf("%s got an invalid argument", name)
		}
		key := x.kids[0].s
		slot := -1
		for i, k := range all {
			if k == key && i >= len(p.must) {
				slot = i
			}
		}
		double := slot >= 0 && present[slot]
		if slot < 0 && !p.options {
			return nil, parseErrorf("%s got an unexpected keyword argument '%s'", name, key)
		}
		for _, t := range extra {
			double = double || slot < 0 && t.name == key
		}
		if double {
			return nil, parseErrorf("%s got multiple values for keyword argument '%s'", name, key)
		}
		if slot >= 0 {
			given[slot], present[slot] = x.kids[1], true
		} else {
			extra = append(extra, namedTree{key, x.kids[1]})
		}
	}
	args := &callArgs{pos: make([]expr, len(all))}
	var err error
	if args.rest, err = e.compileList(rest, numbers); err != nil {
		return nil, err
	}
	for _, t := range extra {
		x, err := e.compile(t.x, numbers)
		if err != nil {
			return nil, err
		}
		args.options = append(args.options, option{t.name, x})
	}
	for i, x := range given {
		if present[i] {
			if args.pos[i], err = e.compile(x, numbers); err != nil {
				return nil, err
			}
		}
	}
	return args, nil
}

// compileTarget compiles what stands right of '%': a template, or the name of a
// fragment, which a keyword of the same name does not hide.
func (e *Engine) compileTarget(x *tree) (expr, error) {
	if x == nil {
		return nil, parseErrorf("expected template specifier")
	}
	switch x.op {
	case "template", "string":
		return e.compile(x, false)
	case "symbol":
		f := e.fragment(x.s)
		if f == nil {
			return nil, hgerr.Abortf(hgerr.Other, `"%s" not in template map`, x.s)
		}
		if f.compiling {
			return recursion{x.s}, nil
		}
		e.compileFragment(f, e.texts[x.s])
		if f.err != nil {
			return nil, f.err
		}
		return f.body, nil
	}
	return nil, parseErrorf("expected template specifier")
}
