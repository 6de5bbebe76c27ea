// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"errors"
	"math/big"

	"hgbroker/worker/hg/hgerr"
)

// expr is a compiled expression. eval gives its value; write prints the value,
// often without making it.
type expr interface {
	eval(s *scope) (Value, error)
	write(w *bytes.Buffer, s *scope) error
}

// constant is a string or a number.
type constant struct{ v Value }

func (x constant) eval(*scope) (Value, error) { return x.v, nil }
func (x constant) write(w *bytes.Buffer, s *scope) error {
	if x.v.kind == kindBytes {
		w.WriteString(x.v.s)
		return nil
	}
	return writeValue(w, s, x.v)
}

// sequence is a template: text and expansions one after the other.
type sequence struct{ parts []expr }

func (x sequence) write(w *bytes.Buffer, s *scope) error {
	for _, p := range x.parts {
		if err := p.write(w, s); err != nil {
			return err
		}
	}
	return nil
}

func (x sequence) eval(s *scope) (Value, error) { return render(x, s) }

// render evaluates an expression to what it prints.
func render(x expr, s *scope) (Value, error) {
	w := s.e.buffer()
	defer s.e.release(w)
	if err := x.write(w, s); err != nil {
		return Value{}, err
	}
	return Bytes(w.String()), nil
}

// buffer lends an empty buffer until release.
func (e *Engine) buffer() *bytes.Buffer {
	if n := len(e.scratch); n > 0 {
		w := e.scratch[n-1]
		e.scratch = e.scratch[:n-1]
		return w
	}
	return new(bytes.Buffer)
}

func (e *Engine) release(w *bytes.Buffer) {
	w.Reset()
	e.scratch = append(e.scratch, w)
}

// symbolExpr is a name.
type symbolExpr struct {
	name     string
	keyword  *keyword
	fragment *fragment
}

func (x *symbolExpr) eval(s *scope) (Value, error) {
	v, ok, err := s.symbol(x.name, x.keyword, x.fragment)
	if err == nil && !ok {
		v = Bytes("")
	}
	return v, err
}

// lookup is eval, but tells whether the name means anything.
func (x *symbolExpr) lookup(s *scope) (Value, bool, error) {
	v, ok, err := s.symbol(x.name, x.keyword, x.fragment)
	// A keyword that has no value here counts as not known.
	return v, ok && (v.kind != kindNone || v.flag), err
}

func (x *symbolExpr) write(w *bytes.Buffer, s *scope) error {
	if kw := x.keyword; kw != nil && kw.show != nil {
		if _, bound := s.lookup(x.name, kw.requires); !bound && s.missing(kw.requires) == "" {
			return kw.show(w, s)
		}
	}
	v, err := x.eval(s)
	if err != nil {
		return err
	}
	return writeValue(w, s, v)
}

// recursion stands for a fragment inside its own definition.
type recursion struct{ name string }

func (x recursion) eval(*scope) (Value, error) {
	a := hgerr.Abortf(hgerr.Input, "recursive reference '%s' in template", x.name)
	return Value{}, a
}
func (x recursion) write(_ *bytes.Buffer, s *scope) error { _, err := x.eval(s); return err }

// filterOp is arg|filter.
type filterOp struct {
	f   *filter
	arg expr
}

func (x *filterOp) eval(s *scope) (Value, error) {
	v, err := x.arg.eval(s)
	if err != nil {
		if isLazy(x.arg) {
			err = x.explain(err)
		}
		return v, err
	}
	out, err := x.f.call(s, v)
	if err != nil {
		return out, x.explain(err)
	}
	return out, nil
}

func (x *filterOp) write(w *bytes.Buffer, s *scope) error {
	if x.f.text == nil {
		v, err := x.eval(s)
		if err != nil {
			return err
		}
		return writeValue(w, s, v)
	}
	in := s.e.buffer()
	defer s.e.release(in)
	if err := x.arg.write(in, s); err != nil {
		if _, explained := x.eval(s); explained != nil {
			return explained
		}
		return err
	}
	w.Write(x.f.text(w.AvailableBuffer(), in.Bytes()))
	return nil
}

// isLazy tells of what hg evaluates only when it is printed, so that its mistakes
// show inside of what it is given to.
func isLazy(x expr) bool {
	switch x := x.(type) {
	case sequence:
		return true
	case *callOp:
		return x.fn.lazy
	}
	return false
}

