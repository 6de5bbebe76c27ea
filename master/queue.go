// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"time"

	"hgbroker/protocol"
)

// request is a client's DoorAcquire that waits for a worker.
type request struct {
	client *client
	id     uint32
	class  protocol.Class
	since  time.Time
}

// queue holds the requests that wait. It is bounded as a whole, and fair
// between clients: each has its own line, the lines are served in turn, and
// when all is full it is the longest line that loses its newest.
type queue struct {
	max   int
	size  int
	lines []*line // in the order in which they are served
}

type line struct {
	client  *client
	waiting []*request
}

// add appends a request. It returns the one that has to be refused for it, or
// nil; that may be r itself.
func (q *queue) add(r *request) *request {
	var refused *request
	mine := q.line(r.client)
	if q.size >= q.max {
		longest := mine
		for _, l := range q.lines {
			if longest == nil || len(l.waiting) > len(longest.waiting) {
				longest = l
			}
		}
		if longest == nil || mine != nil && len(longest.waiting) <= len(mine.waiting)+1 || len(longest.waiting) <= 1 {
			return r
		}
		refused = longest.waiting[len(longest.waiting)-1]
		q.drop(refused)
		mine = q.line(r.client)
	}
	if mine == nil {
		mine = &line{client: r.client}
		q.lines = append(q.lines, mine)
	}
	mine.waiting = append(mine.waiting, r)
	q.size++
	return refused
}

func (q *queue) line(c *client) *line {
	for _, l := range q.lines {
		if l.client == c {
			return l
		}
	}
	return nil
}

// take removes the next request that can be served, and puts its client's line
// behind the others.
func (q *queue) take(can func(*request) bool) *request {
	for i, l := range q.lines {
		for j, r := range l.waiting {
			if !can(r) {
				continue
			}
			q.lines = append(q.lines[:i:i], q.lines[i+1:]...)
			l.waiting = append(l.waiting[:j:j], l.waiting[j+1:]...)
			if len(l.waiting) > 0 {
				q.lines = append(q.lines, l)
			}
			q.size--
			return r
		}
	}
	return nil
}

// drop removes one request and tells whether it was there.
func (q *queue) drop(r *request) bool {
	return q.dropIf(func(x *request) bool { return x == r }) > 0
}

// dropIf removes the requests for which f says so.
func (q *queue) dropIf(f func(*request) bool) int {
	before := q.size
	lines := q.lines[:0:0]
	q.size = 0
	for _, l := range q.lines {
		keep := l.waiting[:0:0]
		for _, r := range l.waiting {
			if !f(r) {
				keep = append(keep, r)
			}
		}
		if l.waiting = keep; len(keep) > 0 {
			lines = append(lines, l)
			q.size += len(keep)
		}
	}
	q.lines = lines
	return before - q.size
}

// waiting counts the requests of a class.
func (q *queue) waiting(c protocol.Class) int {
	n := 0
	for _, l := range q.lines {
		for _, r := range l.waiting {
			if r.class == c {
				n++
			}
		}
	}
	return n
}
