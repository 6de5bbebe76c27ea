// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"strings"
	"sync"

	"hgbroker/worker/hg/hgerr"
)

// operand tells how the right-hand side of an operator is read: as a node of
// that name, with what binds stronger than bind, up to closing if there is one.
type operand struct {
	name    string
	bind    int
	closing string
}

// element is the grammar of one kind of token.
type element struct {
	bind    int      // binding strength to the left
	primary string   // the node that it is by itself
	prefix  *operand // before an operand
	infix   *operand // between operands
	suffix  string   // the node that it makes after an operand
}

var dagRange = element{17, "dagrangeall", &operand{"dagrangepre", 17, ""}, &operand{"dagrange", 17, ""}, "dagrangepost"}

// elements is the grammar (`hg help revisions`, "Operators").
var elements = sync.OnceValue(func() map[string]element {
	return map[string]element{
		"(":      {21, "", &operand{"group", 1, ")"}, &operand{"func", 1, ")"}, ""},
		"[":      {21, "", nil, &operand{"subscript", 1, "]"}, ""},
		"#":      {21, "", nil, &operand{"relation", 21, ""}, ""},
		"##":     {20, "", nil, &operand{"_concat", 20, ""}, ""},
		"~":      {18, "", nil, &operand{"ancestor", 18, ""}, ""},
		"^":      {18, "", nil, &operand{"parent", 18, ""}, "parentpost"},
		"-":      {5, "", &operand{"negate", 19, ""}, &operand{"minus", 5, ""}, ""},
		"::":     dagRange,
		"..":     dagRange,
		":":      {15, "rangeall", &operand{"rangepre", 15, ""}, &operand{"range", 15, ""}, "rangepost"},
		"not":    {10, "", &operand{"not", 10, ""}, nil, ""},
		"!":      {10, "", &operand{"not", 10, ""}, nil, ""},
		"and":    {5, "", nil, &operand{"and", 5, ""}, ""},
		"&":      {5, "", nil, &operand{"and", 5, ""}, ""},
		"%":      {5, "", nil, &operand{"only", 5, ""}, "onlypost"},
		"or":     {4, "", nil, &operand{"or", 4, ""}, ""},
		"|":      {4, "", nil, &operand{"or", 4, ""}, ""},
		"+":      {4, "", nil, &operand{"or", 4, ""}, ""},
		"=":      {3, "", nil, &operand{"keyvalue", 3, ""}, ""},
		",":      {2, "", nil, &operand{"list", 2, ""}, ""},
		")":      {},
		"]":      {},
		"symbol": {primary: "symbol"},
		"string": {primary: "string"},
		"end":    {},
	}
})

// Parse reads one expression. lookup may be nil. The tree is raw: aliases are
// not expanded and pseudo operators are still in it.
func Parse(spec string, lookup IsSymbol) (*Tree, error) {
	t, err := parse(spec, lookup)
	return t, printable(err)
}

// CheckSyntax is hg's error about an expression that cannot be parsed.
func CheckSyntax(spec string) error {
	_, err := parse(spec, nil)
	return printable(err)
}

func parse(spec string, lookup IsSymbol) (*Tree, error) {
	t, err := parseWith(spec, lookup, false)
	if err != nil {
		return nil, pointAt(err, spec)
	}
	return t, nil
}

