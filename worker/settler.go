// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/worker/hg"
)

// settling is an engine that leaves the making of images to the time after a
// command has answered (hg.Options.Deferred).
type settling interface {
	Unsettled() bool
	Settling() *hg.Settlement
	Adopt(*hg.Settlement)
	Release()
}

// settler has images made of what commands found out, beside the commands that
// follow: these are answered from what the engine has in memory, and wait for
// nothing. It begins when nobody asks for a moment, so that commands which come
// back to back have the machine, and what they find out goes into one image; and it
// runs in the background (background.go), so that those which come meanwhile do not
// feel it. One goroutine at a time does it, and ends by itself.
type settler struct {
	ctx    context.Context // ends it early
	cancel context.CancelFunc
	all    sync.WaitGroup
	busy   bool // guarded by the worker's engineMu
}

const (
	// settleQuiet is how long no command runs before images are made, and
	// settleMost how long that waits at most: others need them, too.
	settleQuiet = 15 * time.Millisecond
	settleMost  = 150 * time.Millisecond
)

func newSettler() *settler {
	s := &settler{}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// finish returns when everything is made, or gone is closed: a worker that grew by
// reading a whole history is retired for it, and what it has read is for the others.
func (s *settler) finish(gone <-chan struct{}) {
	made := make(chan struct{})
	go func() { s.all.Wait(); close(made) }()
	select {
	case <-made:
	case <-gone:
	}
}

// stop returns when nothing is made any more.
func (s *settler) stop() {
	s.cancel()
	s.all.Wait()
}

// settle sees to it that images are made of what the last command found out, which
// has been answered.
func (w *worker) settle() {
	e, ok := w.engine.(settling)
	if !ok {
		return
	}
	w.engineMu.Lock()
	defer w.engineMu.Unlock()
	if w.settler.busy || !e.Unsettled() {
		return
	}
	w.settler.busy = true
	of := w.seen.Load() // the first command that counts: what is made may be newer
	w.settler.all.Go(func() {
		for more := true; more; {
			w.awaitQuiet()
			next := w.seen.Load()
			more = w.make(e, of)
			of = next
		}
		debug.FreeOSMemory() // it has been much
	})
}

// awaitQuiet waits until no command has run for a moment.
func (w *worker) awaitQuiet() {
	timer := time.NewTimer(settleQuiet)
	defer timer.Stop()
	for start := time.Now(); ; {
		before := w.ran.Load()
		select {
		case <-timer.C:
		case <-w.settler.ctx.Done():
			return
		}
		if time.Since(start) >= settleMost || w.ran.Load() == before && !w.inNative.Load() {
			return
		}
		timer.Reset(settleQuiet)
	}
}

// make makes and donates images, and has the engine use them. It tells whether
// there is more to do.
func (w *worker) make(e settling, of *seen) bool {
	w.engineMu.Lock()
	s := e.Settling()
	w.engineMu.Unlock()
	var err error
	if s != nil {
		made := newImages(w.control)
		back := w.lent.lend()
		background(func() { err = guard(func() error { return s.Make(w.settler.ctx, made) }) })
		back()
		w.donate(made.takeDonations(), of)
	}
	w.engineMu.Lock()
	defer w.engineMu.Unlock()
	if isPanic(err) {
		w.cfg.exit(exitPanic) // no command runs
	}
	if s != nil {
		if e.Adopt(s); !w.answering.Load() {
			e.Release()
		}
	}
	w.settler.busy = s != nil && err == nil && e.Unsettled()
	return w.settler.busy
}

// donate gives images to the master that no command is reported with.
func (w *worker) donate(made []donation, of *seen) {
	for _, d := range made {
		fin := protocol.Finished{Background: true, Served: protocol.ServedNone, Begun: of.begun(), Generation: of.generation,
			HeapBytes: w.reports.heapBytes(heapAfter), Donated: d.key}
		w.control.sendFd(protocol.CtlFinished, fin.Encode(), d.fd)
		unix.Close(d.fd)
	}
}
