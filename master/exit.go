// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// How a master ends.
//
// Unused for the idle time (or at once, when its executable was deleted by an
// upgrade): it moves the socket's file aside, so that no new client can find
// it, and looks at the door once more. If somebody came, the file is moved back
// and all goes on. If not, the socket is shut down, and after a last look the
// file is unlinked and the process ends; the kernel frees the lock. A client
// that is caught in between sees the connection end before its welcome, and
// begins again.
//
// Told to stop: it unlinks the socket, lets in who waits there, gives up the
// lock so that the next client can start a new master, refuses what waits or
// comes (DoorRefused "draining"), waits for the commands that run, and ends.

// unused tells whether nobody needs the master now.
func (m *master) unused() bool {
	return len(m.clients) == 0 && m.queue.size == 0 && m.busy() == 0 && len(m.jobs.running) == 0 && m.dying == 0
}

// maybeExit ends the loop when it is time.
func (m *master) maybeExit(now time.Time) {
	switch {
	case m.draining:
		if m.busy() == 0 && m.dying == 0 || !now.Before(m.drainEnd) {
			m.done = true
		}
	case m.unused() && (!now.Before(m.lastClient.Add(m.cfg.IdleTimeout)) || m.deleted):
		m.leave(now)
	}
}

// leave ends an unused master, unless a client comes at the last moment.
func (m *master) leave(now time.Time) {
	aside := m.path + ".leaving"
	moved := os.Rename(m.path, aside) == nil
	if m.acceptAll() > 0 {
		if moved && os.Rename(aside, m.path) != nil {
			m.drain("the socket's file cannot be put back")
		}
		return
	}
	_ = unix.Shutdown(m.listener, unix.SHUT_RDWR)
	n := m.acceptAll()
	_ = os.Remove(aside)
	m.path = ""
	if n > 0 {
		m.drain("somebody came at the very last moment")
		return
	}
	m.log("unused for %s, ends", now.Sub(m.lastClient).Round(time.Millisecond))
	m.done = true
}

// drain begins the end of a master that is told to stop.
func (m *master) drain(why string) {
	if m.draining {
		return
	}
	m.log("drains: %s", why)
	m.draining = true
	m.stopWatching()
	m.drainEnd = time.Now().Add(m.cfg.times.drain)
	if m.path != "" && m.socketIsOurs() {
		_ = os.Remove(m.path)
	}
	m.path = ""
	m.acceptAll()
	m.closeDoor()
	m.refuseAll(protocol.RefusedDraining, "the master is stopping")
	m.jobs.waiting = m.dropWaiting()
	for _, w := range m.workers {
		if w.state == busy {
			m.giveBack(w)
		}
	}
}

// dropWaiting gives up the jobs that did not begin.
func (m *master) dropWaiting() []*job {
	for _, j := range m.jobs.waiting {
		if j.image != nil {
			j.image.release()
		}
	}
	return nil
}

// closeDoor gives up the socket and then the lock.
func (m *master) closeDoor() {
	if m.listener >= 0 {
		m.poller.remove(m.listener)
		_ = unix.Shutdown(m.listener, unix.SHUT_RDWR)
		unix.Close(m.listener)
		m.listener = -1
	}
	if m.lock >= 0 {
		unix.Close(m.lock)
		m.lock = -1
	}
}

// socketIsOurs tells whether the socket's path still leads to our socket.
func (m *master) socketIsOurs() bool {
	var st unix.Stat_t
	return unix.Lstat(m.path, &st) == nil && uint64(st.Dev) == m.dev && st.Ino == m.ino
}

// executableDeleted tells whether an upgrade took our file away.
func executableDeleted() bool {
	exe, err := os.Readlink("/proc/self/exe")
	return err == nil && strings.HasSuffix(exe, " (deleted)")
}

// finish gives everything back: it lets go of all workers, which then exit, and
// waits a little for that.
func (m *master) finish() error {
	m.draining = true
	m.closeDoor()
	m.stopWatching()
	m.stopPressure()
	m.saveLast()
	m.refuseAll(protocol.RefusedDraining, "the master is stopping")
	m.jobs.waiting = m.dropWaiting()
	for _, c := range m.clients {
		c.link.hangUp()
	}
	for _, w := range m.workers {
		w.retired = true
		if w.link != nil {
			w.link.hangUp()
		}
	}
	patience := time.Now().Add(2 * time.Second)
	killed := false
	for len(m.workers) > 0 || m.dying > 0 || len(m.poller.links) > 0 {
		m.wait(patience)
		if time.Now().Before(patience) {
			continue
		}
		if killed {
			break
		}
		killed = true
		for _, w := range m.workers {
			if w.state != busy { // a command that runs may still end by itself
				m.kill(w)
			}
		}
		patience = time.Now().Add(time.Second)
	}
	close(m.stopped)
	m.runPosted()
	m.poller.close()
	m.cache.close()
	m.readers.close()
	if m.runners != nil {
		m.runners.close()
	}
	m.log("ended")
	return nil
}
