// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"hgbroker/worker/hg/template"
)

// appendPlain appends values as plain text shows them, by a format of package fmt.
// Rows of a listing have %s and %d, maybe with a width ("%5d"), and nothing else.
func appendPlain(b []byte, format string, values []template.Value) []byte {
	begin, rest := len(b), format
	for at := 0; ; at++ {
		i := strings.IndexByte(rest, '%')
		if i < 0 {
			if b = append(b, rest...); at == len(values) {
				return b
			}
			break
		}
		b = append(b, rest[:i]...)
		rest = rest[i+1:]
		width := 0
		for len(rest) > 0 && (rest[0] >= '1' || width > 0 && rest[0] == '0') && rest[0] <= '9' && width < 100 {
			width = width*10 + int(rest[0]-'0')
			rest = rest[1:]
		}
		if rest == "" || at == len(values) {
			break
		}
		n, isInt := values[at].AsInt()
		mark := len(b)
		if isInt && rest[0] == 'd' {
			b = strconv.AppendInt(b, n, 10)
		} else if !isInt && rest[0] == 's' {
			b = append(b, values[at].AsString()...)
		} else {
			break
		}
		rest = rest[1:]
		if more := width - utf8.RuneCount(b[mark:]); more > 0 {
			for range more {
				b = append(b, ' ')
			}
			copy(b[mark+more:], b[mark:])
			for i := range more {
				b[mark+i] = ' '
			}
		}
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = plainText(v)
	}
	return fmt.Appendf(b[:begin], format, args...)
}
