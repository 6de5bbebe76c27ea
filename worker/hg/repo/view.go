// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"bytes"
	"fmt"
	"path/filepath"

	"hgbroker/worker/hg/bookmarks"
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/mergestate"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/snapshot"
	"hgbroker/worker/hg/store"
	"hgbroker/worker/hg/tags"
	"hgbroker/worker/hg/template"
)

// View is a repository as one command sees it.
type View struct {
	*Repo
	Config   *config.Config
	Encoding *encoding.Encoding
	Cwd      string       // the command's working directory, absolute, links resolved
	Warn     func(string) // prints a line on stderr; the line ends it with \n
	Getenv   func(string) (string, bool)
	// Topics is the release of the extension topic when it is on, "" otherwise.
	Topics string
	// BeforeBranches, unless nil, is asked once before the heads of branches are
	// found; its error is that of finding them.
	BeforeBranches func() error
	// WdirStatus, unless nil, compares the working directory with its first parent.
	WdirStatus func() (modified, added, removed []string, err error)
	// OutgoingTo, unless nil, finds what another repository lacks.
	OutgoingTo func(dest string) ([]node.Rev, error)
	// RemoteNode, unless nil, looks a name up in another repository.
	RemoteNode func(name, source string) (node.ID, error)

	all      bool // --hidden: nothing is filtered
	filtered bool // what is hidden has been found out
	unhidden []node.Rev
	revealed map[node.Rev]struct{}
	seeing   *visible // once known

	// Warnings about a file wait until hg would read it.
	markWarnings  []string
	markersUnsaid bool

	wp1, wp2   node.Rev             // the dirstate's parents
	branch     string               // .hg/branch in UTF-8
	marks      []bookmarks.Bookmark // in UTF-8, those whose changeset exists
	active     string
	storeMarks bool // marks are those beside the store
	localTags  *tags.Table
	merge      *mergestate.State

	names     names
	branchmap *branchmap
	words     map[string]template.Text // of users and branches
	subrepos  keptSubrepos

	subrepoFiles int // of the store: 1 there, -1 not there, 0 not looked for
}

// Visibility says what of the store a command sees.
type Visibility struct {
	// Hidden is --hidden: everything.
	Hidden bool
}

// NewView reads what the checkout says and applies the visibility. Begin must
// have succeeded before.
func (r *Repo) NewView(cfg *config.Config, enc *encoding.Encoding, cwd string, getenv func(string) (string, bool), vis Visibility, warn func(string)) (*View, error) {
	v := &View{Repo: r, Config: cfg, Encoding: enc, Cwd: cwd, Warn: warn, Getenv: getenv, all: vis.Hidden}
	r.unsaid = nil
	k, dot := &r.checkout, r.Layout.Dot
	head, err := r.dirstateHead(r.Absent)
	if err != nil {
		return nil, err
	}
	if v.branch, err = k.branch.read(r.Absent, r.readBranch, dot+"/branch"); err != nil {
		return nil, err
	}
	if err := v.readBookmarks(); err != nil {
		return nil, err
	}
	if v.merge, err = r.readMerge(); err != nil {
		return nil, err
	}
	if v.wp1, err = v.knownParent(head.ids[0]); err != nil {
		return nil, err
	}
	if v.wp2, err = v.knownParent(head.ids[1]); err != nil {
		return nil, err
	}
	local, err := k.tags.read(r.Absent, func() ([]byte, error) { return text(dot + "/localtags") }, dot+"/localtags")
	if err != nil {
		return nil, err
	}
	if err := v.parseLocalTags(local); err != nil {
		return nil, err
	}
	r.viewed = true
	v.markersUnsaid = !v.evolutionEnabled()
	return v, nil
}

// UnsaidMarkers tells whether hg would warn of markers that the configuration
// does not know what to do with, the first time that it looks at them.
func (v *View) UnsaidMarkers() bool { return v.markersUnsaid && v.snap.Markers().Len() > 0 }

// sayMarkers warns, once, of markers that the configuration does not know what
// to do with.
func (v *View) sayMarkers() {
	if !v.markersUnsaid {
		return
	}
	v.markersUnsaid = false
	if n := v.snap.Markers().Len(); n > 0 {
		format := "obsolete feature not enabled but %d markers found!\n"
		if v.Config.Version().AtLeast(7, 0) {
			format = "\"obsolete\" feature not enabled but %d markers found!\n"
		}
		v.Warn(fmt.Sprintf(format, n))
	}
}

// knownParent resolves a parent in the dirstate. hg goes on without one that is
// not in the store, and warns whenever it first looks at it: that is left to hg.
func (v *View) knownParent(id node.ID) (node.Rev, error) {
	rev, ok := v.snap.Rev(id)
	if !ok && v.Moved() {
		// A commit brought it since the snapshot was made.
		return rev, &hgerr.Damage{Op: "read", Path: "dirstate", Cause: "the store changed", Changed: true}
	}
	if !ok {
		return rev, hgerr.NewUnsupported("unknown parent %s of the working directory", id.Short())
	}
	return rev, nil
}

