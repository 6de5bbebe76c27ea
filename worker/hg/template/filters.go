// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"strconv"
	"strings"
	"sync"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/dates"
)

// inputKind is what a filter's argument is turned into first.
type inputKind uint8

const (
	inAny   inputKind = iota // the plain value
	inBytes                  // the text as printed
	inDate
)

// filter is one row of the table of `hg help templates`, "Filters". Exactly one
// of text, textValue, date and value is set.
type filter struct {
	name string
	doc  string
	// python is the name that hg's errors give the filter, where it differs.
	python string
	input  inputKind
	// text appends the filtered text to dst; it sees bytes only.
	text func(dst, in []byte) []byte
	// textValue gets the text as a value, with its UTF-8 form.
	textValue   func(s *scope, v Value) (Value, error)
	date        func(s *scope, unix int64, offset int) (Value, error)
	value       func(s *scope, v Value) (Value, error)
	unsupported string
}

// filters are made as keywords are.
var filters func() map[string]*filter

func init() { filters = sync.OnceValue(makeFilters) }

// call applies the filter to an evaluated argument.
func (f *filter) call(s *scope, v Value) (Value, error) {
	switch f.input {
	case inBytes:
		v, err := stringify(s, v)
		if err != nil {
			return v, err
		}
		if f.text != nil {
			return Bytes(string(f.text(nil, []byte(v.s)))), nil
		}
		return f.textValue(s, v)
	case inDate:
		unix, offset, err := unwrapDate(s, v, "")
		if err != nil {
			return Value{}, err
		}
		return f.date(s, unix, offset)
	}
	v, err := unwrap(s, v)
	if err != nil {
		return v, err
	}
	return f.value(s, v)
}

func dateLayout(layout string) func(*scope, int64, int) (Value, error) {
	return func(s *scope, unix int64, offset int) (Value, error) {
		text, err := dates.Date{Unix: unix, Offset: offset}.Format(layout)
		return Bytes(text), err
	}
}

func makeFilters() map[string]*filter {
	rows := []filter{
		{name: "addbreaks", doc: "add <br /> before each line end", input: inBytes, text: addBreaks},
		{name: "age", doc: "time between a date and now", input: inDate, date: age},
		{name: "basename", doc: "last component of a path", input: inBytes, text: baseName},
		{name: "cbor", doc: "any value as CBOR", value: cborFilter},
		{name: "commondir", doc: "longest directory that the paths share", value: commonDir},
		{name: "count", doc: "length of a list or text", value: count},
		{name: "dirname", doc: "path without its last component", input: inBytes, text: dirName},
		{name: "domain", doc: "domain of an email address", input: inBytes, text: domain},
		{name: "email", doc: "email address in a text", input: inBytes, text: email},
		{name: "emailuser", doc: "user of an email address", input: inBytes, text: emailUser},
		{name: "escape", doc: "text for XHTML", input: inBytes, text: escapeHTML},
		{name: "fill68", doc: "text in 68 columns", input: inBytes, textValue: fillColumns(68)},
		{name: "fill76", doc: "text in 76 columns", input: inBytes, textValue: fillColumns(76)},
		{name: "firstline", doc: "first line of a text", input: inBytes, text: firstLine},
		{name: "hex", doc: "bytes in hexadecimal", python: "hexfilter", input: inBytes, text: hexBytes},
		{name: "hgdate", doc: "date as two numbers", input: inDate, date: hgDate},
		{name: "isodate", doc: "date like 2009-08-18 13:00 +0200", input: inDate, date: dateLayout("%Y-%m-%d %H:%M %1%2")},
		{name: "isodatesec", doc: "isodate with seconds", input: inDate, date: dateLayout("%Y-%m-%d %H:%M:%S %1%2")},
		{name: "json", doc: "any value as JSON", value: jsonFilter},
		{name: "lower", doc: "text in lower case", input: inBytes, textValue: lower},
		{name: "nonempty", doc: "text, or (none)", input: inBytes, textValue: nonEmpty},
		{name: "obfuscate", doc: "text as XML entities", input: inBytes, textValue: obfuscate},
		{name: "permissions", doc: "file flags as ls prints them", input: inBytes, text: permissions},
		{name: "person", doc: "name before an email address", input: inBytes, text: person},
		{name: "revescape", doc: "text for a path in a URL", input: inBytes, text: revEscape},
		{name: "reverse", doc: "list in reverse order", value: reverse},
		{name: "rfc3339date", doc: "date like 2009-08-18T13:00:13+02:00", input: inDate, date: dateLayout("%Y-%m-%dT%H:%M:%S%1:%2")},
		{name: "rfc822date", doc: "date as in email headers", input: inDate, date: dateLayout("%a, %d %b %Y %H:%M:%S %1%2")},
		{name: "short", doc: "first 12 digits of a hash", input: inBytes, text: shortHash},
		{name: "shortbisect", doc: "first letter of a bisection status", input: inBytes, text: shortBisect},
		{name: "shortdate", doc: "date like 2006-09-18", input: inDate, date: dateLayout("%Y-%m-%d")},
		{name: "slashpath", doc: "path with slashes", input: inBytes, text: appendAll},
		{name: "splitlines", doc: "text as a list of lines", input: inBytes, textValue: splitLinesFilter},
		{name: "stringescape", doc: "text with backslash escapes", input: inBytes, text: func(dst, in []byte) []byte { return python.AppendEscaped(dst, string(in)) }},
		{name: "stringify", doc: "any value as text", input: inBytes, textValue: func(_ *scope, v Value) (Value, error) { return v, nil }},
		{name: "stripdir", doc: "path without a directory level, if possible", input: inBytes, text: stripDir},
		{name: "tabindent", doc: "lines after the first behind a tab", input: inBytes, text: func(dst, in []byte) []byte { return appendIndented(dst, string(in), "\t", "") }},
		{name: "upper", doc: "text in upper case", input: inBytes, textValue: upper},
		{name: "urlescape", doc: "text for a URL", input: inBytes, text: func(dst, in []byte) []byte { return appendQuoted(dst, in, "/", "/") }},
		{name: "user", doc: "short form of a user name", python: "userfilter", input: inBytes, text: shortUser},
		{name: "utf8", doc: "text from the local encoding to UTF-8", input: inBytes, textValue: toUTF8},
		{name: "xmlescape", doc: "text for XML", input: inBytes, text: xmlEscape},
	}
	table := make(map[string]*filter, len(rows))
	for i := range rows {
		table[rows[i].name] = &rows[i]
	}
	return table
}

