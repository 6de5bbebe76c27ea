// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hgbroker/protocol"
)

const (
	// keepIdle is how long a channel without a command is kept: a kept channel
	// saves the way over the master, and keeps a worker from other clients.
	keepIdle = 5 * time.Second
	// trustIdle is how long a channel that was just used is taken to have its
	// worker still: a reader's command is repeated when it has not.
	trustIdle = 10 * time.Millisecond
	// redialLimit bounds how long one request looks for a master that can
	// serve it while masters come and go.
	redialLimit = 10 * time.Second
)

// errNoMaster is wrapped when no master could be reached or started.
var errNoMaster = errors.New("no master")

// pool keeps the connection to the master and the channels to workers. A
// channel belongs to whoever took it until it is put back.
type pool struct {
	dialer  protocol.Dialer
	environ []string
	umask   int
	max     int // channels of each class, busy or idle
	keep    time.Duration
	warn    func(format string, args ...any)

	dialing chan struct{} // held while the door is looked at or opened

	mu       sync.Mutex // guards what follows
	door     *protocol.Door
	doors    int // how many doors were opened: tells whether the master changed
	idle     [2][]idleChannel
	open     [2]int
	waiters  [2][]chan *protocol.Channel
	wanted   map[uint64]bool // workers that the master wants back
	reaping  bool
	closed   bool
	watchers sync.WaitGroup
}

type idleChannel struct {
	*protocol.Channel
	since time.Time
}

func newPool(dialer protocol.Dialer, environ []string, umask, max int, warn func(string, ...any)) *pool {
	return &pool{dialer: dialer, environ: environ, umask: umask, max: max, keep: keepIdle, warn: warn,
		dialing: make(chan struct{}, 1), wanted: map[uint64]bool{}}
}

// get takes a channel to a worker of the class. It waits while the client has
// as many as it may have. With check, the worker certainly lived a moment ago.
func (p *pool) get(ctx context.Context, class protocol.Class, check bool) (*protocol.Channel, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errEnding
	}
	for n := len(p.idle[class]); n > 0; n = len(p.idle[class]) {
		c := p.idle[class][n-1]
		p.idle[class] = p.idle[class][:n-1]
		if !check && time.Since(c.since) < trustIdle || c.Alive() {
			p.mu.Unlock()
			return c.Channel, nil
		}
		p.drop(c.Channel)
	}
	if p.open[class] < p.max {
		p.open[class]++
		p.mu.Unlock()
		inlineOf(ctx).leave()
		return p.acquire(ctx, class)
	}
	turn := make(chan *protocol.Channel, 1)
	p.waiters[class] = append(p.waiters[class], turn)
	p.mu.Unlock()
	inlineOf(ctx).leave()

	select {
	case c := <-turn:
		if c != nil {
			return c, nil
		}
		return p.acquire(ctx, class) // the place of a channel that is gone
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, w := range p.waiters[class] {
			if w == turn {
				p.waiters[class] = append(p.waiters[class][:i], p.waiters[class][i+1:]...)
				return nil, context.Cause(ctx)
			}
		}
		// The turn came at the same moment: pass it on.
		if c := <-turn; c != nil {
			p.give(c)
		} else {
			p.free(class)
		}
		return nil, context.Cause(ctx)
	}
}

// put gives a channel back.
func (p *pool) put(c *protocol.Channel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.wanted[c.Worker] || !c.Usable() {
		p.drop(c)
		return
	}
	p.give(c)
}

// give hands c to the next in line, or keeps it. p.mu is held, here and in the
// functions below.
func (p *pool) give(c *protocol.Channel) {
	if p.closed {
		p.drop(c)
		return
	}
	if w := p.waiters[c.Class]; len(w) > 0 {
		p.waiters[c.Class] = w[1:]
		w[0] <- c
		return
	}
	p.idle[c.Class] = append(p.idle[c.Class], idleChannel{c, time.Now()})
	if !p.reaping {
		p.reaping = true
		time.AfterFunc(p.keep, p.reap)
	}
}

// drop closes a channel and frees its place.
func (p *pool) drop(c *protocol.Channel) {
	c.Close()
	delete(p.wanted, c.Worker)
	p.free(c.Class)
}

// free passes a place on to the next in line.
func (p *pool) free(class protocol.Class) {
	if w := p.waiters[class]; len(w) > 0 {
		p.waiters[class] = w[1:]
		w[0] <- nil
		return
	}
	p.open[class]--
}