// evolutionEnabled tells whether markers may be created (obsolete.isenabled).
func (v *View) evolutionEnabled() bool {
	if on, err := v.Config.Bool("experimental", "evolution.createmarkers"); err == nil && v.Config.IsSet("experimental", "evolution.createmarkers") {
		return on
	}
	value, set := v.Config.Get("experimental", "evolution")
	if !set {
		return false
	}
	if on, ok := config.ParseBool(value); ok {
		return on
	}
	for _, item := range v.Config.List("experimental", "evolution") {
		if item == "all" || item == "createmarkers" {
			return true
		}
	}
	return false
}

// text reads a small file; one that is missing is empty.
func text(path string) ([]byte, error) {
	b, _, err := store.ReadFile(path)
	return b, err
}

// readMerge is the merge that is under way, nil without one.
func (r *Repo) readMerge() (*mergestate.State, error) {
	dir := r.Layout.Dot + "/merge"
	if st, err := r.Absent.StampOf(dir); err != nil || !st.Exists {
		return nil, err
	}
	return r.checkout.merge.read(nil, func() (*mergestate.State, error) { return mergestate.Read(dir) }, dir+"/state2", dir+"/state")
}

func (v *View) readBookmarks() error {
	k, dot := &v.checkout, v.Layout.Dot
	if !v.inStore() && v.Layout.Shared && !v.sharesBookmarks() {
		own, err := k.marks.read(v.Absent, func() ([]byte, error) { return text(dot + "/bookmarks") }, dot+"/bookmarks")
		if err != nil {
			return err
		}
		v.marks, v.markWarnings = v.parseBookmarks(own)
	} else {
		if k.stored.of != v.snap {
			k.stored = storedMarks{of: v.snap}
			k.stored.list, k.stored.warnings = v.parseBookmarks(v.snap.BookmarkText())
		}
		v.storeMarks = true
		v.marks, v.markWarnings = k.stored.list, k.stored.warnings
	}
	active, err := k.active.read(v.Absent, func() (string, error) {
		current, err := text(filepath.Join(v.activeDir(), "bookmarks.current"))
		return bookmarks.Active(current), err
	}, filepath.Join(v.activeDir(), "bookmarks.current"))
	if err != nil {
		return err
	}
	for _, b := range v.marks {
		if b.Name == active {
			v.active = active
		}
	}
	return nil
}

// parseBookmarks takes those bookmarks out of a text whose changesets exist.
func (v *View) parseBookmarks(text []byte) (list []bookmarks.Bookmark, warnings []string) {
	shown := ".hg/bookmarks"
	if v.inStore() {
		shown = ".hg/store/bookmarks"
	}
	all := bookmarks.Parse(text, shown, func(msg string) { warnings = append(warnings, msg+"\n") })
	ids := make([]node.ID, len(all))
	for i, b := range all {
		ids[i] = b.Node
	}
	here := make([]bool, len(all))
	v.snap.Revs(ids, func(i int, _ node.Rev) { here[i] = true })
	for i, b := range all {
		if here[i] {
			list = append(list, b)
		}
	}
	return list, warnings
}

func (v *View) inStore() bool { return v.Layout.Requirements.Has("bookmarksinstore") }

func (v *View) activeDir() string { return v.Layout.Dot }

// sharesBookmarks tells whether a share uses its source's bookmarks: it was made
// with `hg share -B`, and the share extension, which knows of that, is on.
func (v *View) sharesBookmarks() bool {
	if _, on := v.Config.Extensions()["share"]; !on {
		return false
	}
	text, _, err := store.ReadFile(filepath.Join(v.Layout.Dot, "shared"))
	if err != nil {
		return false
	}
	for _, line := range bytes.Split(text, []byte{'\n'}) {
		if string(bytes.TrimSpace(line)) == "bookmarks" {
			return true
		}
	}
	return false
}

// say prints warnings that have waited, once.
func (v *View) say(waiting *[]string) {
	for _, text := range *waiting {
		v.Warn(text)
	}
	*waiting = nil
}

// wdir are the working directory's parents.
func (v *View) wdir() (p1, p2 node.Rev) {
	return v.wp1, v.wp2
}

// storedMarks are the bookmarks as stored.
func (v *View) storedMarks() []bookmarks.Bookmark {
	v.say(&v.markWarnings)
	return v.marks
}

// flags are what obsolescence markers say of a changeset.
func (v *View) flags(rev node.Rev) obsolete.Flag {
	v.sayMarkers()
	flags := v.snap.Flags(rev)
	if flags != 0 && v.snap.Phase(rev).LocalHidden() && v.Config.Version().AtLeast(7, 0) {
		flags &= obsolete.Hidden // internal changesets are not asked about any more
	}
	return flags
}

// Flags are what obsolescence markers say of a changeset.
func (v *View) Flags(rev node.Rev) obsolete.Flag { return v.flags(rev) }

