// SPDX-License-Identifier: GPL-2.0-or-later

package image

import "context"

// Source is where the engine gets the images of repositories from, and where
// it leaves those that it had to make. A worker's Source speaks with its master
// and holds sealed memory files; Private keeps nothing beyond the process.
//
// Every image that a Source returns belongs to the caller, who closes it.
type Source interface {
	// Lease returns the newest image known for a key, or nil. It may be stale:
	// the engine checks that against the disk.
	Lease(key Key) *Image
	// Keep writes the builder's image, makes it known for the key, and returns
	// it opened. When that fails, the engine uses the builder's bytes.
	Keep(key Key, b *Builder) (*Image, error)
}

// Claimer is a Source whose images others make, too.
type Claimer interface {
	Source
	// Claim is called before an image is made. It returns the one that somebody
	// else has made, or makes just now; nil says that the caller is to make it.
	Claim(ctx context.Context, key Key) *Image
}

// Private is the Source of an engine on its own: an image lives in the heap of
// the process that made it.
type Private struct{}

// Lease knows no image.
func (Private) Lease(Key) *Image { return nil }

// Keep opens the builder's bytes.
func (Private) Keep(_ Key, b *Builder) (*Image, error) { return Open(b.Bytes(), nil) }
