// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// Why a command's context ends, as context.Cause tells.
var (
	errCanceled   = errors.New("canceled by the client")
	errClientGone = errors.New("the client is gone")
	errTimeout    = errors.New("the time given for the command is over")
)

// channel is the channel that is being served.
//
// Main reads it itself: a thread that waits in the kernel is the fastest to
// answer. While a command runs nobody reads, but for one that takes long: then a
// watcher goroutine (read) does, which cancels the command when the client asks
// for that or goes away. It hands the next frame to main, and ends.
type channel struct {
	conn   *protocol.Conn
	frames chan *protocol.Frame // what watchers read; closed with the channel's end

	grace   time.Duration
	exit    func(int)
	reports *reports // flushed now and then

	// Main's own.
	env   []string
	umask int

	mu       sync.Mutex // guards what follows
	gone     bool       // the client closed the channel, and a watcher noticed
	orphaned bool       // the master is gone: the command that runs is the last
	waiting  bool       // main waits for a frame
	running  bool
	id       uint32 // of the command that runs
	cancel   context.CancelCauseFunc
	canceled map[uint32]bool // cancels that came before their command
	watchdog *time.Timer     // ends the process

	begun    uint64      // commands so far
	seen     uint64      // begun, when ticker was called last
	ticker   *time.Timer // calls tick, while there are commands
	ticking  bool
	watching bool
	long     bool // the command runs longer than most
	closed   bool
	watchers sync.WaitGroup
}

const (
	// pipelined is how many frames may wait behind the command that runs; a
	// client sends the next one only after the end of the last.
	pipelined = 4
	// watchAfter is how long a command runs, at least, before it is watched;
	// it may be twice that.
	watchAfter = 5 * time.Millisecond
)

// serve serves a channel until its client closes it, or the master is gone. It
// owns fd. It tells whether the process may go on.
func (w *worker) serve(fd int) (sound bool) {
	conn, err := protocol.NewConn(fd)
	if err != nil {
		unix.Close(fd)
		return true
	}
	c := &channel{conn: conn, frames: make(chan *protocol.Frame, pipelined), grace: w.cfg.grace, exit: w.cfg.exit, reports: &w.reports,
		umask: -1, canceled: map[uint32]bool{}}
	forget := w.control.whenGone(c.orphan)
	defer func() {
		forget()
		c.close()
		w.reports.flush()
	}()
	for {
		f := c.next()
		if f == nil {
			return true
		}
		for _, key := range w.control.drops() {
			w.forget(key)
		}
		switch f.Type {
		case protocol.ChEnviron:
			f.CloseFiles()
			if c.env, c.umask, err = protocol.DecodeEnviron(f.Payload); err != nil {
				return true
			}
		case protocol.ChRun, protocol.ChCall:
			sound, ok := w.command(c, f)
			if !sound || !ok {
				return sound
			}
		default:
			f.CloseFiles()
			return true
		}
	}
}

// next waits for a frame; nil is the end.
func (c *channel) next() *protocol.Frame {
	c.mu.Lock()
	// Under the lock: a watcher that took the frame leaves it here and is no watcher
	// any more in one step.
	select {
	case f := <-c.frames:
		c.mu.Unlock()
		return f
	default:
	}
	if c.orphaned {
		c.mu.Unlock()
		return nil
	}
	watched, first := c.watching, c.begun == 0
	c.waiting = true
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.waiting = false
		c.mu.Unlock()
	}()
	if watched {
		return <-c.frames
	}
	for {
		if !first {
			// The first is on its way, which says nothing of the next: a drop-in hg has
			// none, and needs the processor to take the answer and to go.
			c.conn.Await()
		}
		f, err := c.conn.Recv()
		if err != nil {
			return nil
		}
		if f.Type != protocol.ChCancel {
			return f
		}
		f.CloseFiles()
		c.stop(f.ID)
	}
}

// orphan is called when the master is gone.
func (c *channel) orphan() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orphaned = true
	if c.waiting {
		c.conn.ShutdownRead() // ends the wait
	}
}

