// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
)

// contentPredicates look at sizes and contents.
func contentPredicates() []*Predicate {
	return []*Predicate{
		plain(weightRead, "binary", "files with a NUL byte in them", func(sc *scope) (match.Matcher, error) {
			return sc.reads("binary", func(data []byte) bool { return bytes.IndexByte(data, 0) >= 0 }), nil
		}),
		partly(&Predicate{Name: "encoding", Usage: "encoding(name)", Min: 1, Max: 1, weight: weightRead,
			Doc: "files that can be decoded with an encoding", eval: encoding}, "encodings but ASCII, UTF-8 and Latin-1"),
		{Name: "eol", Usage: "eol(style)", Min: 1, Max: 1, weight: weightRead,
			Doc: "text files with line ends of a style: dos, unix, mac", eval: eol},
		partly(&Predicate{Name: "grep", Usage: "grep(regex)", Min: 1, Max: 1, weight: weightRead,
			Doc: "files whose content matches a regular expression", eval: grep}, "wrong and non-regular expressions"),
		{Name: "size", Usage: "size(expression)", Min: 1, Max: 1, weight: weightStatus,
			Doc: "files of a size: '1k', '< 20k', '>= .5MB', '4k - 1MB'", eval: size},
	}
}

// reads makes a matcher of a test of contents. Files without content that can
// be read do not match.
func (sc *scope) reads(name string, test func(data []byte) bool) match.Matcher {
	return sc.tested(name, func(path string) (bool, error) {
		data, ok, err := sc.repo.Data(sc.rev, path)
		return ok && err == nil && test(data), err
	})
}

func encoding(sc *scope, arg *Tree) (match.Matcher, error) {
	name, err := getString(arg, "encoding requires an encoding name")
	if err != nil {
		return nil, err
	}
	var test func([]byte) bool
	switch strings.ReplaceAll(strings.ToLower(name), "_", "-") {
	case "ascii", "us-ascii":
		test = func(data []byte) bool { return !slices.ContainsFunc(data, func(c byte) bool { return c >= 0x80 }) }
	case "utf-8", "utf8":
		test = utf8.Valid
	case "latin-1", "latin1", "iso-8859-1", "iso8859-1":
		test = func([]byte) bool { return true }
	default:
		return nil, hgerr.NewUnsupported("fileset encoding(%s)", name)
	}
	return sc.reads(named("encoding", name), test), nil
}

func eol(sc *scope, arg *Tree) (match.Matcher, error) {
	style, err := getString(arg, "eol requires a style name")
	if err != nil {
		return nil, err
	}
	return sc.reads(named("eol", style), func(data []byte) bool {
		return bytes.IndexByte(data, 0) < 0 && hasLineEnd(data, style)
	}), nil
}

// hasLineEnd tells whether a text has a line end of a style. Unknown styles are
// nowhere.
func hasLineEnd(data []byte, style string) bool {
	for i, c := range data {
		switch {
		case style == "unix":
			if c == '\n' && (i == 0 || data[i-1] != '\r') {
				return true
			}
		case style == "mac":
			if c == '\r' && (i+1 == len(data) || data[i+1] != '\n') {
				return true
			}
		case style == "dos" || style == "win":
			if c == '\n' && i > 0 && data[i-1] == '\r' {
				return true
			}
		}
	}
	return false
}

func size(sc *scope, arg *Tree) (match.Matcher, error) {
	expr, err := getString(arg, "size requires an expression")
	if err != nil {
		return nil, err
	}
	lo, hi, err := parseSizes(expr)
	if err != nil {
		return nil, err
	}
	return sc.tested(named("size", expr), func(path string) (bool, error) {
		n, ok, err := sc.repo.Size(sc.rev, path)
		return ok && n >= lo && n <= hi, err
	}), nil
}
