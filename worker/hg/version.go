// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"regexp"
	"strconv"

	"hgbroker/worker/hg/config"
)

// versionLine finds the assignment in __version__.py: version = b"6.3.2".
var versionLine = regexp.MustCompile(`(?m)^(?:__)?version(?:__)?\s*(?::\s*\w+\s*)?=\s*(?:__version__\s*=\s*)?b?['"]([^'"]+)['"]`)

func parseVersionFile(text []byte) string {
	if m := versionLine.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}

var leadingNumbers = regexp.MustCompile(`^(\d+)\.(\d+)`)

// release is the major and minor number of a version. What is not known is
// taken for the oldest release whose behaviour is modelled.
func release(version string) config.Version {
	m := leadingNumbers.FindStringSubmatch(version)
	if m == nil {
		return config.Version{Major: 6, Minor: 3}
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return config.Version{Major: major, Minor: minor}
}
