// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"iter"
	"time"

	"hgbroker/protocol"
)

// A client that sends a request and waits for its answer is most clients. Waking
// a goroutine, and so a thread, for such a request, and another to go on reading,
// takes longer than all else that a broker does for it. So the read loop performs
// it itself, as a coroutine, for as long as nobody else needs the read loop:
//
//	read loop                                   request
//	  │── next ────────────────────────────────▶ │  decodes, sends to a worker
//	  │ ◀──────────── yield: waits for channel ──│
//	  │  poll: the channel, or the client?       │
//	  │   channel first: next ─────────────────▶ │  reads, answers, ends
//	  │   client first, or neither for long:     │
//	  │      go next, and back to reading        │  is a goroutine from now on

// inline is a request that the read loop performs.
type inline struct {
	yield func(fd int) bool
	left  bool // it is a goroutine of its own now
}

// wait reports true when fd can be read, false when the request has become a
// goroutine, which may wait by itself.
func (i *inline) wait(fd int) bool {
	if !i.left {
		i.yield(fd)
	}
	return !i.left
}

// leave makes the request a goroutine: what follows may take long. It may be
// called on nil.
func (i *inline) leave() {
	if i != nil && !i.left {
		i.yield(inlineLeave)
	}
}

type inlineKey struct{}

// inlineOf is the request that ctx belongs to when it is an inline one, else nil.
func inlineOf(ctx context.Context) *inline {
	i, _ := ctx.Value(inlineKey{}).(*inline)
	return i
}

// inlineLimit is how long the read loop waits for a worker.
const inlineLimit = protocol.BriefWait

// inlineMethod tells whether a method asks a worker and nobody else.
func inlineMethod(name string) bool {
	switch name {
	case protocol.MethodRun, protocol.MethodState, protocol.MethodStatus, protocol.MethodLog, protocol.MethodCat, protocol.MethodLineDiff,
		protocol.MethodAnnotate:
		return true
	}
	return false
}

// mayInline tells whether the read loop may perform a request of a method while
// inFlight others are under way. Only the read loop calls it.
func (s *Server) mayInline(method string, inFlight int) bool {
	return inFlight == 0 && inlineMethod(method) && s.stream.Drained() && s.stream.CanWait()
}

// What a coroutine yields beside a descriptor to wait for.
const (
	inlineLeave = -1 // the request wants to be a goroutine
	inlineDone  = -2 // the request has ended
)

// coroutine performs requests for the read loop, one after the other, on one
// stack, which does not have to grow again for each of them.
type coroutine struct {
	request *inline
	perform func() // the next request
	next    func() (int, bool)
	stop    func()
}

func newCoroutine() *coroutine {
	c := &coroutine{}
	c.next, c.stop = iter.Pull(func(yield func(int) bool) {
		for {
			i := &inline{yield: yield}
			c.request = i
			if !yield(inlineDone) {
				return
			}
			c.perform()
			if i.left {
				return // this is the request's own goroutine
			}
		}
	})
	c.next() // to where it is ready for a request
	return c
}

// performInline performs a request in the read loop, and returns when it is done
// or has become a goroutine.
func (s *Server) performInline(ctx context.Context, perform func(context.Context)) {
	if s.inline == nil {
		s.inline = newCoroutine()
	}
	c := s.inline
	i := c.request
	c.perform = func() { perform(context.WithValue(ctx, inlineKey{}, i)) }
	for {
		fd, _ := c.next()
		if fd == inlineDone {
			c.perform = nil
			return
		}
		if fd == inlineLeave || !s.first(fd) {
			i.left = true
			s.inline = nil
			go c.next()
			return
		}
	}
}

// endInline ends the coroutine. Only the read loop calls it.
func (s *Server) endInline() {
	if s.inline != nil {
		s.inline.stop()
		s.inline = nil
	}
}

// first waits until fd can be read, and reports false when the client's end can
// be before, or when it takes too long.
func (s *Server) first(fd int) (ready bool) {
	s.stream.WithInput(func(in int) { ready, _ = s.haste.Wait(fd, in, inlineLimit) })
	return ready
}

// eagerLimit is how soon a client's next request comes when nothing is in between:
// the client only takes the answer apart.
const eagerLimit = 100 * time.Microsecond

// awaitInput waits a moment for the client's next message: one that comes right
// after the last answer is the one to be fast for.
func (s *Server) awaitInput() {
	if s.stream.Drained() {
		s.stream.WithInput(func(in int) { s.eager.Wait(in, -1, protocol.BriefWait) })
	}
}
