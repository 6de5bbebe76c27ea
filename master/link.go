// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"fmt"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// outbox is how many frames wait for a peer that does not read before it is cut
// off.
const outbox = 128

// link is one connection of the master, to a client or to a worker. The loop reads
// it when something has come (poller.go), and sends what the peer takes at once; for
// the rest there is a writer goroutine, which is started when it is first needed and
// ends when the loop closes the link.
type link struct {
	conn   *protocol.Conn        // owned
	handle func(*protocol.Frame) // is called with every frame
	gone   func()                // and this once, at the end, when conn is closed

	out    chan outgoing // sent to and closed by the loop only; nil: no writer yet
	queued atomic.Int32  // frames that the writer has not dealt with
}

type outgoing struct {
	frame *protocol.Frame
	after func() // runs when the frame is sent or given up: closes descriptors
}

// newLink makes a link that the loop reads. It takes ownership of fd.
func (m *master) newLink(fd int, handle func(*protocol.Frame), gone func()) (*link, error) {
	conn, err := protocol.NewConn(fd)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	l := &link{conn: conn, handle: handle, gone: gone}
	if err := m.poller.add(fd, unix.EPOLLIN|unix.EPOLLRDHUP); err != nil {
		conn.Close()
		return nil, fmt.Errorf("poll a connection: %w", err)
	}
	m.poller.links[int32(fd)] = l
	return l, nil
}

// read takes what has come.
func (m *master) read(l *link) {
	for {
		f, err := l.conn.TryRecv()
		if err != nil {
			fd := l.conn.Fd()
			m.poller.remove(fd)
			delete(m.poller.links, int32(fd))
			l.close()
			l.gone()
			return
		}
		if f == nil {
			return
		}
		l.handle(f)
		if !l.conn.Buffered() {
			return // the poller tells of more
		}
	}
}

// send sends a frame, or queues it behind what the peer has not taken yet. It never
// blocks: a peer that let the queue fill up is cut off, and its end is read then.
func (l *link) send(f *protocol.Frame, after func()) {
	o := outgoing{f, after}
	if l.queued.Load() == 0 {
		if sent, err := l.try(f); sent || err != nil {
			l.done(o, err)
			return
		}
	}
	if l.out == nil {
		l.out = make(chan outgoing, outbox)
		go l.write(l.out)
	}
	l.queued.Add(1)
	select {
	case l.out <- o:
	default:
		l.queued.Add(-1)
		l.conn.Shutdown()
		l.done(o, nil)
	}
}

// try sends a frame if that can be done now. nil is nothing to send.
func (l *link) try(f *protocol.Frame) (sent bool, err error) {
	if f == nil {
		return true, nil
	}
	return l.conn.TrySend(f)
}

// done follows every frame.
func (l *link) done(o outgoing, err error) {
	if err != nil {
		l.conn.Shutdown()
	}
	if o.after != nil {
		o.after()
	}
}

// sendFd is send for a frame with one descriptor, which is closed afterwards.
func (l *link) sendFd(f *protocol.Frame, fd int) {
	f.Files = []int{fd}
	l.send(f, func() { unix.Close(fd) })
}

// hangUp ends the connection after everything that is queued.
func (l *link) hangUp() { l.send(nil, l.conn.Shutdown) }

func (l *link) write(out <-chan outgoing) {
	for o := range out {
		var err error
		if o.frame != nil {
			err = l.conn.Send(o.frame)
		}
		l.done(o, err)
		l.queued.Add(-1)
	}
}

// close gives the connection back. Nothing may be sent afterwards.
func (l *link) close() {
	l.conn.Close()
	if l.out != nil {
		close(l.out)
	}
}
