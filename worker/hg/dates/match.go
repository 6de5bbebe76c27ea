// SPDX-License-Identifier: GPL-2.0-or-later

package dates

import (
	"math"
	"strings"
	"time"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
)

// Range is a span of time, with both ends in it.
type Range struct {
	Min, Max int64 // Unix time
}

// Contains tells whether a moment is in the range.
func (r Range) Contains(unix int64) bool { return unix >= r.Min && unix <= r.Max }

// Match reads a span as `hg log --date` and date() take it: a date with as much
// of it as is given ("2006", "Apr 2006", "10:30"), "<DATE", ">DATE",
// "DATE to DATE", or "-DAYS".
func Match(spec string, now time.Time, loc *time.Location) (Range, error) {
	z := zone{now, loc}
	spec = python.Strip(spec)
	everything := Range{math.MinInt64, math.MaxInt64}
	input := func(format string, args ...any) (Range, error) {
		return Range{}, hgerr.Abortf(hgerr.Input, format, args...)
	}
	switch {
	case spec == "":
		return input("dates cannot consist entirely of whitespace")
	case spec[0] == '<':
		if spec == "<" {
			return input("invalid day spec, use '<DATE'")
		}
		var err error
		everything.Max, err = z.upper(spec[1:])
		return everything, err
	case spec[0] == '>':
		if spec == ">" {
			return input("invalid day spec, use '>DATE'")
		}
		var err error
		everything.Min, err = z.lower(spec[1:])
		return everything, err
	case spec[0] == '-':
		days, err := python.Int(spec[1:])
		switch {
		case err == python.ErrRange || err == nil && days > math.MaxInt64/day/2:
			return Range{}, hgerr.NewUnsupported("date -%s", spec[1:])
		case err != nil:
			return input("invalid day spec: %s", spec[1:])
		case days < 0:
			return input("%s must be nonnegative (see 'hg help dates')", spec[1:])
		}
		everything.Min = ceil(now.Unix()-days*day, time.Duration(now.Nanosecond()))
		return everything, nil
	case strings.Contains(spec, " to "):
		from, to, _ := strings.Cut(spec, " to ")
		if strings.Contains(to, " to ") {
			return Range{}, hgerr.NewUnsupported("date %s", spec)
		}
		return z.span(from, to)
	}
	return z.span(spec, spec)
}

func (z zone) span(from, to string) (Range, error) {
	low, err := z.lower(from)
	if err != nil {
		return Range{}, err
	}
	high, err := z.upper(to)
	return Range{low, high}, err
}

// ceil rounds a moment up to a full second.
func ceil(unix int64, rest time.Duration) int64 {
	if rest > 0 {
		return unix + 1
	}
	return unix
}

// lower is the first second of what text stands for.
func (z zone) lower(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	d, rest, err := z.parse(text, rangeFormats, bias{"mb": "1", "d": "1"})
	return ceil(d.Unix, rest), err
}

// upper is the last second of what text stands for: the months have different
// numbers of days, so each is tried.
func (z zone) upper(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	var d Date
	var err error
	for _, days := range []string{"31", "30", "29", "28"} {
		d, _, err = z.parse(text, rangeFormats, bias{"mb": "12", "HI": "23", "M": "59", "S": "59", "d": days})
		if err == nil || hgerr.IsUnsupported(err) {
			break
		}
	}
	return d.Unix, err
}
