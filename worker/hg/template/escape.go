// SPDX-License-Identifier: GPL-2.0-or-later

package template

import "strings"

// unescape undoes backslash escapes the way Python's codecs.escape_decode does:
// \n \t and their like, octal and \x, a backslash at the end of a line joins
// lines, and an unknown escape stays as it is.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		c := s[i]
		i++
		if c != '\\' {
			b = append(b, c)
			continue
		}
		if i == len(s) {
			return "", parseErrorf(`trailing \ in string`)
		}
		c = s[i]
		i++
		switch c {
		case '\n':
		case '\\', '\'', '"':
			b = append(b, c)
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 't':
			b = append(b, '\t')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 'v':
			b = append(b, '\v')
		case 'a':
			b = append(b, '\a')
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v := int(c - '0')
			for k := 0; k < 2 && i < len(s) && s[i] >= '0' && s[i] <= '7'; k++ {
				v = v*8 + int(s[i]-'0')
				i++
			}
			b = append(b, byte(v))
		case 'x':
			if i+1 < len(s) && hexDigit(s[i]) >= 0 && hexDigit(s[i+1]) >= 0 {
				b = append(b, byte(hexDigit(s[i])<<4|hexDigit(s[i+1])))
				i += 2
				break
			}
			return "", parseErrorf(`invalid \x escape at position %d`, i-2)
		default:
			b = append(b, '\\', c)
		}
	}
	return string(b), nil
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

const lowerHex = "0123456789abcdef"

// appendEscaped is Python's codecs.escape_encode, hg's stringescape.
func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' || c == '\'':
			b = append(b, '\\', c)
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c < ' ' || c >= 0x7f:
			b = append(b, '\\', 'x', lowerHex[c>>4], lowerHex[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}

// Escape is stringutil.escapestr, as `hg log --debug` prints extras.
func Escape(s string) string { return string(appendEscaped(nil, s)) }

// reprBytes is Python's repr of a byte string without the leading b.
func reprBytes(s string) string {
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	b := []byte{quote}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '\'' && quote != '\'' {
			b = append(b, c)
		} else {
			b = appendEscaped(b, s[i:i+1])
		}
	}
	return string(append(b, quote))
}
