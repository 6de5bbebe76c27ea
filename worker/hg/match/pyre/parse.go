// SPDX-License-Identifier: GPL-2.0-or-later

package pyre

import (
	"strconv"
	"strings"
)

// flags that change what a pattern means.
type flags struct {
	fold, multiline, dotall bool
}

// Parse reads a pattern (documentation of Python's re module, "Regular
// Expression Syntax", for bytes).
func Parse(pattern string) (*Expr, error) { return parse(pattern, flags{}) }

func parse(pattern string, f flags) (*Expr, error) {
	p := &parser{s: pattern}
	n, err := p.alternatives(f, 0)
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.s) {
		return nil, p.invalid("unbalanced parenthesis")
	}
	return &Expr{root: n, Global: p.global}, nil
}

type parser struct {
	s      string
	pos    int
	global bool
	names  map[string]bool
}

func (p *parser) invalid(cause string) error { return &InvalidError{p.s, cause} }
func (p *parser) unsupported(what string) error {
	return unsupported(p.s, what)
}

func (p *parser) more() bool { return p.pos < len(p.s) }

// accept skips text when it comes next.
func (p *parser) accept(text string) bool {
	if strings.HasPrefix(p.s[p.pos:], text) {
		p.pos += len(text)
		return true
	}
	return false
}

// alternatives reads a|b|c up to a closing parenthesis or the end.
func (p *parser) alternatives(f flags, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, p.unsupported("deep nesting")
	}
	var alts []*node
	for {
		n, err := p.sequence(&f, depth, depth == 0 && len(alts) == 0)
		if err != nil {
			return nil, err
		}
		alts = append(alts, n)
		if !p.accept("|") {
			break
		}
	}
	if len(alts) == 1 {
		return alts[0], nil
	}
	return &node{op: opAlt, subs: alts}, nil
}

// sequence reads what stands between two bars. Flags for the whole expression
// may only stand at its very start (first) and change f for all of it.
func (p *parser) sequence(f *flags, depth int, first bool) (*node, error) {
	var items []*node
	last := itemNone
	for p.more() {
		c := p.s[p.pos]
		if c == '|' || c == ')' {
			break
		}
		p.pos++
		var n *node
		var err error
		kind := itemPlain
		switch c {
		case '\\':
			n, kind, err = p.escape(*f)
		case '[':
			n, err = p.class(*f)
		case '.':
			set := single('\n').negated()
			if f.dotall {
				set.add('\n')
			}
			n = &node{op: opSet, set: set}
		case '^':
			kind = itemAssert
			n = &node{op: opAssert, assert: assertStart}
			if f.multiline {
				n.assert = assertLine
			}
		case '$':
			kind = itemAssert
			n = &node{op: opAssert, assert: assertEnd}
			if f.multiline {
				n.assert = assertLineEnd
			}
		case '(':
			var skip bool
			n, skip, err = p.group(f, depth, first && len(items) == 0)
			if skip {
				continue
			}
		case '*', '+', '?', '{':
			min, max, literal, rerr := p.repeat(c)
			if rerr != nil {
				return nil, rerr
			}
			if literal {
				n = p.literal('{', *f)
				break
			}
			switch last {
			case itemNone, itemAssert:
				return nil, p.invalid("nothing to repeat")
			case itemRepeat:
				return nil, p.invalid("multiple repeat")
			}
			if p.accept("+") {
				return nil, p.unsupported("possessive repeat")
			}
			lazy := p.accept("?")
			items[len(items)-1] = &node{op: opRepeat, min: min, max: max, lazy: lazy, subs: []*node{items[len(items)-1]}}
			last = itemRepeat
			continue
		default:
			n = p.literal(c, *f)
		}
		if err != nil {
			return nil, err
		}
		items, last = append(items, n), kind
	}
	return concat(items...), nil
}

// What a repeat may stand behind.
type item byte

const (
	itemNone item = iota
	itemPlain
	itemAssert
	itemRepeat
)