func hgDate(_ *scope, unix int64, offset int) (Value, error) {
	return Bytes(strconv.FormatInt(unix, 10) + " " + strconv.Itoa(offset)), nil
}

func age(s *scope, unix int64, offset int) (Value, error) {
	return Bytes(dates.Age(dates.Date{Unix: unix, Offset: offset}, s.e.opts.Now, false)), nil
}

// length is Python's len() of a plain value.
func length(v Value) (int, bool) {
	switch v.kind {
	case kindBytes:
		return len(v.s), true
	case kindList, kindTuple:
		return len(v.list()), true
	case kindDict:
		return len(v.x.(*dict).keys), true
	case kindRevs:
		return len(v.x.(*revslist).revs), true
	}
	return 0, false
}

func count(_ *scope, v Value) (Value, error) {
	n, ok := length(v)
	if !ok {
		return Value{}, parseErrorf("not countable")
	}
	return Int(int64(n)), nil
}

func reverse(_ *scope, v Value) (Value, error) {
	if v.kind != kindList {
		return Value{}, parseErrorf("not reversible")
	}
	items := v.list()
	out := make([]Value, len(items))
	for i, item := range items {
		out[len(items)-1-i] = item
	}
	return wrap(newList("item", out)), nil
}

// commonDir is the longest run of directories with which all paths begin: that
// of the first and the last in order.
func commonDir(_ *scope, v Value) (Value, error) {
	n, ok := length(v)
	if ok && n == 0 || v.kind == kindNone || v.kind == kindInt && v.n == 0 && v.x == nil {
		return Bytes(""), nil
	}
	items := v.list()
	switch v.kind {
	case kindDict:
		for _, key := range v.x.(*dict).keys {
			items = append(items, Bytes(key))
		}
	case kindList:
	default:
		return Value{}, parseErrorf("argument is not a list of text")
	}
	var low, high []string
	for i, item := range items {
		if item.kind != kindBytes {
			return Value{}, errNotText
		}
		parts := strings.Split(strings.TrimLeft(item.s, "/"), "/")
		parts = parts[:len(parts)-1]
		if i == 0 || lessParts(parts, low) {
			low = parts
		}
		if i == 0 || lessParts(high, parts) {
			high = parts
		}
	}
	k := 0
	for k < len(low) && k < len(high) && low[k] == high[k] {
		k++
	}
	return Bytes(strings.Join(low[:k], "/")), nil
}

func lessParts(a, b []string) bool {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return len(a) < len(b)
}
