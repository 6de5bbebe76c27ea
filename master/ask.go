// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"time"

	"hgbroker/protocol"
)

// Workers tell of warm commands when it suits them (CtlRan). Counts that are asked
// for are to be those of all commands that had ended, so that busy workers are
// asked first for what they have not told.

// statsQuestion is a client's question for the stats that waits for workers.
type statsQuestion struct {
	client *client
	id     uint32          // of the client's request
	number uint32          // of ours to the workers
	left   map[uint64]bool // workers that have not told yet
	until  time.Time       // no longer than this
}

// tellLimit bounds the wait for workers.
const tellLimit = time.Second

// askStats answers a question for the stats, now or when the workers have told.
func (m *master) askStats(c *client, id uint32, now time.Time) {
	m.tells++
	q := &statsQuestion{client: c, id: id, number: m.tells, left: map[uint64]bool{}, until: now.Add(tellLimit)}
	for _, w := range m.workers {
		if w.state == busy && !w.killed {
			q.left[w.id] = true
			w.link.send(&protocol.Frame{Type: protocol.CtlTell, ID: q.number}, nil)
		}
	}
	m.asked = append(m.asked, q)
	m.answerStats(now)
}

// told notes that a worker has told all that there was when it was asked.
func (m *master) told(w *worker, number uint32) {
	for _, q := range m.asked {
		if q.number <= number {
			delete(q.left, w.id)
		}
	}
}

// answerStats answers the questions that nobody has to be waited for any more.
func (m *master) answerStats(now time.Time) {
	kept := m.asked[:0]
	for _, q := range m.asked {
		for id := range q.left {
			if m.workers[id] == nil {
				delete(q.left, id)
			}
		}
		switch {
		case q.client.link == nil: // it left
		case len(q.left) == 0 || now.After(q.until):
			m.answer(q.client, q.id, m.stats(now))
		default:
			kept = append(kept, q)
		}
	}
	clear(m.asked[len(kept):])
	m.asked = kept
}
