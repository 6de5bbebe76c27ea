// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"strconv"
	"strings"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

var debugformatSpec = Spec{
	Name:    "debugformat",
	Options: func() []Option { return join(formatterOptions()) },
	Run:     runDebugformat,
}

// formatVariants are what a repository's format can have, with the requirement
// that says so and the first release (major, minor) that lists it.
var formatVariants = []struct {
	name, requirement string
	since72           bool
}{
	{"fncache", "fncache", false},
	{"fileindex-v1", "fileindex-v1", true},
	{"dirstate-v2", "dirstate-v2", false},
	{"tracked-hint", "dirstate-tracked-key-v1", false},
	{"dotencode", "dotencode", false},
	{"fragile-plain-encode", "exp-very-fragile-and-unsafe-plain-store-encoding", true},
	{"generaldelta", "generaldelta", false},
	{"share-safe", "share-safe", false},
	{"sparserevlog", "sparserevlog", false},
	{"delta-info-flags", "delta-info-revlog", true},
	{"persistent-nodemap", "persistent-nodemap", false},
	{"copies-sdc", "exp-copies-sidedata-changeset", false},
	{"revlog-v2", "exp-revlogv2.2", false},
	{"changelog-v2", "exp-changelog-v2", false},
}

// maxLevel is the highest level of compression.
const maxLevel = 22

// runDebugformat lists what the repository's format has. What the configuration
// would give a new one (--verbose and -T) is for hg to work out.
func runDebugformat(c *Context) (int, error) {
	fm, err := c.formatter("debugformat", nil)
	if err != nil {
		return 0, err
	}
	switch {
	case len(c.Args) > 0:
		return 0, unsupported("debugformat with patterns")
	case c.Verbose || !fm.IsPlain() || c.Color != nil:
		return 0, unsupported("debugformat beside the configuration")
	}
	late := c.At72()
	if v := c.Config.Version(); v.AtLeast(6, 4) && !v.AtLeast(7, 2) {
		return 0, unsupported("debugformat of a release between 6.4 and 7.2")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	if !late {
		v.HiddenCount() // hg 6 looks at what is visible only, and may warn
	}
	width := 18
	if late {
		width = 30
	}
	line := func(name, value string) {
		c.Print(name + ":" + pad(width-len(name)) + " " + pad(3-len(value)) + value + "\n")
	}
	c.Print("format-variant" + pad(width-len("format-variant")) + " repo\n")
	yes := map[bool]string{true: "yes", false: "no"}
	has := c.Repo.Layout.Requirements
	for _, f := range formatVariants {
		if late || !f.since72 {
			line(f.name, yes[has.Has(f.requirement)])
		}
	}
	log, err := revlog.Open(v.Store().Changelog())
	if err != nil {
		return 0, err
	}
	defer log.Close()
	plain := true
	for rev := range node.Rev(log.Len()) {
		plain = plain && (log.Base(rev) == rev || !late && v.Hidden(rev))
	}
	if !plain && late && log.Len() > 1000 {
		return 0, unsupported("debugformat of a changelog with deltas, at some of which hg looks")
	}
	line("plain-cl-delta", yes[plain])
	engines := []string{}
	for _, name := range has {
		if strings.HasPrefix(name, "revlog-compression-") || strings.HasPrefix(name, "exp-compression-") {
			engines = append(engines, strings.SplitN(name, "-", 3)[2])
		}
	}
	if len(engines) > 1 {
		return 0, unsupported("debugformat of several compressions")
	}
	engine := strings.Join(append(engines, "zlib")[:1], "")
	line("compression", engine)
	level := "default"
	if engine == "zlib" || engine == "zstd" {
		n, ok, err := c.Config.Int("storage", "revlog."+engine+".level")
		if err != nil {
			return 0, err
		}
		switch {
		case ok && late:
			level = strconv.FormatInt(n, 10)
		case ok && (n < 0 || n > maxLevel):
			return 0, unsupported("storage.revlog.%s.level=%d", engine, n)
		case ok:
			level = strings.Repeat("\x00", int(n)) // a slip of hg 6: bytes(n)
		}
	}
	line("compression-level", level)
	return 0, nil
}