// explain tells which filter met which keyword.
func (x *filterOp) explain(err error) error {
	name := x.f.python
	if name == "" {
		name = x.f.name
	}
	if sym := symbolicName(x.arg); sym != "" {
		return withHint(err, "template filter '%s' is not compatible with keyword '%s'", name, sym)
	}
	return withHint(err, "incompatible use of template filter '%s'", name)
}

// symbolicName is the keyword that an expression is about, if that is plain.
func symbolicName(x expr) string {
	for {
		switch y := x.(type) {
		case *symbolExpr:
			return y.name
		case *filterOp:
			x = y.arg
		default:
			return ""
		}
	}
}

// callOp is f(args).
type callOp struct {
	fn   *function
	args *callArgs
}

func (x *callOp) eval(s *scope) (Value, error) { return x.fn.call(s, x.args) }
func (x *callOp) write(w *bytes.Buffer, s *scope) error {
	if x.fn.write != nil {
		return x.fn.write(w, s, x.args)
	}
	v, err := x.fn.call(s, x.args)
	if err != nil {
		return err
	}
	return writeValue(w, s, v)
}

// mapOp is data % template.
type mapOp struct {
	data, target expr
}

func (x mapOp) eval(s *scope) (Value, error) {
	d, err := x.data.eval(s)
	if err != nil {
		return d, err
	}
	return wrap(&mapped{s: s, data: d, sym: symbolicName(x.data), target: x.target}), nil
}

func (x mapOp) write(w *bytes.Buffer, s *scope) error {
	d, err := x.data.eval(s)
	if err != nil {
		return err
	}
	m := mapped{s: s, data: d, sym: symbolicName(x.data), target: x.target}
	return m.show(w, s)
}

// memberOp is data.name.
type memberOp struct {
	data expr
	sym  *symbolExpr
}

func (x memberOp) eval(s *scope) (Value, error) {
	d, err := x.data.eval(s)
	if err != nil {
		return d, err
	}
	if fill, ok := mapper(d); ok {
		inner := s.overlay()
		if err := fill(inner); err != nil {
			return Value{}, err
		}
		inner.populate()
		return x.sym.eval(inner)
	}
	v, err := member(s, d, Bytes(x.sym.name))
	if err != nil {
		if sym := symbolicName(x.data); sym != "" {
			err = withHint(err, "keyword '%s' does not support member operation", sym)
		}
		return Value{}, err
	}
	return v, nil
}

func (x memberOp) write(w *bytes.Buffer, s *scope) error {
	v, err := x.eval(s)
	if err != nil {
		return err
	}
	return writeValue(w, s, v)
}

// negateOp is -arg.
type negateOp struct{ arg expr }

func (x negateOp) eval(s *scope) (Value, error) {
	n, err := evalBig(s, x.arg, "negation needs an integer argument")
	if err != nil {
		return Value{}, err
	}
	return bigValue(n.Neg(n)), nil
}
func (x negateOp) write(w *bytes.Buffer, s *scope) error { return writeEval(w, s, x) }

// arithmeticOp is left op right, with op one of + - * / %; division rounds down.
type arithmeticOp struct {
	op          byte
	left, right expr
}

func (x arithmeticOp) eval(s *scope) (Value, error) {
	const what = "arithmetic only defined on integers"
	a, err := evalBig(s, x.left, what)
	if err != nil {
		return Value{}, err
	}
	b, err := evalBig(s, x.right, what)
	if err != nil {
		return Value{}, err
	}
	switch x.op {
	case '+':
		a.Add(a, b)
	case '-':
		a.Sub(a, b)
	case '*':
		a.Mul(a, b)
	default:
		if b.Sign() == 0 {
			return Value{}, hgerr.Abortf(hgerr.Other, "division by zero is not defined")
		}
		quotient, rest := new(big.Int), new(big.Int)
		quotient.QuoRem(a, b, rest)
		if rest.Sign() != 0 && rest.Sign() != b.Sign() {
			quotient.Sub(quotient, big.NewInt(1))
			rest.Add(rest, b)
		}
		if x.op == '/' {
			a = quotient
		} else {
			a = rest
		}
	}
	if a.BitLen() > 4*maxDigits {
		return Value{}, errors.New("number too large in template")
	}
	return bigValue(a), nil
}
func (x arithmeticOp) write(w *bytes.Buffer, s *scope) error { return writeEval(w, s, x) }

func writeEval(w *bytes.Buffer, s *scope, x expr) error {
	v, err := x.eval(s)
	if err != nil {
		return err
	}
	return writeValue(w, s, v)
}
