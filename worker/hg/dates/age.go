// SPDX-License-Identifier: GPL-2.0-or-later

package dates

import (
	"strconv"
	"time"
)

const (
	day  = 24 * 3600
	year = 365 * day
)

var ageScales = []struct {
	name    string
	seconds int64
	letter  string
}{
	{"year", year, "Y"}, {"month", 30 * day, "M"}, {"week", 7 * day, "W"}, {"day", day, "d"},
	{"hour", 3600, "h"}, {"minute", 60, "m"}, {"second", 1, "s"},
}

// Age tells how long before now d was, in the largest unit of which there are
// at least two ("3 weeks ago", "2 minutes from now"); what is more than two
// years old is a date. short writes "3W ago".
func Age(d Date, now time.Time, short bool) string {
	then := time.Unix(d.Unix, 0)
	future := then.After(now)
	delta := int64(now.Sub(then) / time.Second)
	if future {
		delta = -delta
	}
	delta = max(delta, 1)
	switch {
	case future && delta > 30*year:
		return "in the distant future"
	case !future && delta > 2*year:
		return d.Short()
	}
	suffix := " ago"
	if future {
		suffix = " from now"
	}
	for _, s := range ageScales {
		n := delta / s.seconds
		if n < 2 && s.seconds > 1 {
			continue
		}
		count := strconv.FormatInt(n, 10)
		switch {
		case short:
			return count + s.letter + suffix
		case n == 1:
			return count + " " + s.name + suffix
		}
		return count + " " + s.name + "s" + suffix
	}
	return ""
}
