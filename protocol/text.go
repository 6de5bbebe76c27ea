// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
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
		if s, ok := plainString(b); ok && utf8.Valid(b) {
			*t = Text(s)
			return nil
		}
		if err := checkSurrogates(b); err != nil {
			return err
		}
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return fmt.Errorf("%w: %v", ErrText, err)
		}
		*t = Text(s)
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

// checkSurrogates refuses a JSON string literal with an unpaired \uD800..\uDFFF,
// which encoding/json would quietly replace, and raw bytes that are not UTF-8.
func checkSurrogates(lit []byte) error {
	if !utf8.Valid(lit) {
		return fmt.Errorf("%w: not UTF-8", ErrText)
	}
	for i := 0; i < len(lit); i++ {
		if lit[i] != '\\' {
			continue
		}
		i++
		r, ok := hexEscape(lit, i-1)
		if !ok || !utf16.IsSurrogate(r) {
			continue
		}
		low, ok := hexEscape(lit, i+5)
		if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
			return fmt.Errorf("%w: half of a surrogate pair", ErrText)
		}
		i += 10
	}
	return nil
}

// hexEscape reads \uXXXX at lit[at:].
func hexEscape(lit []byte, at int) (rune, bool) {
	if at+6 > len(lit) || lit[at] != '\\' || lit[at+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range lit[at+2 : at+6] {
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

// plainByte tells the bytes that stand for themselves inside a JSON string.
var plainByte = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\' && c != 0x7f
	}
	return t
}()

// AppendText appends s as JSON, in the form that Text describes. It is made for
// output of megabytes: one pass to check, one to copy.
func AppendText(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		dst = append(dst, `{"base64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
		return append(dst, `"}`...)
	}
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if plainByte[c] {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
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
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
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
	p, err := url.PathUnescape(rest)
	if err != nil {
		return "", fmt.Errorf("uri %q: %w", s, err)
	}
	if !strings.HasPrefix(p, "/") {
		return "", fmt.Errorf("uri %q: path is not absolute", s)
	}
	return p, nil
}
