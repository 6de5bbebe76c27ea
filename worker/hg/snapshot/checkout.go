// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
)

// Checkout is what commands need of the store because of what a working directory
// has checked out: the manifest of its first parent, whole, which is otherwise
// made of a chain of deltas and hashed by every worker anew.
//
// It is an image of its own, of kind Checkout, by the working directory's root.
// Its sections:
//
//	1  60 bytes: the manifest's node, and those of its parents
//	2  the manifest's text
//
// It holds for as long as the first parent's changeset names that manifest: a
// node stands for a text. Verify compares them.
type Checkout struct {
	img  *image.Image
	ids  [3]node.ID
	text []byte
}

const (
	checkoutManifest image.ID = 1 + iota
	checkoutText
)

// OpenCheckout checks the extents of an image of a checkout, which the result owns
// from then on; when it fails, img stays the caller's.
func OpenCheckout(img *image.Image) (*Checkout, error) {
	if img.Info().Kind != image.Checkout {
		return nil, malformed("kind %v is no checkout", img.Info().Kind)
	}
	ids, _ := img.Section(checkoutManifest)
	if len(ids) != 3*len(node.ID{}) {
		return nil, malformed("names of a manifest of %d bytes", len(ids))
	}
	c := &Checkout{img: img}
	for i := range c.ids {
		c.ids[i] = node.ID(ids[i*len(node.ID{}):][:len(node.ID{})])
	}
	c.text, _ = img.Section(checkoutText)
	return c, nil
}

// BuildCheckout makes the image of a manifest with the given node and parents.
func BuildCheckout(id, p1, p2 node.ID, text []byte) *image.Builder {
	b := image.NewBuilder(image.Checkout)
	b.Add(checkoutManifest, id[:], p1[:], p2[:])
	b.Add(checkoutText, text)
	return b
}

// Verify checks that the text is the one that the node stands for.
func (c *Checkout) Verify() error {
	if err := c.img.Verify(); err != nil {
		return err
	}
	if revlog.HashText(c.ids[1], c.ids[2], c.text) != c.ids[0] {
		return malformed("the manifest is not %s", c.ids[0].Short())
	}
	return nil
}

// Close gives the image back.
func (c *Checkout) Close() error { return c.img.Close() }

// Manifest is the text of the manifest with that node, if it is this one. It stands
// in the image.
func (c *Checkout) Manifest(id node.ID) ([]byte, bool) { return c.text, id == c.ids[0] }
