// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
)

// errNotText stands for an AttributeError with which hg itself falls over.
var errNotText = hgerr.NewUnsupported("template filter on a list of something else than text")

func appendAll(dst, in []byte) []byte { return append(dst, in...) }

func addBreaks(dst, in []byte) []byte {
	return append(dst, bytes.ReplaceAll(in, []byte("\n"), []byte("<br/>\n"))...)
}

func baseName(dst, in []byte) []byte {
	return append(dst, in[bytes.LastIndexByte(in, '/')+1:]...)
}

// dirOf is posixpath.dirname: slashes at its end go, unless it is all slashes.
func dirOf(in []byte) []byte {
	head := in[:bytes.LastIndexByte(in, '/')+1]
	if trimmed := bytes.TrimRight(head, "/"); len(trimmed) > 0 {
		return trimmed
	}
	return head
}

func dirName(dst, in []byte) []byte { return append(dst, dirOf(in)...) }

func stripDir(dst, in []byte) []byte {
	if d := dirOf(in); len(d) > 0 {
		return append(dst, d...)
	}
	return baseName(dst, in)
}

func domain(dst, in []byte) []byte {
	at := bytes.IndexByte(in, '@')
	if at < 0 {
		return dst
	}
	in = in[at+1:]
	if end := bytes.IndexByte(in, '>'); end >= 0 {
		in = in[:end]
	}
	return append(dst, in...)
}

func email(dst, in []byte) []byte {
	end := bytes.IndexByte(in, '>')
	if end < 0 {
		end = len(in)
	}
	start := bytes.IndexByte(in, '<') + 1
	if start > end {
		return dst
	}
	return append(dst, in[start:end]...)
}

func emailUser(dst, in []byte) []byte {
	if at := bytes.IndexByte(in, '@'); at >= 0 {
		in = in[:at]
	}
	return append(dst, in[bytes.IndexByte(in, '<')+1:]...)
}

func shortUser(dst, in []byte) []byte {
	if at := bytes.IndexByte(in, '@'); at >= 0 {
		in = in[:at]
	}
	in = in[bytes.IndexByte(in, '<')+1:]
	if i := bytes.IndexByte(in, ' '); i >= 0 {
		in = in[:i]
	}
	if i := bytes.IndexByte(in, '.'); i >= 0 {
		in = in[:i]
	}
	return append(dst, in...)
}

func person(dst, in []byte) []byte {
	at := bytes.IndexByte(in, '@')
	if at < 0 {
		return append(dst, in...)
	}
	if lt := bytes.IndexByte(in, '<'); lt >= 0 {
		name := bytes.Trim(in[:lt], ` "`)
		return append(dst, bytes.ReplaceAll(name, []byte(`\"`), []byte(`"`))...)
	}
	return append(dst, bytes.ReplaceAll(in[:at], []byte("."), []byte(" "))...)
}

