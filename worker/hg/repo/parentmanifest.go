// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/snapshot"
)

// sharedManifest is from which size on the manifest of the working directory's
// parent is shared between workers, in bytes.
const sharedManifest = 64 << 10

// parentManifest is the manifest of the working directory's first parent, as an
// image has it.
type parentManifest struct {
	open  *snapshot.Manifest
	spent []*snapshot.Manifest // replaced by Settle
	asked node.ID              // the manifest for which an image was asked for last
	owed  owedManifest         // is to become an image
	fork  bool                 // of a View that shares open with another
}

// owedManifest is a manifest that was read without an image.
type owedManifest struct {
	id, p1, p2 node.ID
	text       []byte
}

func (r *Repo) manifestKey() image.Key {
	return image.Key{Kind: image.Manifest, Path: r.Layout.Root}
}

// begin is for the next command.
func (p *parentManifest) begin() {
	for _, old := range p.spent {
		old.Close()
	}
	p.spent = nil
}

func (p *parentManifest) close() {
	p.begin()
	if p.open != nil {
		p.open.Close()
	}
	*p = parentManifest{}
}

// text is the text of a manifest out of an image.
func (p *parentManifest) text(id node.ID) ([]byte, bool) {
	if p.open == nil {
		return nil, false
	}
	return p.open.Text(id)
}

// replace puts another image in the place of the one that is open.
func (p *parentManifest) replace(c *snapshot.Manifest) {
	if p.open != nil {
		p.spent = append(p.spent, p.open)
	}
	p.open = c
}

// manifestOf reads a changeset's manifest. When shared is true, the text is that of
// an image, and not to be used after the command.
func (v *View) manifestOf(id node.ID, rev node.Rev) (m manifest.Manifest, shared bool, err error) {
	p := &v.Repo.parent
	if text, ok := p.text(id); ok {
		return manifest.Of(text), true, nil
	}
	first, _ := v.WdirParents()
	mine := rev == first && !p.fork
	if mine && p.asked != id {
		p.asked = id
		if img := v.images.Lease(v.manifestKey()); img != nil {
			if c, err := snapshot.OpenManifest(img); err != nil {
				img.Close()
			} else if text, ok := c.Text(id); ok {
				p.replace(c)
				return manifest.Of(text), true, nil
			} else {
				c.Close()
			}
		}
	}
	log, err := v.Manifests()
	if err != nil {
		return m, false, err
	}
	if m, err = log.Read(id, rev); err != nil || !mine || len(m.Text()) < sharedManifest || m.IsTree() {
		return m, false, err
	}
	if p1, p2, ok := log.ParentNodes(id, rev); ok {
		p.owed = owedManifest{id, p1, p2, m.Text()}
	}
	return m, false, nil
}

// refreshManifest reads the manifest of the working directory's parent, if there was
// an image of an earlier one.
func (r *Repo) refreshManifest(parent node.Rev) {
	if r.parent.open == nil {
		img := r.images.Lease(r.manifestKey())
		if img == nil {
			return
		}
		m, err := snapshot.OpenManifest(img)
		if err != nil {
			img.Close()
			return
		}
		r.parent.replace(m)
	}
	v := &View{Repo: r, wp1: parent, wp2: node.NullRev}
	_, _ = v.LazyManifest(parent).Manifest()
}

// keepManifest makes the image of a manifest.
func (r *Repo) keepManifest(owed owedManifest) (*snapshot.Manifest, error) {
	img, err := r.images.Keep(r.manifestKey(), snapshot.BuildManifest(owed.id, owed.p1, owed.p2, owed.text))
	if err != nil {
		return nil, err
	}
	c, err := snapshot.OpenManifest(img)
	if err != nil {
		img.Close()
	}
	return c, err
}

// adoptManifest uses an image of the manifest with that node, if it is still the one
// that is wanted, and drops what this process has of it for itself.
func (r *Repo) adoptManifest(c *snapshot.Manifest, id node.ID) {
	if _, have := r.parent.text(id); have || r.parent.asked != id {
		c.Close()
		return
	}
	r.parent.replace(c)
	if r.checkout.worktree.manifest.id == id {
		r.checkout.worktree.manifest = keptManifest{}
	}
	if r.manifests != nil {
		_ = r.manifests.Close() // which opens its files again
	}
}
