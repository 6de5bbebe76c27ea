// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/config/python"
)

// getString returns the text of a symbol or string, or the given message as an
// error.
func getString(t *Tree, msg string) (string, error) {
	if t.isText() {
		return t.Value, nil
	}
	return "", parseErrorf("%s", msg)
}

func getSymbol(t *Tree) (string, error) {
	if t != nil && t.Op == "symbol" {
		return t.Value, nil
	}
	return "", parseErrorf("not a symbol")
}

func getInteger(t *Tree, msg string) (int64, error) {
	s, err := getString(t, msg)
	if err != nil {
		return 0, err
	}
	n, _, ok := pyInt(s)
	if !ok {
		return 0, parseErrorf("%s", msg)
	}
	return n, nil
}

func getIntegerOr(t *Tree, msg string, def int64) (int64, error) {
	if t == nil {
		return def, nil
	}
	return getInteger(t, msg)
}

// getIntRange reads "n", or a range of numbers with defaults for open ends.
func getIntRange(t *Tree, msg, boundMsg string, first, last int64) (lo, hi int64, err error) {
	if t.isText() {
		lo, err = getInteger(t, msg)
		return lo, lo, err
	}
	var a, b *Tree
	switch {
	case t == nil:
		return 0, 0, parseErrorf("%s", msg)
	case t.Op == "range":
		a, b = t.Args[0], t.Args[1]
	case t.Op == "rangepre":
		b = t.Args[0]
	case t.Op == "rangepost":
		a = t.Args[0]
	case t.Op == "rangeall":
	default:
		return 0, 0, parseErrorf("%s", msg)
	}
	if lo, err = getIntegerOr(a, boundMsg, first); err != nil {
		return 0, 0, err
	}
	hi, err = getIntegerOr(b, boundMsg, last)
	return lo, hi, err
}

// getArgs checks the number of arguments; max < 0 is any number.
func getArgs(t *Tree, min, max int, msg string) ([]*Tree, error) {
	l := t.list()
	if len(l) < min || max >= 0 && len(l) > max {
		return nil, parseErrorf("%s", msg)
	}
	return l, nil
}

func noArgs(t *Tree, name string) error {
	_, err := getArgs(t, 0, 0, name+" takes no arguments")
	return err
}

// keyed are the arguments of a call by name. A name that was not given is not
// in it; one that was may still be nil ("f(a=)" cannot be written, but "f()"
// inside a list can).
type keyed map[string]*Tree

// keyArgs assigns positional arguments to keys in order and then keyword
// arguments by name.
func keyArgs(t *Tree, name string, keys ...string) (keyed, error) {
	args := t.list()
	isKeyword := func(a *Tree) bool { return a != nil && a.Op == "keyvalue" }
	positional := slices.IndexFunc(args, isKeyword)
	if positional < 0 {
		positional = len(args)
	}
	if positional > len(keys) {
		return nil, parseErrorf("%s takes at most %d positional arguments", name, len(keys))
	}
	m := make(keyed)
	for i, a := range args[:positional] {
		m[keys[i]] = a
	}
	for _, a := range args[positional:] {
		if !isKeyword(a) || a.Args[0] == nil || a.Args[0].Op != "symbol" {
			return nil, parseErrorf("%s got an invalid argument", name)
		}
		k := a.Args[0].Value
		if !slices.Contains(keys, k) {
			return nil, parseErrorf("%s got an unexpected keyword argument '%s'", name, k)
		}
		if _, dup := m[k]; dup {
			return nil, parseErrorf("%s got multiple values for keyword argument '%s'", name, k)
		}
		m[k] = a.Args[1]
	}
	return m, nil
}

// fields splits as Python's bytes.split() does.
func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r < 0x80 && strings.IndexByte(python.Space, byte(r)) >= 0 })
}
