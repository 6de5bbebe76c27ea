// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"testing"

	"hgbroker/worker/hg/node"
)

// FuzzRevsetState feeds the two small formats that revsets read with anything;
// what they accept must stay within what was there.
func FuzzRevsetState(f *testing.F) {
	id := node.ID{1, 2, 3}
	f.Add([]byte("good "+id.String()+"\nbad "+id.String()+"\n"), []byte("sub = [git]http://x\n"))
	f.Add([]byte("current x\n"), []byte("# c\na=b\n\n = x\n"))
	f.Add([]byte(id.String()+" sub\n"), []byte("sub = sub\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		marked, err := parseBisection(a, func(node.ID) (node.Rev, bool) { return 7, true })
		n := 0
		for _, revs := range marked {
			n += len(revs)
		}
		if err == nil && n*node.HexSize > len(a) {
			t.Errorf("%q marks %d changesets", a, n)
		}
		states, err := parseSubstate(b, a)
		if err == nil && len(states) > len(b) {
			t.Errorf("%q names %d subrepositories", b, len(states))
		}
	})
}
