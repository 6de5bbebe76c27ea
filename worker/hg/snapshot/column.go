// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"cmp"
	"slices"
	"sync/atomic"

	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
)

// column has a value for each of the first changesets, in two pieces: those of
// the image that a snapshot has grown from, and those that came after.
type column[T any] struct {
	base, more []T
	// changes are values of the first piece that are others now, ordered.
	changes []change[T]
}

// change is what a changeset has in place of what it had.
type change[T any] struct {
	rev   node.Rev
	value T
}

func (c change[T]) compare(rev node.Rev) int { return cmp.Compare(c.rev, rev) }

// maxChanges is how many values of a column are changed beside it; with more, it
// is made anew.
const maxChanges = 1 << 12

func (c *column[T]) at(rev node.Rev) T {
	if uint(rev) < uint(len(c.base)) {
		if len(c.changes) > 0 {
			return c.now(rev)
		}
		return c.base[rev]
	}
	return c.more[int(rev)-len(c.base)]
}

// now is a value of the first piece.
func (c *column[T]) now(rev node.Rev) T {
	if at, found := slices.BinarySearchFunc(c.changes, rev, change[T].compare); found {
		return c.changes[at].value
	}
	return c.base[rev]
}

func (c *column[T]) len() int { return len(c.base) + len(c.more) }

// grown is the column with values behind it. The first piece stays where it is;
// the second one is copied.
func (c *column[T]) grown(values []T) column[T] {
	if len(values) == 0 {
		return *c
	}
	return column[T]{c.base, append(append(make([]T, 0, len(c.more)+len(values)), c.more...), values...), c.changes}
}

// changed is the column with other values for some changesets, which are ordered.
func (c column[T]) changed(changes []change[T]) column[T] {
	if len(changes) == 0 {
		return c
	}
	at, _ := slices.BinarySearchFunc(changes, node.Rev(len(c.base)), change[T].compare)
	out := column[T]{base: c.base, more: c.more, changes: merged(c.changes, changes[:at])}
	if at < len(changes) {
		out.more = slices.Clone(c.more)
		for _, v := range changes[at:] {
			out.more[int(v.rev)-len(c.base)] = v.value
		}
	}
	if len(out.changes) > maxChanges {
		return column[T]{base: out.whole()}
	}
	return out
}

// merged are two ordered lists of changes as one; the second one counts.
func merged[T any](old, more []change[T]) []change[T] {
	if len(old) == 0 {
		return more
	}
	out := make([]change[T], 0, len(old)+len(more))
	for _, v := range more {
		at, found := slices.BinarySearchFunc(old, v.rev, change[T].compare)
		out = append(append(out, old[:at]...), v)
		if found {
			at++
		}
		old = old[at:]
	}
	return append(out, old...)
}

// whole is the column in one piece.
func (c *column[T]) whole() []T {
	if len(c.more)+len(c.changes) == 0 {
		return c.base
	}
	out := append(append(make([]T, 0, c.len()), c.base...), c.more...)
	for _, v := range c.changes {
		out[v.rev] = v.value
	}
	return out
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
