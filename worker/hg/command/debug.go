// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"path/filepath"
	"strconv"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/store"
)

// refuseUnsaid leaves to hg what looks at a file's history in its own order where
// it would warn of markers when it first meets them.
func refuseUnsaid(v *repo.View) error {
	if v.UnsaidMarkers() {
		return unsupported("the history of files beside obsolescence markers that evolution is not enabled for")
	}
	return nil
}

// refuseChatter leaves to hg what --debug would make it say about the state of
// its own files, when it happens to look at them: phase roots that name no
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
	v.BeforeBranches = func() error { return refuseBranchChatter(v) }
	return nil
}

// branchCaches are the files of branch heads that hg looks at, each for a view of
// the store that has less in it than the one before. It takes the first that is
// there and valid, and under --debug tells of those that are there and not valid
// ("invalid branch cache (served): tip differs").
var branchCaches = []string{"branch2", "branch2-visible", "branch2-served", "branch2-immutable", "branch2-base"}

// refuseBranchChatter is for the moment when hg asks for the heads of branches.
func refuseBranchChatter(v *repo.View) error {
	if on, err := v.Config.Bool("experimental", "branch-cache-v3"); err != nil || on {
		return unsupported("--debug with experimental.branch-cache-v3")
	}
	from := 1
	if !v.Filtered() {
		from = 0
	}
	for i := from; i < len(branchCaches); i++ {
		text, stamp, err := store.ReadFile(filepath.Join(v.Layout.CacheDir(), branchCaches[i]))
		if err != nil {
			return err
		}
		if !stamp.Exists {
			continue
		}
		if i == len(branchCaches)-1 || !currentCache(v, text, i) {
			return unsupported("--debug with a branch cache that is out of date")
		}
		return nil
	}
	return nil
}

// currentCache tells whether the first line of a branch cache is right: "NODE REV",
// the last changeset that counts, and a third field, there only when some up to
// that one are filtered from the view or obsolete, the SHA-1 of their numbers,
// each with a semicolon after it (filteredhash in Mercurial's scmutil.py). view is
// an index into branchCaches.
func currentCache(v *repo.View, text []byte, view int) bool {
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	fields := bytes.Fields(line)
	if len(fields) < 2 || len(fields) > 3 {
		return false
	}
	n, err := strconv.Atoi(string(fields[1]))
	if err != nil || n < 0 || n >= v.Len() || v.Node(node.Rev(n)).Hex() != string(fields[0]) {
		return false
	}
	snap, tip := v.Snapshot(), node.Rev(n)
	var digits []byte
	for rev := snap.FirstMutable(); rev <= tip; rev++ {
		filtered := false
		switch view {
		case 1:
			filtered = v.Hidden(rev)
		case 2:
			filtered = v.Hidden(rev) || snap.Phase(rev) > phases.Draft
		case 3:
			filtered = snap.Phase(rev) > phases.Public
		}
		if filtered && rev == tip {
			return false
		}
		if filtered || snap.Flags(rev)&obsolete.Obsolete != 0 {
			digits = append(strconv.AppendInt(digits, int64(rev), 10), ';')
		}
	}
	if len(digits) == 0 {
		return len(fields) == 2
	}
	sum := sha1.Sum(digits)
	return len(fields) == 3 && string(fields[2]) == hex.EncodeToString(sum[:])
}
