// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import "hgbroker/worker/hg/node"

// IsAncestor tells whether a is b or an ancestor of it.
func (v *View) IsAncestor(a, b node.Rev) bool {
	if a == b || a == node.NullRev {
		return true
	}
	seen := map[node.Rev]struct{}{}
	todo := []node.Rev{b}
	for len(todo) > 0 {
		rev := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		p1, p2 := v.Parents(rev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p == a {
				return true
			}
			if _, ok := seen[p]; p > a && !ok {
				seen[p] = struct{}{}
				todo = append(todo, p)
			}
		}
	}
	return false
}
