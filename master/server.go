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
}

// acceptor tells the loop that somebody knocks, and waits until the loop has
// let everybody in. It does not accept itself, so that the loop alone decides
// about the last moment of the socket. It ends when stop is closed for writing.
func (m *master) acceptor(listener, stop int) {
	defer unix.Close(stop)
	poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}, {Fd: int32(stop), Events: unix.POLLIN}}
	served := make(chan time.Duration, 1)
	for {
		_, err := unix.Poll(poll, -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil || poll[1].Revents != 0 {
			return
		}
		if !m.post(func() { _, pause := m.acceptAll(); served <- pause }) {
			return
		}
		select {
		case pause := <-served:
			if pause > 0 {
				time.Sleep(pause) // no descriptors left: some will be
			}
		case <-m.stopped:
			return
		}
	}
}

// acceptAll lets in everybody who waits at the door, and returns how many. When
// that failed for want of resources it says how long to wait.
func (m *master) acceptAll() (n int, pause time.Duration) {
	for m.listener >= 0 {
		fd, _, err := unix.Accept4(m.listener, unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			if m.admitClient(fd) {
				n++
			}
		case unix.EINTR, unix.ECONNABORTED:
		case unix.EAGAIN, unix.EINVAL: // nobody waits; after shutdown
			return n, 0
		default:
			m.log("accept: %v", err)
			return n, 100 * time.Millisecond
		}
	}
	return n, 0
}

// admitClient takes ownership of fd, if it is a process of our own user.
func (m *master) admitClient(fd int) bool {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || int(cred.Uid) != os.Getuid() {
		m.log("client refused: user %v, %v", cred, err)
		unix.Close(fd)
		return false
	}
	l, err := newLink(fd)
	if err != nil {
		m.log("client: %v", err)
		return false
	}
	m.nextClient++
	c := &client{id: m.nextClient, link: l, pid: int(cred.Pid)}
	m.clients[c.id] = c
	m.links++
	_ = l.conn.SetRecvTimeout(m.cfg.times.hello)
	first := true
	go l.read(
		func(f *protocol.Frame) {
			if first {
				first = false
				_ = l.conn.SetRecvTimeout(0)
			}
			m.post(func() { m.fromClient(c, f) })
			f.CloseFiles() // no message to us carries any
		},
		func(error) { m.post(func() { m.left(c) }) })
	return true
}

// left is the end of a client's connection. A channel that it still holds ends
// by itself: the worker sees that.
func (m *master) left(c *client) {
	close(c.link.out)
	c.link = nil
	m.links--
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
