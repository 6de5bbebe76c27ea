// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"fmt"
	"strconv"
	"strings"
)

// pyRepr quotes s as Python's repr of a byte string does, without the "b".
func pyRepr(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	return string(quote) + pyEscape(s, quote) + string(quote)
}

// pyEscape escapes what is not printable ASCII, backslashes, and quote.
func pyEscape(s string, quote byte) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// pyUnescape decodes the escapes of a Python byte string literal. Unknown
// escapes keep their backslash. The error text is Python's, in lower case as hg
// prints it.
func pyUnescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i == len(s) {
			return "", fmt.Errorf(`trailing \ in string`)
		}
		switch c := s[i]; c {
		case '\n':
		case '\\', '\'', '"':
			b.WriteByte(c)
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'v':
			b.WriteByte('\v')
		case 'x':
			n := uint64(0)
			err := strconv.ErrSyntax
			if i+3 <= len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
				n, err = strconv.ParseUint(s[i+1:i+3], 16, 8)
			}
			if err != nil {
				return "", fmt.Errorf(`invalid \x escape at position %d`, i-1)
			}
			b.WriteByte(byte(n))
			i += 2
		case '0', '1', '2', '3', '4', '5', '6', '7':
			n := 0
			end := min(i+3, len(s))
			for i < end && s[i] >= '0' && s[i] <= '7' {
				n = n*8 + int(s[i]-'0')
				i++
			}
			i--
			b.WriteByte(byte(n))
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// pySpace are the bytes that Python's bytes.isspace, strip and split go by.
const pySpace = " \t\n\r\v\f"

// hugeInt stands for every larger number: nothing here tells them apart.
const hugeInt = 1 << 62

// maxIntDigits is the longest number that Python converts.
const maxIntDigits = 4300

// pyInt converts s as Python's int() does: with space around it, a sign, and
// single underscores between digits. Numbers beyond ±hugeInt become that.
// canonical is the number as "%d" prints it.
func pyInt(s string) (n int64, canonical string, ok bool) {
	s = strings.Trim(s, pySpace)
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	digits := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] >= '0' && s[i] <= '9':
			digits = append(digits, s[i])
		case s[i] == '_' && i > 0 && s[i-1] != '_' && i+1 < len(s):
		default:
			return 0, "", false
		}
	}
	if len(digits) == 0 || len(digits) > maxIntDigits {
		return 0, "", false
	}
	canonical = strings.TrimLeft(string(digits), "0")
	if canonical == "" {
		return 0, "0", true
	}
	n, err := strconv.ParseInt(canonical, 10, 64)
	if err != nil || n > hugeInt {
		n = hugeInt
	}
	if neg {
		return -n, "-" + canonical, true
	}
	return n, canonical, true
}
