// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

func (bm *branchmap) String() string {
	var b strings.Builder
	for _, x := range bm.branches {
		fmt.Fprintf(&b, "%s %v %v\n", x.Name, x.Heads, x.closed)
	}
	return b.String()
}

// Branches are the same whether those of hidden and obsolete changesets are known or
// not, with hg's cache of them and without.
func TestCountingBranchmap(t *testing.T) {
	hidden := 0
	for _, name := range []string{"obsolescence", "obsolete-unread", "phases", "branches", "internal-phase", "archived-phase", "random-1", "random-2", "random-3", "random-4", "random-5"} {
		for _, cached := range []bool{true, false} {
			dir := hgtest.Extract(t, name)
			if !cached {
				if err := os.RemoveAll(dir + "/.hg/cache"); err != nil {
					t.Fatal(err)
				}
			}
			for _, visibility := range []Visibility{{}, {Hidden: true}} {
				branches := func(f func(v *View) (*branchmap, error)) string {
					r := open(t, dir, &memory{})
					if err := r.Begin(t.Context(), nil); err != nil {
						t.Fatal(err)
					}
					v, err := viewSeeing(t, r, visibility, func(string) {})
					if err != nil {
						t.Fatal(err)
					}
					hidden += v.Snapshot().HiddenCount()
					bm, err := f(v)
					if err != nil {
						t.Fatal(err)
					}
					return bm.String()
				}
				want := branches(func(v *View) (*branchmap, error) { err := v.needBranches(); return v.computeBranchmap(), err })
				got := branches(func(v *View) (*branchmap, error) { return v.countingBranchmap(0) })
				if got != want {
					t.Errorf("%s, cached %v, %+v:\n%s, not\n%s", name, cached, visibility, got, want)
				}
			}
		}
	}
	if hidden == 0 {
		t.Error("nothing is hidden")
	}
}
