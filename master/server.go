// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// client is one connection at the front door.
type client struct {
	id      uint64
	link    *link // owned; nil after it hung up
	welcome bool  // Hello was answered
	name    string
	dir     string // where its one command is; "" when it has more, or did not say
	pid     int
	until   time.Time // the end of the time for its Hello; zero once anything came
}

// acceptPause is how long nobody is let in when there are no descriptors left.
const acceptPause = 100 * time.Millisecond

// acceptAll lets in everybody who waits at the door, and returns how many.
func (m *master) acceptAll() (n int) {
	m.acceptAt = time.Time{}
	for m.listener >= 0 {
		fd, _, err := unix.Accept4(m.listener, unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			if m.admitClient(fd) {
				n++
			}
		case unix.EINTR, unix.ECONNABORTED:
		case unix.EAGAIN, unix.EINVAL: // nobody waits; after shutdown
			return n
		default:
			m.log("accept: %v", err)
			m.acceptAt = time.Now().Add(acceptPause)
			return n
		}
	}
	return n
}

// keepDoor looks at the door again after that failed, and cuts off who does not say
// Hello in time.
func (m *master) keepDoor(now time.Time) {
	if !m.acceptAt.IsZero() && !now.Before(m.acceptAt) {
		m.acceptAll()
	}
	for _, c := range m.clients {
		if !c.until.IsZero() && !now.Before(c.until) {
			c.until = time.Time{}
			c.link.conn.Shutdown() // its end is read next
		}
	}
}

// nextHello is when keepDoor has somebody to cut off; zero when nobody.
func (m *master) nextHello() (next time.Time) {
	for _, c := range m.clients {
		if !c.until.IsZero() && (next.IsZero() || c.until.Before(next)) {
			next = c.until
		}
	}
	return next
}

// admitClient takes ownership of fd, if it is a process of our own user.
func (m *master) admitClient(fd int) bool {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || int(cred.Uid) != os.Getuid() {
		m.log("client refused: user %v, %v", cred, err)
		unix.Close(fd)
		return false
	}
	c := &client{id: m.nextClient + 1, pid: int(cred.Pid), until: time.Now().Add(m.cfg.times.hello)}
	c.link, err = m.newLink(fd, func(f *protocol.Frame) {
		c.until = time.Time{}
		f.CloseFiles() // no message to us carries any
		m.fromClient(c, f)
	}, func() { m.left(c) })
	if err != nil {
		m.log("client: %v", err)
		return false
	}
	m.nextClient++
	m.clients[c.id] = c
	m.read(c.link) // a drop-in hg has said all already
	return true
}

// left is the end of a client's connection. A channel that it still holds ends
// by itself: the worker sees that.
func (m *master) left(c *client) {
	c.link = nil
	delete(m.clients, c.id)
	delete(m.lastUsed, c.id)
	m.queue.dropIf(func(r *request) bool { return r.client == c })
	for _, w := range m.workers {
		if w.client == c {
			w.client = nil
		}
	}
	m.lastClient = time.Now()
	m.deleted = executableDeleted()
}

// fromClient handles a frame of a client.
func (m *master) fromClient(c *client, f *protocol.Frame) {
	now := time.Now()
	err := error(nil)
	switch {
	case f.Type == protocol.DoorHello:
		err = m.hello(c, f)
	case !c.welcome:
		err = fmt.Errorf("%w: frame %d before hello", protocol.ErrProtocol, f.Type)
	case f.Type == protocol.DoorAcquire:
		err = m.acquire(c, f, now)
	case f.Type == protocol.DoorAbandon:
		m.queue.dropIf(func(r *request) bool { return r.client == c && r.id == f.ID })
	case f.Type == protocol.DoorKill:
		var id uint64
		id, err = protocol.DecodeWorker(f.Payload)
		// A client may only kill what serves it.
		if w := m.workers[id]; err == nil && w != nil && w.client == c {
			m.log("worker %d: killed for client %d (%s)", w.id, c.pid, c.name)
			m.kill(w)
		}
	case f.Type == protocol.DoorStats:
		m.askStats(c, f.ID, now)
	case f.Type == protocol.DoorFlush:
		err = m.flush(c, f)
	case f.Type == protocol.DoorStop:
		m.answer(c, f.ID, map[string]bool{"stopping": true})
		m.drain("client asked")
	default:
		err = fmt.Errorf("%w: frame %d", protocol.ErrProtocol, f.Type)
	}
	if err != nil {
		m.log("client %d (%s): %v", c.pid, c.name, err)
		c.link.conn.Shutdown()
	}
}

// hello answers in any case, so that the client can see what is wrong, and cuts
// off who speaks another protocol or comes from another build.
func (m *master) hello(c *client, f *protocol.Frame) error {
	var h protocol.Hello
	if err := json.Unmarshal(f.Payload, &h); err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	c.name = fmt.Sprintf("%.40q", h.Client)
	if sanePath(h.Dir) {
		c.dir = h.Dir
	}
	b, err := json.Marshal(protocol.Welcome{Protocol: protocol.Version, Build: m.cfg.Build, PID: os.Getpid()})
	if err != nil {
		return fmt.Errorf("welcome: %w", err)
	}
	fit := h.Protocol == protocol.Version && h.Build == m.cfg.Build
	var after func()
	if !fit {
		after = c.link.conn.Shutdown
	}
	c.welcome = fit
	c.link.send(&protocol.Frame{Type: protocol.DoorWelcome, ID: f.ID, Payload: b}, after)
	return nil
}

func (m *master) acquire(c *client, f *protocol.Frame, now time.Time) error {
	class, err := protocol.DecodeAcquire(f.Payload)
	if err != nil {
		return fmt.Errorf("acquire: %w", err)
	}
	m.active = now
	r := &request{client: c, id: f.ID, class: class, since: now}
	if m.draining {
		m.refuse(r, protocol.RefusedDraining, "the master is stopping")
		return nil
	}
	if out := m.queue.add(r); out != nil {
		m.refuse(out, protocol.RefusedFull, fmt.Sprintf("%d requests wait already", m.queue.size))
	}
	return nil
}

func (m *master) refuse(r *request, reason, message string) {
	m.counts.queue.Refused++
	if r.client.link != nil {
		p := protocol.Refused{Reason: reason, Message: message}
		r.client.link.send(&protocol.Frame{Type: protocol.DoorRefused, ID: r.id, Payload: p.Encode()}, nil)
	}
}

// refuseAll refuses everybody who waits.
func (m *master) refuseAll(reason, message string) {
	m.queue.dropIf(func(r *request) bool {
		m.refuse(r, reason, message)
		return true
	})
}

// flush drops the images of one repository, or all.
func (m *master) flush(c *client, f *protocol.Frame) error {
	path, err := protocol.DecodeFlush(f.Payload)
	if err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	store := m.stores[path]
	entries, bytes := m.cache.flush(func(k protocol.ImageKey) bool {
		return path == "" || k.Path == path || store != "" && k.Path == store
	})
	m.answer(c, f.ID, map[string]int64{"entries": int64(entries), "bytes": bytes})
	return nil
}

func (m *master) answer(c *client, id uint32, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		m.log("answer: %v", err)
		c.link.conn.Shutdown()
		return
	}
	c.link.send(&protocol.Frame{Type: protocol.DoorAnswer, ID: id, Payload: b}, nil)
}

// maxStores bounds how many working directories are remembered.
const maxStores = 4096

// remember notes which store a working directory uses, for flush and load.
func (m *master) remember(root, store string) {
	if len(m.stores) >= maxStores {
		clear(m.stores)
	}
	m.stores[root] = store
}
