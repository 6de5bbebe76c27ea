// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"math"
	"math/big"
)

// kind is the Python type that a Value stands for.
type kind uint8

const (
	kindNone    kind = iota
	kindBool         // n
	kindInt          // n, or x.(*big.Int) where it does not fit
	kindFloat        // n holds the bits
	kindBytes        // s; x.(string) is the UTF-8 form where it differs
	kindDate         // n unix time, tz offset; flag selects {date}'s own layout
	kindList         // x.([]Value): a bare Python list
	kindTuple        // x.([]Value)
	kindDict         // x.(*dict)
	kindRevs         // x.(*revslist): a bare smartset
	kindWrapped      // x.(container)
	kindLazy         // x.(func(*scope) (Value, error)): evaluated when looked up
)

// Value is anything that a template expression can have as its value. The zero
// Value is Python's None. Values are small and passed by copy; what x points to
// is never changed after it was made.
type Value struct {
	kind kind
	// flag: kindNone: None that hides a keyword of the same name; kindDate: print
	// as {date} does (seconds, ".0", offset).
	flag bool
	tz   int32
	n    int64
	s    string
	x    any
}

// None is Python's None, as a formatter's item holds it: it is printed as
// nothing, and hides the keyword of its name.
func None() Value { return Value{flag: true} }

// Bool is True or False; it prints as Python does.
func Bool(b bool) Value {
	if b {
		return Value{kind: kindBool, n: 1}
	}
	return Value{kind: kindBool}
}

// Int is a whole number.
func Int(n int64) Value { return Value{kind: kindInt, n: n} }

// Float is a floating point number, which prints as Python's repr.
func Float(f float64) Value { return Value{kind: kindFloat, n: int64(math.Float64bits(f))} }

// Bytes is a byte string: a file name, a hash.
func Bytes(s string) Value { return Value{kind: kindBytes, s: s} }

// TextValue is a byte string that remembers its UTF-8 form.
func TextValue(t Text) Value {
	v := Value{kind: kindBytes, s: t.Local}
	if t.UTF8 != "" {
		v.x = t.UTF8
	}
	return v
}

// Date is a point in time: seconds since the epoch and the zone's offset in
// seconds west of UTC.
func Date(unix int64, offset int) Value {
	return Value{kind: kindDate, n: unix, tz: int32(offset)}
}

// PlainList is a bare list, as a template sees a list that hg passes unwrapped.
func PlainList(items []Value) Value {
	if len(items) == 0 {
		return Value{kind: kindList, x: noValues}
	}
	return Value{kind: kindList, x: items}
}

var noValues any = []Value(nil) // as x, made once

// PlainTuple is a bare tuple.
func PlainTuple(items []Value) Value { return Value{kind: kindTuple, x: items} }

// dict is a mapping in insertion order. The few keys are searched in line.
type dict struct {
	keys []string
	vals []Value
}

func (d *dict) get(key string) (Value, bool) {
	for i, k := range d.keys {
		if k == key {
			return d.vals[i], true
		}
	}
	return Value{}, false
}

func (d *dict) set(key string, v Value) {
	for i, k := range d.keys {
		if k == key {
			d.vals[i] = v
			return
		}
	}
	d.keys = append(d.keys, key)
	d.vals = append(d.vals, v)
}

func bigValue(b *big.Int) Value {
	if b.IsInt64() {
		return Int(b.Int64())
	}
	return Value{kind: kindInt, x: b}
}

func (v Value) float() float64 { return math.Float64frombits(uint64(v.n)) }

func (v Value) list() []Value { l, _ := v.x.([]Value); return l }

// IsUnset tells whether a name bound to v counts as not bound: the zero Value
// does, None does not.
func (v Value) IsUnset() bool { return v.kind == kindNone && !v.flag }

func wrap(c container) Value { return Value{kind: kindWrapped, x: c} }

// AsInt is the number that a value is.
func (v Value) AsInt() (int64, bool) { return v.n, v.kind == kindInt && v.x == nil }

// AsString is a value as plain output shows it.
func (v Value) AsString() string { return pythonStr(v) }
