// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"sort"
	"strconv"

	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
)

// jsonFilter escapes for the web: everything but plain ASCII as \u.
func jsonFilter(s *scope, v Value) (Value, error) {
	b, err := appendJSON(nil, s, v, true)
	return Bytes(string(b)), err
}

// AppendJSON appends a value of a formatter's item as JSON in UTF-8, the way
// `-T json` prints it.
func AppendJSON(dst []byte, v Value) ([]byte, error) {
	return appendJSON(dst, nil, v, false)
}

// valueOf is what a container holds; s may be nil, for one that needs nothing from
// the repository.
func valueOf(v Value, s *scope) (Value, error) {
	if s == nil {
		s = &scope{e: &Engine{}}
	}
	return v.x.(container).value(s)
}

func appendJSON(dst []byte, s *scope, v Value, web bool) ([]byte, error) {
	var err error
	switch v.kind {
	case kindNone:
		return append(dst, "null"...), nil
	case kindBool:
		return strconv.AppendBool(dst, v.n != 0), nil
	case kindInt:
		if v.x == nil {
			return strconv.AppendInt(dst, v.n, 10), nil
		}
		return append(dst, pythonRepr(v, false)...), nil
	case kindFloat:
		return append(dst, pythonRepr(v, false)...), nil
	case kindBytes:
		text := v.s
		if u, ok := v.x.(string); ok {
			text = u
		}
		dst = append(dst, '"')
		dst = encoding.AppendJSON(dst, text, web)
		return append(dst, '"'), nil
	case kindDate:
		dst = append(dst, '[')
		dst = strconv.AppendInt(dst, v.n, 10)
		dst = append(dst, ", "...)
		dst = strconv.AppendInt(dst, int64(v.tz), 10)
		return append(dst, ']'), nil
	case kindList, kindTuple:
		dst = append(dst, '[')
		for i, item := range v.list() {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			if dst, err = appendJSON(dst, s, item, web); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case kindRevs:
		dst = append(dst, '[')
		for i, r := range v.x.(*revslist).revs {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = strconv.AppendInt(dst, int64(r), 10)
		}
		return append(dst, ']'), nil
	case kindDict:
		d := v.x.(*dict)
		keys := append([]string(nil), d.keys...)
		sort.Strings(keys)
		dst = append(dst, '{')
		for i, k := range keys {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(dst, '"')
			dst = encoding.AppendJSON(dst, k, web)
			dst = append(dst, `": `...)
			item, _ := d.get(k)
			if dst, err = appendJSON(dst, s, item, web); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	case kindWrapped:
		plain, err := valueOf(v, s)
		if err != nil {
			return dst, err
		}
		if plain.kind == kindWrapped {
			return dst, hgerr.NewUnsupported("template json of a nested value")
		}
		return appendJSON(dst, s, plain, web)
	}
	return dst, hgerr.NewUnsupported("template json of an unknown value")
}
