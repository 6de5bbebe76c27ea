// SPDX-License-Identifier: GPL-2.0-or-later

package dates

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

// TestDates compares with `hg debugdate` dates of all formats, with and
// without zones, and some that are none of them, in several time zones.
func TestDates(t *testing.T) {
	zones := []string{"UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"}
	checked, matched := 0, 0
	for i, zone := range zones {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Logf("no time zone %s: %v", zone, err)
			continue
		}
		hg := hgtest.NewShell(t, hgtest.Hg(t), t.TempDir(), "TZ="+zone)
		r := rand.New(rand.NewPCG(5, uint64(i)))
		for range 8 { // hg takes a tenth of a second for one
			text := randomDate(r)
			now := time.Now()
			d, err := Parse(text, now, location)
			if hgerr.IsUnsupported(err) {
				continue
			}
			want, wantErr, _ := hg.Run(t, "debugdate", "--", text)
			got, gotErr := "", ""
			var a *hgerr.Abort
			switch {
			case err == nil:
				got = fmt.Sprintf("internal: %d %d\n", d.Unix, d.Offset)
			case errors.As(err, &a):
				gotErr = a.Prefix + a.Message + "\n"
			}
			want, _, _ = strings.Cut(want, "standard:")
			if strings.Contains(text, "now") || hgtest.Crashed(wantErr) {
				continue
			}
			if got != want || gotErr != wantErr {
				t.Errorf("%s: %q\ngot  %s%s\nwant %s%s", zone, text, got, gotErr, want, wantErr)
			}
			checked++

			interval := randomInterval(r)
			match, err := Match(interval, now, location)
			if hgerr.IsUnsupported(err) || interval == "" {
				continue
			}
			at := int64(r.IntN(60*365*86400)) / 86400 * 86400
			if r.IntN(2) == 0 {
				at = int64(r.IntN(60 * 365 * 86400))
			}
			want, wantErr, _ = hg.Run(t, "debugdate", "--", fmt.Sprintf("%d 0", at), interval)
			gotErr, got = "", ""
			if errors.As(err, &a) {
				if gotErr = "abort: "; a.Prefix != "" {
					gotErr = a.Prefix
				}
				gotErr += a.Message + "\n"
			} else {
				got = fmt.Sprintf("match: %v\n", map[bool]string{true: "True", false: "False"}[match.Contains(at)])
			}
			if hgtest.Crashed(wantErr) {
				continue
			}
			if !strings.HasSuffix(want, got) || gotErr != wantErr {
				t.Errorf("%s: %d in %q\ngot  %s%s\nwant %s%s", zone, at, interval, got, gotErr, want, wantErr)
			}
			matched++
		}
	}
	t.Logf("%d dates, %d intervals", checked, matched)
	if checked < 10 {
		t.Errorf("only %d dates", checked)
	}
}

func randomDate(r *rand.Rand) string {
	f := rangeFormats[r.IntN(len(rangeFormats))]
	at := time.Unix(int64(r.IntN(0x7FFFFFFF)), 0).UTC()
	var b strings.Builder
	layouts := map[byte]string{'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'b': "Jan", 'a': "Mon", 'p': "PM"}
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			b.WriteByte(f[i])
			continue
		}
		i++
		s := at.Format(layouts[f[i]])
		switch r.IntN(12) {
		case 0:
			s = strings.TrimLeft(s, "0")
		case 1:
			s = strings.ToLower(s)
		case 2:
			s = fmt.Sprint(r.IntN(70))
		}
		b.WriteString(s)
	}
	s := b.String()
	switch r.IntN(9) {
	case 0:
		s += " " + []string{"+0000", "-0500", "UTC", "GMT", "+1300", "+1500", "Z", "-07:00", "+25:99"}[r.IntN(9)]
	case 1:
		s += []string{"Z", "+0100", "+01:00", " ", "x", "UTC"}[r.IntN(6)]
	case 2:
		s = " " + strings.Replace(s, " ", "  ", 1)
	case 3:
		s = []string{"today", "yesterday", "now", "1 0", "-5 3600", "0 50000", "5000000000 0", "1e3 0", "+7 -0", "", "noon", "12:"}[r.IntN(12)]
	}
	return s
}

func randomInterval(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return "<" + randomDate(r)
	case 1:
		return ">" + randomDate(r)
	case 2:
		return fmt.Sprintf("-%d", r.IntN(20000))
	case 3:
		return randomDate(r) + " to " + randomDate(r)
	case 4:
		return []string{"", "<", ">", "-", "--3", "- 5", " to ", "2000 to", "to 2000"}[r.IntN(9)]
	default:
		return randomDate(r)
	}
}
