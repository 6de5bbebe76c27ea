// SPDX-License-Identifier: GPL-2.0-or-later

// Package encoding converts between Mercurial's internal UTF-8 and the local
// encoding of whoever runs hg (`hg help internals.*` has no page for it; the
// rules are those of mercurial/encoding.py).
//
// Names of branches, tags and users, and descriptions, are stored in UTF-8 and
// shown in the local encoding. File names and contents are bytes that nobody
// converts. Almost always the local encoding is UTF-8 and a local string is
// the stored one; only then may code pass plain Go strings around, see
// IsUTF8. With other encodings a shown string keeps its UTF-8 beside it (Text).
//
// The package refuses encodings whose tables differ from Python's, or that it
// does not know, with Unsupported; it never guesses.
package encoding

import (
	"unicode/utf8"

	"hgbroker/worker/hg/hgerr"
)

// Mode tells what happens to local bytes that are not in the local encoding.
type Mode string

// The modes of HGENCODINGMODE and --encodingmode.
const (
	Strict  Mode = "strict"  // abort
	Replace Mode = "replace" // U+FFFD
	Ignore  Mode = "ignore"  // drop
)

// Encoding is a local encoding with its rules. It is immutable.
type Encoding struct {
	name     string
	codec    codec
	mode     Mode
	fallback codec
	wide     bool // ambiguous characters take two columns
}

var utf8Encoding = &Encoding{name: "UTF-8", codec: utf8Codec{}, mode: Strict, fallback: latin1Codec}

// UTF8 returns the Encoding of nearly everybody: UTF-8, strict.
func UTF8() *Encoding { return utf8Encoding }

// Settings name an Encoding.
type Settings struct {
	Name      string // as Python knows it, in any spelling
	Mode      string // "" means strict
	Fallback  string // ui.fallbackencoding; "" means ISO-8859-1
	Ambiguous string // HGENCODINGAMBIGUOUS; "wide" makes ambiguous characters two columns wide
}

// New returns the Encoding for settings, or Unsupported.
func New(s Settings) (*Encoding, error) {
	e := &Encoding{name: s.Name, mode: Mode(s.Mode), fallback: latin1Codec, wide: s.Ambiguous == "wide"}
	switch e.mode {
	case "":
		e.mode = Strict
	case Strict, Replace, Ignore:
	default:
		return nil, hgerr.NewUnsupported("encoding mode %s", s.Mode)
	}
	var ok bool
	if e.codec, ok = lookup(s.Name); !ok {
		return nil, hgerr.NewUnsupported("encoding %s", s.Name)
	}
	if s.Fallback != "" {
		if e.fallback, ok = lookup(s.Fallback); !ok {
			return nil, hgerr.NewUnsupported("fallback encoding %s", s.Fallback)
		}
	}
	return e, nil
}

// Name is the encoding's name as it was given.
func (e *Encoding) Name() string { return e.name }

// Mode is what happens to bytes that are not in the encoding.
func (e *Encoding) Mode() Mode { return e.mode }

// IsUTF8 tells whether local strings are UTF-8, so that Text.Local and
// Text.UTF8 are always the same.
func (e *Encoding) IsUTF8() bool {
	_, ok := e.codec.(utf8Codec)
	return ok
}

// Text is a string of the repository in both forms (Mercurial's localstr and
// safelocalstr).
type Text struct {
	Local string // as shown; "?" for what the encoding does not have
	UTF8  string // as stored, or as the fallback encoding reads it
	// Lossless tells that Local converts back to UTF8.
	Lossless bool
	// lost is set when the stored bytes are in no encoding; only Local counts.
	lost bool
}

// ToLocal converts a stored string for showing: from UTF-8, or, for what was
// stored before Mercurial cared, from the fallback encoding.
func (e *Encoding) ToLocal(s string) Text {
	if IsASCII(s) {
		return Text{Local: s, UTF8: s, Lossless: true}
	}
	stored := s
	if !utf8.ValidString(s) {
		var err error
		if stored, err = e.fallback.decode(s, Strict); err != nil {
			// Not even that: what is no UTF-8 is lost.
			stored, _ = utf8Codec{}.decode(s, Replace)
			local := e.codec.encodeReplace(stored)
			return Text{Local: local, UTF8: e.lenient(local), lost: true}
		}
	}
	local := e.codec.encodeReplace(stored)
	back, err := e.codec.decode(local, Strict)
	return Text{Local: local, UTF8: stored, Lossless: err == nil && back == stored}
}

// lenient is what a plain local string converts to where an error is no option.
func (e *Encoding) lenient(local string) string {
	s, _ := e.codec.decode(local, Replace)
	return s
}

// Local is ToLocal for callers that only show the string.
func (e *Encoding) Local(s string) string { return e.ToLocal(s).Local }

// FromLocal converts what a user typed. Bytes that are not in the encoding are
// handled by its Mode; the error is hg's.
func (e *Encoding) FromLocal(s string) (string, error) {
	if IsASCII(s) {
		return s, nil
	}
	u, err := e.codec.decode(s, e.mode)
	if err != nil {
		d := err.(*decodeError)
		near := s[max(0, d.start-10):min(len(s), d.start+10)]
		return "", hgerr.Abortf(hgerr.Other, "decoding near '%s': %s!", near, d.Error())
	}
	return u, nil
}

// IsASCII tells whether there is nothing in s that encodings differ about.
func IsASCII[T ~string | ~[]byte](s T) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		// The compiler makes one load of it.
		word := s[i : i+8]
		if (uint64(word[0])|uint64(word[1])<<8|uint64(word[2])<<16|uint64(word[3])<<24|
			uint64(word[4])<<32|uint64(word[5])<<40|uint64(word[6])<<48|uint64(word[7])<<56)&0x8080808080808080 != 0 {
			return false
		}
	}
	for ; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// NormCase folds the case of a path as hg does on file systems that tell
// letters apart: ASCII letters only.
func NormCase(path string) string { return asciiLower(path) }

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}
