// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// control is the worker's end of the control socket. Its reader goroutine (read)
// ends with the socket, and says so by closing gone.
type control struct {
	conn *protocol.Conn
	gone chan struct{} // closed when the master is gone
	some chan struct{} // has a token when there may be tasks

	mu      sync.Mutex // guards what follows
	tasks   []task
	dropped map[protocol.ImageKey]bool // images to forget before the next command
	retired bool
	orphan  func() // called when the master goes
	tell    func() // tells the master what it was not told yet; set before read
	asked   uint32 // the last lease's id
	answers map[uint32]chan *protocol.Frame
}

// task is something for main to do.
type task struct {
	what protocol.FrameType // CtlAttach, CtlLoad, CtlVerify, CtlDrop
	id   uint32
	key  protocol.ImageKey
	fd   int // owned; of CtlAttach and CtlVerify
}

func newControl(conn *protocol.Conn) *control {
	return &control{conn: conn, gone: make(chan struct{}), some: make(chan struct{}, 1),
		dropped: map[protocol.ImageKey]bool{}, answers: map[uint32]chan *protocol.Frame{}}
}

// send sends a frame. That it fails when the master is gone is noticed by read.
func (c *control) send(t protocol.FrameType, id uint32, payload []byte) {
	_ = c.conn.Send(&protocol.Frame{Type: t, ID: id, Payload: payload})
}

func (c *control) sendFd(t protocol.FrameType, payload []byte, fd int) {
	_ = c.conn.Send(&protocol.Frame{Type: t, Payload: payload, Files: []int{fd}})
}

// whenGone has f called when the master goes, or at once when it has. After
// forget it is not called any more.
func (c *control) whenGone(f func()) (forget func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.gone:
		f()
	default:
		c.orphan = f
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.orphan = nil
	}
}

// end is what follows the socket's end.
func (c *control) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.gone)
	if c.orphan != nil {
		c.orphan()
	}
}

// read takes frames until the socket ends.
func (c *control) read() {
	defer c.end()
	for {
		f, err := c.conn.Recv()
		if err != nil {
			return
		}
		if !c.take(f) {
			f.CloseFiles()
			c.conn.Shutdown() // not a master of ours
		}
		// Main goes on here and now, and this one on another thread: the other way
		// round a client would wait until that is awake.
		runtime.Gosched()
	}
}

// take handles one frame, and owns its descriptors unless it returns false.
func (c *control) take(f *protocol.Frame) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := task{what: f.Type, id: f.ID, fd: -1}
	switch f.Type {
	case protocol.CtlImage:
		if answer := c.answers[f.ID]; answer != nil {
			delete(c.answers, f.ID)
			answer <- f
		} else {
			f.CloseFiles() // the question timed out
		}
		return true
	case protocol.CtlTell:
		c.tell()
		c.send(protocol.CtlTold, f.ID, nil)
		f.CloseFiles()
		return true
	case protocol.CtlRetire:
		c.retired = true
		c.wake()
		return true
	case protocol.CtlAttach:
		if len(f.Files) != 1 {
			return false
		}
	case protocol.CtlLoad, protocol.CtlVerify, protocol.CtlDrop:
		var err error
		if t.key, err = protocol.DecodeKey(f.Payload); err != nil || (f.Type == protocol.CtlVerify) != (len(f.Files) == 1) {
			return false
		}
		if f.Type == protocol.CtlDrop {
			c.dropped[t.key] = true
			c.wake()
			return true
		}
	default:
		return false
	}
	if len(f.Files) == 1 {
		t.fd = f.Files[0]
	}
	c.tasks = append(c.tasks, t)
	c.wake()
	return true
}

func (c *control) wake() {
	select {
	case c.some <- struct{}{}:
	default:
	}
}

// next waits for a task. It returns false when there will be none: the master
// is gone, or has retired this worker.
func (c *control) next() (task, bool) {
	for {
		if t, ok := c.pop(); ok {
			return t, t.what != protocol.CtlRetire
		}
		select {
		case <-c.some:
		case <-c.gone:
			return task{}, false
		}
	}
}

// quiet waits a moment, and tells whether nothing came to do.
func (c *control) quiet(moment time.Duration) bool {
	timer := time.NewTimer(moment)
	defer timer.Stop()
	select {
	case <-c.some:
		c.wake()
		return false
	case <-c.gone:
		return false
	case <-timer.C:
		return true
	}
}

func (c *control) pop() (task, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.dropped {
		delete(c.dropped, k)
		return task{what: protocol.CtlDrop, key: k}, true
	}
	if len(c.tasks) > 0 {
		t := c.tasks[0]
		c.tasks = append(c.tasks[:0], c.tasks[1:]...)
		return t, true
	}
	return task{what: protocol.CtlRetire}, c.retired
}

// drops returns the images to forget, for a worker that serves a channel.
func (c *control) drops() []protocol.ImageKey {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.dropped) == 0 {
		return nil
	}
	keys := make([]protocol.ImageKey, 0, len(c.dropped))
	for k := range c.dropped {
		keys = append(keys, k)
	}
	clear(c.dropped)
	return keys
}

// leaseTimeout bounds how long a command waits for the master's answer; after
// that it goes on as if there were no image.
const leaseTimeout = 2 * time.Second

// claimTimeout bounds how long an image that another worker makes is waited for.
const claimTimeout = 10 * time.Second

// lease asks for an image. It returns a descriptor, which the caller owns, or -1.
func (c *control) lease(key protocol.ImageKey) int {
	return c.ask(protocol.CtlLease, key, leaseTimeout, nil)
}

// ask asks for an image, by a lease or a claim, until quit is closed.
func (c *control) ask(question protocol.FrameType, key protocol.ImageKey, limit time.Duration, quit <-chan struct{}) int {
	answer := make(chan *protocol.Frame, 1)
	c.mu.Lock()
	c.asked++
	id := c.asked
	c.answers[id] = answer
	c.mu.Unlock()
	c.send(question, id, protocol.EncodeKey(key))
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var f *protocol.Frame
	select {
	case f = <-answer:
	case <-c.gone:
	case <-quit:
	case <-timer.C:
	}
	if f == nil {
		c.mu.Lock()
		delete(c.answers, id)
		c.mu.Unlock()
		select {
		case f = <-answer: // it came at the last moment
		default:
			return -1
		}
	}
	if len(f.Files) != 1 {
		f.CloseFiles()
		return -1
	}
	return f.Files[0]
}

// close ends the socket and gives back what will not be done.
func (c *control) close() {
	c.conn.Shutdown()
	<-c.gone
	c.conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tasks {
		if t.fd >= 0 {
			unix.Close(t.fd)
		}
	}
	c.tasks = nil
}
