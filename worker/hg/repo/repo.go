// SPDX-License-Identifier: GPL-2.0-or-later

// Package repo is an open repository: it finds the files, keeps a snapshot of
// the store in step with the disk, and answers questions about changesets, names
// and files.
//
// Two types share the work. A Repo lives for many commands: it holds what is
// the same for everyone who asks (layout, snapshot, open revlogs). A View lives
// for one command: it adds the command's configuration, encoding and visibility,
// and what the checkout says (parents, active bookmark, local tags), all read
// once, so that one command never sees two states of the checkout.
//
// A Repo writes nothing below its root.
package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hgbroker/worker/hg/annotate"
	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/snapshot"
	"hgbroker/worker/hg/store"
)

// Find returns the nearest directory at or above dir that has a .hg directory.
func Find(dir string) (root string, ok bool) {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if store.IsDirectory(filepath.Join(dir, ".hg")) {
			return dir, true
		}
		if dir == "/" || dir == "." {
			return "", false
		}
	}
}

// Repo is an open repository. It belongs to one goroutine at a time.
type Repo struct {
	Layout *requires.Layout
	// Absent is what .hg is known to lack since the command began, and has it open;
	// nil knows nothing.
	Absent *store.Absences
	images image.Source
	crew   Crew // of the work of settlements; commands have the zero one
	store  *store.Store
	snap   *snapshot.Snapshot
	// spent are the snapshots that Adopt replaced since Begin. Whoever asked the
	// last command may still hold slices of them, and the logs use their index.
	spent   []*snapshot.Snapshot
	unsaved bool // snap knows what no image has
	// wantBranches says that a command asked for branches, and was answered
	// without the branch of every changeset.
	wantBranches bool

	changelog *changelog.Log // opened when needed
	manifests *manifest.Log  // opened when needed
	filelogs  filelogs
	parent    parentManifest

	inputs      [snapshot.NumInputs]string   // the files behind each input of the snapshot
	states      [len(generationFiles)]string // those of the checkout that Generation depends on
	texts       changesets
	columns     texts
	checkout    checkout
	visible     []*visible       // the one used last comes first
	missing     []*missingCount  // likewise
	viewed      bool             // a view was made since Resume
	clock       func() time.Time // that of the last Begin, or nil
	generation  generation
	annotations annotate.Cache

	// What the last Begin did, for the finished-command message.
	loaded   string // "", "refreshed" or "built"
	LoadTime time.Duration
	markers  bool // they were known then

	// unsaid is why the command's answer does not count, where that could not be
	// told at once.
	unsaid error
}

// Loaded is what the last command had to find out from files: "" nothing,
// "refreshed" a part, "built" all.
func (r *Repo) Loaded() string {
	if r.loaded == "" && r.snap != nil && !r.markers && r.snap.HasMarkers() {
		return "refreshed"
	}
	return r.loaded
}

// Open resolves the layout of the repository at root. It reads no history;
// Begin does.
func Open(root string, images image.Source) (*Repo, error) {
	layout, err := requires.Resolve(root)
	if err != nil {
		return nil, err
	}
	r := &Repo{Layout: layout, images: images, store: layout.Store()}
	r.inputs = r.paths()
	for i, name := range generationFiles {
		r.states[i] = layout.Dot + "/" + name
	}
	return r, nil
}

// Close gives back the snapshot and all files.
func (r *Repo) Close() {
	r.texts.stored = keptChangeset{}
	r.columns.close()
	r.closeLogs()
	r.filelogs.close()
	r.parent.close()
	r.checkout.worktree.dirstate.close()
	r.closeSpent()
	if r.snap != nil {
		r.snap.Close()
		r.snap = nil
	}
}

func (r *Repo) closeSpent() {
	for _, s := range r.spent {
		s.Close()
	}
	r.spent = nil
}

func (r *Repo) closeLogs() {
	if r.changelog != nil {
		r.changelog.Close()
		r.changelog = nil
	}
	if r.manifests != nil {
		r.manifests.Close()
		r.manifests = nil
	}
}

