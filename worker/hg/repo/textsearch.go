// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/snapshot"
)

// TextsWith searches the image of all texts, from when the command has it.
func (v Revsets) TextsWith(lower string) func(node.Rev) (may, surely bool) {
	var of *snapshot.Texts
	var search *snapshot.TextSearch
	return func(rev node.Rev) (may, surely bool) {
		open := v.columns.open
		if open == nil || rev == node.WdirRev || rev < 0 || int(rev) >= open.Len() {
			return true, false
		}
		if of != open {
			of, search = open, open.Search(lower)
		}
		return search.May(rev)
	}
}

var _ revset.TextIndex = Revsets{}
