// SPDX-License-Identifier: GPL-2.0-or-later

package dates

import (
	"errors"
	"strings"
	"time"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

// formats are tried in this order (`hg help dates`).
var formats = []string{
	"%Y-%m-%dT%H:%M:%S",
	"%Y-%m-%dT%H:%M",
	"%Y-%m-%dT%H%M%S",
	"%Y-%m-%dT%H%M",
	"%Y-%m-%d %H:%M:%S",
	"%Y-%m-%d %H:%M",
	"%Y-%m-%d %H%M%S",
	"%Y-%m-%d %H%M",
	"%Y-%m-%d %I:%M:%S%p",
	"%Y-%m-%d %I:%M%p",
	"%Y-%m-%d",
	"%m-%d",
	"%m/%d",
	"%m/%d/%y",
	"%m/%d/%Y",
	"%a %b %d %H:%M:%S %Y",
	"%a %b %d %I:%M:%S%p %Y",
	"%a, %d %b %Y %H:%M:%S",
	"%b %d %H:%M:%S %Y",
	"%b %d %I:%M:%S%p %Y",
	"%b %d %H:%M:%S",
	"%b %d %I:%M:%S%p",
	"%b %d %H:%M",
	"%b %d %I:%M%p",
	"%b %d %Y",
	"%b %d",
	"%H:%M:%S",
	"%I:%M:%S%p",
	"%H:%M",
	"%I:%M%p",
}

// rangeFormats are taken where a date stands for a span of time.
var rangeFormats = append(formats[:len(formats):len(formats)], "%Y", "%Y-%m", "%b", "%b %Y")

// parts are the fields of a date from fine to coarse: the conversions that
// provide each, and the one that a missing field is filled in by.
var parts = []struct {
	conversions string
	fill        byte
	start       string // the value at the start of a span
}{
	{"S", 'S', "00"}, {"M", 'M', "00"}, {"HI", 'H', "00"}, {"d", 'd', "1"}, {"mb", 'm', "1"}, {"yY", 'y', "1"},
}

// bias overrides the start of a span by conversions of parts.
type bias map[string]string

// errNoMatch is a text that is in none of the formats.
var errNoMatch = errors.New("no format matches")

// zone is a moment and a place to read a date in.
type zone struct {
	now time.Time
	loc *time.Location
}

// Parse reads a date as `hg commit --date` does: "UNIXTIME OFFSET", or one of
// the formats of `hg help dates`. What is not given is filled in from the
// start of the day, or from now. The empty text is 1970 in UTC.
func Parse(text string, now time.Time, loc *time.Location) (Date, error) {
	return ParseFormats(text, now, loc, false)
}

// ParseFormats is Parse; with extended it also takes the formats that stand
// for spans ("2006", "Apr 2006").
func ParseFormats(text string, now time.Time, loc *time.Location, extended bool) (Date, error) {
	if text == "" {
		return Date{}, nil
	}
	list := formats
	if extended {
		list = rangeFormats
	}
	z := zone{now, loc}
	d, _, err := z.parse(text, list, nil)
	return d, err
}

// parse returns the date and what of its second is left (for "now").
func (z zone) parse(text string, list []string, b bias) (Date, time.Duration, error) {
	text = python.Strip(text)
	switch text {
	case "":
		// Only white space: no format matches.
	case "now":
		return Now(z.now, z.loc), time.Duration(z.now.Nanosecond()), nil
	case "today":
		text = z.now.In(z.loc).Format("Jan 02")
	case "yesterday":
		today := z.now.In(z.loc)
		text = time.Date(today.Year(), today.Month(), today.Day()-1, 12, 0, 0, 0, time.UTC).Format("Jan 02")
	}
	d, ok, err := parseNumbers(text)
	if err == nil && !ok {
		d, err = z.parseFormats(text, list, b)
	}
	if err != nil {
		if errors.Is(err, errNoMatch) {
			err = parseError("invalid date: %s", python.Repr(text))
		}
		return Date{}, 0, err
	}
	if d.Unix < -1<<31 || d.Unix > 1<<31-1 {
		return Date{}, 0, parseError("date exceeds 32 bits: %d", d.Unix)
	}
	if d.Offset < -14*3600 || d.Offset > 12*3600 {
		return Date{}, 0, parseError("impossible time zone offset: %d", d.Offset)
	}
	return d, 0, nil
}

func parseError(format string, args ...any) error {
	a := hgerr.Abortf(hgerr.Input, format, args...)
	a.Prefix = "hg: parse error: "
	return a
}

// parseNumbers reads "UNIXTIME OFFSET".
func parseNumbers(text string) (d Date, ok bool, err error) {
	when, offset, ok := strings.Cut(text, " ")
	if !ok || strings.Contains(offset, " ") {
		return d, false, nil
	}
	u, err1 := python.Int(when)
	o, err2 := python.Int(offset)
	switch {
	case err1 == python.ErrValue || err2 == python.ErrValue:
		return d, false, nil
	case err1 != nil || err2 != nil:
		return d, false, hgerr.NewUnsupported("date %s", text)
	}
	return Date{u, int(o)}, true, nil
}

// parseFormats tries one format after the other.
func (z zone) parseFormats(text string, list []string, b bias) (Date, error) {
	for i := 0; i < len(text); i++ {
		if text[i] >= 0x80 {
			// Python knows more digits and spaces than ASCII has.
			return Date{}, hgerr.NewUnsupported("date %s", text)
		}
	}
	offset, hasOffset, text := cutZone(text)
	today := Now(z.now, z.loc)
	for _, format := range list {
		line := text
		fromNow := false
		for _, p := range parts {
			if providesAny(format, p.conversions) {
				// What is coarser than a given field is that of today.
				fromNow = true
				continue
			}
			value := p.start
			if fromNow {
				value, _ = today.Format("%" + string(p.fill))
			} else if v, ok := b[p.conversions]; ok {
				value = v
			}
			line += "@" + value
			format += "@%" + string(p.fill)
		}
		f, ok := strptime(line, format)
		if !ok {
			continue
		}
		local := f.utc()
		if hasOffset {
			return Date{local + int64(offset), offset}, nil
		}
		unix, err := z.resolve(local)
		if err != nil {
			return Date{}, err
		}
		return Date{unix, int(unix - local)}, nil
	}
	return Date{}, errNoMatch
}

func providesAny(format, conversions string) bool {
	for _, c := range conversions {
		if strings.Contains(format, "%"+string(c)) {
			return true
		}
	}
	return false
}

// resolve finds the moment at which the clocks of the zone show local (seconds
// as if they were UTC). Where they show it twice or never, the C library's
// choice depends on its history.
func (z zone) resolve(local int64) (int64, error) {
	var found []int64
	for _, probe := range []int64{local - 2*day, local, local + 2*day} {
		_, east := time.Unix(probe, 0).In(z.loc).Zone()
		unix := local - int64(east)
		if _, e := time.Unix(unix, 0).In(z.loc).Zone(); e == east && (len(found) == 0 || found[0] != unix) {
			found = append(found, unix)
		}
	}
	if len(found) != 1 {
		return 0, hgerr.NewUnsupported("local time at a change of the clock")
	}
	return found[0], nil
}

// cutZone takes a time zone off the end: GMT, UTC, +hhmm, +hh:mm, or Z after a
// digit. The offset is west of UTC.
func cutZone(s string) (offset int, ok bool, rest string) {
	n := len(s)
	digits := func(from, to int) bool {
		for _, c := range []byte(s[from:to]) {
			if c < '0' || c > '9' {
				return false
			}
		}
		return true
	}
	west := func(sign byte, hours, minutes string) int {
		h := int(hours[0]-'0')*10 + int(hours[1]-'0')
		m := int(minutes[0]-'0')*10 + int(minutes[1]-'0')
		if sign == '+' {
			return -(h*60 + m) * 60
		}
		return (h*60 + m) * 60
	}
	isSign := func(c byte) bool { return c == '+' || c == '-' }
	switch {
	case strings.HasSuffix(s, "GMT") || strings.HasSuffix(s, "UTC"):
		return 0, true, strings.TrimRight(s[:n-3], python.Space)
	case n >= 5 && isSign(s[n-5]) && digits(n-4, n):
		return west(s[n-5], s[n-4:n-2], s[n-2:]), true, strings.TrimRight(s[:n-5], python.Space)
	case n >= 2 && s[n-1] == 'Z' && digits(n-2, n-1):
		return 0, true, s[:n-1]
	case n >= 6 && isSign(s[n-6]) && s[n-3] == ':' && digits(n-5, n-3) && digits(n-2, n):
		return west(s[n-6], s[n-5:n-3], s[n-2:]), true, s[:n-6]
	}
	return 0, false, s
}
