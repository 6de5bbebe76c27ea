// SPDX-License-Identifier: GPL-2.0-or-later

package backtrack

import (
	"strconv"
	"strings"
)

type op byte

const (
	opSet     op = iota // one byte of set
	opConcat            // subs one after the other
	opAlt               // the first of subs that leads to a match
	opRepeat            // subs[0], min to max times
	opGroup             // subs[0], remembered as group
	opBackref           // what group matched
	opLook              // subs[0] at this place (or, behind, ending here), or not
	opAt                // an empty match at a place
)

// place is where an opAt matches.
type place byte

const (
	placeStart   place = iota // ^ and \A
	placeLine                 // ^ under (?m)
	placeEnd                  // $: the end, or before a line end that is the last byte
	placeLineEnd              // $ under (?m)
	placeVeryEnd              // \Z
	placeWord                 // \b
	placeInside               // \B
)

const unlimited = -1

type node struct {
	op       op
	set      set
	place    place
	fold     bool // of opBackref
	group    int
	min, max int
	lazy     bool
	behind   bool
	negate   bool
	subs     []*node
}

type flags struct{ fold, multiline, dotall bool }

type parser struct {
	s      string
	pos    int
	names  []string // by group, 0 unused
	open   map[int]bool
	behind int // look-behinds around
}

func (p *parser) invalid(cause string) error    { return invalid(p.s, cause) }
func (p *parser) unsupported(what string) error { return unsupported(p.s, what) }
func (p *parser) more() bool                    { return p.pos < len(p.s) }

func (p *parser) accept(text string) bool {
	if strings.HasPrefix(p.s[p.pos:], text) {
		p.pos += len(text)
		return true
	}
	return false
}

// Compile reads a pattern (documentation of Python's re module, "Regular
// Expression Syntax", for bytes).
func Compile(pattern string) (*Pattern, error) {
	p := &parser{s: pattern, names: []string{""}, open: map[int]bool{}}
	n, err := p.alternatives(flags{}, 0)
	if err != nil {
		return nil, err
	}
	if p.more() {
		return nil, p.invalid("unbalanced parenthesis")
	}
	c := &compiler{}
	start, ok := c.compile(n, c.emit(instruction{op: doAccept}))
	if !ok {
		return nil, p.unsupported("too large a repeat")
	}
	c.emit(instruction{op: doJump, next: start}) // the last one is where it starts
	return &Pattern{code: c.code, groups: len(p.names) - 1, names: p.names, loops: c.loops, text: pattern, counts: c.counts}, nil
}

