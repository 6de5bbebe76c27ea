// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"sort"
	"strings"

	"hgbroker/worker/hg/config/python"
)

// WritePretty prints a value for `-T debug` (stringutil.pprint): collections an
// item a line, indented by so many blanks a level.
func WritePretty(w *bytes.Buffer, v Value, indent, level int) error {
	line := func(level int) {
		w.WriteByte('\n')
		w.WriteString(strings.Repeat(" ", indent*level))
	}
	sequence := func(open, end string, items []Value) error {
		if len(items) == 0 {
			w.WriteString(open + end)
			return nil
		}
		w.WriteString(open)
		line(level + 1)
		for i, item := range items {
			if i > 0 {
				w.WriteByte(',')
				line(level + 1)
			}
			if err := WritePretty(w, item, indent, level+1); err != nil {
				return err
			}
		}
		line(level)
		w.WriteString(end)
		return nil
	}
	switch v.kind {
	case kindBytes:
		w.WriteByte('\'')
		w.Write(python.AppendEscaped(w.AvailableBuffer(), v.s))
		w.WriteByte('\'')
	case kindList:
		return sequence("[", "]", v.list())
	case kindTuple:
		return sequence("(", ")", v.list())
	case kindDate:
		return sequence("(", ")", []Value{Int(v.n), Int(int64(v.tz))})
	case kindDict:
		d := v.x.(*dict)
		if len(d.keys) == 0 {
			w.WriteString("{}")
			return nil
		}
		keys := append([]string(nil), d.keys...)
		sort.Strings(keys)
		w.WriteByte('{')
		line(level + 1)
		for i, k := range keys {
			if i > 0 {
				w.WriteByte(',')
				line(level + 1)
			}
			w.WriteString("'" + python.Escape(k) + "': ")
			item, _ := d.get(k)
			if err := WritePretty(w, item, indent, level+1); err != nil {
				return err
			}
		}
		line(level)
		w.WriteByte('}')
	case kindWrapped:
		plain, err := valueOf(v, nil)
		if err != nil {
			return err
		}
		return WritePretty(w, plain, indent, level)
	default:
		w.WriteString(pythonRepr(v, true))
	}
	return nil
}
