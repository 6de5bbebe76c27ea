// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"testing"

	"hgbroker/worker/hg/node"
)

// FuzzRevsetState feeds the state of a bisection with anything; what is accepted
// must stay within what was there.
func FuzzRevsetState(f *testing.F) {
	id := node.ID{1, 2, 3}
	f.Add([]byte("good " + id.String() + "\nbad " + id.String() + "\n"))
	f.Add([]byte("current x\n"))
	f.Fuzz(func(t *testing.T, a []byte) {
		marked, err := parseBisection(a, func(node.ID) (node.Rev, bool) { return 7, true })
		n := 0
		for _, revs := range marked {
			n += len(revs)
		}
		if err == nil && n*node.HexSize > len(a) {
			t.Errorf("%q marks %d changesets", a, n)
		}
	})
}
