// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"regexp"
	"sync"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/match/pyre"
)

// flagGroup is flags for the whole expression at its beginning, of those that
// mean the same for a part of it.
var flagGroup = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\(\?([ims]+)\)`) })

func grep(sc *scope, arg *Tree) (match.Matcher, error) {
	expr, err := getString(arg, "grep requires a pattern")
	if err != nil {
		return nil, err
	}
	re, err := searcher(expr)
	if err != nil {
		return nil, err
	}
	return sc.reads(named("grep", expr), func(data []byte) bool { return re.Match(string(data)) }), nil
}

// searcher compiles an expression so that Match does what Python's re.search
// does, with pyre, which looks at the beginning of a text only. What Python
// refuses is left to hg, which quotes Python's reason.
func searcher(expr string) (*pyre.Regexp, error) {
	body, flags := expr, ""
	if m := flagGroup().FindStringSubmatch(expr); m != nil {
		body, flags = expr[len(m[0]):], m[1]
	}
	// The expression must be good by itself: what closes the group below early
	// is wrong.
	e, err := pyre.Parse(body)
	if err != nil || e.Global {
		return nil, hgerr.NewUnsupported("fileset grep(%q)", expr)
	}
	if e, err = pyre.Parse(`(?s:.*)(?` + flags + `:` + body + `)`); err != nil {
		return nil, hgerr.NewUnsupported("fileset grep(%q)", expr)
	}
	return pyre.Compile(e)
}
