// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"math/big"
	"strconv"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

func number(i int) string { return strconv.Itoa(i) }

func checkShortest(e *Engine, _ *callArgs) error {
	if e.opts.DisambiguateWithin != "" {
		return hgerr.NewUnsupported("experimental.revisions.disambiguatewithin")
	}
	return nil
}

// shortestFunc is shortest(node[, minlength]): the shortest prefix that no other
// node has, that does not look like a revision number, nor like wdir().
func shortestFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) < 1 || len(args.pos) > 2 {
		return Value{}, parseErrorf("shortest() expects one or two arguments")
	}
	text, err := evalString(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	digits := 4
	if len(args.pos) > 1 {
		if digits, err = evalInt(s, args.pos[1], "shortest() expects an integer minlength"); err != nil {
			return Value{}, err
		}
	}
	if s.e.repo == nil {
		return Value{}, &unavailable{"repo"}
	}
	var id node.ID
	switch {
	case len(text) > node.HexSize:
		return Bytes(text), nil
	case len(text) == node.HexSize:
		var ok bool
		if id, ok = node.FromHex(text); !ok {
			return Bytes(text), nil
		}
	default:
		var ok bool
		prefix := strings.TrimPrefix(text, "x")
		if id, ok = s.e.repo.Resolve(prefix); !ok {
			return Bytes(text), nil
		}
	}
	short, ok := s.e.Shortest(id, digits)
	switch {
	case !ok:
		return Bytes(text), nil
	case short == "": // which hg does not expect
		return Value{}, hgerr.NewUnsupported("shortest() with %d digits", digits)
	}
	return Bytes(short), nil
}

// Shortest is the shortest unambiguous prefix of a node, of at least so many
// digits; ok is false when the node is unknown.
func (e *Engine) Shortest(id node.ID, digits int) (prefix string, ok bool) {
	hex := id.Hex()
	unique, ok := e.repo.ShortestPrefix(id)
	if !ok {
		return "", false
	}
	n := max(unique, digits, 1)
	if n > len(hex) {
		return "", true // hg finds no length then, and prints nothing
	}
	// The forty f's of wdir() are a node too, that no index knows.
	for id != node.Wdir && n < len(hex) && strings.Trim(hex[:n], "f") == "" {
		n++
	}
	if e.opts.PrefixHexNode {
		if e.maybeRev(hex[:n]) {
			return "x" + hex[:n], true
		}
		return hex[:n], true
	}
	for n < len(hex) && e.maybeRev(hex[:n]) {
		n++
	}
	return hex[:n], true
}

// maybeRev tells whether a prefix reads as a revision number of the repository.
func (e *Engine) maybeRev(prefix string) bool {
	for i := 0; i < len(prefix); i++ {
		if !isDigit(prefix[i]) {
			return false
		}
	}
	if prefix != "0" && prefix[0] == '0' {
		return false
	}
	n, err := strconv.Atoi(prefix)
	return err == nil && n < e.repo.Len()
}

// revsetQuery builds the query of revset(): the text, with its % codes filled in
// by value (revsetlang.formatspec).
func revsetQuery(s *scope, args *callArgs) (string, error) {
	raw, err := evalString(s, args.pos[0])
	if err != nil || len(args.pos) == 1 {
		return raw, err
	}
	values := make([]Value, len(args.pos)-1)
	for i, x := range args.pos[1:] {
		if values[i], err = evalPlain(s, x); err != nil {
			return "", err
		}
	}
	return formatQuery(raw, values, s.e.opts.ParseRevset)
}

var errRevsetArgument = parseErrorf("invalid argument for revspec")

// formatQuery fills in the % codes. parse, unless it is nil, refuses a query that
// is part of the whole and does not stand on its own.
func formatQuery(raw string, values []Value, parse func(string) error) (string, error) {
	var b strings.Builder
	next := 0
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			b.WriteByte(raw[i])
			continue
		}
		i++
		if i == len(raw) {
			return "", parseErrorf("incomplete revspec format character")
		}
		if raw[i] == '%' {
			b.WriteByte('%')
			continue
		}
		list := false
		if raw[i] == 'l' {
			list = true
			if i++; i == len(raw) {
				return "", parseErrorf("incomplete revspec format character")
			}
		}
		code := raw[i]
		if next >= len(values) {
			return "", parseErrorf("missing argument for revspec")
		}
		v := values[next]
		next++
		if strings.IndexByte("dsr", code) < 0 {
			if strings.IndexByte("bnapt", code) >= 0 {
				return "", hgerr.NewUnsupported("template function revset with %%%c", code)
			}
			return "", parseErrorf("unexpected revspec format character %s", string(code))
		}
		text, err := formatArgument(code, list, v, parse)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	if next < len(values) {
		return "", parseErrorf("too many revspec arguments specified")
	}
	return b.String(), nil
}

