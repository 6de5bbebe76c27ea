// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// Manifest is the manifest of a working directory's first parent, whole, which is
// otherwise made of a chain of deltas and hashed by every worker anew.
//
// It is an image of its own, of kind Manifest, by the working directory's root: what
// hg writes into the dirstate does not touch it. Its sections:
//
//	1  60 bytes: the manifest's node, and those of its parents
//	2  the manifest's text
//
// It holds for as long as the first parent's changeset names that manifest: a
// node stands for a text. Verify compares them.
type Manifest struct {
	img  *image.Image
	ids  [3]node.ID
	text []byte
}

const (
	manifestIDs image.ID = 1 + iota
	manifestText
)

// OpenManifest checks the extents of an image of a manifest, which the result owns
// from then on; when it fails, img stays the caller's.
func OpenManifest(img *image.Image) (*Manifest, error) {
	if img.Info().Kind != image.Manifest {
		return nil, malformed("kind %v is no manifest", img.Info().Kind)
	}
	ids, _ := img.Section(manifestIDs)
	if len(ids) != 3*len(node.ID{}) {
		return nil, malformed("names of a manifest of %d bytes", len(ids))
	}
	m := &Manifest{img: img}
	for i := range m.ids {
		m.ids[i] = node.ID(ids[i*len(node.ID{}):][:len(node.ID{})])
	}
	m.text, _ = img.Section(manifestText)
	return m, nil
}

// BuildManifest makes the image of a manifest with the given node and parents.
func BuildManifest(id, p1, p2 node.ID, text []byte) *image.Builder {
	b := image.NewBuilder(image.Manifest)
	b.Add(manifestIDs, id[:], p1[:], p2[:])
	b.Add(manifestText, text)
	return b
}

// Verify checks that the text is the one that the node stands for.
func (m *Manifest) Verify() error {
	if err := m.img.Verify(); err != nil {
		return err
	}
	if revlog.HashText(m.ids[1], m.ids[2], m.text) != m.ids[0] {
		return malformed("the manifest is not %s", m.ids[0].Short())
	}
	return nil
}

// Close gives the image back.
func (m *Manifest) Close() error { return m.img.Close() }

// Text is the text of the manifest with that node, if it is this one. It stands in
// the image.
func (m *Manifest) Text(id node.ID) ([]byte, bool) { return m.text, id == m.ids[0] }