// tick is called every now and then while there are commands.
func (c *channel) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || !c.running && c.begun == c.seen {
		c.ticking = false
		c.reports.flush()
		return
	}
	if c.running && c.begun == c.seen {
		c.watch()
		if !c.long {
			c.long = true
			debug.SetGCPercent(gcLong)
		}
	}
	c.seen = c.begun
	c.ticker.Reset(watchAfter)
}

// watch starts a watcher for the command that runs, if there is none yet.
// Callers hold mu.
func (c *channel) watch() {
	if !c.watching && !c.gone {
		c.watching = true
		c.watchers.Go(c.read)
	}
}

// read takes frames while a command runs; a cancel takes effect at once. When
// the client goes the command is canceled, and the process ended if that does not
// help.
func (c *channel) read() {
	for {
		f, err := c.conn.Recv()
		if err != nil {
			break
		}
		if f.Type == protocol.ChCancel {
			f.CloseFiles()
			c.stop(f.ID)
			continue
		}
		c.mu.Lock()
		select {
		case c.frames <- f:
			c.watching = false
			c.mu.Unlock()
			return
		default: // not a client of ours
			c.mu.Unlock()
			f.CloseFiles()
			c.conn.Shutdown()
		}
		break
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	close(c.frames)
	if c.running && !c.orphaned {
		c.cancel(errClientGone)
		c.watchdog = time.AfterFunc(c.grace, func() { c.exit(exitHung) })
	}
}

// close ends the channel and whoever reads it.
func (c *channel) close() {
	c.mu.Lock()
	c.closed = true
	if c.ticker != nil {
		c.ticker.Stop()
	}
	c.mu.Unlock()
	c.conn.Shutdown()
	c.watchers.Wait()
	for {
		select {
		case f := <-c.frames:
			if f != nil {
				f.CloseFiles()
				continue
			}
		default:
		}
		break
	}
	c.conn.Close()
}

// stop cancels the command with that id, now or when it begins.
func (c *channel) stop(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.running && c.id == id:
		c.cancel(errCanceled)
	case len(c.canceled) < pipelined:
		c.canceled[id] = true
	}
}

// begin makes the context of a command. The caller calls end.
func (c *channel) begin(id uint32, timeout time.Duration) (ctx context.Context, end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithCancelCause(context.Background())
	c.running, c.id, c.cancel = true, id, cancel
	c.begun++
	switch {
	case c.ticker == nil:
		c.ticking, c.ticker = true, time.AfterFunc(watchAfter, c.tick)
	case !c.ticking:
		c.ticking = true
		c.ticker.Reset(watchAfter)
	}
	if c.canceled[id] {
		cancel(errCanceled)
	}
	clear(c.canceled) // older ones came too late
	if c.gone {
		cancel(errClientGone)
	}
	var timer *time.Timer
	if timeout > 0 {
		timer = time.AfterFunc(timeout, func() { cancel(errTimeout) })
	}
	return ctx, func() {
		if timer != nil {
			timer.Stop()
		}
		cancel(nil)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running = false
		if c.long {
			c.long = false
			debug.SetGCPercent(gcPercent)
		}
		if c.watchdog != nil {
			c.watchdog.Stop()
		}
	}
}

// knownUmask is the client's umask, nil when it did not tell.
func (c *channel) knownUmask() *uint32 {
	if c.umask < 0 {
		return nil
	}
	umask := uint32(c.umask & 0o777)
	return &umask
}

// environ lays overrides, "NAME=VALUE" or "NAME" to unset, over the channel's
// environment. The result may share memory with it.
func (c *channel) environ(overrides []string) []string {
	if len(overrides) == 0 {
		return c.env
	}
	env := slices.Clone(c.env)
	for _, o := range overrides {
		name, _, set := strings.Cut(o, "=")
		env = slices.DeleteFunc(env, func(v string) bool {
			return strings.HasPrefix(v, name) && len(v) > len(name) && v[len(name)] == '='
		})
		if set {
			env = append(env, o)
		}
	}
	return env
}
