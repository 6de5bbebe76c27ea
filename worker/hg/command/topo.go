// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"strconv"
	"strings"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
)

// topological is a set with one line of development after the other, as
// experimental.log.topo asks for it.
func (c *Context) topological(v *repo.View, set *revset.Set) (*revset.Set, error) {
	if set.Topological() {
		return set, nil
	}
	revs, err := set.Revs()
	if err != nil {
		return nil, err
	}
	words := make([]string, len(revs))
	for i, r := range revs {
		if r < 0 || r == node.WdirRev {
			return nil, unsupported("experimental.log.topo with the null revision or wdir()")
		}
		words[i] = strconv.Itoa(int(r))
	}
	return c.eval(v, []string{"sort(_intlist(" + revset.Quote(strings.Join(words, "\x00")) + "), topo)"})
}
