// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// foldConcat joins the strings around each "##".
func foldConcat(t *Tree) (*Tree, error) {
	if t == nil || t.isText() {
		return t, nil
	}
	if t.Op != "_concat" {
		return mapArgsErr(t, foldConcat)
	}
	var b strings.Builder
	pending := []*Tree{t}
	for len(pending) > 0 {
		x := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		switch {
		case x != nil && x.Op == "_concat":
			pending = append(pending, x.Args[1], x.Args[0])
		case x.isText():
			b.WriteString(x.Value)
		case x == nil:
			return nil, hgerr.NewUnsupported(`"##" of nothing`)
		default:
			return nil, parseErrorf(`"##" can't concatenate "%s" element`, x.Op)
		}
	}
	return stringNode(b.String()), nil
}

// analyze replaces pseudo operators, which are functions or other operators in
// another notation, and drops parentheses.
func analyze(t *Tree) (*Tree, error) {
	if t == nil {
		return nil, nil
	}
	switch t.Op {
	case "minus":
		return analyze(newTree("and", t.Args[0], newTree("not", t.Args[1])))
	case "only":
		return analyze(funcNode("only", newTree("list", t.Args...)))
	case "onlypost":
		return analyze(funcNode("only", t.Args[0]))
	case "dagrangeall":
		return nil, parseErrorf("can't use '::' in this context")
	case "dagrangepre":
		return analyze(funcNode("ancestors", t.Args[0]))
	case "dagrangepost":
		return analyze(funcNode("descendants", t.Args[0]))
	case "negate":
		s, err := getString(t.Args[0], "can't negate that")
		if err != nil {
			return nil, err
		}
		return stringNode("-" + s), nil
	case "group":
		return analyze(t.Args[0])
	case "keyvalue", "func":
		v, err := analyze(t.Args[1])
		if err != nil {
			return nil, err
		}
		return newTree(t.Op, t.Args[0], v), nil
	default:
		return mapArgsErr(t, analyze)
	}
}

// checkNames refuses calls of what is not a name, in the places that an
// optimizer looks at.
func checkNames(t *Tree) error {
	if t == nil {
		return nil
	}
	args := t.Args
	switch t.Op {
	case "parent", "ancestor", "relation", "subscript", "relsubscript":
		args = args[:1]
	case "keyvalue":
		args = args[1:]
	case "func":
		if _, err := getSymbol(t.Args[0]); err != nil {
			return err
		}
	}
	for _, a := range args {
		if err := checkNames(a); err != nil {
			return err
		}
	}
	return nil
}
