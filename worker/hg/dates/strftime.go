// SPDX-License-Identifier: GPL-2.0-or-later

package dates

import (
	"strconv"
	"strings"
	"time"

	"hgbroker/worker/hg/hgerr"
)

// strftime formats t as the C library does in the "C" locale. Flags, widths
// and what depends on the time zone of the process are Unsupported.
func strftime(t time.Time, format string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		i++
		if i == len(format) {
			return "", hgerr.NewUnsupported("date format ending in %%")
		}
		s, ok := conversion(t, format[i])
		if !ok {
			return "", hgerr.NewUnsupported("date format %%%c", format[i])
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// conversion formats one field. Python fills in %f and %Z itself.
func conversion(t time.Time, c byte) (string, bool) {
	switch c {
	case '%':
		return "%", true
	case 'n':
		return "\n", true
	case 't':
		return "\t", true
	case 'Z':
		return "", true
	case 'f':
		return "000000", true
	case 'a':
		return t.Format("Mon"), true
	case 'A':
		return t.Format("Monday"), true
	case 'b', 'h':
		return t.Format("Jan"), true
	case 'B':
		return t.Format("January"), true
	case 'c':
		return t.Format("Mon Jan _2 15:04:05 2006"), true
	case 'C':
		return twoDigits(t.Year() / 100), true
	case 'd':
		return t.Format("02"), true
	case 'D', 'x':
		return t.Format("01/02/06"), true
	case 'e':
		return t.Format("_2"), true
	case 'F':
		return t.Format("2006-01-02"), true
	case 'g':
		year, _ := t.ISOWeek()
		return twoDigits(year % 100), true
	case 'G':
		year, _ := t.ISOWeek()
		return strconv.Itoa(year), true
	case 'H':
		return t.Format("15"), true
	case 'I':
		return t.Format("03"), true
	case 'j':
		return t.Format("002"), true
	case 'k':
		return spacePadded(t.Hour()), true
	case 'l':
		return spacePadded((t.Hour()+11)%12 + 1), true
	case 'm':
		return t.Format("01"), true
	case 'M':
		return t.Format("04"), true
	case 'p':
		return t.Format("PM"), true
	case 'P':
		return t.Format("pm"), true
	case 'r':
		return t.Format("03:04:05 PM"), true
	case 'R':
		return t.Format("15:04"), true
	case 'S':
		return t.Format("05"), true
	case 'T', 'X':
		return t.Format("15:04:05"), true
	case 'u':
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1), true
	case 'U':
		return twoDigits((t.YearDay() + 6 - int(t.Weekday())) / 7), true
	case 'V':
		_, week := t.ISOWeek()
		return twoDigits(week), true
	case 'w':
		return strconv.Itoa(int(t.Weekday())), true
	case 'W':
		return twoDigits((t.YearDay() + 6 - (int(t.Weekday())+6)%7) / 7), true
	case 'y':
		return t.Format("06"), true
	case 'Y':
		return strconv.Itoa(t.Year()), true
	}
	return "", false
}

func twoDigits(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

func spacePadded(n int) string {
	if n < 10 {
		return " " + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}
