// SPDX-License-Identifier: GPL-2.0-or-later

// Package hgurl reads the places of repositories as Mercurial's urlutil.url
// does: a path, or
//
//	SCHEME://USER:PASSWORD@HOST:PORT/PATH?QUERY#FRAGMENT
//
// in which each part may be missing, and writes them again the way hg prints
// them, with its own quoting. It looks up nothing and connects nowhere.
package hgurl

import (
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// URL is a place in its parts, unquoted but for Query. A part that is missing is
// nil, which hg tells from an empty one in places.
type URL struct {
	Scheme                                        string
	User, Password, Host, Port, Path, Query, Frag *string

	local bool   // just a path
	text  string // as given
}

// Parse takes a place apart.
func Parse(text string) (*URL, error) {
	u := &URL{local: true, text: text}
	rest := text
	if before, after, ok := strings.Cut(rest, "#"); ok {
		rest, u.Frag = before, &after
	}
	if HasDriveLetter(rest) || strings.HasPrefix(rest, `\\`) {
		u.Path = &rest
		return u, nil
	}
	if after, ok := strings.CutPrefix(rest, "bundle:"); ok {
		u.Scheme = "bundle"
		after = strings.TrimPrefix(after, "//")
		u.Path = &after
		return u, nil
	}
	if n := schemeLength(rest); n > 0 {
		u.Scheme, rest, u.local = rest[:n], rest[n+1:], false
	}
	if u.local {
		u.Path = &rest
		return u, nil
	}
	if rest != "" {
		if err := u.remote(rest); err != nil {
			return nil, err
		}
	}
	for _, part := range []**string{&u.User, &u.Password, &u.Host, &u.Port, &u.Path, &u.Frag} {
		if *part != nil {
			plain := unquote(**part)
			*part = &plain
		}
	}
	return u, nil
}

// remote reads what follows the scheme's colon.
func (u *URL) remote(rest string) error {
	path := &rest
	if before, query, ok := strings.Cut(rest, "?"); ok {
		if rest = before; rest == "" {
			path = nil
		}
		if query != "" {
			u.Query = &query
		}
	}
	if path != nil && strings.HasPrefix(rest, "//") {
		host, after, ok := strings.Cut(rest[2:], "/")
		if path = nil; ok {
			path = &after
		}
		if host != "" {
			u.Host = &host
		} else if path != nil && !HasDriveLetter(after) {
			after = "/" + after
		}
	}
	if u.Host != nil {
		u.authority(*u.Host)
	}
	u.Path = path
	if u.Host != nil && u.Scheme == "file" && *u.Host != "localhost" && *u.Host != "127.0.0.1" && *u.Host != "[::1]" {
		return hgerr.Abortf(hgerr.Other, "file:// URLs can only refer to localhost")
	}
	return nil
}

// authority takes USER:PASSWORD@HOST:PORT apart.
func (u *URL) authority(text string) {
	set := func(part **string, text string) {
		if *part = nil; text != "" {
			*part = &text
		}
	}
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		user, password, ok := strings.Cut(text[:at], ":")
		if u.User = &user; ok {
			u.Password = &password
		}
		text = text[at+1:]
		set(&u.Host, text)
	}
	// A colon in [::1] is none before a port.
	if colon := strings.LastIndexByte(text, ':'); colon >= 0 && !(text[0] == '[' && text[len(text)-1] == ']') {
		port := text[colon+1:]
		u.Port = &port
		set(&u.Host, text[:colon])
	}
}

// HasScheme tells whether a place names what kind it is of, such as "https:",
// "file:" or "bundle:".
func HasScheme(text string) bool { return schemeLength(text) > 0 }

// schemeLength is the length of the scheme that a text begins with, before the
// colon; 0 without one.
func schemeLength(text string) int {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ':':
			return i
		case isAlnum(c) || c == '+' || c == '.' || c == '-':
		default:
			return 0
		}
	}
	return 0
}

// HasDriveLetter tells whether a place begins as a path of Windows does.
func HasDriveLetter(path string) bool {
	return len(path) > 1 && path[1] == ':' && isAlnum(path[0]) && (path[0] < '0' || path[0] > '9')
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// IsLocal tells whether the place is a path, a file: URL or a bundle.
func (u *URL) IsLocal() bool { return u.local || u.Scheme == "file" }

// LocalPath is the path of a place that IsLocal.
func (u *URL) LocalPath() string {
	if u.Scheme != "file" && u.Scheme != "bundle" {
		return u.text
	}
	path := value(u.Path)
	if u.Scheme == "file" && u.Host != nil && path != "" && !HasDriveLetter(path) {
		return "/" + path
	}
	if path == "" {
		return "/"
	}
	return path
}

func value(part *string) string {
	if part == nil {
		return ""
	}
	return *part
}

// What hg leaves unquoted beyond Python's own "_.-~": in names and in paths.
const (
	safeName = "!~*'()+"
	safePath = "/!~*'()+:\\"
)

// String writes the place.
func (u *URL) String() string {
	if u.local {
		text := value(u.Path)
		if u.Scheme == "bundle" {
			text = "bundle:" + text
		}
		if f := value(u.Frag); f != "" {
			text += "#" + f
		}
		return text
	}
	user, password, host, port, path := value(u.User), value(u.Password), value(u.Host), value(u.Port), value(u.Path)
	var b strings.Builder
	b.WriteString(u.Scheme + ":")
	if user != "" || password != "" || host != "" {
		b.WriteString("//")
	} else if path == "" || path[0] == '/' || HasDriveLetter(path) {
		b.WriteString("//")
		if HasDriveLetter(path) {
			b.WriteByte('/')
		}
	}
	b.WriteString(quote(user, safeName))
	if password != "" {
		b.WriteString(":" + quote(password, safeName))
	}
	if user != "" || password != "" {
		b.WriteByte('@')
	}
	if host != "" {
		if host[0] != '[' || host[len(host)-1] != ']' {
			host = quote(host, "/")
		}
		b.WriteString(host)
	}
	if port != "" {
		b.WriteString(":" + quote(port, "/"))
	}
	if host != "" {
		b.WriteByte('/')
	}
	b.WriteString(quote(path, safePath))
	if u.Query != nil {
		b.WriteString("?" + *u.Query)
	}
	if u.Frag != nil {
		b.WriteString("#" + quote(*u.Frag, safePath))
	}
	return b.String()
}

// HidePassword is a place as hg prints it: a password in it becomes "***".
func HidePassword(text string) (string, error) {
	u, err := Parse(text)
	if err != nil {
		return "", err
	}
	if value(u.Password) != "" {
		stars := "***"
		u.Password = &stars
	}
	return u.String(), nil
}

const hexDigits = "0123456789ABCDEF"

// quote is urllib's quote of bytes.
func quote(text, safe string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if c := text[i]; isAlnum(c) || strings.IndexByte("_.-~", c) >= 0 || strings.IndexByte(safe, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

// unquote is urllib's unquote_to_bytes: what is no %XX stays.
func unquote(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			hi, lo := hexValue(text[i+1]), hexValue(text[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
