// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"path"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// Which worker gets a request. Any of them can answer, but after the first command
// on a repository one has it in memory, and the others would read it again as long
// as its image is being made. So a client gets the worker that knows what it, or
// whoever was in its directory, asked about last.

// returnLimit is how long a request waits for the worker that knows, when that is
// about to be idle.
const returnLimit = 100 * time.Millisecond

// wanted is the store that a client will ask about, as far as can be told.
func (m *master) wanted(c *client) (key protocol.ImageKey, ok bool) {
	if key, ok = m.lastUsed[c.id]; ok || c.dir == "" {
		return key, ok
	}
	for dir := path.Clean(c.dir); ; dir = path.Dir(dir) {
		if store, ok := m.stores[dir]; ok {
			return protocol.ImageKey{Kind: storeKind, Path: store}, true
		}
		if dir == "/" || dir == "." {
			return key, false
		}
	}
}

// knows tells whether a worker need not load a store.
func (w *worker) knows(key protocol.ImageKey) bool { return w.last == key || w.images[key] }

// returning is the worker that a request is to wait for: it alone knows what will
// be asked, or was asked something in the same directory, and its client is gone;
// nil when there is none.
func (m *master) returning(r *request, now time.Time) (found *worker) {
	key, ok := m.wanted(r.client)
	if ok && m.cache.has(key) || !now.Before(r.since.Add(returnLimit)) {
		return nil
	}
	for _, w := range m.workers {
		switch {
		case w.class != r.class || !(ok && w.knows(key)) && (w.dir == "" || w.dir != r.client.dir):
		case w.state == idle:
			return nil
		case w.state == busy && w.client.gone():
			found = w
		}
	}
	return found
}

// gone tells whether a client is no more. That its connection ended may be heard
// of only after the next one knocked, who waited for its process to end.
func (c *client) gone() bool {
	return c == nil || c.link == nil || c.pid > 0 && unix.Kill(c.pid, 0) == unix.ESRCH
}

// nextReturn is when a request waits no longer; zero when none does.
func (m *master) nextReturn(now time.Time) (next time.Time) {
	for _, l := range m.queue.lines {
		for _, r := range l.waiting {
			if end := r.since.Add(returnLimit); now.Before(end) && (next.IsZero() || end.Before(next)) {
				next = end
			}
		}
	}
	return next
}
