// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"sync/atomic"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
)

// column has a value for each of the first changesets, in two pieces: those of
// the image that a snapshot has grown from, and those that came after.
type column[T any] struct {
	base, more []T
}

func (c *column[T]) at(rev node.Rev) T {
	if uint(rev) < uint(len(c.base)) {
		return c.base[rev]
	}
	return c.more[int(rev)-len(c.base)]
}

func (c *column[T]) len() int { return len(c.base) + len(c.more) }

// grown is the column with values behind it. The first piece stays where it is;
// the second one is copied.
func (c *column[T]) grown(values []T) column[T] {
	return column[T]{c.base, append(append(make([]T, 0, len(c.more)+len(values)), c.more...), values...)}
}

// whole is the column in one piece.
func (c *column[T]) whole() []T {
	if len(c.more) == 0 {
		return c.base
	}
	return append(append(make([]T, 0, c.len()), c.base...), c.more...)
}

// shares tells whether two slices begin with the same memory and are as long.
func shares[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// holder keeps an image open for as long as somebody uses memory of it. Who has
// a reference may take or release one on any goroutine.
type holder struct {
	img  *image.Image
	refs atomic.Int32
}

// hold returns a holder with one reference.
func hold(img *image.Image) *holder {
	h := &holder{img: img}
	h.refs.Store(1)
	return h
}

func (h *holder) take() *holder {
	h.refs.Add(1)
	return h
}

func (h *holder) release() error {
	if h.refs.Add(-1) > 0 {
		return nil
	}
	return h.img.Close()
}
