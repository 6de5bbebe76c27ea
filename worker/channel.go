// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"errors"
	"runtime"
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

// channel is the channel that is being served. Its reader goroutine (read) ends
// with the socket, and says so by closing frames.
type channel struct {
	conn   *protocol.Conn
	frames chan *protocol.Frame

	// Main's own.
	env   []string
	umask int

	mu       sync.Mutex // guards what follows
	gone     bool       // the client closed the channel
	running  bool
	id       uint32 // of the command that runs
	cancel   context.CancelCauseFunc
	canceled map[uint32]bool // cancels that came before their command
	watchdog *time.Timer     // ends the process
}

// pipelined is how many frames may wait behind the command that runs; a client
// sends the next one only after the end of the last.
const pipelined = 4

// serve serves a channel until its client closes it, or the master is gone. It
// owns fd. It tells whether the process may go on.
func (w *worker) serve(fd int) (sound bool) {
	conn, err := protocol.NewConn(fd)
	if err != nil {
		unix.Close(fd)
		return true
	}
	c := &channel{conn: conn, frames: make(chan *protocol.Frame, pipelined), umask: -1, canceled: map[uint32]bool{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.read(w.cfg.grace, w.cfg.exit)
	}()
	defer func() {
		conn.Shutdown()
		for f := range c.frames {
			f.CloseFiles()
		}
		<-ended
		conn.Close()
	}()
	for {
		var f *protocol.Frame
		select {
		case f = <-c.frames:
		case <-w.control.gone:
			return true
		}
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

// read takes frames until the channel ends, and hands them to main; a cancel
// takes effect at once. When the client goes while a command runs, the command
// is canceled, and the process ended if that does not help.
func (c *channel) read(grace time.Duration, exit func(int)) {
	defer close(c.frames)
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
		select {
		case c.frames <- f:
			// Main runs the command in this thread, which is awake; another
			// one wakes meanwhile to go on reading.
			runtime.Gosched()
			continue
		default: // not a client of ours
			f.CloseFiles()
			c.conn.Shutdown()
		}
		break
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	if c.running {
		c.cancel(errClientGone)
		c.watchdog = time.AfterFunc(grace, func() { exit(exitHung) })
	}
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
		if c.watchdog != nil {
			c.watchdog.Stop()
		}
	}
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
