// SPDX-License-Identifier: GPL-2.0-or-later

package template

import "hgbroker/worker/hg/hgerr"

// maxNodes bounds the tree that aliases may grow to: each use of an argument
// copies it, so a few lines can double and double.
const maxNodes = 20000

// alias is one line of [templatealias]: "name = expr" or "name(a, b) = expr".
// A bad line is an error only when it is used.
type alias struct {
	name   string
	args   []string
	isFunc bool
	err    string
	body   *tree // argument references are "aliasarg" leaves
}

func newAlias(decl, defn string) *alias {
	a := &alias{}
	var why string
	if why = a.declare(decl); why != "" {
		a.err = `bad declaration of template alias "` + a.name + `": ` + why
		return a
	}
	body, err := parseExpr(defn)
	if err != nil {
		a.err = `bad definition of template alias "` + a.name + `": ` + detail(err)
		return a
	}
	a.body = a.relabel(body)
	return a
}

// declare reads the left side. On failure the name is the whole text, except
// where the name is clear and only the arguments clash.
func (a *alias) declare(decl string) string {
	a.name = decl
	x, err := parseExpr(decl)
	if err != nil {
		return detail(err)
	}
	if x != nil && x.op == "symbol" {
		a.name = x.s
		return ""
	}
	name, args, ok := calledName(x)
	if !ok {
		return "invalid format"
	}
	for _, arg := range args {
		if arg == nil || arg.op != "symbol" {
			return "invalid argument list"
		}
	}
	a.isFunc = true
	for i, arg := range args {
		for _, other := range args[:i] {
			if other.s == arg.s {
				a.name = name
				return "argument names collide with each other"
			}
		}
		a.args = append(a.args, arg.s)
	}
	a.name = name
	return ""
}

func (a *alias) relabel(x *tree) *tree {
	if x == nil {
		return nil
	}
	if x.op == "symbol" {
		for _, arg := range a.args {
			if arg == x.s {
				return &tree{op: "aliasarg", s: x.s}
			}
		}
		return x
	}
	for i, kid := range x.kids {
		x.kids[i] = a.relabel(kid)
	}
	return x
}

// detail is how hg quotes a parse error inside another message.
func detail(err error) string {
	a, ok := abort(err).(*hgerr.Abort)
	if !ok {
		return err.Error()
	}
	// "hg: parse error at N: " becomes "at N: ".
	const lead = "hg: parse error"
	if rest := a.Prefix[len(lead):]; rest != ": " {
		return rest[1:] + a.Message
	}
	return a.Message
}

// calledName takes f(...) and x|f apart, the two ways to call by name.
func calledName(x *tree) (name string, args []*tree, ok bool) {
	if x == nil {
		return "", nil, false
	}
	if x.op == "func" && x.kids[0] != nil && x.kids[0].op == "symbol" {
		return x.kids[0].s, arguments(x.kids[1]), true
	}
	if x.op == "|" && x.kids[1] != nil && x.kids[1].op == "symbol" {
		return x.kids[1].s, x.kids[:1], true
	}
	return "", nil, false
}

// expander rewrites trees by the aliases.
type expander struct {
	aliases map[string]*alias
	active  []*alias
	done    map[*alias]*tree
	nodes   int
}

func (e *Engine) expandAliases(x *tree) (*tree, error) {
	if len(e.aliases) == 0 {
		return x, nil
	}
	ex := &expander{aliases: e.aliases, done: map[*alias]*tree{}}
	return ex.expand(x, 0)
}

func (ex *expander) match(x *tree) (*alias, []*tree) {
	if x.op == "symbol" {
		if a := ex.aliases[x.s]; a != nil && (a.err != "" || !a.isFunc) {
			return a, nil
		}
	}
	if name, args, ok := calledName(x); ok {
		if a := ex.aliases[name]; a != nil && a.err == "" && a.isFunc {
			return a, args
		}
	}
	return nil, nil
}

func (ex *expander) expand(x *tree, depth int) (*tree, error) {
	if x == nil {
		return nil, nil
	}
	if ex.nodes++; ex.nodes > maxNodes || depth > maxDepth+maxChain {
		return nil, hgerr.NewUnsupported("template aliases that expand to more than %d terms", maxNodes)
	}
	a, args := ex.match(x)
	if a == nil {
		if len(x.kids) == 0 {
			return x, nil
		}
		out := &tree{op: x.op, s: x.s, kids: make([]*tree, len(x.kids))}
		for i, kid := range x.kids {
			var err error
			if out.kids[i], err = ex.expand(kid, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	if a.err != "" {
		return nil, hgerr.Abortf(hgerr.Config, "%s", a.err)
	}
	for _, other := range ex.active {
		if other == a {
			return nil, parseErrorf(`infinite expansion of template alias "%s" detected`, a.name)
		}
	}
	result, ok := ex.done[a]
	if !ok {
		ex.active = append(ex.active, a)
		var err error
		if result, err = ex.expand(a.body, depth+1); err != nil {
			return nil, err
		}
		ex.active = ex.active[:len(ex.active)-1]
		ex.done[a] = result
	}
	if !a.isFunc {
		return result, nil
	}
	if len(args) != len(a.args) {
		return nil, parseErrorf("invalid number of arguments: %d", len(args))
	}
	// Arguments are the caller's text: an alias may appear in its own argument.
	saved := ex.active
	ex.active = nil
	values := make(map[string]*tree, len(args))
	for i, arg := range args {
		v, err := ex.expand(arg, depth+1)
		if err != nil {
			return nil, err
		}
		values[a.args[i]] = v
	}
	ex.active = saved
	return ex.substitute(result, values)
}

func (ex *expander) substitute(x *tree, values map[string]*tree) (*tree, error) {
	if x == nil {
		return nil, nil
	}
	if ex.nodes++; ex.nodes > maxNodes {
		return nil, hgerr.NewUnsupported("template aliases that expand to more than %d terms", maxNodes)
	}
	if x.op == "aliasarg" {
		return values[x.s], nil
	}
	if len(x.kids) == 0 {
		return x, nil
	}
	out := &tree{op: x.op, s: x.s, kids: make([]*tree, len(x.kids))}
	for i, kid := range x.kids {
		var err error
		if out.kids[i], err = ex.substitute(kid, values); err != nil {
			return nil, err
		}
	}
	return out, nil
}
