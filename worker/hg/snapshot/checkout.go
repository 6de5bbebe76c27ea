// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/store"
)

// Checkout is a working directory's dirstate, parsed, sorted and arranged by
// directory.
//
// It is an image of its own, of kind Checkout, by the working directory's root.
// Its sections:
//
//	1  48 bytes: the stamp of .hg/dirstate, as in a store's section inputs. In
//	   version 2 that is the docket, which names the data file and how much of it
//	   counts
//	2  the table of package dirstate
//
// It holds for as long as the file has that stamp.
type Checkout struct {
	img      *image.Image
	stamp    store.Stamp
	dirstate *dirstate.Dirstate
}

const (
	checkoutInput image.ID = 1 + iota
	checkoutDirstate
)

// OpenCheckout checks the extents of an image of a checkout, which the result owns
// from then on; when it fails, img stays the caller's.
func OpenCheckout(img *image.Image) (*Checkout, error) {
	if img.Info().Kind != image.Checkout {
		return nil, malformed("kind %v is no checkout", img.Info().Kind)
	}
	input, _ := img.Section(checkoutInput)
	if len(input) != stampSize {
		return nil, malformed("stamp of %d bytes", len(input))
	}
	table, _ := img.Section(checkoutDirstate)
	d, err := dirstate.OpenTable(table)
	if err != nil {
		return nil, err
	}
	return &Checkout{img: img, stamp: decodeStamp(input), dirstate: d}, nil
}

// BuildCheckout makes the image of a dirstate, read from a file that had the stamp.
func BuildCheckout(stamp store.Stamp, d *dirstate.Dirstate) *image.Builder {
	b := image.NewBuilder(image.Checkout)
	b.Add(checkoutInput, appendStamp(nil, stamp))
	b.Add(checkoutDirstate, d.Table()...)
	return b
}

// Verify walks everything.
func (c *Checkout) Verify() error {
	if err := c.img.Verify(); err != nil {
		return err
	}
	return c.dirstate.Verify()
}

// Close gives the image back, and with it the memory of Dirstate.
func (c *Checkout) Close() error { return c.img.Close() }

// Stamp is what .hg/dirstate was.
func (c *Checkout) Stamp() store.Stamp { return c.stamp }

// Dirstate stands in the image, like all strings of it.
func (c *Checkout) Dirstate() *dirstate.Dirstate { return c.dirstate }
