// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"fmt"
	"strings"
	"time"

	"hgbroker/worker/hg/hgerr"
)

// Clock reads dates as users write them (`hg help dates`).
type Clock struct {
	Now      time.Time
	Location *time.Location
}

// Limits of a date: 32 bits of seconds, and the zones that exist.
const (
	minSeconds = -0x80000000
	maxSeconds = 0x7FFFFFFF
	minZone    = -50400
	maxZone    = 43200
)

// dateFormats are tried in this order (Mercurial's dateutil).
var dateFormats = []string{
	"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H%M%S", "%Y-%m-%dT%H%M",
	"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H%M%S", "%Y-%m-%d %H%M",
	"%Y-%m-%d %I:%M:%S%p", "%Y-%m-%d %H:%M", "%Y-%m-%d %I:%M%p", "%Y-%m-%d",
	"%m-%d", "%m/%d", "%m/%d/%y", "%m/%d/%Y",
	"%a %b %d %H:%M:%S %Y", "%a %b %d %I:%M:%S%p %Y", "%a, %d %b %Y %H:%M:%S",
	"%b %d %H:%M:%S %Y", "%b %d %I:%M:%S%p %Y", "%b %d %H:%M:%S", "%b %d %I:%M:%S%p",
	"%b %d %H:%M", "%b %d %I:%M%p", "%b %d %Y", "%b %d",
	"%H:%M:%S", "%I:%M:%S%p", "%H:%M", "%I:%M%p",
}

// partialFormats are accepted where a date stands for an interval.
var partialFormats = append(dateFormats[:len(dateFormats):len(dateFormats)], "%Y", "%Y-%m", "%b", "%b %Y")

// now is the current time in seconds, and the zone in seconds west of UTC.
func (c Clock) now() (float64, int) {
	t := c.Now.In(c.location())
	_, offset := t.Zone()
	return float64(t.UnixNano()) / 1e9, -offset
}

func (c Clock) location() *time.Location {
	if c.Location == nil {
		return time.UTC
	}
	return c.Location
}

// Parse reads one date, as in `hg commit --date`.
func (c Clock) Parse(text string) (seconds int64, zone int, err error) {
	t, zone, err := c.parse(text, dateFormats, nil)
	return int64(t), zone, printable(err)
}

// parts of a date from the most to the least specific, as the conversion
// letters that give them; the first letter is the one to add a default with.
var dateParts = []string{"S", "M", "HI", "d", "mb", "yY"}

// parse returns seconds and zone. bias has the default of parts that text does
// not give: the first possible value unless told otherwise. Parts less specific
// than one that is given are today's.
func (c Clock) parse(text string, formats []string, bias map[string]string) (float64, int, error) {
	if text == "" {
		return 0, 0, nil
	}
	text = strings.Trim(text, pySpace)
	today := c.Now.In(c.location())
	switch text {
	case "now":
		t, zone := c.now()
		return t, zone, nil
	case "today":
		text = today.Format("Jan 02")
	case "yesterday":
		y, m, d := today.Date()
		text = time.Date(y, m, d-1, 12, 0, 0, 0, time.UTC).Format("Jan 02")
	}
	var when int64
	var zone int
	found := false
	if a, b, ok := strings.Cut(text, " "); ok && !strings.Contains(b, " ") {
		x, _, okA := pyInt(a)
		y, _, okB := pyInt(b)
		if okA && okB {
			when, zone, found = x, int(y), true
		}
	}
	if !found {
		for i := 0; i < len(text); i++ {
			if text[i] >= 0x80 {
				return 0, 0, hgerr.NewUnsupported("date %q", text)
			}
		}
		defaults := map[string][2]string{}
		nowText := map[string]string{"S": "05", "M": "04", "HI": "15", "d": "02", "mb": "01", "yY": "06"}
		for _, part := range dateParts {
			first := "1"
			if strings.Contains("HMS", part[:1]) {
				first = "00"
			}
			if b, ok := bias[part]; ok {
				first = b
			}
			defaults[part] = [2]string{first, today.Format(nowText[part])}
		}
		for _, f := range formats {
			if when, zone, found = c.scan(text, f, defaults); found {
				break
			}
		}
		if !found {
			return 0, 0, parseErrorf("invalid date: %s", pyRepr(text))
		}
	}
	if when < minSeconds || when > maxSeconds {
		return 0, 0, parseErrorf("date exceeds 32 bits: %d", when)
	}
	if zone < minZone || zone > maxZone {
		return 0, 0, parseErrorf("impossible time zone offset: %d", zone)
	}
	return float64(when), zone, nil
}