// Key names the store's image.
func (r *Repo) Key() image.Key { return image.Key{Kind: image.Store, Path: r.Layout.StorePath} }

// growthKey names the image of what came after that of Key.
func (r *Repo) growthKey() image.Key {
	return image.Key{Kind: image.Growth, Path: r.Layout.StorePath}
}

// Resume begins another command on a repository that is open already. It tells
// whether layout and requirements are still those of Open; if not, the repository
// must be opened anew.
func (r *Repo) Resume() bool {
	r.viewed = false
	return r.Layout.Fresh(r.Absent)
}

// Snapshot is the store's snapshot; Begin must have succeeded.
func (r *Repo) Snapshot() *snapshot.Snapshot { return r.snap }

// Store is where the store's files are.
func (r *Repo) Store() *store.Store { return r.store }

// loadAttempts is how often Begin reads again when the store changes under it.
const loadAttempts = 20

// Begin makes the snapshot stand for what is on disk now. It costs four stats
// when nothing has changed; else it reads what was appended, and what it does not
// find in an image is read when a command asks for it. An image of the result is
// made by a Settlement. clock measures, and may be nil.
func (r *Repo) Begin(ctx context.Context, clock func() time.Time) error {
	r.loaded, r.LoadTime = "", 0
	r.beginTexts()
	r.parent.begin()
	r.checkout.worktree.dirstate.begin()
	r.clock = clock
	if len(r.spent) > 0 {
		r.closeLogs()
		r.closeSpent()
	}
	var start time.Time
	if clock != nil {
		start = clock()
	}
	if r.snap != nil && r.unchanged() {
		r.markers = r.snap.HasMarkers()
		return nil
	}
	now, err := r.stamps()
	if err != nil {
		return err
	}
	if r.snap != nil && r.snap.Stamps() == now {
		r.markers = r.snap.HasMarkers()
		return nil
	}
	if r.lease(now) {
		r.markers = true
		return nil
	}
	r.loaded = "refreshed"
	if r.snap == nil {
		r.loaded = "built"
	}
	for range loadAttempts {
		if err := ctx.Err(); err != nil {
			return err
		}
		s, err := r.load(now)
		if err == nil {
			r.adopt(s)
			r.unsaved = true
			if clock != nil {
				r.LoadTime = clock().Sub(start)
			}
			return nil
		}
		if !changed(err) {
			// A store that is being written can look damaged: what counts is
			// whether it still does when it holds still.
			again, serr := r.stamps()
			if serr != nil {
				return serr
			}
			if again == now {
				return err
			}
			now = again
		}
	}
	return &hgerr.Damage{Op: "read", Path: "store", Cause: "it keeps changing", Changed: true}
}

// unchanged tells whether the snapshot certainly stands for what is on disk.
// What it is told to be missing was so when the command began, and the changelog
// is looked at after that: together they are one state of the repository.
func (r *Repo) unchanged() bool {
	was := r.snap.Stamps()
	for i, p := range r.inputs {
		if now, err := r.Absent.StampOf(p); err != nil || now != was[i] {
			return false
		}
	}
	return true
}

// Moved tells whether the store is not the one any more that the snapshot
// stands for.
func (r *Repo) Moved() bool {
	now, err := r.stamps()
	return err != nil || r.snap == nil || r.snap.Stamps() != now
}

func changed(err error) bool {
	var d *hgerr.Damage
	return errors.As(err, &d) && d.Changed
}

// lease looks whether there are images that are newer than what is known, and
// tells whether they stand for now.
func (r *Repo) lease(now snapshot.Stamps) bool {
	if r.leaseGrowth(now) {
		return true
	}
	img := r.images.Lease(r.Key())
	if img == nil {
		return false
	}
	if of, ok := r.base(); ok && of == img.Fingerprint() {
		img.Close() // it is mapped already, and what it grew to was asked for
		return false
	}
	s, err := snapshot.Open(img)
	if err != nil {
		img.Close()
		return false
	}
	// What came later, or only more that was found out of the same.
	if more := r.images.Lease(r.growthKey()); more != nil {
		if g, err := snapshot.OpenGrown(s, more); err != nil {
			more.Close()
		} else if s.Stamps() == now && g.Stamps() != now {
			g.Close()
		} else {
			s.Close()
			s = g
		}
	}
	if r.snap != nil && s.Stamps() != now {
		s.Close()
		return false
	}
	r.adopt(s)
	return s.Stamps() == now
}

