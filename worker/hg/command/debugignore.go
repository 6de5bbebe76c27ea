// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"path"

	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
)

var debugignoreSpec = Spec{Name: "debugignore", Run: runDebugignore}

// runDebugignore shows the ignore rules as one expression, or which of them is to
// blame for each file that is named.
func runDebugignore(c *Context) (int, error) {
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	rules, err := c.ignoreRules(v, c.warnRaw)
	if err != nil {
		return 0, err
	}
	if len(c.Args) == 0 {
		c.Print(rules.Matcher().String() + "\n")
		return 0, nil
	}
	m, err := c.matcherIn(v, c.Args, nil, nil, node.WdirRev)
	if err != nil {
		return 0, err
	}
	name, err := c.pathNamer(v, true, nil)
	if err != nil {
		return 0, err
	}
	for _, file := range filesOf(m) {
		ignored, found := "", false
		if clean := path.Clean(file); clean != "." {
			ignored, found = rules.Because(clean)
		}
		if !found || ignored == "" {
			c.Print(name(file) + " is not ignored\n")
			continue
		}
		from, line, text, err := rules.Where(ignored, c.warnRaw)
		if err != nil {
			return 0, err
		}
		if from == "" {
			return 0, unsupported("an ignore rule that only works beside others")
		}
		if ignored == path.Clean(file) {
			c.Print(name(file) + " is ignored\n")
		} else {
			c.Print(name(file) + " is ignored because of containing directory " + ignored + "\n")
		}
		c.Printf("(ignore rule in %s, line %d: '%s')\n", from, line, text)
	}
	return 0, nil
}

// filesOf are what the patterns of a matcher name, or start from.
func filesOf(m match.Matcher) []string {
	if m.Always() {
		return nil
	}
	return m.Files()
}
