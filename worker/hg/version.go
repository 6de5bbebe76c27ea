// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"hgbroker/worker/hg/config"
)

// versionLine finds the assignment in __version__.py: version = b"6.3.2".
var versionLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(?:__)?version(?:__)?\s*(?::\s*\w+\s*)?=\s*(?:__version__\s*=\s*)?b?['"]([^'"]+)['"]`)
})

func parseVersionFile(text []byte) string {
	if m := versionLine().FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}

// release is the major and minor number of a version. What is not known is
// taken for the oldest release whose behaviour is modelled.
func release(version string) config.Version {
	major, rest := leadingDigits(version)
	minor, _ := leadingDigits(strings.TrimPrefix(rest, "."))
	if major == "" || minor == "" || rest[0] != '.' {
		return config.Version{Major: 6, Minor: 3}
	}
	v := config.Version{}
	v.Major, _ = strconv.Atoi(major)
	v.Minor, _ = strconv.Atoi(minor)
	return v
}

func leadingDigits(s string) (digits, rest string) {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return s[:n], s[n:]
}
