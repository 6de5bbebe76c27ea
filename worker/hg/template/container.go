// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"math/big"

	"hgbroker/worker/hg/config/python"
)

// container is a value with its own way of being printed, mapped, searched:
// templateutil.wrapped.
type container interface {
	contains(s *scope, item Value) (bool, error)
	member(s *scope, key Value) (Value, error)
	// extreme is the smallest item, or the largest.
	extreme(s *scope, largest bool) (Value, error)
	// filter keeps the items for which keep says so.
	filter(s *scope, keep func(Value) (bool, error)) (Value, error)
	// each calls f in a mapping over s for every item.
	each(s *scope, f func(inner *scope) error) error
	join(w *bytes.Buffer, s *scope, sep string) error
	show(w *bytes.Buffer, s *scope) error
	truth(s *scope) (bool, error)
	// value is the plain value inside, lists and dicts of plain values.
	value(s *scope) (Value, error)
}

// filler binds in an empty mapping what an item stands for.
type filler func(inner *scope) error

// mappable is a container that stands for one mapping itself.
type mappable interface{ mapping() filler }

// mapper returns how to see v as one mapping, if it is one.
func mapper(v Value) (filler, bool) {
	switch v.kind {
	case kindDate:
		return func(inner *scope) error {
			inner.bind("unixtime", Int(v.n))
			inner.bind("tzoffset", Int(int64(v.tz)))
			return nil
		}, true
	case kindWrapped:
		if m, ok := v.x.(mappable); ok {
			return m.mapping(), true
		}
	}
	return nil, false
}

// joiner writes a separator before every item but the first.
type joiner struct {
	sep  string
	some bool
}

func (j *joiner) next(w *bytes.Buffer) {
	if j.some {
		w.WriteString(j.sep)
	}
	j.some = true
}

// notIterable and its like word the errors of plain values.
func notIterable(v Value) error {
	if v.kind == kindDate {
		return parseErrorf("date is not iterable")
	}
	return parseErrorf("%s is not iterable", pythonRepr(v, false))
}

func contains(s *scope, v, item Value) (bool, error) {
	switch v.kind {
	case kindWrapped:
		return v.x.(container).contains(s, item)
	case kindBytes:
		text, err := stringify(s, item)
		if err != nil {
			return false, err
		}
		return bytes.Contains([]byte(v.s), []byte(text.s)), nil
	}
	return false, notIterable(v)
}

func member(s *scope, v, key Value) (Value, error) {
	switch v.kind {
	case kindWrapped:
		return v.x.(container).member(s, key)
	case kindDate:
		return Value{}, parseErrorf("date is not a dictionary")
	}
	return Value{}, parseErrorf("%s is not a dictionary", pythonRepr(v, false))
}

func extreme(s *scope, v Value, largest bool) (Value, error) {
	switch v.kind {
	case kindWrapped:
		return v.x.(container).extreme(s, largest)
	case kindBytes:
		if v.s == "" {
			return Value{}, parseErrorf("empty string")
		}
		best := v.s[0]
		for i := 1; i < len(v.s); i++ {
			if c := v.s[i]; c != best && (c > best) == largest {
				best = c
			}
		}
		return Bytes(string([]byte{best})), nil
	}
	return Value{}, notIterable(v)
}

func filterValue(s *scope, v Value, keep func(Value) (bool, error)) (Value, error) {
	switch v.kind {
	case kindWrapped:
		return v.x.(container).filter(s, keep)
	case kindBytes:
		return Value{}, parseErrorf("%s is not filterable", python.Repr(v.s))
	}
	return Value{}, notIterable(v)
}

// each maps over any value.
func each(s *scope, v Value, f func(inner *scope) error) error {
	if fill, ok := mapper(v); ok {
		inner := s.overlay()
		if err := fill(inner); err != nil {
			return err
		}
		return mapOnto(inner, 0, f)
	}
	if v.kind == kindWrapped {
		return v.x.(container).each(s, f)
	}
	return parseErrorf("%s is not iterable of mappings", pythonRepr(v, false))
}

// mapOnto completes the mapping of item number i and calls f in it.
func mapOnto(inner *scope, i int, f func(inner *scope) error) error {
	inner.populate()
	inner.index, inner.hasIndex = i, true
	return f(inner)
}

func join(w *bytes.Buffer, s *scope, v Value, sep string) error {
	switch v.kind {
	case kindWrapped:
		return v.x.(container).join(w, s, sep)
	case kindBytes:
		j := joiner{sep: sep}
		for i := 0; i < len(v.s); i++ {
			j.next(w)
			w.WriteByte(v.s[i])
		}
		return nil
	}
	return notIterable(v)
}

// same is Python's == on plain values.
func same(a, b Value) bool {
	switch a.kind {
	case kindNone:
		return b.kind == kindNone
	case kindBytes:
		return b.kind == kindBytes && a.s == b.s
	case kindInt, kindBool:
		if b.kind != kindInt && b.kind != kindBool {
			return false
		}
		x, _ := toBig(a)
		y, _ := toBig(b)
		return x.Cmp(y) == 0
	case kindList, kindTuple:
		x, y := a.list(), b.list()
		if a.kind != b.kind || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !same(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	return a.kind == b.kind && a.n == b.n && a.tz == b.tz
}

// compare is Python's order of two plain values of one type; ok is false where
// Python has none.
func compare(a, b Value) (order int, ok bool) {
	number := func(v Value) (*big.Int, bool) {
		if v.kind == kindInt || v.kind == kindBool {
			return toBig(v)
		}
		return nil, false
	}
	if a.kind == kindBytes && b.kind == kindBytes {
		return bytes.Compare([]byte(a.s), []byte(b.s)), true
	}
	if x, ok := number(a); ok {
		if y, ok := number(b); ok {
			return x.Cmp(y), true
		}
	}
	if a.kind == kindFloat && b.kind == kindFloat {
		switch x, y := a.float(), b.float(); {
		case x < y:
			return -1, true
		case x > y:
			return 1, true
		}
		return 0, true
	}
	if a.kind == b.kind && (a.kind == kindList || a.kind == kindTuple) {
		x, y := a.list(), b.list()
		for i := 0; i < len(x) && i < len(y); i++ {
			if order, ok := compare(x[i], y[i]); !ok || order != 0 {
				return order, ok
			}
		}
		return len(x) - len(y), true
	}
	return 0, false
}

// pick is the first smallest, or first largest, of some plain values.
func pick(values []Value, largest bool) (Value, error) {
	if len(values) == 0 {
		return Value{}, parseErrorf("empty sequence")
	}
	best := values[0]
	for _, v := range values[1:] {
		order, ok := compare(v, best)
		if !ok {
			return Value{}, errUnordered
		}
		if largest && order > 0 || !largest && order < 0 {
			best = v
		}
	}
	return best, nil
}
