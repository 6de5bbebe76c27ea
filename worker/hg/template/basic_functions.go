// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"

	"hgbroker/worker/hg/dates"
)

// branchOf is the argument that a condition selects, nil if there is none.
func branchOf(args []expr, test bool, then int) expr {
	if test {
		return args[then]
	}
	if len(args) > then+1 {
		return args[then+1]
	}
	return nil
}

func evalBranch(s *scope, x expr) (Value, error) {
	if x == nil {
		return Value{}, nil
	}
	return x.eval(s)
}

func writeBranch(w *bytes.Buffer, s *scope, x expr) error {
	if x == nil {
		return nil
	}
	return x.write(w, s)
}

func selectIf(s *scope, args *callArgs) (expr, error) {
	if len(args.pos) < 2 || len(args.pos) > 3 {
		return nil, parseErrorf("if expects two or three arguments")
	}
	test, err := evalBool(s, args.pos[0])
	return branchOf(args.pos, test, 1), err
}

func ifFunc(s *scope, args *callArgs) (Value, error) {
	x, err := selectIf(s, args)
	if err != nil {
		return Value{}, err
	}
	return evalBranch(s, x)
}

func writeIf(w *bytes.Buffer, s *scope, args *callArgs) error {
	x, err := selectIf(s, args)
	if err != nil {
		return err
	}
	return writeBranch(w, s, x)
}

func selectIfEq(s *scope, args *callArgs) (expr, error) {
	if len(args.pos) < 3 || len(args.pos) > 4 {
		return nil, parseErrorf("ifeq expects three or four arguments")
	}
	a, err := evalString(s, args.pos[0])
	if err != nil {
		return nil, err
	}
	b, err := evalString(s, args.pos[1])
	return branchOf(args.pos, a == b, 2), err
}

func ifEqFunc(s *scope, args *callArgs) (Value, error) {
	x, err := selectIfEq(s, args)
	if err != nil {
		return Value{}, err
	}
	return evalBranch(s, x)
}

func writeIfEq(w *bytes.Buffer, s *scope, args *callArgs) error {
	x, err := selectIfEq(s, args)
	if err != nil {
		return err
	}
	return writeBranch(w, s, x)
}

func ifContainsFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) < 3 || len(args.pos) > 4 {
		return Value{}, parseErrorf("ifcontains expects three or four arguments")
	}
	haystack, err := args.pos[1].eval(s)
	if err != nil {
		return Value{}, err
	}
	// Whatever the author got wrong from here on counts as not found.
	needle, err := args.pos[0].eval(s)
	found := false
	if err == nil {
		found, err = contains(s, haystack, needle)
	}
	if err != nil && !isParseError(err) {
		return Value{}, err
	}
	return evalBranch(s, branchOf(args.pos, found && err == nil, 2))
}

func joinArgs(s *scope, args *callArgs) (Value, string, error) {
	if len(args.pos) < 1 || len(args.pos) > 2 {
		return Value{}, "", parseErrorf("join expects one or two arguments")
	}
	v, err := args.pos[0].eval(s)
	if err != nil {
		return v, "", err
	}
	sep := " "
	if len(args.pos) > 1 {
		sep, err = evalString(s, args.pos[1])
	}
	return v, sep, err
}

func writeJoin(w *bytes.Buffer, s *scope, args *callArgs) error {
	v, sep, err := joinArgs(s, args)
	if err != nil {
		return err
	}
	return join(w, s, v, sep)
}

// rendered makes the value of a function that knows how to write itself.
func rendered(s *scope, args *callArgs, write func(*bytes.Buffer, *scope, *callArgs) error) (Value, error) {
	w := s.e.buffer()
	defer s.e.release(w)
	if err := write(w, s, args); err != nil {
		return Value{}, err
	}
	return Bytes(w.String()), nil
}

func joinFunc(s *scope, args *callArgs) (Value, error) { return rendered(s, args, writeJoin) }

func separateFunc(s *scope, args *callArgs) (Value, error) { return rendered(s, args, writeSeparate) }

func writeSeparate(w *bytes.Buffer, s *scope, args *callArgs) error {
	sep, err := evalString(s, args.pos[0])
	if err != nil {
		return err
	}
	some := false
	for _, x := range args.rest {
		mark := w.Len()
		if some {
			w.WriteString(sep)
		}
		start := w.Len()
		if err := x.write(w, s); err != nil {
			return err
		}
		if w.Len() == start {
			w.Truncate(mark)
			continue
		}
		some = true
	}
	return nil
}

func labelFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 2 {
		return Value{}, parseErrorf("label expects two arguments")
	}
	v, err := evalText(s, args.pos[1])
	if err != nil {
		return v, err
	}
	label, err := evalLiteral(s, args.pos[0])
	if err != nil || s.e.opts.Label == nil {
		return v, err
	}
	return Bytes(s.e.opts.Label(v.s, label)), nil
}

