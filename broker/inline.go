// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"iter"
	"time"

	"golang.org/x/sys/unix"

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

// wait returns when fd can be read, or when the request has become a goroutine,
// which may wait by itself.
func (i *inline) wait(fd int) {
	if !i.left {
		i.yield(fd)
	}
}

// leave makes the request a goroutine: what follows may take long. It may be
// called on nil.
func (i *inline) leave() {
	if i != nil && !i.left {
		i.yield(-1)
	}
}

type inlineKey struct{}

// inlineOf is the request that ctx belongs to when it is an inline one, else nil.
func inlineOf(ctx context.Context) *inline {
	i, _ := ctx.Value(inlineKey{}).(*inline)
	return i
}

// inlineLimit is how long the read loop waits for a worker.
const inlineLimit = 5 * time.Millisecond

// inlineMethods are those that ask a worker and nobody else.
var inlineMethods = map[string]bool{
	protocol.MethodRun: true, protocol.MethodState: true, protocol.MethodStatus: true, protocol.MethodLog: true, protocol.MethodCat: true,
}

// mayInline tells whether the read loop may perform a request of a method while
// inFlight others are under way. Only the read loop calls it.
func (s *Server) mayInline(method string, inFlight int) bool {
	return inFlight == 0 && inlineMethods[method] && s.stream.Drained() && s.stream.CanWait()
}

// performInline performs a request in the read loop, and returns when it is done
// or has become a goroutine.
func (s *Server) performInline(ctx context.Context, perform func(context.Context)) {
	i := &inline{}
	next, _ := iter.Pull(func(yield func(int) bool) {
		i.yield = yield
		perform(context.WithValue(ctx, inlineKey{}, i))
	})
	for {
		fd, waits := next()
		if !waits {
			return
		}
		if fd < 0 || !s.first(fd) {
			i.left = true
			go next()
			return
		}
	}
}

// first waits until fd can be read, and reports false when the client's end can
// be before, or when it takes too long.
func (s *Server) first(fd int) bool {
	ready := false
	s.stream.WithInput(func(in int) {
		p := [2]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(in), Events: unix.POLLIN}}
		n, err := unix.Poll(p[:], int(inlineLimit.Milliseconds()))
		ready = err == nil && n > 0 && p[0].Revents != 0
	})
	return ready
}
