// SPDX-License-Identifier: GPL-2.0-or-later

// Package dates formats, parses and matches dates as hg does
// (`hg help dates`).
//
// The current time and the client's time zone are arguments; the package
// looks at no clock. What depends on the C library in a way that cannot be
// told from outside (local times that a change of the clock makes ambiguous,
// rare conversions) is Unsupported.
package dates

import (
	"strconv"
	"strings"
	"time"

	"hgbroker/worker/hg/hgerr"
)

// Date is a point in time and the offset of the time zone that it was noted in.
type Date struct {
	Unix   int64 // seconds since 1970-01-01 UTC
	Offset int   // seconds west of UTC, as Mercurial stores it: negative east of Greenwich
}

// Now is the Date of a moment in a time zone.
func Now(t time.Time, loc *time.Location) Date {
	_, east := t.In(loc).Zone()
	return Date{Unix: t.Unix(), Offset: -east}
}

// Formats of hg's own filters and commands.
const (
	DefaultFormat = "%a %b %d %H:%M:%S %Y %1%2" // {date|date}, hg log
	ShortFormat   = "%Y-%m-%d"                  // {date|shortdate}
	ISOFormat     = "%Y-%m-%d %H:%M %1%2"       // {date|isodate}
	ISOSecFormat  = "%Y-%m-%d %H:%M:%S %1%2"    // {date|isodatesec}
	RFC822Format  = "%a, %d %b %Y %H:%M:%S %1%2"
	RFC3339Format = "%Y-%m-%dT%H:%M:%S%1:%2"
)

// clock is d's time of day as its own time zone shows it, within the years
// that hg can print.
func (d Date) clock() time.Time {
	return time.Unix(min(max(d.Unix-int64(d.Offset), -1<<31), 1<<31-1), 0).UTC()
}

// String formats d as `hg log` prints it.
func (d Date) String() string {
	s, _ := d.Format(DefaultFormat)
	return s
}

// Short formats d as year, month and day.
func (d Date) Short() string { return d.clock().Format("2006-01-02") }

// Format formats d by a format of strftime with hg's additions: %1 is the sign
// and the hours of the offset, %2 its minutes. The names of months and days
// are English.
func (d Date) Format(format string) (string, error) {
	if strings.IndexByte(format, 0) >= 0 {
		return "", hgerr.NewUnsupported("date format with a NUL")
	}
	sign, minutes := d.zone()
	if format == DefaultFormat {
		return string(d.AppendDefault(nil)), nil
	}
	format = strings.ReplaceAll(format, "%z", "%1%2")
	format = strings.ReplaceAll(format, "%1", string(sign)+twoDigits(minutes/60))
	format = strings.ReplaceAll(format, "%2", twoDigits(minutes%60))
	return strftime(d.clock(), format)
}

// AppendDefault appends d by DefaultFormat, which a long log prints for every
// changeset.
func (d Date) AppendDefault(b []byte) []byte {
	// Days are counted in years that begin in March, where the leap day comes last,
	// and 400 of which are 146097 days: from 1 March of the year 0 on, which was
	// 719468 days before 1970. What clock returns is in years of four digits.
	const yearDays, leapDays, centuryDays, eraDays = 365, 4*365 + 1, 100*365 + 24, 146097
	at := uint64(d.clock().Unix() + 719468*86400)
	days := uint32(at / 86400)
	second := uint32(at - uint64(days)*86400)
	era := days / eraDays
	day := days - era*eraDays
	year := (day - day/(leapDays-1) + day/centuryDays - day/(eraDays-1)) / yearDays
	day -= year*yearDays + year/4 - year/100
	month := (5*day + 2) / 153 // 0 is March
	day -= (153*month+2)/5 - 1
	year += 400 * era
	if month += 2; month >= 12 {
		month -= 12
		year++
	}
	const weekdays, months = "WedThuFriSatSunMonTue", "JanFebMarAprMayJunJulAugSepOctNovDec"
	n := len(b)
	b = append(b, "Thu Jan 01 00:00:00 1970 +0000"...)
	text := (*[30]byte)(b[n:])
	copy(text[0:3], weekdays[days%7*3:])
	copy(text[4:7], months[month*3:])
	putTwo(text[8:10], day)
	hour := second / 3600
	second -= hour * 3600
	putTwo(text[11:13], hour)
	putTwo(text[14:16], second/60)
	putTwo(text[17:19], second%60)
	putTwo(text[20:22], year/100)
	putTwo(text[22:24], year%100)
	if d.Offset != 0 {
		sign, minutes := d.zone()
		text[25] = sign
		if minutes >= 100*60 {
			b = strconv.AppendInt(b[:n+26], int64(minutes/60), 10)
			return append(b, pairs[minutes%60*2:][:2]...)
		}
		putTwo(text[26:28], uint32(minutes)/60)
		putTwo(text[28:30], uint32(minutes)%60)
	}
	return b
}

// zone is the offset as it is shown: east of Greenwich positive, in whole minutes.
func (d Date) zone() (sign byte, minutes int) {
	if d.Offset > 0 {
		return '-', d.Offset / 60
	}
	return '+', -d.Offset / 60
}

// pairs are the digits of all numbers below 100.
const pairs = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

func putTwo(to []byte, n uint32) {
	to[0], to[1] = pairs[2*n], pairs[2*n+1]
}
