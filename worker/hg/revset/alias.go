// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// Alias is one item of [revsetalias]: "name" or "name(arg, ...)", and the
// expression that it stands for. A later one of the same name wins.
type Alias struct {
	Declaration string
	Definition  string
}

// alias is an Alias as parsed.
type alias struct {
	name string
	args []string
	call bool // takes (possibly no) arguments
	err  string
	tree *Tree // arguments are nodes "_aliasarg"
}

const aliasSection = "revset alias"

// buildAliases parses all aliases. Errors stay in the alias: a wrong one
// matters only when it is used.
func buildAliases(list []Alias) (map[string]*alias, error) {
	m := make(map[string]*alias, len(list))
	for _, item := range list {
		a := &alias{name: item.Declaration}
		detail, err := a.declare(item.Declaration)
		kind := "declaration"
		if err == nil && detail == "" {
			kind = "definition"
			detail, err = a.define(item.Definition)
		}
		if err != nil {
			return nil, err
		}
		if detail != "" {
			a.err = fmt.Sprintf(`bad %s of %s "%s": %s`, kind, aliasSection, a.name, detail)
		}
		m[a.name] = a
	}
	return m, nil
}

// detailOf turns a parse error into its text; other errors stay errors.
func detailOf(err error) (string, error) {
	var pe *parseError
	if errors.As(err, &pe) {
		return pe.detail(), nil
	}
	return "", err
}

func (a *alias) declare(decl string) (detail string, err error) {
	t, err := parseWith(decl, nil, true)
	if err != nil {
		return detailOf(err)
	}
	if t.Op == "symbol" {
		if strings.HasPrefix(t.Value, "$") {
			return fmt.Sprintf("invalid symbol '%s'", t.Value), nil
		}
		a.name = t.Value
		return "", nil
	}
	name, args, ok := t.call()
	if !ok {
		return "invalid format", nil
	}
	if strings.HasPrefix(name, "$") {
		return fmt.Sprintf("invalid function '%s'", name), nil
	}
	seen := map[string]bool{}
	for _, arg := range args {
		if arg == nil || arg.Op != "symbol" {
			return "invalid argument list", nil
		}
		a.args = append(a.args, arg.Value)
		seen[arg.Value] = true
	}
	a.name = name
	a.call = true
	if len(seen) != len(args) {
		return "argument names collide with each other", nil
	}
	return "", nil
}

func (a *alias) define(defn string) (detail string, err error) {
	t, err := parseWith(defn, nil, true)
	if err == nil {
		t, err = a.markArgs(t)
	}
	if err != nil {
		return detailOf(err)
	}
	a.tree = t
	return "", nil
}

// markArgs turns the symbols that name an argument into "_aliasarg".
func (a *alias) markArgs(t *Tree) (*Tree, error) {
	if t == nil {
		return nil, nil
	}
	if t.Op == "symbol" {
		if slices.Contains(a.args, t.Value) {
			return leaf("_aliasarg", t.Value), nil
		}
		if strings.HasPrefix(t.Value, "$") {
			return nil, parseErrorf("invalid symbol '%s'", t.Value)
		}
		return t, nil
	}
	return mapArgsErr(t, a.markArgs)
}

func mapArgsErr(t *Tree, fn func(*Tree) (*Tree, error)) (*Tree, error) {
	if len(t.Args) == 0 {
		return t, nil
	}
	args := make([]*Tree, len(t.Args))
	for i, x := range t.Args {
		var err error
		if args[i], err = fn(x); err != nil {
			return nil, err
		}
	}
	n := newTree(t.Op, args...)
	n.Value = t.Value
	return n, n.check()
}

// expander replaces aliases in trees.
type expander struct {
	aliases map[string]*alias
	cache   map[string]*Tree
}

// expandAliases expands t and returns the warnings about wrong aliases that
// were not used.
func expandAliases(t *Tree, list []Alias) (*Tree, []string, error) {
	aliases, err := buildAliases(list)
	if err != nil {
		return nil, nil, err
	}
	e := expander{aliases, make(map[string]*Tree)}
	if t, err = e.expand(t, nil); err != nil {
		return nil, nil, err
	}
	var names, warnings []string
	for name := range aliases {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if a := aliases[name]; a.err != "" {
			warnings = append(warnings, "warning: "+a.err+"\n")
		}
	}
	return t, warnings, nil
}

// find returns the alias that t uses, and its arguments.
func (e *expander) find(t *Tree) (*alias, []*Tree) {
	if t.Op == "symbol" {
		if a := e.aliases[t.Value]; a != nil && !a.call {
			return a, nil
		}
	}
	if name, args, ok := t.call(); ok {
		if a := e.aliases[name]; a != nil && a.call {
			return a, args
		}
	}
	return nil, nil
}

func (e *expander) expand(t *Tree, expanding []*alias) (*Tree, error) {
	if t == nil {
		return nil, nil
	}
	a, args := e.find(t)
	if a == nil {
		return mapArgsErr(t, func(x *Tree) (*Tree, error) { return e.expand(x, expanding) })
	}
	if a.err != "" {
		return nil, hgerr.Abortf(hgerr.Other, "%s", a.err)
	}
	if slices.Contains(expanding, a) {
		return nil, parseErrorf(`infinite expansion of %s "%s" detected`, aliasSection, a.name)
	}
	result, ok := e.cache[a.name]
	if !ok {
		var err error
		if result, err = e.expand(a.tree, append(expanding, a)); err != nil {
			return nil, err
		}
		e.cache[a.name] = result
	}
	if !a.call {
		return result, nil
	}
	if len(args) != len(a.args) {
		return nil, parseErrorf("invalid number of arguments: %d", len(args))
	}
	values := make(map[string]*Tree, len(args))
	for i, arg := range args {
		v, err := e.expand(arg, nil)
		if err != nil {
			return nil, err
		}
		values[a.args[i]] = v
	}
	return substitute(result, values)
}

func substitute(t *Tree, values map[string]*Tree) (*Tree, error) {
	switch {
	case t == nil:
		return nil, nil
	case t.Op == "_aliasarg":
		return values[t.Value], nil
	default:
		return mapArgsErr(t, func(x *Tree) (*Tree, error) { return substitute(x, values) })
	}
}
