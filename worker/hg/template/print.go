// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/hgerr"
)

// writeValue prints a value as a template does (templateutil.flatten).
func writeValue(w *bytes.Buffer, s *scope, v Value) error {
	switch v.kind {
	case kindNone:
	case kindBytes:
		w.WriteString(v.s)
	case kindInt:
		if b, ok := v.x.(*big.Int); ok {
			w.WriteString(b.String())
			return nil
		}
		w.Write(strconv.AppendInt(w.AvailableBuffer(), v.n, 10))
	case kindList, kindTuple:
		for _, item := range v.list() {
			if err := writeValue(w, s, item); err != nil {
				return err
			}
		}
	case kindDict:
		for _, k := range v.x.(*dict).keys {
			w.WriteString(k)
		}
	case kindDate:
		w.Write(strconv.AppendInt(w.AvailableBuffer(), v.n, 10))
		if v.flag {
			w.WriteString(".0")
		} else {
			w.WriteByte(' ')
		}
		w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(v.tz), 10))
	case kindRevs:
		for _, r := range v.x.(*revslist).revs {
			w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(r), 10))
		}
	case kindWrapped:
		return v.x.(container).show(w, s)
	default:
		w.WriteString(pythonStr(v))
	}
	return nil
}

// stringify is the value as printed. Bytes keep their UTF-8 form.
func stringify(s *scope, v Value) (Value, error) {
	switch v.kind {
	case kindBytes:
		return v, nil
	case kindNone:
		return Bytes(""), nil
	}
	w := s.e.buffer()
	defer s.e.release(w)
	if err := writeValue(w, s, v); err != nil {
		return Value{}, err
	}
	return Bytes(w.String()), nil
}

// pythonStr is Python's str() of a value, where hg lets that through.
func pythonStr(v Value) string {
	if v.kind == kindBytes {
		return v.s
	}
	return pythonRepr(v, false)
}

