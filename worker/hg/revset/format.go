// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"fmt"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/node"
)

// Quote makes s a string literal of the language.
func Quote(s string) string { return "'" + python.Escape(s) + "'" }

// Format builds an expression, quoting its arguments (Mercurial's
// revsetlang.formatspec):
//
//	%d  node.Rev or int, as _rev(n)      %ld  []node.Rev
//	%s  string, quoted                   %ls  []string
//	%n  node.ID, quoted hex              %ln  []node.ID
//	%r  expression, in parentheses       %lr  []string
//	%b  name of a branch, quoted         %lb  []string
//	%%  a percent sign
//
// "p" instead of "l" makes a list of function arguments.
func Format(expr string, args ...any) (string, error) {
	s, err := format(expr, args)
	return s, printable(err)
}

func format(expr string, args []any) (string, error) {
	var b strings.Builder
	for {
		text, rest, found := strings.Cut(expr, "%")
		b.WriteString(text)
		if !found {
			break
		}
		expr = rest
		if expr == "" {
			return "", parseErrorf("incomplete revspec format character")
		}
		c := expr[0]
		expr = expr[1:]
		if c == '%' {
			b.WriteByte('%')
			continue
		}
		if len(args) == 0 {
			return "", parseErrorf("missing argument for revspec")
		}
		arg := args[0]
		args = args[1:]
		var s string
		var err error
		if c == 'l' || c == 'p' {
			if expr == "" {
				return "", parseErrorf("incomplete revspec format character")
			}
			var list []any
			if list, err = anyList(arg); err == nil {
				if c == 'l' {
					s, err = formatList(expr[0], list)
				} else {
					s, err = formatParams(expr[0], list)
				}
			}
			expr = expr[1:]
		} else {
			s, err = formatArg(c, arg)
		}
		if err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	if len(args) > 0 {
		return "", parseErrorf("too many revspec arguments specified")
	}
	return b.String(), nil
}

func errFormatArg() error { return parseErrorf("invalid argument for revspec") }

// formatArg writes one value.
func formatArg(c byte, arg any) (string, error) {
	switch c {
	case 'd':
		switch n := arg.(type) {
		case node.Rev:
			return fmt.Sprintf("_rev(%d)", n), nil
		case int:
			return fmt.Sprintf("_rev(%d)", n), nil
		}
	case 's', 'b':
		if s, ok := arg.(string); ok {
			return Quote(s), nil
		}
	case 'n':
		if id, ok := arg.(node.ID); ok {
			return Quote(id.Hex()), nil
		}
	case 'r':
		if s, ok := arg.(string); ok {
			// a syntax error must not reach beyond the parentheses
			if _, err := parse(s, nil); err != nil {
				return "", err
			}
			return "(" + s + ")", nil
		}
	default:
		return "", parseErrorf("unexpected revspec format character %c", c)
	}
	return "", errFormatArg()
}

func anyList(arg any) ([]any, error) {
	var list []any
	switch v := arg.(type) {
	case []node.Rev:
		for _, x := range v {
			list = append(list, x)
		}
	case []int:
		for _, x := range v {
			list = append(list, x)
		}
	case []string:
		for _, x := range v {
			list = append(list, x)
		}
	case []node.ID:
		for _, x := range v {
			list = append(list, x)
		}
	default:
		return nil, errFormatArg()
	}
	return list, nil
}

func formatParams(c byte, list []any) (string, error) {
	var parts []string
	for _, x := range list {
		s, err := formatArg(c, x)
		if err != nil {
			return "", err
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", "), nil
}

func formatList(c byte, list []any) (string, error) {
	switch len(list) {
	case 0:
		return "_list('')", nil
	case 1:
		return formatArg(c, list[0])
	}
	if c == 'r' {
		a, err := formatList(c, list[:len(list)/2])
		if err != nil {
			return "", err
		}
		b, err := formatList(c, list[len(list)/2:])
		return "(" + a + " or " + b + ")", err
	}
	var parts []string
	for _, x := range list {
		if _, err := formatArg(c, x); err != nil {
			return "", err
		}
		if id, ok := x.(node.ID); ok {
			parts = append(parts, id.Hex())
			continue
		}
		parts = append(parts, fmt.Sprint(x))
	}
	switch c {
	case 'd':
		return "_intlist('" + strings.Join(parts, "\x00") + "')", nil
	case 'n':
		return "_hexlist('" + strings.Join(parts, "\x00") + "')", nil
	default:
		return "_list(" + Quote(strings.Join(parts, "\x00")) + ")", nil
	}
}