func formatArgument(code byte, list bool, v Value, parse func(string) error) (string, error) {
	if list {
		return formatListArgument(code, v, parse)
	}
	switch code {
	case 'd':
		n, ok := toBig(v)
		if !ok {
			return "", errRevsetArgument
		}
		return "_rev(" + n.String() + ")", nil
	case 's':
		return "'" + python.Escape(pythonStr(v)) + "'", nil
	}
	if v.kind != kindBytes {
		return "", errRevsetArgument
	}
	if parse != nil {
		if err := parse(v.s); err != nil {
			return "", err
		}
	}
	return "(" + v.s + ")", nil
}

func formatListArgument(code byte, v Value, parse func(string) error) (string, error) {
	var items []Value
	switch v.kind {
	case kindList, kindTuple:
		items = v.list()
	case kindRevs:
		for _, r := range v.x.(*revslist).revs {
			items = append(items, Int(int64(r)))
		}
	default:
		return "", errRevsetArgument
	}
	switch {
	case len(items) == 0:
		return "_list('')", nil
	case len(items) == 1:
		return formatArgument(code, false, items[0], parse)
	case code == 'r':
		return eitherQuery(items, parse)
	}
	words := make([]string, len(items))
	for i, item := range items {
		if code == 's' {
			words[i] = pythonStr(item)
			continue
		}
		n, ok := toBig(item)
		if !ok {
			return "", errRevsetArgument
		}
		words[i] = n.String()
	}
	joined := python.Escape(strings.Join(words, "\x00"))
	if code == 's' {
		return "_list('" + joined + "')", nil
	}
	return "_intlist('" + joined + "')", nil
}

// eitherQuery joins queries, halves first, as hg does to keep the tree flat.
func eitherQuery(items []Value, parse func(string) error) (string, error) {
	if len(items) == 1 {
		return formatArgument('r', false, items[0], parse)
	}
	half := len(items) / 2
	a, err := eitherQuery(items[:half], parse)
	if err != nil {
		return "", err
	}
	b, err := eitherQuery(items[half:], parse)
	return "(" + a + " or " + b + ")", err
}

// checkRevset asks whether the query can be run, with stand-ins for what is
// computed while rendering.
func checkRevset(e *Engine, args *callArgs) error {
	if len(args.pos) == 0 || e.opts.CheckRevset == nil {
		return nil
	}
	raw, ok := constantText(args.pos[0])
	if !ok {
		return hgerr.NewUnsupported("template function revset with a computed query")
	}
	if len(args.pos) > 1 {
		filled, err := formatQuery(raw, standIns(raw, len(args.pos)-1), nil)
		if hgerr.IsUnsupported(err) {
			return err
		}
		if err != nil {
			return nil // hg's error, when it is called
		}
		raw = filled
	}
	if err := e.opts.CheckRevset(raw); hgerr.IsUnsupported(err) {
		return err
	}
	return nil
}

func standIns(raw string, n int) []Value {
	var out []Value
	for i := 0; i+1 < len(raw) && len(out) < n; i++ {
		if raw[i] != '%' {
			continue
		}
		i++
		switch raw[i] {
		case '%':
		case 'l':
			i++
			out = append(out, PlainList([]Value{Int(0), Int(0)}))
		case 'd':
			out = append(out, bigValue(big.NewInt(0)))
		case 'r':
			out = append(out, Bytes("all()"))
		default:
			out = append(out, Bytes("tip"))
		}
	}
	for len(out) < n {
		out = append(out, Bytes(""))
	}
	return out
}

func revsetFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) == 0 {
		return Value{}, parseErrorf("revset expects one or more arguments")
	}
	evaluator, ok := s.e.repo.(RevsetEvaluator)
	if !ok {
		return Value{}, &unavailable{"repo"}
	}
	query, err := revsetQuery(s, args)
	if err != nil {
		return Value{}, err
	}
	if revs, done := s.e.revsets[query]; done {
		return wrap(&revslist{revs: revs, name: "revision"}), nil
	}
	revs, err := evaluator.Revset(query)
	if err != nil {
		return Value{}, err
	}
	if len(args.pos) == 1 {
		s.e.revsets[query] = revs
	}
	return wrap(&revslist{revs: revs, name: "revision"}), nil
}

// checkConfig reads the setting before anything is printed, so that one whose
// default is not known goes to the real hg.
func checkConfig(e *Engine, args *callArgs) error {
	if len(args.pos) < 2 || len(args.pos) > 3 {
		return nil
	}
	var names [2]string
	for i := range names {
		switch x := args.pos[i].(type) {
		case constant:
			names[i] = pythonStr(x.v)
		case *symbolExpr:
			if x.keyword != nil || x.fragment != nil {
				return hgerr.NewUnsupported("template config of a computed name")
			}
			names[i] = x.name
		default:
			return hgerr.NewUnsupported("template config of a computed name")
		}
	}
	if e.opts.Config == nil {
		return hgerr.NewUnsupported("template function config")
	}
	if _, _, err := e.opts.Config(names[0], names[1]); hgerr.IsUnsupported(err) {
		return err
	}
	return nil
}

// configValue reads a setting. When it is not set, value is the registered
// default, unless the call has one of its own: set is false then, and also, with
// no value, for an item that is not registered.
func configValue(s *scope, args *callArgs) (name string, value Value, set bool, err error) {
	if len(args.pos) < 2 || len(args.pos) > 3 {
		return "", Value{}, false, parseErrorf("config expects two or three arguments")
	}
	section, err := evalLiteral(s, args.pos[0])
	if err != nil {
		return "", Value{}, false, err
	}
	item, err := evalLiteral(s, args.pos[1])
	if err != nil {
		return "", Value{}, false, err
	}
	text, set, err := s.e.opts.Config(section, item)
	switch {
	case set || err != nil:
		value = Bytes(text)
	case len(args.pos) < 3 && s.e.opts.ConfigDefault != nil:
		value, set = s.e.opts.ConfigDefault(section, item)
	}
	return section + "." + item, value, set, err
}

func configText(s *scope, args *callArgs) (Value, error) {
	_, value, set, err := configValue(s, args)
	if err == nil && !set && len(args.pos) == 3 {
		return evalText(s, args.pos[2])
	}
	return value, err
}

func configError(format string, args ...any) error {
	a := hgerr.Abortf(hgerr.Config, format, args...)
	a.Prefix = "config error: "
	return a
}

func configBool(s *scope, args *callArgs) (Value, error) {
	name, value, set, err := configValue(s, args)
	switch {
	case err != nil:
		return Value{}, err
	case !set && len(args.pos) == 3:
		b, err := evalBool(s, args.pos[2])
		return Bool(b), err
	case !set:
		return Bool(false), nil
	}
	switch value.kind {
	case kindBool, kindNone:
		return value, nil
	case kindBytes:
		b, ok := parseBool(value.s)
		if !ok {
			return Value{}, configError("%s is not a boolean ('%s')", name, value.s)
		}
		return Bool(b), nil
	}
	return Value{}, hgerr.NewUnsupported("template configbool of %s", name) // hg falls over
}

func configInt(s *scope, args *callArgs) (Value, error) {
	name, value, set, err := configValue(s, args)
	switch {
	case err != nil:
		return Value{}, err
	case !set && len(args.pos) == 3:
		n, err := evalBig(s, args.pos[2], "not an integer")
		if err != nil {
			return Value{}, err
		}
		return bigValue(n), nil
	}
	switch value.kind {
	case kindNone, kindInt:
		return value, nil
	case kindBool:
		return Int(value.n), nil
	case kindBytes:
		n, ok := parseInt(value.s)
		if !ok {
			return Value{}, configError("%s is not a valid integer ('%s')", name, value.s)
		}
		return bigValue(n), nil
	}
	return Value{}, hgerr.NewUnsupported("template configint of %s", name) // hg falls over
}