// pythonRepr is Python's repr(). Bytes at the top of a message stand without
// their b prefix, those inside lists with it.
func pythonRepr(v Value, inside bool) string {
	switch v.kind {
	case kindNone:
		return "None"
	case kindBool:
		if v.n != 0 {
			return "True"
		}
		return "False"
	case kindInt:
		if b, ok := v.x.(*big.Int); ok {
			return b.String()
		}
		return strconv.FormatInt(v.n, 10)
	case kindFloat:
		return floatRepr(v.float())
	case kindBytes:
		if inside {
			return "b" + python.Repr(v.s)
		}
		return python.Repr(v.s)
	case kindDate:
		return "(" + strconv.FormatInt(v.n, 10) + ", " + strconv.Itoa(int(v.tz)) + ")"
	case kindList, kindTuple:
		items := make([]string, len(v.list()))
		for i, item := range v.list() {
			items[i] = pythonRepr(item, true)
		}
		text := strings.Join(items, ", ")
		switch {
		case v.kind == kindList:
			return "[" + text + "]"
		case len(items) == 1:
			return "(" + text + ",)"
		}
		return "(" + text + ")"
	case kindDict:
		d := v.x.(*dict)
		items := make([]string, len(d.keys))
		for i, k := range d.keys {
			items[i] = "b" + python.Repr(k) + ": " + pythonRepr(d.vals[i], true)
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	return ""
}

// floatRepr is Python's repr of a float: the shortest digits that read back,
// always with a point or an exponent.
func floatRepr(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// unwrap moves the plain value out of a container (unwrapvalue).
func unwrap(s *scope, v Value) (Value, error) {
	switch v.kind {
	case kindWrapped:
		return v.x.(container).value(s)
	case kindDate:
		return PlainTuple([]Value{Int(v.n), Int(int64(v.tz))}), nil
	}
	return v, nil
}

// truth tells whether a value counts as true: numbers always do.
func truth(s *scope, v Value) (bool, error) {
	switch v.kind {
	case kindNone:
		return false, nil
	case kindBool:
		return v.n != 0, nil
	case kindBytes:
		return v.s != "", nil
	case kindWrapped:
		return v.x.(container).truth(s)
	}
	return true, nil
}

func evalString(s *scope, x expr) (string, error) {
	v, err := evalText(s, x)
	return v.s, err
}

// evalText is evalString that keeps the UTF-8 form.
func evalText(s *scope, x expr) (Value, error) {
	switch x := x.(type) {
	case constant:
		if x.v.kind == kindBytes {
			return x.v, nil
		}
	case sequence:
		return x.eval(s)
	}
	v, err := x.eval(s)
	if err != nil {
		return v, err
	}
	return stringify(s, v)
}

// evalPlain evaluates to an unwrapped value (evalfuncarg).
func evalPlain(s *scope, x expr) (Value, error) {
	v, err := x.eval(s)
	if err != nil {
		return v, err
	}
	return unwrap(s, v)
}

// evalLiteral is evalString in which an unknown name means itself.
func evalLiteral(s *scope, x expr) (string, error) {
	if sym, ok := x.(*symbolExpr); ok {
		v, known, err := s.symbol(sym.name, sym.keyword, sym.fragment)
		if err != nil {
			return "", err
		}
		if !known {
			return sym.name, nil
		}
		v, err = stringify(s, v)
		return v.s, err
	}
	return evalString(s, x)
}

// evalBool evaluates a condition; an unknown name may be a boolean word.
func evalBool(s *scope, x expr) (bool, error) {
	if sym, ok := x.(*symbolExpr); ok {
		v, known, err := sym.lookup(s)
		if err != nil {
			return false, err
		}
		if !known {
			b, _ := parseBool(sym.name)
			return b, nil
		}
		return truth(s, v)
	}
	v, err := x.eval(s)
	if err != nil {
		return false, err
	}
	return truth(s, v)
}

// parseBool reads the words that hg's configuration takes for a boolean.
func parseBool(word string) (value, ok bool) {
	switch strings.ToLower(word) {
	case "1", "yes", "true", "on", "always":
		return true, true
	case "0", "no", "false", "off", "never":
		return false, true
	}
	return false, false
}

// toBig is Python's int() of an unwrapped value.
func toBig(v Value) (*big.Int, bool) {
	switch v.kind {
	case kindInt:
		if b, ok := v.x.(*big.Int); ok {
			return new(big.Int).Set(b), true
		}
		return big.NewInt(v.n), true
	case kindBool:
		return big.NewInt(v.n), true
	case kindFloat:
		f := v.float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, false
		}
		b, _ := big.NewFloat(math.Trunc(f)).Int(nil)
		return b, true
	case kindBytes:
		return parseInt(v.s)
	}
	return nil, false
}

// parseInt reads a decimal number as Python's int() does: blanks around it, a
// sign, single underscores between digits.
func parseInt(text string) (*big.Int, bool) {
	text = python.Strip(text)
	digits := strings.TrimPrefix(text, "-")
	if digits == text {
		digits = strings.TrimPrefix(text, "+")
	}
	clean := make([]byte, 0, len(digits))
	for i := 0; i < len(digits); i++ {
		switch c := digits[i]; {
		case isDigit(c):
			clean = append(clean, c)
		case c == '_' && i > 0 && digits[i-1] != '_' && i+1 < len(digits):
		default:
			return nil, false
		}
	}
	if len(clean) == 0 || len(clean) > maxDigits {
		return nil, false
	}
	n, ok := new(big.Int).SetString(string(clean), 10)
	if ok && text[0] == '-' {
		n.Neg(n)
	}
	return n, ok
}

func evalBig(s *scope, x expr, message string) (*big.Int, error) {
	v, err := x.eval(s)
	if err != nil {
		return nil, err
	}
	return unwrapBig(s, v, message)
}

func unwrapBig(s *scope, v Value, message string) (*big.Int, error) {
	v, err := unwrap(s, v)
	if err != nil {
		return nil, err
	}
	n, ok := toBig(v)
	if !ok {
		return nil, parseErrorf("%s", message)
	}
	return n, nil
}

// evalInt is a number that must be small enough to count with.
func evalInt(s *scope, x expr, message string) (int, error) {
	n, err := evalBig(s, x, message)
	if err != nil {
		return 0, err
	}
	if !n.IsInt64() || n.Int64() > math.MaxInt32 || n.Int64() < math.MinInt32 {
		return 0, hgerr.NewUnsupported("template argument %s", n)
	}
	return int(n.Int64()), nil
}

// evalDate evaluates to a date: one as such, a pair, or text that reads as one.
func evalDate(s *scope, x expr, message string) (unix int64, offset int, err error) {
	v, err := x.eval(s)
	if err != nil {
		return 0, 0, err
	}
	return unwrapDate(s, v, message)
}

func unwrapDate(s *scope, v Value, message string) (int64, int, error) {
	if v.kind == kindDate {
		return v.n, int(v.tz), nil
	}
	v, err := unwrap(s, v)
	if err != nil {
		return 0, 0, err
	}
	bad := message
	if bad == "" {
		bad = "not a date tuple nor a string"
	}
	switch v.kind {
	case kindNone:
		return 0, 0, nil
	case kindTuple:
		pair := v.list()
		if len(pair) == 0 {
			return 0, 0, nil
		}
		if len(pair) == 2 {
			unix, ok1 := toBig(pair[0])
			zone, ok2 := toBig(pair[1])
			if ok1 && ok2 && unix.IsInt64() && zone.IsInt64() {
				return unix.Int64(), int(zone.Int64()), nil
			}
		}
	case kindList:
		if len(v.list()) == 0 {
			return 0, 0, nil
		}
	case kindDict:
		if len(v.x.(*dict).keys) == 0 {
			return 0, 0, nil
		}
	case kindBool, kindInt, kindFloat:
		if v.n == 0 && v.x == nil {
			return 0, 0, nil
		}
	case kindBytes:
		if v.s == "" {
			return 0, 0, nil
		}
		d, err := dates.Parse(v.s, s.e.opts.Now, s.e.opts.Location)
		if err == nil {
			return d.Unix, d.Offset, nil
		}
		var a *hgerr.Abort
		if !errors.As(err, &a) || !strings.HasPrefix(a.Prefix, "hg: parse error") {
			return 0, 0, err
		}
		if message == "" {
			message = a.Message
		}
		return 0, 0, parseErrorf("%s", message)
	}
	return 0, 0, parseErrorf("%s", bad)
}
