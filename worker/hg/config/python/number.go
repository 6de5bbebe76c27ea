// SPDX-License-Identifier: GPL-2.0-or-later

// Package python keeps the rules of Python itself that a user of hg can see:
// what int() and float() accept, how repr() prints bytes, which bytes are
// white space, how shlex splits a line.
//
// It knows nothing of Mercurial and refuses everything that Python refuses,
// with the same outcome; it never guesses. All functions are total.
package python

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Errors of the number parsers.
var (
	// ErrValue is Python's ValueError: not a number.
	ErrValue = errors.New("not a number")
	// ErrRange says that Python would have accepted the number (its integers
	// have no limit) but it does not fit here.
	ErrRange = errors.New("number out of range")
)

// Space lists the bytes that bytes.strip() and \s take for white space.
const Space = " \t\n\r\v\f"

// Strip removes white space at both ends, as bytes.strip() does.
func Strip(s string) string { return strings.Trim(s, Space) }

// Int reads a decimal integer as int(bytes) does: white space around it, a
// sign, and single underscores between digits are allowed.
func Int(s string) (int64, error) {
	t := Strip(s)
	digits := strings.TrimLeft(t, "+-")
	if len(t)-len(digits) > 1 || !digitsWithUnderscores(digits) {
		return 0, ErrValue
	}
	// Python refuses to convert more than 4300 digits.
	if len(digits) > 4300 && strings.Count(digits, "_") < len(digits)-4300 {
		return 0, ErrValue
	}
	n, err := strconv.ParseInt(t[:len(t)-len(digits)]+strings.ReplaceAll(digits, "_", ""), 10, 64)
	if err != nil {
		return 0, ErrRange
	}
	return n, nil
}

// digitsWithUnderscores tells whether s is digits, with at most one
// underscore between two of them.
func digitsWithUnderscores(s string) bool {
	if s == "" {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch {
		case isDigit(s[i]):
		case s[i] == '_' && i > 0 && isDigit(s[i-1]) && i+1 < len(s) && isDigit(s[i+1]):
		default:
			return false
		}
	}
	return true
}

// Float reads a number as float(bytes) does. Infinities and NaN are returned
// as such; a number too large for a float64 becomes an infinity, as in Python.
func Float(s string) (float64, error) {
	t := Strip(s)
	for i := 0; i < len(t); i++ {
		switch c := t[i]; {
		case c == '_':
			if i == 0 || i+1 == len(t) || !isDigit(t[i-1]) || !isDigit(t[i+1]) {
				return 0, ErrValue
			}
		case c == 'x' || c == 'X' || c == 'p' || c == 'P':
			// Go reads hexadecimal floats, Python's float() does not.
			return 0, ErrValue
		}
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(t, "_", ""), 64)
	if err != nil {
		if errors.Is(err, strconv.ErrRange) {
			return f, nil
		}
		return math.NaN(), ErrValue
	}
	return f, nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
