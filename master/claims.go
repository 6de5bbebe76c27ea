// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"time"

	"hgbroker/protocol"
)

// An image is made once, whoever else had to read the repository meanwhile: a
// worker asks before it makes one, and what it is told waits for the image that
// another worker makes until that is admitted, or there will be none.

// claim is an image that is being made.
type claim struct {
	maker   *worker
	since   time.Time
	waiting []claimant
}

type claimant struct {
	worker *worker
	id     uint32 // of its question
}

// claimLimit is how long a maker is trusted to be at work.
const claimLimit = 10 * time.Second

// claim answers a worker that is about to make an image, now or later.
func (m *master) claim(w *worker, id uint32, key protocol.ImageKey, now time.Time) {
	c := m.claims[key]
	if c != nil && c.maker != w && now.Sub(c.since) < claimLimit && !m.cache.has(key) {
		c.waiting = append(c.waiting, claimant{w, id})
		return
	}
	if !m.cache.has(key) {
		if c == nil {
			c = &claim{}
			m.claims[key] = c
		}
		c.maker, c.since = w, now
	}
	m.lease(w, id, key, now)
}

// claimed ends a claim: the image is there, or will not be.
func (m *master) claimed(key protocol.ImageKey, now time.Time) {
	c := m.claims[key]
	if c == nil {
		return
	}
	delete(m.claims, key)
	for _, x := range c.waiting {
		if x.worker.link != nil {
			m.claim(x.worker, x.id, key, now) // the first of them may go ahead
		}
	}
}

// disclaim ends the claims of a worker that is gone.
func (m *master) disclaim(w *worker, now time.Time) {
	for key, c := range m.claims {
		if c.maker == w {
			m.claimed(key, now)
		}
	}
}
