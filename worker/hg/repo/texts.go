// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/snapshot"
)

const (
	// textsAfter is how many changesets a command has read before the image of
	// all texts is asked for.
	textsAfter = 64
	// textsWorth is how many changesets a command must have read, at least, for
	// an image of all texts to be made: of a history that is not much longer, or
	// one in textsPart of a long one.
	textsWorth = 2000
	textsPart  = 8
	// textsBehind is how many changesets an image of texts may lack before it is
	// made anew, or one in textsPart.
	textsBehind = 4096
)

// texts are the texts of changesets as an image has them, and what is known
// about whether there is one.
type texts struct {
	open  *snapshot.Texts
	spent []*snapshot.Texts // replaced by Adopt
	asked bool              // since the snapshot changed
	read  int               // changesets that the command read otherwise
	owed  int               // those of earlier commands that read many
}

// key names the image of the store's texts.
func (r *Repo) textsKey() image.Key { return image.Key{Kind: image.Texts, Path: r.Layout.StorePath} }

// beginTexts is for the next command.
func (r *Repo) beginTexts() {
	r.texts.stored = keptChangeset{}
	r.columns.begin()
}

// begin forgets what the last command had.
func (t *texts) begin() {
	if t.read >= textsWorth {
		t.owed += t.read
	}
	t.read = 0
	t.release()
}

// release closes what was replaced.
func (t *texts) release() {
	for _, old := range t.spent {
		old.Close()
	}
	t.spent = nil
}

// moved says that the snapshot is another one.
func (t *texts) moved(s *snapshot.Snapshot) {
	t.asked = false
	if t.open != nil && !s.HasGrownFrom(t.open.Of()) {
		t.close()
	}
}

func (t *texts) close() {
	if t.open != nil {
		t.open.Close()
		t.open = nil
	}
	t.begin()
}

// stored is a changeset out of the image of texts, if that has it.
func (r *Repo) stored(rev node.Rev) (k keptChangeset, ok bool) {
	t := r.columns.open
	if t == nil || int(rev) >= t.Len() {
		return k, false
	}
	text := t.Text(rev)
	if f, known := t.Facts(rev); known {
		if c, ok := changelog.At(text, f.User, f.Date, f.Files); ok {
			if facts, ok := factsFrom(&c, &f); ok {
				return keptChangeset{rev, c, facts}, true
			}
		}
	}
	c, err := changelog.Parse(text)
	return keptChangeset{rev: rev, c: c}, err == nil && c.Size() > 0
}

// countText counts a changeset that is read without the image of texts; with enough
// of them the image is asked for, once. It tells whether it has come.
func (r *Repo) countText() bool {
	t := &r.columns
	if t.read++; t.open != nil || t.asked || t.read < textsAfter {
		return false
	}
	t.asked = true
	return r.leaseTexts()
}

func (r *Repo) leaseTexts() bool {
	if _, ok := r.snap.Rooted(); !ok {
		return false
	}
	img := r.images.Lease(r.textsKey())
	if img == nil {
		return false
	}
	t, err := snapshot.OpenTexts(img)
	if err != nil || !r.snap.HasGrownFrom(t.Of()) {
		img.Close()
		return false
	}
	r.columns.open = t
	return true
}

// wantsTexts tells whether the last command read so much, or others before it did
// together, that an image of all texts is worth its memory.
func (r *Repo) wantsTexts() bool {
	t := &r.columns
	if r.snap == nil || t.read < textsWorth || t.owed+t.read < r.snap.Len()/textsPart {
		return false
	}
	if t.open == nil {
		return true
	}
	of, ok := r.snap.Rooted()
	behind := of.Len - t.open.Len()
	return ok && behind > textsBehind && behind > of.Len/textsPart
}

// settleTexts makes the image of the texts of all changesets that the snapshot's
// own image has.
func (r *Repo) settleTexts() error {
	t := &r.columns
	of, ok := r.snap.Rooted()
	if !ok {
		return nil
	}
	from := 0
	if t.open != nil {
		from = t.open.Len()
	}
	parts, err := r.readTexts(from, of.Len)
	if err != nil {
		return err
	}
	b := snapshot.BuildTexts(of, t.open, parts)
	img, err := r.images.Keep(r.textsKey(), b)
	if err != nil {
		return err
	}
	made, err := snapshot.OpenTexts(img)
	if err != nil {
		img.Close()
		return err
	}
	if t.open != nil {
		t.spent = append(t.spent, t.open)
	}
	t.open = made
	return nil
}

// textsAtOnce is how many changesets, at most, are one part.
const textsAtOnce = 16384

// readTexts decompresses the texts from changeset from up to, but without, to.
func (r *Repo) readTexts(from, to int) ([]snapshot.TextsPart, error) {
	parts := make([]snapshot.TextsPart, (to-from+textsAtOnce-1)/textsAtOnce)
	err := r.crew.each(len(parts), func(i int) error {
		log := r.openChangelog()
		defer log.Close()
		begin := from + i*textsAtOnce
		end := min(begin+textsAtOnce, to)
		p := snapshot.TextsPart{Lengths: make([]uint32, 0, end-begin)}
		err := log.Each(node.Rev(begin), node.Rev(end), func(_ node.Rev, c changelog.Changeset) error {
			f := factsOf(&c)
			p.Add(c.Text(), f.stored(&c))
			return nil
		})
		parts[i] = p
		return err
	})
	return parts, err
}