// reap closes what was idle for long.
func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaping = false
	left := time.Duration(0)
	for class := range p.idle {
		var keep []idleChannel
		for _, c := range p.idle[class] {
			rest := p.keep - time.Since(c.since)
			if rest <= 0 {
				p.drop(c.Channel)
				continue
			}
			keep = append(keep, c)
			if left == 0 || rest < left {
				left = rest
			}
		}
		p.idle[class] = keep
	}
	if left > 0 && !p.closed {
		p.reaping = true
		time.AfterFunc(left, p.reap)
	}
}

// reclaim is called by the door's reader when the master wants a worker back.
func (p *pool) reclaim(worker uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for class := range p.idle {
		for i, c := range p.idle[class] {
			if c.Worker == worker {
				p.idle[class] = append(p.idle[class][:i], p.idle[class][i+1:]...)
				p.drop(c.Channel)
				return
			}
		}
	}
	p.wanted[worker] = true
}

// acquire asks the master for a worker. The caller has taken a place, which is
// freed when this fails.
func (p *pool) acquire(ctx context.Context, class protocol.Class) (*protocol.Channel, error) {
	c, err := p.tryAcquire(ctx, class)
	if err != nil {
		p.mu.Lock()
		p.free(class)
		p.mu.Unlock()
	}
	return c, err
}

func (p *pool) tryAcquire(ctx context.Context, class protocol.Class) (*protocol.Channel, error) {
	end := time.Now().Add(redialLimit)
	for {
		door, err := p.connect(ctx)
		if err != nil {
			return nil, err
		}
		c, err := door.Acquire(ctx, class)
		if err == nil {
			if err = c.SetEnviron(p.environ, p.umask); err == nil {
				return c, nil
			}
			c.Close()
		}
		var refused *protocol.Refused
		draining := errors.As(err, &refused) && refused.Reason == protocol.RefusedDraining
		gone := errors.Is(err, protocol.ErrMasterLost) || errors.Is(err, protocol.ErrWorkerLost)
		if ctx.Err() != nil || time.Now().After(end) || !draining && !gone {
			return nil, err
		}
		if draining {
			p.leave(door)
			// Its socket is gone, its lock not yet: the next one needs a moment.
			select {
			case <-time.After(2 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
}

// connect returns the door to a living master, after starting one if need be.
func (p *pool) connect(ctx context.Context) (*protocol.Door, error) {
	select {
	case p.dialing <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-p.dialing }()
	if door := p.current(); door != nil {
		return door, nil
	}
	conn, welcome, err := p.dialer.Dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %w", errNoMaster, err)
	}
	return p.enter(protocol.NewDoor(conn, welcome, p.reclaim)), nil
}

// current is the door, when the master behind it lives.
func (p *pool) current() *protocol.Door {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.door == nil {
		return nil
	}
	select {
	case <-p.door.Done():
		return nil
	default:
		return p.door
	}
}

// enter makes door the one to use, and watches it.
func (p *pool) enter(door *protocol.Door) *protocol.Door {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.door = door
	p.doors++
	if p.doors > 1 {
		p.warn("connected to a new master (process %d)", door.Welcome().PID)
	}
	if p.closed {
		go door.Close()
		return door
	}
	p.watchers.Go(func() {
		<-door.Done()
		p.leave(door)
	})
	return door
}

// leave forgets a door whose master is gone or about to go. Its workers end
// with it: what is idle is dropped now, what is busy when it is put back.
func (p *pool) leave(door *protocol.Door) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.door != door {
		return
	}
	p.door = nil
	clear(p.wanted)
	for class := range p.idle {
		for _, c := range p.idle[class] {
			p.drop(c.Channel)
		}
		p.idle[class] = nil
	}
	// Not awaited here: this may be the door's own watcher.
	go door.Close()
}

// generation counts the masters that this pool has seen.
func (p *pool) generation() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.doors
}

// running is the door to a master that runs already; nil without an error when
// there is none.
func (p *pool) running(ctx context.Context) (*protocol.Door, error) {
	select {
	case p.dialing <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-p.dialing }()
	if door := p.current(); door != nil {
		return door, nil
	}
	conn, welcome, err := p.dialer.Connect()
	if errors.Is(err, protocol.ErrNoMaster) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoMaster, err)
	}
	return p.enter(protocol.NewDoor(conn, welcome, p.reclaim)), nil
}

// close gives everything back. No request may be running any more.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for class := range p.idle {
		for _, c := range p.idle[class] {
			p.drop(c.Channel)
		}
		p.idle[class] = nil
	}
	door := p.door
	p.door = nil
	p.mu.Unlock()
	if door != nil {
		door.Close()
	}
	p.watchers.Wait()
}

// held counts the channels of both classes, for the stats.
func (p *pool) held() (busy, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle = len(p.idle[0]) + len(p.idle[1])
	return p.open[0] + p.open[1] - idle, idle
}
