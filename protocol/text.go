// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Text is bytes on their way through JSON. Paths and output are bytes in
// Mercurial, JSON knows only Unicode, and nothing may be replaced or dropped:
//
//	bytes that are valid UTF-8     "a JSON string"
//	all others                     {"base64": "..."}   standard alphabet, padded
//
// Both forms are accepted for any value. A string with half of a surrogate pair
// stands for no bytes at all and is refused.
type Text string

// ErrText is wrapped by every complaint about a Text that cannot be decoded.
var ErrText = errors.New("text must be a JSON string or {\"base64\": \"...\"}")

// MarshalJSON implements json.Marshaler.
func (t Text) MarshalJSON() ([]byte, error) {
	return AppendText(make([]byte, 0, len(t)+2), string(t)), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case string(b) == "null":
		return nil
	case len(b) > 0 && b[0] == '"':
		if !utf8.Valid(b) {
			return fmt.Errorf("%w: not UTF-8", ErrText)
		}
		if len(b) < 2 || b[len(b)-1] != '"' {
			return ErrText
		}
		text, err := appendUnescaped(make([]byte, 0, len(b)-2), b[1:len(b)-1])
		if err != nil {
			return err
		}
		*t = Text(unsafe.String(unsafe.SliceData(text), len(text)))
		return nil
	case len(b) > 0 && b[0] == '{':
		var o map[string]string
		if err := json.Unmarshal(b, &o); err != nil {
			return ErrText
		}
		enc, ok := o["base64"]
		if !ok || len(o) != 1 {
			return ErrText
		}
		raw, err := base64.StdEncoding.DecodeString(enc)
		if err != nil {
			return fmt.Errorf("%w: %v", ErrText, err)
		}
		*t = Text(raw)
		return nil
	}
	return ErrText
}

// hexEscape reads the \uXXXX at the start of lit.
func hexEscape(lit []byte) (rune, bool) {
	if len(lit) < 6 || lit[0] != '\\' || lit[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range lit[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

const hexDigits = "0123456789abcdef"

// AppendText appends s as JSON, in the form that Text describes. It is made for
// output of megabytes: one pass to check, one to copy.
func AppendText(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		dst = append(dst, `{"base64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
		return append(dst, `"}`...)
	}
	dst = append(dst, '"')
	dst = appendEscaped(dst, bytesOf(s))
	return append(dst, '"')
}

// appendEscaped appends UTF-8 as it stands between the quotes of a JSON string.
func appendEscaped(dst, b []byte) []byte {
	for {
		n := plainRun(b)
		dst = append(dst, b[:n]...)
		if n == len(b) {
			return dst
		}
		switch c := b[n]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		b = b[n+1:]
	}
}

// shortEscapes holds what a backslash and one more byte stand for, 0 for other bytes.
var shortEscapes = [256]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', '"': '"', '\\': '\\', '/': '/'}

// appendUnescaped appends what stands for itself and what is escaped in lit, which
// is what is between the quotes of a valid JSON string.
func appendUnescaped(dst, lit []byte) ([]byte, error) {
	for {
		n := bytes.IndexByte(lit, '\\')
		if n < 0 {
			return append(dst, lit...), nil
		}
		var err error
		if dst, lit, err = appendEscape(append(dst, lit[:n]...), lit[n:]); err != nil {
			return dst, err
		}
	}
}

// appendEscape appends what the escape at the start of lit stands for, and returns
// what is behind it. It refuses halves of surrogate pairs, which encoding/json would
// quietly replace.
func appendEscape(dst, lit []byte) (text, rest []byte, err error) {
	if len(lit) < 2 {
		return dst, lit, ErrText
	}
	if c := shortEscapes[lit[1]]; c != 0 {
		return append(dst, c), lit[2:], nil
	}
	r, ok := hexEscape(lit)
	if !ok {
		return dst, lit, ErrText
	}
	rest = lit[6:]
	if utf16.IsSurrogate(r) {
		low, ok := hexEscape(rest)
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return dst, lit, fmt.Errorf("%w: half of a surrogate pair", ErrText)
		}
		rest = rest[6:]
	}
	return utf8.AppendRune(dst, r), rest, nil
}

// MarshalResult encodes a method's result. A result with big texts in it brings
// its own AppendJSON and is not looked at again.
func MarshalResult(v any) ([]byte, error) {
	if a, ok := v.(interface{ AppendJSON([]byte) []byte }); ok {
		return a.AppendJSON(nil), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// FilePath is the path that t names: t itself, or the path of a file: URI
// (RFC 8089; escapes are bytes, so any path can be written). Other hosts and
// other schemes are refused.
func (t Text) FilePath() (string, error) {
	s := string(t)
	if len(s) < 5 || !strings.EqualFold(s[:5], "file:") {
		return s, nil
	}
	rest := s[5:]
	if strings.HasPrefix(rest, "//") {
		rest = rest[2:]
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			return "", fmt.Errorf("uri %q: no path", s)
		}
		if host := rest[:slash]; host != "" && !strings.EqualFold(host, "localhost") {
			return "", fmt.Errorf("uri %q: files of another host", s)
		}
		rest = rest[slash:]
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	p, ok := percentDecoded(rest)
	if !ok {
		return "", fmt.Errorf("uri %q: invalid escape", s)
	}
	if !strings.HasPrefix(p, "/") {
		return "", fmt.Errorf("uri %q: path is not absolute", s)
	}
	return p, nil
}

// percentDecoded replaces the %XX of a URI. net/url does so too, but brings net/netip,
// whose start costs a drop-in hg 40 µs.
func percentDecoded(s string) (string, bool) {
	head, rest, found := strings.Cut(s, "%")
	for b := []byte(head); ; b = append(b, head...) {
		if !found {
			return string(b), true
		}
		if len(rest) < 2 {
			return "", false
		}
		c, err := strconv.ParseUint(rest[:2], 16, 8)
		if err != nil {
			return "", false
		}
		b = append(b, byte(c))
		head, rest, found = strings.Cut(rest[2:], "%")
	}
}