// LookAtVisible finds out what is hidden, and warns if hg does then.
func (v *View) LookAtVisible() { v.filter() }

// filter finds out what is hidden, the first time that it matters: what pins
// make visible beyond the snapshot's flags.
func (v *View) filter() {
	if v.filtered || v.all {
		return
	}
	v.filtered = true
	v.sayMarkers()
	if v.snap.Hideable() {
		v.revealed = v.reveal()
	}
}

// reveal is what the default view shows although its flags hide it.
func (v *View) reveal() map[node.Rev]struct{} {
	p1, p2 := v.wdir()
	pins := append([]node.Rev{p1, p2}, v.unhidden...)
	for _, b := range v.storedMarks() {
		if rev, ok := v.snap.Rev(b.Node); ok {
			pins = append(pins, rev)
		}
	}
	for _, e := range v.localTags.ByName {
		if rev, ok := v.snap.Rev(e.Node); ok {
			pins = append(pins, rev)
		}
	}
	if v.merge != nil && v.merge.Unresolved() > 0 {
		for _, id := range [2]node.ID{v.merge.Local, v.merge.Other} {
			if rev, ok := v.snap.Rev(id); ok {
				pins = append(pins, rev)
			}
		}
	}
	return obsolete.Reveal(v.snap, v.snap.Flags, pins)
}

// Unhide makes changesets visible that a command names by their hash
// (scmutil.unhidehashlikerevs).
func (v *View) Unhide(revs []node.Rev) {
	if len(revs) > 0 {
		v.unhidden = append(v.unhidden, revs...)
		v.filtered = false
		v.revealed, v.seeing, v.branchmap, v.names = nil, nil, nil, names{}
	}
}

// Filtered tells whether the view leaves anything out.
func (v *View) Filtered() bool { return !v.all }

// Hidden tells whether a changeset is left out.
func (v *View) Hidden(rev node.Rev) bool {
	if v.all || rev < 0 {
		return false
	}
	if !v.filtered {
		v.filter()
	}
	if v.snap.Flags(rev)&obsolete.Hidden == 0 {
		return false
	}
	_, ok := v.revealed[rev]
	return !ok
}

// HiddenCount is how many changesets are left out.
func (v *View) HiddenCount() int {
	if v.all {
		return 0
	}
	v.filter()
	return v.snap.HiddenCount() - len(v.revealed)
}

// Len is the number of changesets, hidden ones included.
func (v *View) Len() int { return v.snap.Len() }

// Node is a changeset's ID.
func (v *View) Node(rev node.Rev) node.ID { return v.snap.Node(rev) }

// Parents are a changeset's parents.
func (v *View) Parents(rev node.Rev) (p1, p2 node.Rev) { return v.snap.Parents(rev) }

// Rev finds a changeset by its ID, hidden or not; all f's is WdirRev.
func (v *View) Rev(id node.ID) (node.Rev, bool) {
	if id == node.Wdir {
		return node.WdirRev, true
	}
	return v.snap.Rev(id)
}

// WdirParents are the working directory's parents.
func (v *View) WdirParents() (p1, p2 node.Rev) { return v.wdir() }

// MergeState is the state of a merge under way, nil without one.
func (v *View) MergeState() *mergestate.State { return v.merge }

// Tip is the highest visible changeset, NullRev in an empty repository.
func (v *View) Tip() node.Rev {
	rev := node.Rev(v.Len()) - 1
	for rev >= 0 && v.Hidden(rev) {
		rev--
	}
	return rev
}

// PhaseOf is a changeset's phase; for the working directory, the phase that a
// commit would get.
func (v *View) PhaseOf(rev node.Rev) phases.Phase {
	switch rev {
	case node.NullRev:
		return phases.Public
	case node.WdirRev:
		phase := v.newCommitPhase()
		p1, p2 := v.wdir()
		for _, p := range [2]node.Rev{p1, p2} {
			phase = max(phase, v.PhaseOf(p))
		}
		return phase
	}
	return v.snap.Phase(rev)
}

// newCommitPhase is phases.new-commit.
func (v *View) newCommitPhase() phases.Phase {
	switch value, _ := v.Config.Get("phases", "new-commit"); value {
	case "public", "0":
		return phases.Public
	case "secret", "2":
		return phases.Secret
	}
	return phases.Draft
}

// Heads are the visible heads, ascending.
func (v *View) Heads() []int32 {
	v.filter()
	if !v.all && len(v.revealed) == 0 {
		return v.snap.Heads()
	}
	if v.all && v.snap.HiddenCount() == 0 {
		return v.snap.Heads()
	}
	known := v.known()
	if known.heads == nil {
		known.heads = snapshot.ComputeHeads(v.snap.Index(), v.Hidden)
	}
	return known.heads
}

// local turns UTF-8 from the store into the local encoding.
func (v *View) local(stored string) string { return v.Encoding.Local(stored) }