// scan reads text by one format.
func (c Clock) scan(text, format string, defaults map[string][2]string) (when int64, zone int, ok bool) {
	zone, haveZone, text := cutZone(text)
	useNow := 0
	for _, part := range dateParts {
		given := false
		for _, letter := range part {
			given = given || strings.Contains(format, "%"+string(letter))
		}
		if given {
			useNow = 1
			continue
		}
		text += "@" + defaults[part][useNow]
		format += "@%" + part[:1]
	}
	f, ok := parseTime(text, format)
	if !ok {
		return 0, 0, false
	}
	local := time.Date(f.year, time.Month(f.month), f.day, f.hour, f.minute, f.second, 0, time.UTC)
	if haveZone {
		return local.Unix() + int64(zone), zone, true
	}
	t := time.Date(f.year, time.Month(f.month), f.day, f.hour, f.minute, f.second, 0, c.location())
	return t.Unix(), int(t.Unix() - local.Unix()), true
}

// cutZone splits a time zone off the end of text.
func cutZone(s string) (zone int, ok bool, rest string) {
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	offset := func(sign byte, hours, minutes string) int {
		var h, m int
		fmt.Sscan(strings.TrimLeft(hours, "0")+" ", &h)
		fmt.Sscan(strings.TrimLeft(minutes, "0")+" ", &m)
		n := (h*60 + m) * 60
		if sign == '+' {
			n = -n
		}
		return n
	}
	n := len(s)
	switch {
	case strings.HasSuffix(s, "GMT"), strings.HasSuffix(s, "UTC"):
		return 0, true, strings.TrimRight(s[:n-3], pySpace)
	case n >= 5 && strings.IndexByte("+-", s[n-5]) >= 0 && digits(s[n-4:]):
		return offset(s[n-5], s[n-4:n-2], s[n-2:]), true, strings.TrimRight(s[:n-5], pySpace)
	case strings.HasSuffix(s, "Z") && n >= 2 && digits(s[n-2:n-1]):
		return 0, true, s[:n-1]
	case n >= 6 && strings.IndexByte("+-", s[n-6]) >= 0 && s[n-3] == ':' && digits(s[n-5:n-3]) && digits(s[n-2:]):
		return offset(s[n-6], s[n-5:n-3], s[n-2:]), true, s[:n-6]
	}
	return 0, false, s
}

// match returns a test for the seconds of a date, from an interval as date()
// takes it.
func (c Clock) match(text string) (func(float64) bool, error) {
	lower := func(s string) (float64, error) {
		t, _, err := c.parse(s, partialFormats, map[string]string{"mb": "1", "d": "1"})
		return t, err
	}
	upper := func(s string) (t float64, err error) {
		// The last day of the month is found by trying.
		for _, day := range []string{"31", "30", "29", "28"} {
			bias := map[string]string{"mb": "12", "HI": "23", "M": "59", "S": "59", "d": day}
			if t, _, err = c.parse(s, partialFormats, bias); err == nil || hgerr.IsUnsupported(err) {
				break
			}
		}
		return t, err
	}
	text = strings.Trim(text, pySpace)
	switch {
	case text == "":
		return nil, inputErrorf("dates cannot consist entirely of whitespace")
	case text[0] == '<':
		if len(text) == 1 {
			return nil, inputErrorf("invalid day spec, use '<DATE'")
		}
		when, err := upper(text[1:])
		return func(t float64) bool { return t <= when }, err
	case text[0] == '>':
		if len(text) == 1 {
			return nil, inputErrorf("invalid day spec, use '>DATE'")
		}
		when, err := lower(text[1:])
		return func(t float64) bool { return t >= when }, err
	case text[0] == '-':
		days, _, ok := pyInt(text[1:])
		if !ok {
			return nil, inputErrorf("invalid day spec: %s", text[1:])
		}
		if days < 0 {
			return nil, inputErrorf("%s must be nonnegative (see 'hg help dates')", text[1:])
		}
		now, _ := c.now()
		when := now - float64(days)*3600*24
		return func(t float64) bool { return t >= when }, nil
	case strings.Contains(text, " to "):
		a, b, _ := strings.Cut(text, " to ")
		if strings.Contains(b, " to ") {
			return nil, hgerr.NewUnsupported("date %q", text)
		}
		return interval(lower, upper, a, b)
	default:
		return interval(lower, upper, text, text)
	}
}

func interval(lower, upper func(string) (float64, error), a, b string) (func(float64) bool, error) {
	start, err := lower(a)
	if err != nil {
		return nil, err
	}
	stop, err := upper(b)
	if err != nil {
		return nil, err
	}
	return func(t float64) bool { return t >= start && t <= stop }, nil
}

// MatchDate returns a test for dates within an interval as `hg log --date` and
// date() take it. It is given seconds since the epoch.
func (c Clock) MatchDate(text string) (func(seconds float64) bool, error) {
	m, err := c.match(text)
	return m, printable(err)
}