// leaseGrowth looks whether there is an image of what came after the one that the
// snapshot rests on, which is all that is missing as a rule, and tells whether they
// stand for now together.
func (r *Repo) leaseGrowth(now snapshot.Stamps) bool {
	if _, ok := r.base(); !ok {
		return false
	}
	img := r.images.Lease(r.growthKey())
	if img == nil {
		return false
	}
	s, err := snapshot.OpenGrown(r.snap, img)
	if err != nil {
		img.Close()
		return false
	}
	if s.Stamps() != now {
		s.Close()
		return false
	}
	r.adopt(s)
	return true
}

// base is the fingerprint of the image that the snapshot rests on.
func (r *Repo) base() (uint64, bool) {
	if r.snap == nil {
		return 0, false
	}
	return r.snap.Base()
}

func (r *Repo) adopt(s *snapshot.Snapshot) {
	r.closeLogs()
	r.unsaved = false
	if r.snap != nil {
		if !s.Continues(r.snap) {
			r.texts = changesets{}
		}
		r.snap.Close()
	}
	r.snap = s
	r.texts.stored = keptChangeset{}
	r.columns.moved(s)
}

// sharedBookmarksPath is where the bookmarks of the store's owner are: in the
// store when the repository was made so, else beside it in .hg.
func (r *Repo) sharedBookmarksPath() string {
	if r.Layout.Requirements.Has(requires.BookmarksInStore) {
		return filepath.Join(r.Layout.StorePath, "bookmarks")
	}
	return filepath.Join(r.Layout.SharedDot, "bookmarks")
}

// paths are the files behind each input of the snapshot.
func (r *Repo) paths() [snapshot.NumInputs]string {
	dir := r.Layout.StorePath
	return [snapshot.NumInputs]string{
		snapshot.Changelog:  dir + "/00changelog.i",
		snapshot.PhaseRoots: dir + "/phaseroots",
		snapshot.ObsStore:   dir + "/obsstore",
		snapshot.Bookmarks:  r.sharedBookmarksPath(),
	}
}

func (r *Repo) stamps() (s snapshot.Stamps, err error) {
	for i, p := range r.inputs {
		if s[i], err = store.StampOf(p); err != nil {
			return s, fmt.Errorf("stat %s: %w", p, err)
		}
	}
	return s, nil
}