func escapeHTML(dst, in []byte) []byte {
	for _, c := range in {
		switch c {
		case 0:
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '"':
			dst = append(dst, "&quot;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func xmlEscape(dst, in []byte) []byte {
	for _, c := range in {
		switch {
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '"':
			dst = append(dst, "&quot;"...)
		case c == '\'':
			dst = append(dst, "&#39;"...)
		case c < ' ' && c != '\t' && c != '\n' && c != '\r':
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func firstLine(dst, in []byte) []byte { return append(dst, in[:FirstLine(in)]...) }

// FirstLine is how long the first line of a text is.
func FirstLine(text []byte) int {
	n := len(text)
	for _, end := range [2]byte{'\n', '\r'} {
		if i := bytes.IndexByte(text[:n], end); i >= 0 {
			n = i
		}
	}
	return n
}

// splitLines is Python's bytes.splitlines.
func splitLines(text string) []string {
	var lines []string
	for text != "" {
		i := strings.IndexAny(text, "\n\r")
		if i < 0 {
			return append(lines, text)
		}
		lines = append(lines, text[:i])
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		text = text[i+1:]
	}
	return lines
}

func splitLinesFilter(_ *scope, v Value) (Value, error) {
	var values []Value
	for _, line := range splitLines(v.s) {
		values = append(values, Bytes(line))
	}
	return wrap(newList("line", values)), nil
}

// appendIndented puts prefix before every line that is not blank, and first
// before the first one.
func appendIndented(dst []byte, text, prefix, first string) []byte {
	lines := splitLines(text)
	for i, line := range lines {
		if python.Strip(line) != "" {
			if i == 0 {
				dst = append(dst, first...)
			} else {
				dst = append(dst, prefix...)
			}
		}
		dst = append(dst, line...)
		if i < len(lines)-1 || strings.HasSuffix(text, "\n") {
			dst = append(dst, '\n')
		}
	}
	return dst
}

func hexBytes(dst, in []byte) []byte { return hex.AppendEncode(dst, in) }

func permissions(dst, in []byte) []byte {
	switch {
	case bytes.IndexByte(in, 'l') >= 0:
		return append(dst, "lrwxrwxrwx"...)
	case bytes.IndexByte(in, 'x') >= 0:
		return append(dst, "-rwxr-xr-x"...)
	}
	return append(dst, "-rw-r--r--"...)
}

func shortHash(dst, in []byte) []byte { return append(dst, in[:min(12, len(in))]...) }

func shortBisect(dst, in []byte) []byte {
	if len(in) == 0 {
		return append(dst, ' ')
	}
	c := in[0]
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	return append(dst, c)
}

// appendQuoted is urllib's quote: letters, digits, "_.-~" and the safe ones stay;
// a slash becomes slash.
func appendQuoted(dst, in []byte, safe, slash string) []byte {
	const upperHex = "0123456789ABCDEF"
	for _, c := range in {
		switch {
		case c == '/':
			dst = append(dst, slash...)
		case isAlnum(c) || strings.IndexByte("_.-~", c) >= 0 || strings.IndexByte(safe, c) >= 0:
			dst = append(dst, c)
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

func revEscape(dst, in []byte) []byte { return appendQuoted(dst, in, "@", "%252F") }

func nonEmpty(_ *scope, v Value) (Value, error) {
	if v.s == "" {
		return Bytes("(none)"), nil
	}
	return v, nil
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// utf8Form is the text in UTF-8: what it was made from, or decoded.
func utf8Form(s *scope, v Value) (string, error) {
	if u, ok := v.x.(string); ok {
		return u, nil
	}
	if isASCII(v.s) {
		return v.s, nil
	}
	return s.e.opts.Encoding.FromLocal(v.s)
}

func toUTF8(s *scope, v Value) (Value, error) {
	u, err := utf8Form(s, v)
	return Bytes(u), err
}

// caseText is a text for package encoding, which folds the stored form.
func caseText(v Value) encoding.Text {
	if u, ok := v.x.(string); ok {
		return encoding.Text{Local: v.s, UTF8: u}
	}
	return encoding.Text{Local: v.s, UTF8: v.s, Lossless: true}
}

func lower(s *scope, v Value) (Value, error) {
	return Bytes(caseText(v).Lower(s.e.opts.Encoding)), nil
}

func upper(s *scope, v Value) (Value, error) {
	return Bytes(caseText(v).Upper(s.e.opts.Encoding)), nil
}

func obfuscate(s *scope, v Value) (Value, error) {
	u, err := s.e.opts.Encoding.FromLocal(v.s)
	if err != nil {
		u = v.s
	}
	b := make([]byte, 0, 6*len(u))
	for _, r := range replaceInvalid(u) {
		b = append(b, "&#"...)
		b = strconv.AppendInt(b, int64(r), 10)
		b = append(b, ';')
	}
	return Bytes(string(b)), nil
}

// replaceInvalid decodes UTF-8 as Python does with errors='replace': one U+FFFD
// for each longest start of a character that goes wrong.
func replaceInvalid(text string) []rune {
	out := make([]rune, 0, len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			size = validPrefix(text[i:])
		}
		out = append(out, r)
		i += size
	}
	return out
}

// validPrefix is the length of the longest start of text that could still have
// become one character, at least 1.
func validPrefix(text string) int {
	need, low, high := 0, byte(0x80), byte(0xbf)
	switch c := text[0]; {
	case c >= 0xc2 && c <= 0xdf:
		need = 1
	case c >= 0xe0 && c <= 0xef:
		need = 2
		if c == 0xe0 {
			low = 0xa0
		}
		if c == 0xed {
			high = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		need = 3
		if c == 0xf0 {
			low = 0x90
		}
		if c == 0xf4 {
			high = 0x8f
		}
	}
	n := 1
	for n <= need && n < len(text) && text[n] >= low && text[n] <= high {
		low, high = 0x80, 0xbf
		n++
	}
	return n
}

// SplitLines cuts a text into lines at \n, \r and \r\n.
func SplitLines(text string) []string { return splitLines(text) }
