// SPDX-License-Identifier: GPL-2.0-or-later

package bdiff

import "bytes"

// Options say what makes two lines equal.
type Options struct {
	IgnoreAllSpace    bool // -w: blanks, tabs and carriage returns count for nothing
	IgnoreSpaceAmount bool // -b: a run of them counts as one blank, at the end of a line as none
	IgnoreSpaceAtEOL  bool // -Z: those before a newline, and form feeds, count for nothing
	IgnoreBlankLines  bool // -B: a change of nothing but empty lines is PartBlank
	Xdiff             bool // experimental.xdiff: the other way of finding blocks
}

func (o *Options) cleans() bool {
	return o.IgnoreAllSpace || o.IgnoreSpaceAmount || o.IgnoreSpaceAtEOL
}

// clean is text without what the options ignore, and with blank without
// repeated newlines and those at both ends, if these are to be ignored. It may
// be text itself.
func (o *Options) clean(text []byte, blank bool) []byte {
	switch {
	case o.IgnoreAllSpace:
		text = dropSpace(text)
	case o.IgnoreSpaceAmount:
		text = foldSpace(text)
	}
	if blank && o.IgnoreBlankLines {
		text = foldNewlines(text)
	}
	if o.IgnoreSpaceAtEOL {
		text = trimEOL(text)
	}
	return text
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

func dropSpace(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		if !isSpace(c) {
			out = append(out, c)
		}
	}
	return out
}

func foldSpace(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		n := len(out)
		switch {
		case isSpace(c):
			if n == 0 || out[n-1] != ' ' {
				out = append(out, ' ')
			}
		case c == '\n' && n > 0 && out[n-1] == ' ':
			out[n-1] = '\n'
		default:
			out = append(out, c)
		}
	}
	return out
}

func foldNewlines(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		if c == '\n' && len(out) > 0 && out[len(out)-1] == '\n' {
			continue
		}
		out = append(out, c)
	}
	return bytes.Trim(out, "\n")
}

func trimEOL(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		if c == '\n' {
			n := len(out)
			for n > 0 && (isSpace(out[n-1]) || out[n-1] == '\f') {
				n--
			}
			out = out[:n]
		}
		out = append(out, c)
	}
	return out
}
