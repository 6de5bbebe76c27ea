// SPDX-License-Identifier: GPL-2.0-or-later

package dates

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fields is what a format found in a text.
type fields struct{ year, month, day, hour, minute, second int }

// directive is the regular expression by which Python's strptime reads a
// conversion, "" for one that is not known; the first alternative that matches counts.
func directive(conversion byte) string {
	switch conversion {
	case 'Y':
		return `(\d\d\d\d)`
	case 'y':
		return `(\d\d)`
	case 'm':
		return `(1[0-2]|0[1-9]|[1-9])`
	case 'd':
		return `(3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])`
	case 'H':
		return `(2[0-3]|[0-1]\d|\d)`
	case 'I':
		return `(1[0-2]|0[1-9]|[1-9])`
	case 'M':
		return `([0-5]\d|\d)`
	case 'S':
		return `(6[0-1]|[0-5]\d|\d)`
	case 'p':
		return `(am|pm)`
	case 'a':
		return `(mon|tue|wed|thu|fri|sat|sun)`
	case 'b':
		return `(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)`
	}
	return ""
}

var monthNames = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// pattern is a compiled format.
type pattern struct {
	re    *regexp.Regexp
	order []byte // the conversion of each group
}

// compile turns a format into a pattern, once.
var compile = func() func(format string) *pattern {
	var cache sync.Map
	return func(format string) *pattern {
		if p, ok := cache.Load(format); ok {
			return p.(*pattern)
		}
		p := &pattern{}
		var b strings.Builder
		b.WriteString(`(?i)^`)
		for i := 0; i < len(format); i++ {
			switch c := format[i]; c {
			case '%':
				i++
				p.order = append(p.order, format[i])
				b.WriteString(directive(format[i]))
			case ' ':
				// Python's \s, as far as it is ASCII.
				b.WriteString(`[\t-\r\x1c-\x20]+`)
			default:
				b.WriteString(regexp.QuoteMeta(string(c)))
			}
		}
		p.re = regexp.MustCompile(b.String())
		cache.Store(format, p)
		return p
	}
}()

// strptime reads text, which must be ASCII, by a format.
func strptime(text, format string) (fields, bool) {
	p := compile(format)
	m := p.re.FindStringSubmatch(text)
	if m == nil || len(m[0]) != len(text) {
		return fields{}, false
	}
	f := fields{year: 1900, month: 1, day: 1}
	hour12, pm := -1, ""
	for i, c := range p.order {
		word := strings.ToLower(strings.TrimSpace(m[i+1]))
		n, _ := strconv.Atoi(word)
		switch c {
		case 'Y':
			f.year = n
		case 'y':
			if f.year = 1900 + n; n <= 68 {
				f.year += 100
			}
		case 'm':
			f.month = n
		case 'b':
			f.month = slices.Index(monthNames, word) + 1
		case 'd':
			f.day = n
		case 'H':
			f.hour = n
		case 'I':
			hour12 = n
		case 'p':
			pm = word
		case 'M':
			f.minute = n
		case 'S':
			f.second = n
		}
	}
	if hour12 >= 0 {
		f.hour = hour12 % 12
		if pm == "pm" {
			f.hour += 12
		}
	}
	if f.year == 0 || f.day > daysIn(f.year, f.month) {
		return fields{}, false
	}
	return f, true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// utc counts the seconds to the fields as if they were UTC. A second of 60 or
// 61 runs into the next minute.
func (f fields) utc() int64 {
	return time.Date(f.year, time.Month(f.month), f.day, f.hour, f.minute, 0, 0, time.UTC).Unix() + int64(f.second)
}
