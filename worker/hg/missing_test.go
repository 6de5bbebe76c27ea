// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
)

// How many changesets an update would bring is counted by one worker for all, and
// goes on from there when changesets come; after a strip it is counted anew.
func TestMissingIsCountedOnce(t *testing.T) {
	r := newLongRepo(t, 9000)
	r.update(10)
	s := newShelf(t)
	ask := func(what, loaded, update string) {
		t.Helper()
		e := New(Options{Images: s, Deferred: true})
		defer e.Close()
		out, errs, res, err := runEngine(e, r.dir, []string{"summary"}, hgtest.BaseEnv(), Installation{Version: "6.3.2"})
		if err != nil || res.Loaded != loaded || !strings.Contains(string(out), "\nupdate: "+update+" new changesets (update)\n") {
			t.Errorf("%s: %q, want %q; %v %s%s", what, res.Loaded, loaded, err, errs, out)
		}
		e.Settle()
		known := e.repos[0].Snapshot().Missing()
		if len(known) != 1 || known[0].Common[0] != node.Rev(10) {
			t.Errorf("%s: an image has %v", what, known)
		}
	}
	ask("first", "built", "8989")
	ask("another worker", "", "8989")
	r.pull(2)
	ask("after a pull", "refreshed", "8991")
	ask("once more", "", "8991")
	r.strip(500)
	r.update(10)
	ask("after a strip", "refreshed", "8491")
	ask("and another worker", "", "8491")
}
