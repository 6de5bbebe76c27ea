// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"strconv"
	"strings"

	"hgbroker/worker/hg/config/python"
)

// hugeInt stands for every larger number: nothing here tells them apart.
const hugeInt = 1 << 62

// maxIntDigits is the longest number that Python converts.
const maxIntDigits = 4300

// pyInt converts s as Python's int() does: with space around it, a sign, and
// single underscores between digits. Numbers beyond ±hugeInt become that.
// canonical is the number as "%d" prints it.
func pyInt(s string) (n int64, canonical string, ok bool) {
	s = python.Strip(s)
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
