// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ErrWorkerLost is wrapped when a channel broke before its command's end.
var ErrWorkerLost = errors.New("the worker is gone")

// CancelGrace is how long a worker may take to end a canceled command before
// the master is told to kill it.
const CancelGrace = 3 * time.Second

// Channel is a client's side of a channel: one command at a time.
type Channel struct {
	conn   *Conn
	door   *Door
	next   uint32
	spoilt bool // canceled or broken: not to be used for another command

	Worker uint64
	Class  Class
	// Environ tells that ChEnviron was sent.
	Environ bool
	// Wait, when it is set, is called with the channel's descriptor before a
	// read that may have to wait, and reports whether it waited until there is
	// something to read.
	Wait func(fd int) bool
}

// Ending is how a command ended: exactly one field is set.
type Ending struct {
	Exit        *Exit
	Result      []byte
	Unsupported *Failure
	Failed      *Failure
}

// Usable reports whether another command may be sent.
func (c *Channel) Usable() bool { return !c.spoilt }

// Close gives the worker back. Nobody may be in Run or Call.
func (c *Channel) Close() { c.conn.Close() }

// SetEnviron sends the client's environment, once, before the first command.
func (c *Channel) SetEnviron(env []string, umask int) error {
	if c.Environ {
		return nil
	}
	if err := c.conn.Send(&Frame{Type: ChEnviron, Payload: EncodeEnviron(env, umask)}); err != nil {
		c.spoilt = true
		return fmt.Errorf("%w: %w", ErrWorkerLost, err)
	}
	c.Environ = true
	return nil
}

// Run runs one command line. Output goes to out, a piece at a time and in order,
// in memory that is out's until it returns, unless files (stdin, stdout, stderr;
// or none) travel along. When ctx ends the worker is told to cancel, and killed
// when it does not.
func (c *Channel) Run(ctx context.Context, r *Run, files []int, out func(stderr bool, data []byte) error) (*Ending, error) {
	return c.do(ctx, &Frame{Type: ChRun, Payload: r.Encode(), Files: files}, out)
}

// Call asks one typed method.
func (c *Channel) Call(ctx context.Context, call *Call) (*Ending, error) {
	return c.do(ctx, &Frame{Type: ChCall, Payload: call.Encode()}, nil)
}

func (c *Channel) do(ctx context.Context, f *Frame, out func(bool, []byte) error) (*Ending, error) {
	c.next++
	f.ID = c.next
	if err := c.conn.Send(f); err != nil {
		c.spoilt = true
		if errors.Is(err, ErrProtocol) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", ErrWorkerLost, err)
	}
	w := &watch{c: c, id: f.ID, ctx: ctx}
	end, err := c.receive(w, out)
	if w.stop() || err != nil {
		c.spoilt = true
	}
	return end, err
}

// watch cancels a command when its context ends. It is started when its command
// first has to be waited for: most are done sooner than a watch is set up.
type watch struct {
	c   *Channel
	id  uint32
	ctx context.Context

	cancel context.CancelCauseFunc // nil before start
	ended  chan struct{}           // closed when the command has ended
	idle   chan struct{}           // closed when the canceling goroutine is through
	unhook func() bool
}

func (w *watch) start() {
	if w.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancelCause(w.ctx)
	w.cancel, w.ended, w.idle = cancel, make(chan struct{}), make(chan struct{})
	w.unhook = context.AfterFunc(ctx, func() {
		defer close(w.idle)
		w.c.cancel(w.id, w.ended)
	})
}

// stop ends the watch of a command that has ended, and reports whether it was
// canceled.
func (w *watch) stop() bool {
	if w.cancel == nil {
		return false
	}
	close(w.ended)
	canceled := !w.unhook()
	if canceled {
		<-w.idle
	}
	w.cancel(nil)
	return canceled
}

// cancel tells the worker to stop, and sees to it.
func (c *Channel) cancel(id uint32, ended <-chan struct{}) {
	_ = c.conn.Send(&Frame{Type: ChCancel, ID: id})
	grace := time.NewTimer(CancelGrace)
	defer grace.Stop()
	select {
	case <-ended:
		return
	case <-grace.C:
	}
	c.door.Kill(c.Worker)
	grace.Reset(time.Second)
	select {
	case <-ended:
	case <-grace.C:
		c.conn.Shutdown() // the master is gone as well
	}
}

// receive reads up to the command's end. When out fails nobody wants the rest:
// the command is canceled and what still comes is thrown away.
func (c *Channel) receive(w *watch, out func(bool, []byte) error) (*Ending, error) {
	var failed error
	for {
		if !c.conn.Buffered() && (c.Wait == nil || !c.Wait(c.conn.Fd())) {
			w.start()
		}
		f, err := c.conn.Recv()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrWorkerLost, err)
		}
		f.CloseFiles()
		if f.ID != w.id {
			return nil, fmt.Errorf("%w: message for command %d instead of %d", ErrProtocol, f.ID, w.id)
		}
		if f.Type == ChOut || f.Type == ChErr {
			if out != nil && failed == nil {
				if failed = out(f.Type == ChErr, f.Payload); failed != nil {
					w.start()
					w.cancel(failed)
				}
			}
			c.conn.Recycle(f)
			continue
		}
		end, err := ending(f)
		if err != nil {
			return nil, fmt.Errorf("%w: end of a command: %v", ErrProtocol, err)
		}
		if failed != nil {
			return nil, failed
		}
		return end, nil
	}
}

// Alive reports whether the worker is still at the other end of an idle
// channel. It costs one system call.
func (c *Channel) Alive() bool {
	p := []unix.PollFd{{Fd: int32(c.conn.Fd()), Events: unix.POLLIN | unix.POLLRDHUP}}
	n, err := unix.Poll(p, 0)
	return err == nil && n == 0 // the worker never speaks first
}