// load reads what was appended to the inputs, or all of them where that cannot
// be told, and makes a snapshot of it. The obsstore, which most commands need
// little of and which can be large, waits until it is asked for.
func (r *Repo) load(now snapshot.Stamps) (*snapshot.Snapshot, error) {
	f := &snapshot.Files{}
	appended := false
	var err error
	if prev := r.snap; prev != nil {
		if f.Stamps[snapshot.Changelog] = now[snapshot.Changelog]; now[snapshot.Changelog] == prev.Stamps()[snapshot.Changelog] {
			f.Index, appended = prev.Index(), true
		} else if f.Index, f.Stamps[snapshot.Changelog], appended, err = revlog.ReadTail(r.store.Changelog(), prev.Index()); err != nil {
			return nil, err
		}
		if appended {
			f.Prior = prev.Len()
		}
	}
	if !appended {
		raw, stamp, err := store.ReadFile(r.inputs[snapshot.Changelog])
		if err != nil {
			return nil, err
		}
		if f.Index, err = revlog.ParseIndex("00changelog", raw); err != nil {
			return nil, err
		}
		f.Stamps[snapshot.Changelog] = stamp
		if r.snap != nil {
			f.Prior = f.Index.Common(r.snap.Index())
		}
	}
	known := func(in snapshot.Input) bool { return appended && now[in] == r.snap.Stamps()[in] }
	if f.Stamps[snapshot.PhaseRoots] = now[snapshot.PhaseRoots]; known(snapshot.PhaseRoots) {
		f.PhaseRoots = r.snap.PhaseText()
	} else if f.PhaseRoots, f.Stamps[snapshot.PhaseRoots], err = store.ReadFile(r.inputs[snapshot.PhaseRoots]); err != nil {
		return nil, err
	}
	if f.Stamps[snapshot.Bookmarks] = now[snapshot.Bookmarks]; known(snapshot.Bookmarks) {
		f.Bookmarks = r.snap.BookmarkText()
	} else if f.Bookmarks, f.Stamps[snapshot.Bookmarks], err = store.ReadFile(r.inputs[snapshot.Bookmarks]); err != nil {
		return nil, err
	}
	if err := r.loadMarkers(f); err != nil {
		return nil, err
	}
	after, err := r.stamps()
	if err != nil {
		return nil, err
	}
	if after != f.Stamps {
		return nil, &hgerr.Damage{Op: "read", Path: "store", Cause: "it changed", Changed: true}
	}
	s := snapshot.Grow(f, r.snap)
	if err := s.Err(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// markersCheck is how much of an obsstore, from its end, must be what it was for
// more behind it to count as appended, in bytes.
const markersCheck = 64 << 10

// loadMarkers sees what became of the obsstore: it is what it was, or has more
// behind it, or is to be read whole when it is wanted.
func (r *Repo) loadMarkers(f *snapshot.Files) error {
	path := r.inputs[snapshot.ObsStore]
	stamp, err := store.StampOf(path)
	if err != nil {
		return fmt.Errorf("stat %s: %w", path, err)
	}
	f.Stamps[snapshot.ObsStore] = stamp
	f.LateObsStore = func() ([]byte, error) {
		raw, read, err := store.ReadFile(path)
		if err == nil && read != stamp {
			err = &hgerr.Damage{Op: "read", Path: "obsstore", Cause: "it changed", Changed: true}
		}
		return raw, err
	}
	if r.snap == nil || !stamp.Exists || stamp == r.snap.Stamps()[snapshot.ObsStore] || !r.snap.HasMarkers() {
		return nil
	}
	known := r.snap.Markers()
	if stamp.Size < int64(known.Size()) {
		return nil
	}
	tail := known.Tail(markersCheck)
	from := int64(known.Size() - len(tail))
	file, err := os.Open(path)
	if err != nil {
		return nil //nolint:nilerr // the stamps that are compared next tell
	}
	defer file.Close()
	raw := make([]byte, stamp.Size-from)
	if _, err := file.ReadAt(raw, from); err != nil || !bytes.HasPrefix(raw, tail) {
		return nil //nolint:nilerr // it is read whole, then
	}
	f.ObsStore, f.Appended = raw[len(tail):], true
	return nil
}

// Err is why what the last command asked for could not be worked out.
func (r *Repo) Err() error {
	if r.unsaid != nil {
		return r.unsaid
	}
	if r.snap == nil {
		return nil
	}
	return r.snap.Err()
}

// extended notes that a command found out what an image can keep.
func (r *Repo) extended() {
	r.unsaved = true
	if r.loaded == "" {
		r.loaded = "refreshed"
	}
}

// changesetLog gives access to the texts of changesets.
func (r *Repo) changesetLog() *changelog.Log {
	if r.changelog == nil {
		r.changelog = r.openChangelog()
	}
	return r.changelog
}

// openChangelog opens the changelog once more; the caller closes it.
func (r *Repo) openChangelog() *changelog.Log {
	return changelog.OpenWithIndex(r.store, r.snap.Index(), r.snap.Stamps()[snapshot.Changelog])
}

// Manifests is the manifest log.
func (r *Repo) Manifests() (*manifest.Log, error) {
	if r.manifests == nil {
		m, err := manifest.Open(r.store, r.Layout.Requirements.Has(requires.TreeManifest))
		if err != nil {
			return nil, err
		}
		r.manifests = m
	}
	return r.manifests, nil
}
