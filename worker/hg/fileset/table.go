// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"slices"
	"strings"
	"sync"

	"hgbroker/worker/hg/match"
)

// Predicate describes one function of the language.
type Predicate struct {
	Name string
	// Usage is the call with its arguments.
	Usage string
	// Doc says in one line what it selects.
	Doc string
	// Min and Max are how many arguments it takes.
	Min, Max int
	// Partly is which calls the engine leaves to the real hg; "" when it answers
	// all of them.
	Partly string

	weight float64
	status bool // asks for a status
	eval   func(sc *scope, arg *Tree) (match.Matcher, error)
}

// predicates are Mercurial's built-in ones (`hg help filesets.predicates`), made when
// they are first asked for. Extensions define more, which are unknown here.
var predicates func() map[string]*Predicate

func init() { predicates = sync.OnceValue(makePredicates) }

func makePredicates() map[string]*Predicate {
	byName := map[string]*Predicate{}
	for _, table := range [][]*Predicate{statusPredicates(), filePredicates(), contentPredicates(), revisionPredicates()} {
		for _, p := range table {
			byName[p.Name] = p
		}
	}
	return byName
}

// Predicates lists the table by name.
func Predicates() []Predicate {
	var list []Predicate
	for _, p := range predicates() {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Predicate) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// plain is a predicate without arguments.
func plain(weight float64, name, doc string, eval func(sc *scope) (match.Matcher, error)) *Predicate {
	return &Predicate{Name: name, Usage: name + "()", Doc: doc, weight: weight, eval: func(sc *scope, arg *Tree) (match.Matcher, error) {
		if _, err := getArgs(arg, 0, 0, name+" takes no arguments"); err != nil {
			return nil, err
		}
		return eval(sc)
	}}
}

// partly marks a predicate of which some calls are left to the real hg.
func partly(p *Predicate, which string) *Predicate {
	p.Partly = which
	return p
}
