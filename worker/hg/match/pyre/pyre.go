// SPDX-License-Identifier: GPL-2.0-or-later

// Package pyre answers the one question that Mercurial's file patterns ask of a
// regular expression: does Python's re.match, on bytes, find a match at the
// start of this name?
//
// The syntax is that of Python's re module for bytes patterns, read as strictly
// as Python reads it. What Python rejects in every version is an InvalidError.
// Everything whose answer is not a matter of regular languages (back-references,
// look-around, atomic groups and possessive repeats, conditionals), that
// depends on a locale, that Python versions treat differently, or that makes
// Python print a warning is hgerr.Unsupported.
//
// Only yes or no is answered, so greediness does not matter, and all patterns
// of a matcher run together as one automaton over bytes (RE2's technique: a
// deterministic automaton that is built while it is used, with a bounded
// cache). A Regexp is safe for concurrent use.
package pyre

import (
	"fmt"

	"hgbroker/worker/hg/hgerr"
)

// Bounds of what is compiled; a pattern beyond them is Unsupported.
const (
	maxDepth   = 200     // of nested groups; Python's own limit is its stack
	maxProgram = 1 << 18 // instructions after repeats were written out
	maxCache   = 1 << 24 // bytes of automaton states that are kept
)

// InvalidError says that Python's re module refuses a pattern.
type InvalidError struct {
	Pattern string
	Cause   string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("invalid regular expression %q: %s", e.Pattern, e.Cause)
}

// Expr is a parsed pattern.
type Expr struct {
	root *node
	// Global tells that the pattern sets flags for the whole expression that
	// it is a part of, as in "(?i)name".
	Global bool
}

// Any matches what one of the expressions matches. Common beginnings are
// worked on once. None of them may be Global unless it is the only one.
func Any(list []*Expr) *Expr {
	if len(list) == 1 {
		return list[0]
	}
	alts := make([][]*node, len(list))
	for i, e := range list {
		alts[i] = e.root.parts()
	}
	return &Expr{root: factor(alts)}
}

// Regexp is a compiled expression.
type Regexp struct {
	*automaton
}

// Compile makes a Regexp of e.
func Compile(e *Expr) (*Regexp, error) {
	p, err := program(e.root)
	if err != nil {
		return nil, err
	}
	return &Regexp{newAutomaton(p)}, nil
}

// MustCompile parses and compiles a pattern that is known to be good.
func MustCompile(pattern string) *Regexp {
	e, err := Parse(pattern)
	if err == nil {
		var re *Regexp
		if re, err = Compile(e); err == nil {
			return re
		}
	}
	panic(err)
}

// Match reports whether re.match(pattern, s) finds something.
func (re *Regexp) Match(s string) bool { return re.match(s) }

func unsupported(pattern, what string) error {
	if len(pattern) > 200 {
		pattern = pattern[:200] + "..."
	}
	return hgerr.NewUnsupported("%s in regular expression %q", what, pattern)
}
