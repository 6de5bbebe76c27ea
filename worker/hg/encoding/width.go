// SPDX-License-Identifier: GPL-2.0-or-later

package encoding

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// ColWidth is the number of columns that a local string takes on a terminal:
// two for East Asian wide characters, one for every other character (also for
// combining ones, as hg counts).
func (e *Encoding) ColWidth(s string) int {
	if IsASCII(s) {
		return len(s)
	}
	u, _ := e.codec.decode(s, Replace)
	return e.unicodeWidth(u)
}

func (e *Encoding) unicodeWidth(u string) int {
	n := 0
	for _, r := range u {
		n += e.runeWidth(r)
	}
	return n
}

func (e *Encoding) runeWidth(r rune) int {
	if r < 0x300 && !e.wide {
		return 1
	}
	if !assigned(r) {
		return 2
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	case width.EastAsianAmbiguous:
		if e.wide {
			return 2
		}
	}
	return 1
}

// assigned tells whether r is a character at all. Python takes the others for
// full width.
func assigned(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z,
		unicode.Cc, unicode.Cf, unicode.Co)
}

// Columns returns the part of s that starts at byte start and takes exactly
// width columns. It reports false when there is none.
func (e *Encoding) Columns(s string, start, width int) (string, bool) {
	for end := start + width; end < len(s); end++ {
		if start <= end && e.ColWidth(s[start:end]) == width {
			return s[start:end], true
		}
	}
	return "", false
}

// Trim shortens s to at most width columns, with the ellipsis counted, which
// stands where something was cut: at the right, or at the left with left.
// A string that is not in the local encoding is measured in bytes.
func (e *Encoding) Trim(s string, width int, ellipsis string, left bool) string {
	u, err := e.codec.decode(s, Strict)
	broken := err != nil
	if broken && len(s) <= width || !broken && e.unicodeWidth(u) <= width {
		return s
	}
	room := width - len(ellipsis)
	if room <= 0 {
		return prefix(ellipsis, width)
	}
	if broken {
		if left {
			return ellipsis + s[len(s)-room:]
		}
		return s[:room] + ellipsis
	}
	runes := []rune(u)
	used, n := 0, 0
	for n < len(runes) {
		r := runes[n]
		if left {
			r = runes[len(runes)-1-n]
		}
		if used += e.runeWidth(r); used > room {
			break
		}
		n++
	}
	kept := runes[:n]
	if left {
		kept = runes[len(runes)-n:]
	}
	var b strings.Builder
	for _, r := range kept {
		b.WriteRune(r)
	}
	local := e.codec.encodeReplace(b.String())
	if left {
		return ellipsis + local
	}
	return local + ellipsis
}

// prefix is Python's s[:n] for bytes, also for negative n.
func prefix(s string, n int) string {
	if n < 0 {
		n = max(0, len(s)+n)
	}
	return s[:min(n, len(s))]
}
