// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"sync"

	"hgbroker/worker/hg/hgerr"
)

// tree is a node of the parsed template. Leaves ("integer", "string", "symbol",
// "aliasarg") have s; "template" has any number of kids; operators have the kids
// that their name needs, nil where an argument was left out.
type tree struct {
	op   string
	s    string
	kids []*tree
}

var errTooDeep = hgerr.NewUnsupported("template nested deeper than %d", maxDepth)

// binding describes a token to the operator precedence parser: how strongly it
// binds to its left, and what it makes at the start of a term or after one.
type binding struct {
	strength int
	primary  bool   // a term by itself
	prefix   string // tree node made at the start of a term
	infix    string // tree node made after a term
	operand  int    // strength with which the right operand is read
	closer   string // token that ends the operand
}

var grammar = sync.OnceValue(func() map[string]binding {
	return map[string]binding{
		"(":        {strength: 20, prefix: "group", infix: "func", operand: 1, closer: ")"},
		".":        {strength: 18, infix: ".", operand: 18},
		"%":        {strength: 15, infix: "%", operand: 15},
		"|":        {strength: 15, infix: "|", operand: 15},
		"*":        {strength: 5, infix: "*", operand: 5},
		"/":        {strength: 5, infix: "/", operand: 5},
		"+":        {strength: 4, infix: "+", operand: 4},
		"-":        {strength: 4, prefix: "negate", infix: "-", operand: 4},
		"=":        {strength: 3, infix: "keyvalue", operand: 3},
		",":        {strength: 2, infix: "list", operand: 2},
		")":        {},
		"integer":  {primary: true},
		"symbol":   {primary: true},
		"string":   {primary: true},
		"template": {primary: true},
		"end":      {},
	}
})

// strength with which '-' reads its operand at the start of a term.
const negateStrength = 19

// exprParser is a top-down operator precedence parser over one lexer, with one
// token of look-ahead.
type exprParser struct {
	lex     *lexer
	current token
	depth   int
}

func (p *exprParser) advance() (token, error) {
	t := p.current
	if t.typ == "end" {
		return t, nil
	}
	next, err := p.lex.next()
	if err != nil {
		return token{}, err
	}
	p.current = next
	return t, nil
}

// operand reads a right-hand side up to closer, or until a weaker operator.
func (p *exprParser) operand(strength int, closer string) (*tree, error) {
	if closer != "" && p.current.typ == closer {
		_, err := p.advance()
		return nil, err
	}
	x, err := p.term(strength)
	if err != nil || closer == "" {
		return x, err
	}
	if p.current.typ != closer {
		return nil, parseErrorAt(p.current.pos, "unexpected token: %s", p.current.typ)
	}
	_, err = p.advance()
	return x, err
}

func (p *exprParser) term(strength int) (*tree, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth+p.lex.depth > maxDepth {
		return nil, errTooDeep
	}
	t, err := p.advance()
	if err != nil {
		return nil, err
	}
	var x *tree
	switch g := grammar()[t.typ]; {
	case g.primary:
		x = &tree{op: t.typ, s: t.s, kids: t.parts}
	case g.prefix != "":
		operand := g.operand
		if t.typ == "-" {
			operand = negateStrength
		}
		arg, err := p.operand(operand, g.closer)
		if err != nil {
			return nil, err
		}
		x = &tree{op: g.prefix, kids: []*tree{arg}}
	default:
		return nil, parseErrorAt(t.pos, "not a prefix: %s", t.typ)
	}
	// Left-associative operators make the tree deeper without recursion here,
	// but whoever walks the tree recurses: bound that too.
	for chain := 0; strength < grammar()[p.current.typ].strength; chain++ {
		if chain > maxChain {
			return nil, errTooDeep
		}
		t, err := p.advance()
		if err != nil {
			return nil, err
		}
		g := grammar()[t.typ]
		arg, err := p.operand(g.operand, g.closer)
		if err != nil {
			return nil, err
		}
		x = &tree{op: g.infix, kids: []*tree{x, arg}}
	}
	return x, nil
}

// maxChain bounds a row of operators like a+b+c+..., in one term.
const maxChain = 300

// parseTokens parses one expression and returns the position of the token that
// it stopped at; whether that may stand there is for the caller to say.
func parseTokens(lex *lexer) (*tree, int, error) {
	p := &exprParser{lex: lex}
	first, err := lex.next()
	if err != nil {
		return nil, 0, err
	}
	p.current = first
	x, err := p.term(0)
	if err != nil {
		return nil, 0, err
	}
	return x, p.current.pos, nil
}

// flattenTemplates drops the "template" nodes that hold nothing but one string.
func flattenTemplates(x *tree) *tree {
	if x == nil {
		return nil
	}
	for i, kid := range x.kids {
		x.kids[i] = flattenTemplates(kid)
	}
	if x.op != "template" {
		return x
	}
	if len(x.kids) == 0 {
		return &tree{op: "string"}
	}
	if len(x.kids) == 1 && x.kids[0] != nil && x.kids[0].op == "string" {
		return x.kids[0]
	}
	return x
}

// parseText parses a whole template.
func parseText(text string) (*tree, error) {
	parts, _, err := scanTemplate(text, 0, len(text), 0, 0)
	if err != nil {
		return nil, err
	}
	return flattenTemplates(&tree{op: "template", kids: parts}), nil
}

// parseExpr parses a bare expression, as the sides of a template alias are.
func parseExpr(text string) (*tree, error) {
	x, pos, err := parseTokens(&lexer{text: text, end: len(text)})
	if err == nil && pos != len(text) {
		err = parseErrorAt(pos, "invalid token")
	}
	if err != nil {
		return nil, pointAt(err, text)
	}
	return flattenTemplates(x), nil
}

// arguments lists the elements of an argument list; nil for an empty one.
func arguments(x *tree) []*tree {
	if x == nil {
		return nil
	}
	if x.op == "list" {
		return append(arguments(x.kids[0]), x.kids[1])
	}
	return []*tree{x}
}