func parseWith(spec string, lookup IsSymbol, dollar bool) (*Tree, error) {
	if lookup != nil && strings.HasPrefix(spec, "revset(") && strings.HasSuffix(spec, ")") {
		lookup = nil
	}
	p := parser{tokens: newTokenizer(spec, lookup, dollar)}
	if _, err := p.tokens.wholeName(); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	t, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.current.pos != len(spec) {
		return nil, parseErrorAt(p.current.pos, "invalid token")
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	t = fixOperators(flatten(t))
	return t, t.check()
}

// parser is a precedence climbing parser over elements.
type parser struct {
	tokens  *tokenizer
	current token
	nesting int
}

func (p *parser) advance() error {
	var err error
	p.current, err = p.tokens.next()
	return err
}

// newTerm tells whether the current token can start an operand.
func (p *parser) newTerm() bool {
	e := elements()[p.current.kind]
	return e.primary != "" || e.prefix != nil
}

func (p *parser) operand(o *operand) (*Tree, error) {
	var t *Tree
	var err error
	if o.closing == "" || p.current.kind != o.closing {
		if t, err = p.expression(o.bind); err != nil {
			return nil, err
		}
	}
	if o.closing != "" {
		if p.current.kind != o.closing {
			return nil, parseErrorAt(p.current.pos, "unexpected token: %s", p.current.kind)
		}
		err = p.advance()
	}
	return t, err
}

func (p *parser) expression(bind int) (*Tree, error) {
	if p.nesting++; p.nesting > maxNesting {
		return nil, hgerr.NewUnsupported("revision expression nested this deep")
	}
	defer func() { p.nesting-- }()
	tok := p.current
	if err := p.advance(); err != nil {
		return nil, err
	}
	var t *Tree
	switch e := elements()[tok.kind]; {
	case e.primary != "" && !(e.prefix != nil && p.newTerm()):
		if tok.kind == "symbol" || tok.kind == "string" {
			t = leaf(e.primary, tok.value)
		} else {
			t = newTree(e.primary, nil)
		}
	case e.prefix != nil:
		o, err := p.operand(e.prefix)
		if err != nil {
			return nil, err
		}
		t = newTree(e.prefix.name, o)
	default:
		return nil, parseErrorAt(tok.pos, "not a prefix: %s", tok.kind)
	}
	for bind < elements()[p.current.kind].bind {
		tok = p.current
		if err := p.advance(); err != nil {
			return nil, err
		}
		switch e := elements()[tok.kind]; {
		case e.suffix != "" && !(e.infix != nil && p.newTerm()):
			t = newTree(e.suffix, t)
		case e.infix != nil:
			o, err := p.operand(e.infix)
			if err != nil {
				return nil, err
			}
			t = newTree(e.infix.name, t, o)
		default:
			return nil, parseErrorAt(tok.pos, "not an infix: %s", tok.kind)
		}
	}
	return t, nil
}

// flatten joins chains of "or" and "list", which are parsed as pairs, into one
// node each.
func flatten(t *Tree) *Tree {
	if t == nil || len(t.Args) == 0 {
		return t
	}
	if t.Op != "or" && t.Op != "list" {
		return mapArgs(t, flatten)
	}
	var args []*Tree
	x := t
	for x != nil && x.Op == t.Op {
		args = append(args, flatten(x.Args[1]))
		x = x.Args[0]
	}
	args = append(args, flatten(x))
	for i, j := 0, len(args)-1; i < j; i, j = i+1, j-1 {
		args[i], args[j] = args[j], args[i]
	}
	return newTree(t.Op, args...)
}

func mapArgs(t *Tree, fn func(*Tree) *Tree) *Tree {
	args := make([]*Tree, len(t.Args))
	for i, a := range t.Args {
		args[i] = fn(a)
	}
	n := newTree(t.Op, args...)
	n.Value = t.Value
	return n
}

// fixOperators resolves what the grammar reads wrongly: "x^:y" is a range from
// x^, and "x#y[z]" is one operator of three operands. The operands of "or"
// become a list.
func fixOperators(t *Tree) *Tree {
	if t == nil || len(t.Args) == 0 {
		return t
	}
	switch {
	case t.Op == "parent" && t.Args[1] != nil:
		post := newTree("parentpost", t.Args[0])
		right := t.Args[1]
		switch right.Op {
		case "dagrangepre":
			return fixOperators(newTree("dagrange", post, right.Args[0]))
		case "dagrangeall":
			return fixOperators(newTree("dagrangepost", post))
		case "rangepre":
			return fixOperators(newTree("range", post, right.Args[0]))
		case "rangeall":
			return fixOperators(newTree("rangepost", post))
		}
	case t.Op == "or":
		return newTree("or", fixOperators(newTree("list", t.Args...)))
	case t.Op == "subscript" && t.Args[0] != nil && t.Args[0].Op == "relation":
		rel := t.Args[0]
		return fixOperators(newTree("relsubscript", rel.Args[0], rel.Args[1], t.Args[1]))
	}
	return mapArgs(t, fixOperators)
}
