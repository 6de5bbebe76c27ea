// SPDX-License-Identifier: GPL-2.0-or-later

package dates_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

func TestDatesAsInMercurial(t *testing.T) {
	type question struct {
		Op, S, TZ string
		Now       float64
		U         int64
		O         int
		Want      string
	}
	for seed, tz := range []string{"UTC", "America/New_York", "Asia/Kolkata", "Europe/London", "<+03>-3"} {
		t.Run(tz, func(t *testing.T) {
			loc, err := dates.Location(tz, true)
			if err != nil {
				t.Skip(err)
			}
			unsupported, count := 0, 0
			hgtest.Oracle(t, "oracle.py", []string{tz, fmt.Sprint(seed), "1500"}, func(q question) {
				sec := int64(q.Now)
				now := time.Unix(sec, int64((q.Now-float64(sec))*1e9))
				got, err := answer(q.Op, hgtest.FromLatin1(q.S), dates.Date{Unix: q.U, Offset: q.O}, now, loc)
				count++
				if hgerr.IsUnsupported(err) {
					unsupported++
					return
				}
				var a *hgerr.Abort
				if errors.As(err, &a) {
					if got = a.Prefix + a.Message; a.Prefix == "" {
						got = "abort: " + a.Message
					}
				}
				if got != q.Want {
					t.Errorf("%+v: got %q", q, got)
				}
			})
			if unsupported > count/20 {
				t.Errorf("%d of %d unsupported", unsupported, count)
			}
		})
	}
}

func answer(op, s string, d dates.Date, now time.Time, loc *time.Location) (string, error) {
	switch op {
	case "parse", "xparse":
		d, err := dates.ParseFormats(s, now, loc, op == "xparse")
		return fmt.Sprint(d.Unix, d.Offset), err
	case "match":
		r, err := dates.Match(s, now, loc)
		return fmt.Sprint(r.Min, r.Max), err
	case "fmt":
		return d.Format(s)
	}
	return dates.Age(d, now, op == "sage"), nil
}

func TestChangeOfTheClockIsUnsupported(t *testing.T) {
	loc, err := dates.Location("America/New_York", true)
	if err != nil {
		t.Skip(err)
	}
	now := time.Unix(1700000000, 0)
	for _, text := range []string{"2023-03-12 02:30", "2023-11-05 01:30"} {
		if _, err := dates.Parse(text, now, loc); !hgerr.IsUnsupported(err) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestLocation(t *testing.T) {
	for tz, east := range map[string]int{"": 0, "UTC": 0, "Asia/Kolkata": 19800, ":Asia/Kolkata": 19800, "XYZ-5:30": 19800, "UTC+2": -7200} {
		loc, err := dates.Location(tz, true)
		if err != nil {
			t.Errorf("%q: %v", tz, err)
			continue
		}
		if _, got := time.Unix(0, 0).In(loc).Zone(); got != east {
			t.Errorf("%q: %d, want %d", tz, got, east)
		}
	}
	for _, tz := range []string{"no such zone", "EST5EDT,M3.2.0,M11.1.0", "../../../etc/passwd", "/etc"} {
		if _, err := dates.Location(tz, true); !hgerr.IsUnsupported(err) {
			t.Errorf("%q: %v", tz, err)
		}
	}
}

func FuzzMatch(f *testing.F) {
	for _, s := range []string{"2006", ">Apr 2006", "<10:30", "-7", "2006-01-01 to 2006-02", "now", "today", "1 2", "13:60", "Feb 30", "1e9 0", "%"} {
		f.Add(s, int64(1700000000))
	}
	loc, err := dates.Location("Europe/London", true)
	if err != nil {
		loc = time.UTC
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		now := time.Unix(unix%(1<<31), 0)
		_, _ = dates.Match(s, now, loc)
		if d, err := dates.Parse(s, now, loc); err == nil {
			_ = d.String()
			_, _ = d.Format(s)
			_ = dates.Age(d, now, false)
		}
	})
}
