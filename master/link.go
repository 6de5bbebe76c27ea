// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// outbox is how many frames wait for a peer that does not read before it is cut
// off.
const outbox = 128

// link is one connection of the master, to a client or to a worker. A reader
// goroutine takes frames off it and ends at the end of the stream; a writer
// goroutine sends what the loop queued and ends when the loop closes the link.
type link struct {
	conn *protocol.Conn
	out  chan outgoing // sent to and closed by the loop only
}

type outgoing struct {
	frame *protocol.Frame
	after func() // runs when the frame is sent or given up: closes descriptors
}

func newLink(fd int) (*link, error) {
	conn, err := protocol.NewConn(fd)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	l := &link{conn: conn, out: make(chan outgoing, outbox)}
	go l.write()
	return l, nil
}

// send queues a frame. It never blocks: a peer that let the queue fill up is
// cut off, and its reader will tell the loop.
func (l *link) send(f *protocol.Frame, after func()) {
	select {
	case l.out <- outgoing{f, after}:
	default:
		l.conn.Shutdown()
		if after != nil {
			after()
		}
	}
}

// sendFd is send for a frame with one descriptor, which is closed afterwards.
func (l *link) sendFd(f *protocol.Frame, fd int) {
	f.Files = []int{fd}
	l.send(f, func() { unix.Close(fd) })
}

// hangUp ends the connection after everything that is queued.
func (l *link) hangUp() { l.send(nil, l.conn.Shutdown) }

func (l *link) write() {
	for o := range l.out {
		if o.frame != nil && l.conn.Send(o.frame) != nil {
			l.conn.Shutdown()
		}
		if o.after != nil {
			o.after()
		}
	}
}

// read hands every frame to handle, and says gone, with the reason, after the
// last one. It owns the connection and closes it.
func (l *link) read(handle func(*protocol.Frame), gone func(error)) {
	for {
		f, err := l.conn.Recv()
		if err != nil {
			l.conn.Close()
			gone(err)
			return
		}
		handle(f)
	}
}
