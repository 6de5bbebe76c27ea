// SPDX-License-Identifier: GPL-2.0-or-later

package changelog

import "bytes"

// parseExtra decodes "key:value".
func parseExtra(field []byte) (Extra, error) {
	if bytes.IndexByte(field, '\\') >= 0 {
		var err error
		if field, err = unescape(field); err != nil {
			return Extra{}, err
		}
	}
	key, value, ok := bytes.Cut(field, []byte{':'})
	if !ok {
		return Extra{}, damaged("extra %q has no value", field)
	}
	return Extra{string(key), string(value)}, nil
}

// simpleEscapes are the letters after a backslash that stand for one byte.
var simpleEscapes = map[byte]byte{
	'\\': '\\', '\'': '\'', '"': '"',
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
}

// unescape decodes the escapes of an extra field. hg writes \\, \n, \r and \0;
// it reads all those of Python's byte strings (hex and octal digits too), keeps
// a backslash before anything else, and \0 is always one zero byte, whatever
// digit follows.
func unescape(s []byte) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		if i++; i == len(s) {
			return nil, damaged("extra %q ends in a backslash", s)
		}
		c := s[i]
		switch b, simple := simpleEscapes[c]; {
		case simple:
			out = append(out, b)
		case c == '0':
			out = append(out, 0)
		case c >= '1' && c <= '7':
			v, n := 0, 0
			for n < 3 && i+n < len(s) && s[i+n] >= '0' && s[i+n] <= '7' {
				v = v*8 + int(s[i+n]-'0')
				n++
			}
			out = append(out, byte(v))
			i += n - 1
		case c == 'x':
			hi, lo := -1, -1
			if i+2 < len(s) {
				hi, lo = hexValue(s[i+1]), hexValue(s[i+2])
			}
			if hi < 0 || lo < 0 {
				return nil, damaged("extra %q has an invalid \\x escape", s)
			}
			out = append(out, byte(hi<<4|lo))
			i += 2
		case c == '\n':
		default:
			out = append(out, '\\', c)
		}
	}
	return out, nil
}

func hexValue(c byte) int {
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
