// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"slices"
	"sync"
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
	bind   int      // binding strength to the left
	leaf   bool     // stands for itself
	prefix *operand // before an operand
	infix  *operand // between operands
}

// elements is the grammar (`hg help filesets`, "Operators").
var elements = sync.OnceValue(func() map[string]element {
	return map[string]element{
		"(":      {20, false, &operand{"group", 1, ")"}, &operand{"func", 1, ")"}},
		":":      {15, false, nil, &operand{"kindpat", 15, ""}},
		"-":      {5, false, &operand{"negate", 19, ""}, &operand{"minus", 5, ""}},
		"not":    {10, false, &operand{"not", 10, ""}, nil},
		"!":      {10, false, &operand{"not", 10, ""}, nil},
		"and":    {5, false, nil, &operand{"and", 5, ""}},
		"&":      {5, false, nil, &operand{"and", 5, ""}},
		"or":     {4, false, nil, &operand{"or", 4, ""}},
		"|":      {4, false, nil, &operand{"or", 4, ""}},
		"+":      {4, false, nil, &operand{"or", 4, ""}},
		",":      {2, false, nil, &operand{"list", 2, ""}},
		")":      {},
		"symbol": {leaf: true},
		"string": {leaf: true},
		"end":    {},
	}
})

// Parse reads one expression. The tree is raw: "group", "negate" and "minus"
// are still in it.
func Parse(expr string) (*Tree, error) {
	p := parser{tokens: tokenizer{src: expr}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	t, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.current.pos != len(expr) {
		return nil, parseErrorAt(p.current.pos, "invalid token")
	}
	// Chains of "or" are flat after this, so that only what is left is deep.
	if t, err = flatten(t, 0); err != nil {
		return nil, err
	}
	return t, t.check()
}

// parser is a precedence climbing parser over elements.
type parser struct {
	tokens  tokenizer
	current token
	nesting int
}

func (p *parser) advance() error {
	var err error
	p.current, err = p.tokens.next()
	return err
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
		return nil, errTooDeep()
	}
	defer func() { p.nesting-- }()
	tok := p.current
	if err := p.advance(); err != nil {
		return nil, err
	}
	var t *Tree
	switch e := elements()[tok.kind]; {
	case e.leaf:
		t = leaf(tok.kind, tok.value)
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
		infix := elements()[tok.kind].infix
		if infix == nil {
			return nil, parseErrorAt(tok.pos, "not an infix: %s", tok.kind)
		}
		o, err := p.operand(infix)
		if err != nil {
			return nil, err
		}
		t = newTree(infix.name, t, o)
	}
	return t, nil
}

// flatten joins chains of "or" and "list", which are parsed as pairs, into one
// node each.
func flatten(t *Tree, level int) (*Tree, error) {
	if t == nil || len(t.Args) == 0 {
		return t, nil
	}
	if level > maxDepth {
		return nil, errTooDeep()
	}
	args := t.Args
	if t.Op == "or" || t.Op == "list" {
		args = nil
		x := t
		for ; x != nil && x.Op == t.Op; x = x.Args[0] {
			args = append(args, x.Args[1])
		}
		args = append(args, x)
		slices.Reverse(args)
	}
	flat := make([]*Tree, len(args))
	for i, a := range args {
		var err error
		if flat[i], err = flatten(a, level+1); err != nil {
			return nil, err
		}
	}
	return newTree(t.Op, flat...), nil
}
