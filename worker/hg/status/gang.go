// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/hgerr"
)

// gang is goroutines that take pieces of work from one place. The one that needs
// the work done is the first of them and works itself: waking another costs as
// much as some dozen calls of stat, and what is small it does alone. It leaves when
// nothing is left and nobody is busy; a helper that comes later finds that out
// from the gang alone. mu guards busy, waiting and err, and is held by take.
type gang[T any] struct {
	take    func() (piece T, ok bool)
	mu      sync.Mutex
	wake    sync.Cond // on mu; for those who have nothing to do
	busy    int
	waiting int
	err     error // of the first that failed; then no more is begun
}

// patience is how often somebody without work looks for some before it sleeps.
// Most pieces are done in the time that it takes to wake somebody.
const patience = 50

func (g *gang[T]) init(take func() (T, bool)) { g.take, g.wake.L = take, &g.mu }

// work does pieces of work until there are no more, or one failed, and until
// nobody else is busy.
func (g *gang[T]) work(do func(T) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		piece, ok := g.next()
		if !ok {
			return
		}
		g.busy++
		g.mu.Unlock()
		err := do(piece)
		g.mu.Lock()
		g.busy--
		if err != nil && g.err == nil {
			g.err = err
		}
		if g.busy == 0 || g.err != nil {
			g.rouse()
		}
	}
}

// next waits for a piece of work. It is called under mu.
func (g *gang[T]) next() (piece T, ok bool) {
	for tries := 0; ; tries++ {
		if g.err == nil {
			if piece, ok = g.take(); ok {
				return piece, true
			}
		}
		switch {
		case g.busy == 0:
			return piece, false
		case tries < patience:
			g.mu.Unlock()
			runtime.Gosched()
			g.mu.Lock()
		default:
			g.waiting++
			g.wake.Wait()
			g.waiting--
		}
	}
}

// rouse wakes those who sleep. It is called under mu.
func (g *gang[T]) rouse() {
	if g.waiting > 0 {
		g.wake.Broadcast()
	}
}

// fail ends the work.
func (g *gang[T]) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = err
	}
	g.rouse()
}

// failure is why the work ended early.
func (g *gang[T]) failure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// base is the root of the working directory, open for one goroutine: the kernel
// counts the users of an open file, and two processors that count at the same
// place wait for each other longer than a stat takes.
type base struct {
	root int
	own  bool // it was opened, and has to be closed
}

var noBase = base{root: -1}

// open opens the directory that top is, unless it is open.
func (b *base) open(top int) (err error) {
	if b.root >= 0 {
		return nil
	}
	if b.root, err = openDir(top, ".", unix.O_PATH); err != nil {
		return hgerr.NewUnsupported("root of the working directory: %v", err)
	}
	b.own = true
	return nil
}

func (b *base) close() {
	if b.own {
		unix.Close(b.root)
	}
}
