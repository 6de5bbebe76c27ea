// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"path/filepath"
	"strconv"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/store"
)

// refuseChatter leaves to hg what --debug would make it say about the state of
// its own files, whenever it happens to look at them: phase roots that name no
// changeset, and branch caches that are out of date.
func refuseChatter(v *repo.View) error {
	text, _, err := v.Store().Read("phaseroots")
	if err != nil {
		return err
	}
	roots, err := phases.Parse(text)
	if err != nil {
		return err
	}
	for _, r := range roots {
		if _, ok := v.Rev(r.Node); !ok {
			return unsupported("--debug with phase roots of unknown changesets")
		}
	}
	snap := v.Snapshot()
	filtered := snap.HiddenCount() > 0 // or secret: then caches may be of other views
	for rev := snap.FirstMutable(); int(rev) < snap.Len() && !filtered; rev++ {
		filtered = snap.Phase(rev) > phases.Draft
	}
	caches, err := filepath.Glob(filepath.Join(v.Layout.CacheDir(), "branch[23]*"))
	if err != nil {
		return err
	}
	for _, path := range caches {
		text, _, err := store.ReadFile(path)
		if err != nil {
			return err
		}
		if filtered || !currentCache(v, text) {
			return unsupported("--debug with a branch cache that is out of date")
		}
	}
	return nil
}

// currentCache tells whether the first line of a branch cache, "NODE REV", names
// a changeset of the store. A third field stands for what was hidden, which only
// hg can compare.
func currentCache(v *repo.View, text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	fields := bytes.Fields(line)
	if len(fields) != 2 {
		return false
	}
	rev, err := strconv.Atoi(string(fields[1]))
	return err == nil && rev >= 0 && rev < v.Len() && v.Node(node.Rev(rev)).Hex() == string(fields[0])
}