func (p *parser) alternatives(f flags, depth int) (*node, error) {
	if depth > maxNesting {
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

// What a repeat may stand behind.
type item byte

const (
	itemNone item = iota
	itemPlain
	itemPlace
	itemRepeat
)

func (p *parser) sequence(f *flags, depth int, first bool) (*node, error) {
	var items []*node
	last := itemNone
	for p.more() && p.s[p.pos] != '|' && p.s[p.pos] != ')' {
		c := p.s[p.pos]
		p.pos++
		var n *node
		var err error
		kind := itemPlain
		switch c {
		case '\\':
			n, err = p.escape(*f)
			if err == nil && n.op == opAt {
				kind = itemPlace
			}
		case '[':
			n, err = p.class(*f)
		case '.':
			n = &node{op: opSet, set: allBytes}
			if !f.dotall {
				n.set.remove('\n')
			}
		case '^':
			kind, n = itemPlace, &node{op: opAt, place: placeStart}
			if f.multiline {
				n.place = placeLine
			}
		case '$':
			kind, n = itemPlace, &node{op: opAt, place: placeEnd}
			if f.multiline {
				n.place = placeLineEnd
			}
		case '(':
			n, err = p.group(f, depth, first && len(items) == 0)
			if err == nil && n == nil {
				continue
			}
		case '*', '+', '?', '{':
			min, max, literal, rerr := p.repeat(c)
			if rerr != nil {
				return nil, rerr
			}
			if literal {
				n = literalByte('{', *f)
				break
			}
			switch last {
			case itemNone, itemPlace:
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
			n = literalByte(c, *f)
		}
		if err != nil {
			return nil, err
		}
		items, last = append(items, n), kind
	}
	if len(items) == 1 {
		return items[0], nil
	}
	return &node{op: opConcat, subs: items}, nil
}

func literalByte(c byte, f flags) *node {
	s := set{}
	s.add(c)
	if f.fold {
		s.fold()
	}
	return &node{op: opSet, set: s}
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
	max = unlimited
	if p.accept(",") {
		hi = p.digits()
	}
	if !p.accept("}") {
		p.pos = start
		return 0, 0, true, nil
	}
	if lo != "" {
		if min, err = strconv.Atoi(lo); err != nil || min > maxRepeat {
			return 0, 0, false, p.unsupported("a large repeat")
		}
	}
	if hi != "" {
		if max, err = strconv.Atoi(hi); err != nil || max > maxRepeat {
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

// group reads what follows an opening parenthesis; nil for a comment, or a
// setting of flags.
func (p *parser) group(f *flags, depth int, first bool) (*node, error) {
	inner := *f
	name, capture := "", true
	if p.accept("?") {
		capture = false
		switch {
		case p.accept(":"):
		case p.accept("P<"):
			var err error
			if name, err = p.name('>'); err != nil {
				return nil, err
			}
			capture = true
			for _, known := range p.names {
				if known == name {
					return nil, p.invalid("redefinition of group name")
				}
			}
		case p.accept("P="):
			return p.namedReference(*f)
		case p.accept("#"):
			end := strings.IndexByte(p.s[p.pos:], ')')
			if end < 0 {
				return nil, p.invalid("missing ), unterminated comment")
			}
			p.pos += end + 1
			return nil, nil
		case p.accept("="), p.accept("!"), p.accept("<="), p.accept("<!"):
			return p.look(inner, depth)
		case p.more() && strings.IndexByte("aims-", p.s[p.pos]) >= 0:
			whole, err := p.flags(&inner)
			if err != nil {
				return nil, err
			}
			if whole && !first {
				// An error since Python 3.11, a warning before.
				return nil, p.unsupported("flags inside")
			}
			if whole {
				*f = inner
				return nil, nil
			}
		case !p.more():
			return nil, p.invalid("unexpected end of pattern")
		default:
			return nil, p.unsupported("an extension")
		}
	}
	number := 0
	if capture {
		if number = len(p.names); number > maxGroups {
			return nil, p.unsupported("this many groups")
		}
		p.names = append(p.names, name)
		p.open[number] = true
	}
	n, err := p.alternatives(inner, depth+1)
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.invalid("missing ), unterminated subpattern")
	}
	if capture {
		delete(p.open, number)
		return &node{op: opGroup, group: number, subs: []*node{n}}, nil
	}
	return &node{op: opConcat, subs: []*node{n}}, nil
}

// name reads the name of a group up to its end.
func (p *parser) name(end byte) (string, error) {
	name, _, ok := strings.Cut(p.s[p.pos:], string(end))
	if !ok {
		return "", p.invalid("missing " + string(end) + ", unterminated name")
	}
	if name == "" {
		return "", p.invalid("missing group name")
	}
	for i := range len(name) {
		c := name[i]
		if c >= 0x80 {
			return "", p.unsupported("a group name")
		}
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return "", p.invalid("bad character in group name")
		}
	}
	p.pos += len(name) + 1
	return name, nil
}

func (p *parser) namedReference(f flags) (*node, error) {
	name, err := p.name(')')
	if err != nil {
		return nil, err
	}
	for i, known := range p.names {
		if i > 0 && known == name {
			return p.reference(i, f)
		}
	}
	return nil, p.invalid("unknown group name")
}

func (p *parser) reference(group int, f flags) (*node, error) {
	if p.open[group] {
		return nil, p.invalid("cannot refer to an open group")
	}
	if p.behind > 0 {
		return nil, p.unsupported("a back-reference in a look-behind")
	}
	return &node{op: opBackref, group: group, fold: f.fold}, nil
}

// look reads a look-ahead or look-behind after its sign.
func (p *parser) look(f flags, depth int) (*node, error) {
	n := &node{op: opLook, negate: p.s[p.pos-1] == '!', behind: p.s[p.pos-2] == '<'}
	if n.behind {
		p.behind++
		defer func() { p.behind-- }()
	}
	sub, err := p.alternatives(f, depth+1)
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.invalid("missing ), unterminated subpattern")
	}
	n.subs = []*node{sub}
	if n.behind {
		lo, hi := width(sub)
		if lo != hi {
			return nil, p.invalid("look-behind requires fixed-width pattern")
		}
		n.min = lo
	}
	return n, nil
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

// tooWide stands for the width of an unlimited repeat.
const tooWide = 1 << 30

// width is the least and the greatest length of a match.
func width(n *node) (lo, hi int) {
	switch n.op {
	case opSet:
		return 1, 1
	case opConcat:
		for _, sub := range n.subs {
			a, b := width(sub)
			lo, hi = min(lo+a, tooWide), min(hi+b, tooWide)
		}
		return lo, hi
	case opAlt:
		lo, hi = width(n.subs[0])
		for _, sub := range n.subs[1:] {
			a, b := width(sub)
			lo, hi = min(lo, a), max(hi, b)
		}
		return lo, hi
	case opRepeat:
		a, b := width(n.subs[0])
		lo = min(a*n.min, tooWide)
		if n.max == unlimited {
			return lo, tooWide
		}
		return lo, min(b*n.max, tooWide)
	case opGroup:
		return width(n.subs[0])
	case opBackref:
		return 0, tooWide
	}
	return 0, 0
}
