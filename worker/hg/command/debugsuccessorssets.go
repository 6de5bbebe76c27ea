// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
)

var debugsuccessorssetsSpec = Spec{
	Name:    "debugsuccessorssets",
	Options: func() []Option { return native(cmdline.Flag("", "closest")) },
	Run:     runDebugsuccessorssets,
}

// runDebugsuccessorssets shows what each of some changesets has become.
func runDebugsuccessorssets(c *Context) (int, error) {
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	if len(c.Args) == 0 {
		return 0, nil
	}
	revs, err := c.eval(v, c.Args)
	if err != nil {
		return 0, err
	}
	search := obsolete.NewSearch(v.Snapshot().Markers(), c.Opts.On("closest"), func(id node.ID) bool {
		rev, ok := v.Rev(id)
		return ok && !v.Hidden(rev)
	})
	for rev := range revs.All() {
		if rev == node.WdirRev {
			return 0, unsupported("the successors of the working directory")
		}
		if v.Len() > 0 {
			v.Flags(0) // hg may warn of markers
		}
		sets, err := search.Of(v.Node(rev))
		if err != nil {
			return 0, err
		}
		c.Print(v.Node(rev).Short() + "\n")
		for _, set := range sets {
			words := make([]string, len(set))
			for i, id := range set {
				words[i] = id.Short()
			}
			c.Print("    " + strings.Join(words, " ") + "\n")
		}
	}
	return 0, revs.Err()
}