func dictFunc(s *scope, args *callArgs) (Value, error) {
	d := &dict{}
	for _, x := range args.rest {
		name := symbolicName(x)
		if name == "" {
			return Value{}, parseErrorf("dict key cannot be inferred")
		}
		_, double := d.get(name)
		for _, o := range args.options {
			double = double || o.name == name
		}
		if double {
			return Value{}, parseErrorf("duplicated dict key '%s' inferred", name)
		}
		v, err := evalPlain(s, x)
		if err != nil {
			return Value{}, err
		}
		d.set(name, v)
	}
	for _, o := range args.options {
		v, err := evalPlain(s, o.x)
		if err != nil {
			return Value{}, err
		}
		d.set(o.name, v)
	}
	return wrap(newDict(d, "key", "value")), nil
}

func filterFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) < 1 || len(args.pos) > 2 {
		return Value{}, parseErrorf("filter expects one or two arguments")
	}
	v, err := args.pos[0].eval(s)
	if err != nil {
		return Value{}, err
	}
	keep := func(item Value) (bool, error) { return truth(s, item) }
	if len(args.pos) == 2 {
		keep = func(item Value) (bool, error) {
			fill, ok := mapper(item)
			if !ok {
				return false, parseErrorf("not filterable by expression")
			}
			inner := s.overlay()
			if err := fill(inner); err != nil {
				return false, err
			}
			inner.populate()
			return evalBool(inner, args.pos[1])
		}
	}
	return filterValue(s, v, keep)
}

func getFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 2 {
		return Value{}, parseErrorf("get() expects two arguments")
	}
	d, err := args.pos[0].eval(s)
	if err != nil {
		return Value{}, err
	}
	key, err := args.pos[1].eval(s)
	if err != nil {
		return Value{}, err
	}
	v, err := member(s, d, key)
	if err != nil {
		return Value{}, withHint(err, "get() expects a dict as first argument")
	}
	return v, nil
}

func extremeFunc(name string, largest bool) func(*scope, *callArgs) (Value, error) {
	return func(s *scope, args *callArgs) (Value, error) {
		if len(args.pos) != 1 {
			return Value{}, parseErrorf("%s expects one argument", name)
		}
		v, err := args.pos[0].eval(s)
		if err != nil {
			return Value{}, err
		}
		out, err := extreme(s, v, largest)
		if err != nil {
			return Value{}, withHint(err, "%s first argument should be an iterable", name)
		}
		return out, nil
	}
}

func modFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 2 {
		return Value{}, parseErrorf("mod expects two arguments")
	}
	return arithmeticOp{'%', args.pos[0], args.pos[1]}.eval(s)
}

func dateFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) < 1 || len(args.pos) > 2 {
		return Value{}, parseErrorf("date expects one or two arguments")
	}
	unix, offset, err := evalDate(s, args.pos[0], "date expects a date information")
	if err != nil {
		return Value{}, err
	}
	layout := dates.DefaultFormat
	if len(args.pos) == 2 {
		if layout, err = evalString(s, args.pos[1]); err != nil {
			return Value{}, err
		}
	}
	return dateLayout(layout)(s, unix, offset)
}

// zoneOffset reads a time zone: GMT, UTC, +hhmm or +hh:mm. Offsets count west.
func zoneOffset(text string) (int, bool) {
	if text == "GMT" || text == "UTC" {
		return 0, true
	}
	if len(text) == 6 && text[3] == ':' {
		text = text[:3] + text[4:]
	}
	if len(text) != 5 || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	for _, c := range []byte(text[1:]) {
		if !isDigit(c) {
			return 0, false
		}
	}
	n := func(i int) int { return int(text[i]-'0')*10 + int(text[i+1]-'0') }
	offset := (n(1)*60 + n(3)) * 60
	if text[0] == '+' {
		offset = -offset
	}
	return offset, true
}

func localDateFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) < 1 || len(args.pos) > 2 {
		return Value{}, parseErrorf("localdate expects one or two arguments")
	}
	unix, _, err := evalDate(s, args.pos[0], "localdate expects a date information")
	if err != nil {
		return Value{}, err
	}
	if len(args.pos) == 1 {
		return Date(unix, dates.Now(s.e.opts.Now, s.e.opts.Location).Offset), nil
	}
	tz, err := evalPlain(s, args.pos[1])
	if err != nil {
		return Value{}, err
	}
	if tz.kind == kindBytes {
		if offset, ok := zoneOffset(tz.s); ok {
			return Date(unix, offset), nil
		}
	}
	n, ok := toBig(tz)
	if !ok || !n.IsInt64() || n.BitLen() > 31 {
		return Value{}, parseErrorf("localdate expects a timezone")
	}
	return Date(unix, int(n.Int64())), nil
}
