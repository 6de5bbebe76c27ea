// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"strconv"
	"strings"
	"time"
)

// timeFields is a date as written.
type timeFields struct {
	year, month, day, hour, minute, second int
	hour12                                 int // -1 when not given
	pm                                     bool
}

var (
	monthNames = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	dayNames   = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
)

// parseTime reads text by a strptime format as Python does: each conversion
// takes the longest of its forms first and gives way when what follows does not
// match, the whole text has to be used, and the day has to exist.
func parseTime(text, format string) (timeFields, bool) {
	f := timeFields{year: 1900, month: 1, day: 1, hour12: -1}
	end := scanTime(&f, text, format)
	if end < 0 || end != len(text) {
		return f, false
	}
	if f.hour12 >= 0 {
		f.hour = f.hour12 % 12
		if f.pm {
			f.hour += 12
		}
	}
	if f.year < 1 || f.day > daysIn(f.year, f.month) {
		return f, false
	}
	return f, true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// scanTime returns how much of text the format matches, -1 if it does not.
func scanTime(f *timeFields, text, format string) int {
	if format == "" {
		return 0
	}
	if format[0] == ' ' {
		// one or more spaces, as many as possible first
		n := len(text) - len(strings.TrimLeft(text, pySpace))
		for ; n > 0; n-- {
			if rest := scanTime(f, text[n:], format[1:]); rest >= 0 {
				return n + rest
			}
		}
		return -1
	}
	if format[0] != '%' {
		if text == "" || lowerUTF8(text[:1]) != lowerUTF8(format[:1]) {
			return -1
		}
		if rest := scanTime(f, text[1:], format[1:]); rest >= 0 {
			return 1 + rest
		}
		return -1
	}
	saved := *f
	for _, n := range conversions(text, format[1]) {
		f.set(format[1], text[:n])
		if rest := scanTime(f, text[n:], format[2:]); rest >= 0 {
			return n + rest
		}
		*f = saved
	}
	return -1
}

// conversions lists the lengths that a conversion can take from the start of
// text, in the order of Python's regular expressions.
func conversions(text string, letter byte) []int {
	digits := func(n int) bool {
		return len(text) >= n && strings.Trim(text[:n], "0123456789") == ""
	}
	// number of two digits within bounds, else of one digit
	number := func(lo, hi, loOne int) []int {
		var ns []int
		if digits(2) {
			if v, _ := strconv.Atoi(text[:2]); v >= lo && v <= hi {
				ns = append(ns, 2)
			}
		}
		if digits(1) && int(text[0]-'0') >= loOne {
			ns = append(ns, 1)
		}
		return ns
	}
	name := func(names []string) []int {
		for _, n := range names {
			if len(text) >= len(n) && strings.EqualFold(text[:len(n)], n) {
				return []int{len(n)}
			}
		}
		return nil
	}
	switch letter {
	case 'Y':
		if digits(4) {
			return []int{4}
		}
	case 'y':
		if digits(2) {
			return []int{2}
		}
	case 'm', 'I':
		return number(1, 12, 1)
	case 'd':
		ns := number(1, 31, 1)
		if len(text) >= 2 && text[0] == ' ' && text[1] >= '1' && text[1] <= '9' {
			ns = append(ns, 2)
		}
		return ns
	case 'H':
		return number(0, 23, 0)
	case 'M':
		return number(0, 59, 0)
	case 'S':
		return number(0, 61, 0)
	case 'b':
		return name(monthNames)
	case 'a':
		return name(dayNames)
	case 'p':
		return name([]string{"am", "pm"})
	}
	return nil
}

func (f *timeFields) set(letter byte, s string) {
	n, _ := strconv.Atoi(strings.TrimSpace(s))
	switch letter {
	case 'Y':
		f.year = n
	case 'y':
		if f.year = 1900 + n; n <= 68 {
			f.year += 100
		}
	case 'm':
		f.month = n
	case 'b':
		for i, m := range monthNames {
			if strings.EqualFold(s, m) {
				f.month = i + 1
			}
		}
	case 'd':
		f.day = n
	case 'H':
		f.hour = n
	case 'I':
		f.hour12 = n
	case 'p':
		f.pm = strings.EqualFold(s, "pm")
	case 'M':
		f.minute = n
	case 'S':
		f.second = n
	}
}
