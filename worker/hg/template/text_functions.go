// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"regexp"
	"strings"
	"sync"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

func fillFunc(s *scope, args *callArgs) (Value, error) {
	n := len(args.pos)
	if n < 1 || n > 4 {
		return Value{}, parseErrorf("fill expects one to four arguments")
	}
	text, err := evalText(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	width, first, hang := 76, "", ""
	if n > 1 {
		if width, err = evalInt(s, args.pos[1], "fill expects an integer width"); err != nil {
			return Value{}, err
		}
	}
	if n > 2 {
		if first, err = evalString(s, args.pos[2]); err != nil {
			return Value{}, err
		}
	}
	if n > 3 {
		if hang, err = evalString(s, args.pos[3]); err != nil {
			return Value{}, err
		}
	}
	return fill(s, text, width, first, hang)
}

func formatNodeFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 1 {
		return Value{}, parseErrorf("formatnode expects one argument")
	}
	text, err := evalString(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	if !s.e.opts.Debug {
		text = text[:min(12, len(text))]
	}
	return Bytes(text), nil
}

func indentFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) < 2 || len(args.pos) > 3 {
		return Value{}, parseErrorf("indent() expects two or three arguments")
	}
	text, err := evalString(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	prefix, err := evalString(s, args.pos[1])
	if err != nil {
		return Value{}, err
	}
	first := prefix
	if len(args.pos) == 3 {
		if first, err = evalString(s, args.pos[2]); err != nil {
			return Value{}, err
		}
	}
	return Bytes(string(appendIndented(nil, text, prefix, first))), nil
}

// maxPad bounds the padding that a template can ask for.
const maxPad = 1 << 24

func padFunc(s *scope, args *callArgs) (Value, error) {
	text, width, fillchar, left, truncate := args.pos[0], args.pos[1], args.pos[2], args.pos[3], args.pos[4]
	if text == nil || width == nil {
		return Value{}, parseErrorf("pad() expects two to four arguments")
	}
	columns, err := evalInt(s, width, "pad() expects an integer width")
	if err != nil {
		return Value{}, err
	}
	v, err := evalText(s, text)
	if err != nil {
		return Value{}, err
	}
	char := " "
	if fillchar != nil {
		if char, err = evalString(s, fillchar); err != nil {
			return Value{}, err
		}
		if len(stripEffects(char)) != 1 {
			return Value{}, parseErrorf("pad() expects a single fill character")
		}
	}
	onLeft, cut := false, false
	if left != nil {
		if onLeft, err = evalBool(s, left); err != nil {
			return Value{}, err
		}
	}
	if truncate != nil {
		if cut, err = evalBool(s, truncate); err != nil {
			return Value{}, err
		}
	}
	if columns > maxPad {
		return Value{}, hgerr.NewUnsupported("template pad to %d columns", columns)
	}
	plain := stripEffects(v.s)
	room := columns - s.e.opts.Encoding.ColWidth(plain)
	switch {
	case room < 0 && cut:
		return Bytes(s.e.opts.Encoding.Trim(plain, columns, "", onLeft)), nil
	case room <= 0:
		return v, nil
	case onLeft:
		return Bytes(strings.Repeat(char, room) + v.s), nil
	}
	return Bytes(v.s + strings.Repeat(char, room)), nil
}

// effects matches the control codes of colours.
var effects = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("\x1b\\[[\\d;]*m") })

// stripEffects removes what colour put into a text.
func stripEffects(text string) string {
	if strings.IndexByte(text, 0x1b) < 0 {
		return text
	}
	return effects().ReplaceAllString(text, "")
}

func relPathFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 1 {
		return Value{}, parseErrorf("relpath expects one argument")
	}
	if s.e.repo == nil {
		return Value{}, &unavailable{"repo"}
	}
	path, err := evalString(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	return Bytes(s.e.repo.RelPath(path)), nil
}

func startsWithFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 2 {
		return Value{}, parseErrorf("startswith expects two arguments")
	}
	pattern, err := evalString(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	text, err := evalText(s, args.pos[1])
	if err != nil || strings.HasPrefix(text.s, pattern) {
		return text, err
	}
	return Bytes(""), nil
}

func stripFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) < 1 || len(args.pos) > 2 {
		return Value{}, parseErrorf("strip expects one or two arguments")
	}
	text, err := evalString(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	chars := python.Space
	if len(args.pos) == 2 {
		if chars, err = evalString(s, args.pos[1]); err != nil {
			return Value{}, err
		}
	}
	// Byte by byte: the set may hold halves of characters.
	start, end := 0, len(text)
	for start < end && strings.IndexByte(chars, text[start]) >= 0 {
		start++
	}
	for end > start && strings.IndexByte(chars, text[end-1]) >= 0 {
		end--
	}
	return Bytes(text[start:end]), nil
}

func wordFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) < 2 || len(args.pos) > 3 {
		return Value{}, parseErrorf("word expects two or three arguments, got %d", len(args.pos))
	}
	n, err := evalInt(s, args.pos[0], "word expects an integer index")
	if err != nil {
		return Value{}, err
	}
	text, err := evalString(s, args.pos[1])
	if err != nil {
		return Value{}, err
	}
	var words []string
	if len(args.pos) == 3 {
		sep, err := evalString(s, args.pos[2])
		if err != nil {
			return Value{}, err
		}
		if sep == "" {
			return Value{}, hgerr.NewUnsupported("template word with an empty separator")
		}
		words = strings.Split(text, sep)
	} else {
		words = strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(python.Space, r) })
	}
	if n < 0 {
		n += len(words)
	}
	if n < 0 || n >= len(words) {
		return Bytes(""), nil
	}
	return Bytes(words[n]), nil
}

// checkPattern refuses patterns that are computed, or not understood.
func checkPattern(name string, args *callArgs, count int) error {
	if len(args.pos) != count {
		return nil // an error when it is called
	}
	pattern, ok := constantText(args.pos[0])
	if !ok {
		return hgerr.NewUnsupported("template function %s with a computed pattern", name)
	}
	if _, err := compilePython(pattern); hgerr.IsUnsupported(err) {
		return err
	}
	return nil // an invalid one is an error when it is called
}

func checkSearch(_ *Engine, args *callArgs) error { return checkPattern("search", args, 2) }
func checkSub(_ *Engine, args *callArgs) error    { return checkPattern("sub", args, 3) }

// searchFunc binds the groups of the first match as {0}, {1}, ... and by name.
func searchFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 2 {
		return Value{}, parseErrorf("search expects two arguments")
	}
	pattern, err := evalString(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	text, err := evalString(s, args.pos[1])
	if err != nil {
		return Value{}, err
	}
	re, err := s.e.pattern(pattern)
	if isInvalid(err) {
		return Value{}, parseErrorf("search got an invalid pattern: %s", pattern)
	}
	if err != nil {
		return Value{}, err
	}
	var bad []string
	for _, name := range []string{"cache", "ctx", "fctx", "repo", "revcache", "ui"} {
		if _, used := re.groupNumber(name); used {
			bad = append(bad, "'"+name+"'")
		}
	}
	if bad != nil {
		return Value{}, parseErrorf("invalid group %s in search pattern: %s", strings.Join(bad, ", "), pattern)
	}
	m, err := re.search(text)
	if err != nil {
		return Value{}, err
	}
	if m == nil {
		return wrap(noMapping{}), nil
	}
	return newMapping("{0}", func(inner *scope) error {
		for i, g := range m {
			v := Value{}
			if g.ok {
				v = Bytes(g.text)
			}
			inner.bind(number(i), v)
			if i > 0 && re.names[i] != "" {
				inner.bind(re.names[i], v)
			}
		}
		return nil
	}), nil
}

func subFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 3 {
		return Value{}, parseErrorf("sub expects three arguments")
	}
	var parts [3]string
	for i := range parts {
		var err error
		if parts[i], err = evalString(s, args.pos[i]); err != nil {
			return Value{}, err
		}
	}
	re, err := s.e.pattern(parts[0])
	if isInvalid(err) {
		return Value{}, parseErrorf("sub got an invalid pattern: %s", parts[0])
	}
	if err != nil {
		return Value{}, err
	}
	r, ok := re.parseReplacement(parts[1])
	if !ok {
		return Value{}, parseErrorf("sub got an invalid replacement: %s", parts[1])
	}
	text, err := re.sub(parts[2], r.expand)
	return Bytes(text), err
}

// pattern compiles a pattern once.
func (e *Engine) pattern(text string) (*pythonRegexp, error) {
	if re := e.patterns[text]; re != nil {
		return re, nil
	}
	re, err := compilePython(text)
	if err == nil {
		e.patterns[text] = re
	}
	return re, err
}
