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
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

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
		if fi, err := os.Stat(filepath.Join(dir, ".hg")); err == nil && fi.IsDir() {
			return dir, true
		}
		if dir == "/" || dir == "." {
			return "", false
		}
	}
}

// IsRealRoot tells whether dir is the absolute path, without a symbolic link in
// it, of a directory that has a .hg directory. It asks with two system calls
// however long the path is; false may also mean that the kernel (before Linux
// 5.6) cannot tell.
func IsRealRoot(dir string) bool {
	if !filepath.IsAbs(dir) || filepath.Clean(dir) != dir {
		return false
	}
	fd, err := unix.Openat2(unix.AT_FDCWD, dir+"/.hg", &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS})
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// Repo is an open repository. It belongs to one goroutine at a time.
type Repo struct {
	Layout *requires.Layout
	// Absent is what .hg is known to lack since the command began; nil knows
	// nothing.
	Absent *store.Absences
	images image.Source
	store  *store.Store
	snap   *snapshot.Snapshot
	// spent are the snapshots that extend replaced since Begin. The command that
	// runs may still hold slices of them, and the logs use their index.
	spent []*snapshot.Snapshot

	changelog *changelog.Log // opened when needed
	manifests *manifest.Log  // opened when needed

	inputs     [snapshot.NumInputs]string // the files behind each input of the snapshot
	texts      changesets
	checkout   checkout
	visible    []*visible // the one used last comes first
	viewed     bool       // a view was made since Resume
	generation generation

	// What the last Begin did, for the finished-command message.
	Loaded   string // "", "refreshed" or "built"
	LoadTime time.Duration
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
	return r, nil
}

// Close gives back the snapshot and all files.
func (r *Repo) Close() {
	r.closeLogs()
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

// Resume begins another command on a repository that is open already. It tells
// whether layout and requirements are still those of Open; if not, the repository
// must be opened anew.
func (r *Repo) Resume() bool {
	r.viewed = false
	return r.Layout.Fresh()
}

// Snapshot is the store's snapshot; Begin must have succeeded.
func (r *Repo) Snapshot() *snapshot.Snapshot { return r.snap }

// Store is where the store's files are.
func (r *Repo) Store() *store.Store { return r.store }

// loadAttempts is how often Begin reads again when the store changes under it.
const loadAttempts = 20

// Begin makes the snapshot stand for what is on disk now. It costs four stats
// when nothing has changed. clock measures, and may be nil.
func (r *Repo) Begin(ctx context.Context, clock func() time.Time) error {
	r.Loaded, r.LoadTime = "", 0
	if len(r.spent) > 0 {
		r.closeLogs()
		r.closeSpent()
	}
	var start time.Time
	if clock != nil {
		start = clock()
	}
	if r.snap != nil && r.unchanged() {
		return nil
	}
	now, err := r.stamps()
	if err != nil {
		return err
	}
	if r.snap != nil && r.snap.Stamps() == now {
		return nil
	}
	if img := r.images.Lease(r.Key()); img != nil {
		if s, err := snapshot.Open(img); err != nil {
			img.Close()
		} else if r.snap == nil || s.Stamps() == now {
			r.adopt(s)
		} else {
			s.Close()
		}
		if r.snap != nil && r.snap.Stamps() == now {
			return nil
		}
	}
	r.Loaded = "refreshed"
	if r.snap == nil {
		r.Loaded = "built"
	}
	for range loadAttempts {
		if err := ctx.Err(); err != nil {
			return err
		}
		s, err := r.build()
		if err == nil {
			r.adopt(s)
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

func (r *Repo) adopt(s *snapshot.Snapshot) {
	r.closeLogs()
	if r.snap != nil {
		if r.snap.Stamps()[snapshot.Changelog] != s.Stamps()[snapshot.Changelog] {
			r.texts = changesets{}
		}
		r.snap.Close()
	}
	r.snap = s
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

// build reads the inputs and makes a new snapshot of them, reusing what still
// holds of the present one. Of a changelog that has grown only the new part is
// read.
func (r *Repo) build() (*snapshot.Snapshot, error) {
	f := &snapshot.Files{}
	appended := false
	var err error
	if r.snap != nil {
		f.Index, f.Stamps[snapshot.Changelog], appended, err = revlog.ReadTail(r.store.Changelog(), r.snap.Index())
		if err != nil {
			return nil, err
		}
	}
	var raw [snapshot.NumInputs][]byte
	for i, p := range r.inputs {
		if snapshot.Input(i) == snapshot.Changelog && appended {
			continue
		}
		if raw[i], f.Stamps[i], err = store.ReadFile(p); err != nil {
			return nil, err
		}
	}
	after, err := r.stamps()
	if err != nil {
		return nil, err
	}
	if after != f.Stamps {
		return nil, &hgerr.Damage{Op: "read", Path: "store", Cause: "it changed", Changed: true}
	}
	if !appended {
		if f.Index, err = revlog.ParseIndex("00changelog", raw[snapshot.Changelog]); err != nil {
			return nil, err
		}
	}
	f.PhaseRoots, f.ObsStore, f.Bookmarks = raw[snapshot.PhaseRoots], raw[snapshot.ObsStore], raw[snapshot.Bookmarks]
	prev := r.snap
	b, err := snapshot.Build(f, prev)
	if err != nil {
		return nil, err
	}
	return r.keep(b)
}

// keep hands an image to the source and opens it.
func (r *Repo) keep(b *image.Builder) (*snapshot.Snapshot, error) {
	img, err := r.images.Keep(r.Key(), b)
	if err != nil {
		if img, err = (image.Private{}).Keep(r.Key(), b); err != nil {
			return nil, err
		}
	}
	s, err := snapshot.Open(img)
	if err != nil {
		img.Close()
		return nil, err
	}
	return s, nil
}

// extend adds optional sections to the snapshot, and gives the new image to the
// source so that nobody computes them again.
func (r *Repo) extend(b *snapshot.BranchColumns, t *snapshot.TagColumns) error {
	s, err := r.keep(snapshot.Extend(r.snap, b, t))
	if err != nil {
		return err
	}
	if r.Loaded == "" {
		r.Loaded = "refreshed"
	}
	r.spent = append(r.spent, r.snap)
	r.snap = s
	return nil
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
		m, err := manifest.Open(r.store)
		if err != nil {
			return nil, err
		}
		r.manifests = m
	}
	return r.manifests, nil
}
