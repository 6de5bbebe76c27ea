// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"context"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/snapshot"
	"hgbroker/worker/hg/store"
)

// Settlement makes images of what the commands on a repository found out, so that
// nobody has to find it out again. It is for the time after a command has answered,
// and the next one does not wait for it:
//
//	r.Settling ──▶ Make, on any goroutine ──▶ r.Adopt
//	  └──────────── commands go on, on what r has in memory
//
// Settling and Adopt belong to the goroutine that the repository belongs to. Every
// settlement that Settling returned must be given to Adopt.
type Settlement struct {
	Crew Crew // whose goroutines Make uses beside its own

	of    *snapshot.Snapshot // what the repository had; not to be used by Make
	work  *Repo              // another one of the same state, Make's own
	texts bool               // wanted
	owed  owedManifest       // that is wanted
	kept  *snapshot.Manifest // of it

	dirstate *dirstate.Dirstate // that is wanted
	stamp    store.Stamp        // of its file
	checkout *snapshot.Checkout // of it
	err      error
}

// Unsettled tells whether Settling has anything to do.
func (r *Repo) Unsettled() bool {
	return r.snap != nil && (r.unsaved || r.wantBranches || r.parent.owed.text != nil || r.checkout.worktree.dirstate.owed || r.wantsTexts())
}

// Settling begins a settlement. It returns nil when there is nothing to do.
func (r *Repo) Settling() *Settlement {
	if !r.Unsettled() {
		return nil
	}
	layout := *r.Layout
	s := &Settlement{of: r.snap, texts: r.wantsTexts(), owed: r.parent.owed, work: &Repo{Layout: &layout, images: r.images, store: r.store, inputs: r.inputs,
		snap: r.snap.Share(), unsaved: r.unsaved, wantBranches: r.wantBranches}}
	r.unsaved, r.wantBranches, r.parent.owed = false, false, owedManifest{}
	if k := &r.checkout.worktree.dirstate; k.owed {
		k.owed = false
		s.dirstate, s.stamp = k.value, k.stamp
	}
	if s.texts {
		t := &r.columns
		if t.open != nil {
			s.work.columns.open = t.open.Share()
		}
		t.read, t.owed = 0, 0
	}
	return s
}

// Make makes the images and gives them to a source. Nothing is lost when it fails,
// or is ended by ctx.
func (s *Settlement) Make(ctx context.Context, to image.Source) error {
	w := s.work
	w.images, w.crew = to, s.Crew
	if s.err = ctx.Err(); s.err == nil && w.unsaved {
		if got, more := w.claim(ctx); got {
			w.unsaved = more
		}
	}
	if s.err == nil && (w.unsaved || w.wantBranches) {
		s.err = w.settleSnapshot(ctx)
	}
	if s.err == nil && s.owed.text != nil {
		if s.err = ctx.Err(); s.err == nil {
			s.kept, s.err = w.keepManifest(s.owed)
		}
	}
	if s.err == nil && s.dirstate != nil {
		if s.err = ctx.Err(); s.err == nil {
			s.checkout, s.err = w.keepDirstate(s.dirstate, s.stamp)
		}
	}
	if s.err == nil && s.texts {
		if s.err = ctx.Err(); s.err == nil {
			s.err = w.settleTexts()
		}
	}
	return s.err
}

// Adopt ends a settlement: the repository uses the images that were made, if it
// did not move on meanwhile.
func (r *Repo) Adopt(s *Settlement) {
	w := s.work
	defer w.Close()
	if made := w.snap; r.snap == s.of && len(w.spent) > 0 {
		if w.snap = nil; r.unsaved {
			made.Inherit(r.snap)
		}
		for _, k := range r.visible {
			if k.of == r.snap {
				k.of = made
			}
		}
		if r.checkout.stored.of == r.snap {
			r.checkout.stored.of = made
		}
		r.spent = append(r.spent, r.snap)
		r.snap = made
	}
	if s.kept != nil {
		r.adoptManifest(s.kept, s.owed.id)
	}
	if s.checkout != nil {
		r.adoptDirstate(s.checkout, s.dirstate)
	}
	t := &r.columns
	if made := w.columns.open; len(w.columns.spent) > 0 || t.open == nil && made != nil {
		if r.snap != nil && r.snap.HasGrownFrom(made.Of()) {
			if w.columns.open = nil; t.open != nil {
				t.spent = append(t.spent, t.open)
			}
			t.open = made
		}
	}
}

// Release gives back what Adopt replaced, before the next Begin does: nobody has
// anything any more of what the last command was told.
func (r *Repo) Release() {
	if len(r.spent) > 0 {
		r.closeLogs()
		r.closeSpent()
		r.texts = changesets{}
	}
	r.parent.begin()
	r.checkout.worktree.dirstate.release()
	r.columns.release()
}

// claim asks whether somebody else has made the image of a snapshot that rests on
// none, or is about to, and takes it. more says that it lacks something that is
// known here.
func (r *Repo) claim(ctx context.Context) (got, more bool) {
	c, ok := r.images.(image.Claimer)
	if _, based := r.base(); based || !ok {
		return false, false
	}
	img := c.Claim(ctx, r.Key())
	if img == nil {
		return false, false
	}
	s, err := snapshot.Open(img)
	if err != nil {
		img.Close()
		return false, false
	}
	if s.Stamps() != r.snap.Stamps() {
		s.Close()
		return false, false
	}
	more = s.Inherit(r.snap)
	r.spent = append(r.spent, r.snap)
	r.snap = s
	return true, more
}

// settleSnapshot makes an image of the snapshot, or of what came after the one that
// it rests on.
func (r *Repo) settleSnapshot(ctx context.Context) error {
	if err := r.settleBranches(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	key := r.growthKey()
	b, err := r.snap.Growth()
	if err == nil && b == nil {
		key = r.Key()
		b, err = r.snap.Image()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	img, err := r.images.Keep(key, b)
	if err != nil {
		if img, err = (image.Private{}).Keep(key, b); err != nil {
			return err
		}
	}
	var made *snapshot.Snapshot
	if key.Kind == image.Growth {
		made, err = snapshot.OpenGrown(r.snap, img)
	} else {
		made, err = snapshot.Open(img)
	}
	if err != nil {
		img.Close()
		return err
	}
	r.spent = append(r.spent, r.snap)
	r.snap = made
	return nil
}

// settleBranches finds out the branches of all changesets when that takes little
// time, or was wanted.
func (r *Repo) settleBranches() error {
	few := r.snap.Len()-r.snap.BranchesKnown() <= parallelPart
	if !r.snap.HasBranches() {
		if !few && !r.wantBranches {
			return nil
		}
		cols, err := r.readBranchColumns()
		if err != nil {
			return err
		}
		r.snap.SetBranches(cols)
	}
	r.wantBranches = false
	r.commonBranchHeads()
	return nil
}
