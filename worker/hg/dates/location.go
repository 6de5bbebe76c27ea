// SPDX-License-Identifier: GPL-2.0-or-later

package dates

import (
	"encoding/binary"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"hgbroker/worker/hg/hgerr"
)

const (
	localtimeFile = "/etc/localtime"
	zoneDirectory = "/usr/share/zoneinfo"
	// maxZoneFile bounds a file of time zone data; real ones have a few kilobytes.
	maxZoneFile = 1 << 20
)

// Location returns the time zone that a client's TZ variable means; set tells
// whether the variable exists. Without it the machine's zone counts. Names of
// zones, file names, and fixed offsets ("<+03>-3", "UTC-5:30") are understood;
// the rest is Unsupported.
func Location(tz string, set bool) (*time.Location, error) {
	if !set {
		data, err := readZone(localtimeFile)
		if os.IsNotExist(err) {
			return time.UTC, nil
		}
		return fromData("Local", data, err)
	}
	name := strings.TrimPrefix(tz, ":")
	if name == "" || name == "UTC" || name == "UTC0" {
		return time.UTC, nil
	}
	file := name
	if !strings.HasPrefix(name, "/") {
		if strings.Contains(name, "..") {
			return nil, hgerr.NewUnsupported("TZ=%s", tz)
		}
		file = zoneDirectory + "/" + name
	}
	data, err := readZone(file)
	if err == nil {
		return fromData(name, data, nil)
	}
	if !posixRule().MatchString(tz) {
		return nil, hgerr.NewUnsupported("TZ=%s", tz)
	}
	return fromData(tz, ruleData(tz), nil)
}

func readZone(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxZoneFile {
		return nil, hgerr.NewUnsupported("time zone file %s", path)
	}
	return os.ReadFile(path)
}

func fromData(name string, data []byte, err error) (*time.Location, error) {
	if err == nil {
		var loc *time.Location
		if loc, err = time.LoadLocationFromTZData(name, data); err == nil {
			return loc, nil
		}
	}
	return nil, hgerr.NewUnsupported("time zone %s: %v", name, err)
}

// posixRule is a rule without daylight saving time: a name and an offset. With
// daylight saving time the C library does not apply a rule to years before
// 1970 and Go does.
var posixRule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)[+-]?\d{1,2}(:\d{1,2}){0,2}$`)
})

// ruleData wraps a POSIX rule into the time zone file format (RFC 8536,
// version 2): a header and a body for 32-bit times, both for 64-bit times, and
// the rule between newlines as the footer. The body holds one local time type,
// which no time uses: six bytes and an abbreviation.
func ruleData(rule string) []byte {
	block := func() []byte {
		h := append([]byte("TZif2"), make([]byte, 15)...)
		for _, count := range []uint32{0, 0, 0, 0, 1, 4} { // isut, isstd, leap, time, type, char
			h = binary.BigEndian.AppendUint32(h, count)
		}
		return append(h, 0, 0, 0, 0, 0, 0, 'U', 'T', 'C', 0)
	}
	return append(append(block(), block()...), "\n"+rule+"\n"...)
}
