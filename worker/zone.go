// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// zones finds the time zone that a command's environment asks for, as the C
// library does (`man 3 tzset`), and remembers it by TZ's value. The engine has
// no environment of its own.
type zones map[string]*time.Location

// maxZones bounds what is remembered.
const maxZones = 64

// local is the zone of an environment.
func (z zones) local(env []string) *time.Location {
	tz, set := "", false
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, "TZ="); ok {
			tz, set = value, true
		}
	}
	key := "=" + tz
	if !set {
		key = ""
	}
	loc := z[key]
	if loc == nil {
		if len(z) >= maxZones {
			clear(z)
		}
		loc = zone(tz, set)
		z[key] = loc
	}
	return loc
}

// zone reads a zone: a file below the system's directory, or a rule like
// "CET-1CEST,M3.5.0,M10.5.0/3"; UTC for what is neither.
func zone(tz string, set bool) *time.Location {
	if !set {
		if b, err := os.ReadFile("/etc/localtime"); err == nil {
			if loc, err := time.LoadLocationFromTZData("Local", b); err == nil {
				return loc
			}
		}
		return time.UTC
	}
	name := strings.TrimPrefix(tz, ":")
	if name == "" {
		return time.UTC
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join("/usr/share/zoneinfo", name)
	}
	if b, err := os.ReadFile(path); err == nil {
		if loc, err := time.LoadLocationFromTZData(name, b); err == nil {
			return loc
		}
	}
	if loc, err := time.LoadLocationFromTZData(name, ruleFile(name)); err == nil && !strings.HasPrefix(tz, ":") {
		return loc
	}
	return time.UTC
}

// ruleFile is a time zone file (RFC 8536, version 2) without any transition but
// one in the far past, and with the rule as its footer: the standard library
// reads a rule only there.
func ruleFile(rule string) []byte {
	head := func(b []byte, times uint32) []byte {
		b = append(b, "TZif2"...)
		b = append(b, make([]byte, 15)...)
		for _, n := range []uint32{0, 0, 0, times, 1, 4} { // isut, isstd, leap, time, type, char
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return b
	}
	utc := []byte{0, 0, 0, 0, 0, 0, 'U', 'T', 'C', 0} // offset 0, no dst, index 0; the name
	b := append(head(nil, 0), utc...)
	b = head(b, 1)
	b = binary.BigEndian.AppendUint64(b, uint64(1)<<63) // the earliest time there is
	b = append(b, 0)                                    // then type 0
	b = append(b, utc...)
	return append(append(append(b, '\n'), rule...), '\n')
}
