// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/repo"
)

// Work that nobody waits for has threads of its own, which the kernel runs when no
// command needs the processor. They take turns of backgroundSlice, so that what they
// stand in the way of, a lock or a stop of all goroutines, is not far away either
// where other programs use the processors.
const (
	backgroundNice  = 10
	backgroundSlice = 100_000 // ns; Linux 6.12
)

// background runs f on a thread of its own, and returns when it has ended. As many
// goroutines run at once as otherwise, beside it.
func background(f func()) {
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		runtime.LockOSThread() // never unlocked: the thread ends, since it cannot become what it was
		lower()
		f()
	}()
	done.Wait()
}

// lower makes the calling thread one for the background. Where that is not possible
// it stays what it is.
func lower() {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_BATCH, Nice: backgroundNice, Runtime: backgroundSlice}
	_ = unix.SchedSetAttr(0, &attr, 0)
}

// processors lends Go's scheduler processors for threads of the background: with the
// others alone a command would have to wait for one that they have, and it gets that
// after ten milliseconds.
type processors struct {
	mu    sync.Mutex // guards what follows
	own   int        // how many there are otherwise
	users int
}

// lend returns when the processors are there; the caller calls back.
func (p *processors) lend() (back func()) {
	p.add(1)
	return func() { p.add(-1) }
}

func (p *processors) add(users int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users == 0 {
		p.own = runtime.GOMAXPROCS(0)
	}
	was := p.users
	p.users += users
	switch {
	case was == 0:
		runtime.GOMAXPROCS(p.own + backgroundCrew(p.own))
	case p.users == 0:
		runtime.GOMAXPROCS(p.own)
	}
}

// backgroundCrew is how many threads work in the background: one processor, at
// least, has nothing but commands to run.
func backgroundCrew(processors int) int { return max(1, processors/2) }

// crew is who makes images.
func crew() repo.Crew {
	return repo.Crew{Size: backgroundCrew(runtime.GOMAXPROCS(0)), Go: func(f func()) { go background(f) }}
}