func (p *parser) literal(c byte, f flags) *node {
	set := single(c)
	if f.fold {
		set = set.folded()
	}
	return &node{op: opSet, set: set}
}

// repeat reads the rest of a quantifier. A brace that begins none is literal.
func (p *parser) repeat(c byte) (min, max int, literal bool, err error) {
	switch c {
	case '*':
		return 0, unlimited, false, nil
	case '+':
		return 1, unlimited, false, nil
	case '?':
		return 0, 1, false, nil
	}
	start := p.pos
	if p.more() && p.s[p.pos] == '}' {
		return 0, 0, true, nil
	}
	lo := p.digits()
	hi := lo
	if p.accept(",") {
		hi = p.digits()
		max = unlimited
	}
	if !p.accept("}") {
		p.pos = start
		return 0, 0, true, nil
	}
	if lo != "" {
		if min, err = strconv.Atoi(lo); err != nil || min > maxProgram {
			return 0, 0, false, p.unsupported("a large repeat")
		}
	}
	if hi != "" {
		if max, err = strconv.Atoi(hi); err != nil || max > maxProgram {
			return 0, 0, false, p.unsupported("a large repeat")
		}
		if max < min {
			return 0, 0, false, p.invalid("min repeat greater than max repeat")
		}
	}
	return min, max, false, nil
}

func (p *parser) digits() string {
	start := p.pos
	for p.more() && p.s[p.pos] >= '0' && p.s[p.pos] <= '9' {
		p.pos++
	}
	return p.s[start:p.pos]
}

// group reads what follows an opening parenthesis. skip tells that it was a
// setting of flags, which is nothing to match.
func (p *parser) group(f *flags, depth int, first bool) (n *node, skip bool, err error) {
	inner := *f
	if p.accept("?") {
		switch {
		case p.accept(":"):
		case p.accept("P<"):
			if err := p.groupName(); err != nil {
				return nil, false, err
			}
		case p.more() && strings.IndexByte("aims-", p.s[p.pos]) >= 0:
			whole, err := p.flags(&inner)
			if err != nil {
				return nil, false, err
			}
			if whole {
				if !first {
					// An error since Python 3.11, a warning before.
					return nil, false, p.unsupported("flags inside")
				}
				*f, p.global = inner, true
				return nil, true, nil
			}
		default:
			return nil, false, p.unsupported("an extension")
		}
	}
	n, err = p.alternatives(inner, depth+1)
	if err != nil {
		return nil, false, err
	}
	if !p.accept(")") {
		return nil, false, p.invalid("missing ), unterminated subpattern")
	}
	return n, false, nil
}

func (p *parser) groupName() error {
	name, _, ok := strings.Cut(p.s[p.pos:], ">")
	if !ok || name == "" || p.names[name] {
		return p.unsupported("a group name")
	}
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return p.unsupported("a group name")
		}
	}
	if p.names == nil {
		p.names = map[string]bool{}
	}
	p.names[name] = true
	p.pos += len(name) + 1
	return nil
}

// flags reads (?FLAGS) , which is for the whole expression, or (?FLAGS-FLAGS:.
func (p *parser) flags(f *flags) (whole bool, err error) {
	on, seen := true, ""
	for p.more() {
		c := p.s[p.pos]
		p.pos++
		switch {
		case c == 'a' && on:
		case c == 'i':
			f.fold = on
		case c == 'm':
			f.multiline = on
		case c == 's':
			f.dotall = on
		case c == '-' && on:
			on = false
		case c == ')' && on && seen != "":
			return true, nil
		case c == ':' && seen != "" && seen[len(seen)-1] != '-':
			return false, nil
		default:
			return false, p.unsupported("flags")
		}
		if c != '-' && strings.IndexByte(seen, c) >= 0 {
			return false, p.unsupported("flags")
		}
		seen += string(c)
	}
	return false, p.unsupported("flags")
}
