// SPDX-License-Identifier: GPL-2.0-or-later

package encoding

import (
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// Lower is s in small letters, as far as the local encoding has them; a string
// that is not in the encoding has only its ASCII letters changed.
func (e *Encoding) Lower(s string) string {
	if IsASCII(s) {
		return asciiLower(s)
	}
	return e.changeCase(s, cases.Lower(language.Und).String, asciiLower)
}

// Upper is s in capital letters, in the same way.
func (e *Encoding) Upper(s string) string {
	if IsASCII(s) {
		return asciiUpper(s)
	}
	return e.changeCase(s, cases.Upper(language.Und).String, asciiUpper)
}

func (e *Encoding) changeCase(s string, change, asciiOnly func(string) string) string {
	u, err := e.codec.decode(s, e.mode)
	if err != nil {
		return asciiOnly(s)
	}
	changed := change(u)
	if changed == u {
		return s
	}
	local, ok := e.codec.encode(changed)
	if !ok {
		return asciiOnly(s)
	}
	return local
}

// Lower is the string in small letters, made from the stored form.
func (t Text) Lower(e *Encoding) string {
	return t.changeCase(e, e.Lower, cases.Lower(language.Und).String, asciiLower)
}

// Upper is the string in capital letters, made from the stored form.
func (t Text) Upper(e *Encoding) string {
	return t.changeCase(e, e.Upper, cases.Upper(language.Und).String, asciiUpper)
}

func (t Text) changeCase(e *Encoding, plain, change, asciiOnly func(string) string) string {
	if t.Lossless || t.lost || IsASCII(t.Local) {
		return plain(t.Local)
	}
	changed := change(t.UTF8)
	if changed == t.UTF8 {
		return t.Local
	}
	local, ok := e.codec.encode(changed)
	if !ok {
		return asciiOnly(t.Local)
	}
	return local
}

func asciiUpper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - ('a' - 'A')
		}
	}
	return string(b)
}
