// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// poller is where the loop waits, for the listener, for the links, for what is
// posted and for the time: one thread is woken for what a client wants, and answers
// it. It is an epoll set, which Go's own poller waits for as for any file: waiting
// in epoll_wait itself would take a thread, and keep the runtime's monitor awake.
//
// But for the listener it is level-triggered, and what reads from its descriptors never
// waits, so that an event which is for the descriptor's last owner does no harm. One
// for a descriptor that something before it in the same batch has closed is for nobody.
//
// All but ring is the loop's.
type poller struct {
	set    *os.File // owned
	raw    syscall.RawConn
	bell   *os.File // owned; an eventfd, read only when the set tells of it
	bellFd int32
	links  map[int32]*link
	events [64]unix.EpollEvent
	n      int       // of events that came
	until  time.Time // set's deadline
	look   func(set uintptr) bool
}

func newPoller() (*poller, error) {
	set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := unix.SetNonblock(set, true); err != nil {
		unix.Close(set)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p := &poller{set: os.NewFile(uintptr(set), "epoll"), links: map[int32]*link{}}
	p.look = func(set uintptr) bool {
		p.n, _ = unix.EpollWait(int(set), p.events[:], 0)
		return p.n != 0
	}
	if p.raw, err = p.set.SyscallConn(); err == nil {
		err = p.set.SetReadDeadline(time.Time{}) // Go's poller has it
	}
	bell := -1
	if err == nil {
		bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC)
	}
	if err == nil {
		p.bell, p.bellFd = os.NewFile(uintptr(bell), "eventfd"), int32(bell)
		err = p.add(bell, unix.EPOLLIN)
	}
	if err != nil {
		p.close()
		return nil, fmt.Errorf("poller: %w", err)
	}
	return p, nil
}

func (p *poller) add(fd int, events uint32) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, events)
}

// remove is called before fd is closed: a child that is being forked may still hold it.
func (p *poller) remove(fd int) { _ = p.control(unix.EPOLL_CTL_DEL, fd, 0) }

func (p *poller) control(op, fd int, events uint32) (err error) {
	failed := p.raw.Control(func(set uintptr) {
		err = unix.EpollCtl(int(set), op, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
	})
	if err == nil {
		err = failed
	}
	return err
}

// wait waits until something can be read, but not longer than until. What it returns
// is valid until the next call.
func (p *poller) wait(until time.Time) []unix.EpollEvent {
	// A wait may end early, for nothing, and mostly the time given is a later one than
	// the last: to set it anew each time would wake another thread.
	if until.Before(p.until) || !time.Now().Before(p.until) {
		p.until = until
		_ = p.set.SetReadDeadline(until)
	}
	p.n = 0
	if err := p.raw.Read(p.look); err != nil {
		// When the time is over it may not have looked.
		_ = p.raw.Control(func(set uintptr) { p.look(set) })
	}
	return p.events[:max(p.n, 0)]
}

// ring ends a wait. Any goroutine may call it.
func (p *poller) ring() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = p.bell.Write(one[:])
}

// rung is called when the bell can be read.
func (p *poller) rung() {
	var count [8]byte
	_, _ = p.bell.Read(count[:])
}

func (p *poller) close() {
	p.set.Close()
	if p.bell != nil {
		p.bell.Close()
	}
}

// wait handles what comes next, or nothing when the time is over.
func (m *master) wait(until time.Time) {
	for _, e := range m.poller.wait(until) {
		switch l := m.poller.links[e.Fd]; {
		case l != nil:
			m.read(l)
		case int(e.Fd) == m.listener:
			m.acceptAll()
		case e.Fd == m.poller.bellFd:
			m.poller.rung()
		}
	}
	m.runPosted()
}

// runPosted runs what was posted.
func (m *master) runPosted() {
	for {
		select {
		case f := <-m.events:
			f()
			continue
		default:
		}
		return
	}
}
