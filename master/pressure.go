// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Memory pressure: the kernel tells when tasks stand still for want of memory
// (`Documentation/accounting/psi.rst`). A trigger is written into a file of
// pressure, of the machine and of our control group, and poll says POLLPRI when
// it was crossed; nothing has to be looked at in between. A kernel or a container
// without triggers is asked now and then instead (memory.go), and one without PSI
// never says anything: the budget alone holds then.

// pressureTrigger: all tasks stalled for 200 ms in 2 s. That window is one that
// the kernel lets everybody ask for (Linux 6.1).
const pressureTrigger = "full 200000 2000000"

// pressure is what the loop knows of it.
type pressure struct {
	state string    // where it is told, for stats
	ask   bool      // it is not told, but can be asked for
	stop  int       // closing it ends the watcher; owned; -1 when there is none
	relax time.Time // when some of it is over if it does not come again; zero: there is none

	events, dropped uint64
	bytes           int64
}

// pressureFiles are those that there may be: our control group's, and the
// machine's.
func pressureFiles() []string {
	files := []string{memoryPressure}
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return files
	}
	for line := range strings.Lines(string(b)) {
		// "0::/path" is the group of version 2; its root has no file.
		if group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok && group != "/" {
			files = append(files, path.Join("/sys/fs/cgroup", path.Clean("/"+group), "memory.pressure"))
		}
	}
	return files
}

// openTrigger opens a file of pressure and sets the trigger; it lives as long as
// the descriptor.
func openTrigger(file, trigger string) (int, error) {
	fd, err := unix.Open(file, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: file, Err: err}
	}
	if _, err := unix.Write(fd, append([]byte(trigger), 0)); err != nil {
		unix.Close(fd)
		return -1, &os.PathError{Op: "write trigger", Path: file, Err: err}
	}
	return fd, nil
}

// watchPressure begins to wait for pressure.
func (m *master) watchPressure(files []string) {
	p := &m.pressure
	p.stop = -1
	var fds []int
	var told []string
	for _, file := range files {
		fd, err := openTrigger(file, pressureTrigger)
		if err != nil {
			m.log("memory pressure: %v", err)
			continue
		}
		fds, told = append(fds, fd), append(told, file)
	}
	var pipe [2]int
	if len(fds) > 0 {
		if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
			m.log("memory pressure: pipe: %v", err)
			for _, fd := range fds {
				unix.Close(fd)
			}
			fds = nil
		}
	}
	if len(fds) == 0 {
		p.state = "not told by this system"
		if _, err := os.ReadFile(memoryPressure); err == nil {
			p.ask, p.state = true, "asked for"
		}
		return
	}
	p.state, p.stop = "told by "+strings.Join(told, ", "), pipe[1]
	go waitForPressure(fds, pipe[0], func() {
		handled := make(chan struct{})
		if m.post(func() { m.pressed(time.Now()); close(handled) }) {
			select {
			case <-handled:
			case <-m.stopped:
			}
		}
	})
}

// waitForPressure calls f for each event, until the other end of stop is closed or
// there is nothing left to wait for. It owns all descriptors.
func waitForPressure(fds []int, stop int, f func()) {
	poll := []unix.PollFd{{Fd: int32(stop), Events: unix.POLLIN}}
	for _, fd := range fds {
		poll = append(poll, unix.PollFd{Fd: int32(fd), Events: unix.POLLPRI})
	}
	defer func() {
		for _, p := range poll {
			unix.Close(int(p.Fd))
		}
	}()
	for len(poll) > 1 {
		_, err := unix.Poll(poll, -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil || poll[0].Revents != 0 {
			return
		}
		event := false
		for i := len(poll) - 1; i > 0; i-- {
			switch {
			case poll[i].Revents&(unix.POLLERR|unix.POLLNVAL|unix.POLLHUP) != 0: // the group was removed
				unix.Close(int(poll[i].Fd))
				poll = append(poll[:i], poll[i+1:]...)
			case poll[i].Revents&unix.POLLPRI != 0:
				event = true
			}
		}
		if event {
			f()
		}
	}
}

// stopPressure ends the watcher.
func (m *master) stopPressure() {
	if m.pressure.stop >= 0 {
		unix.Close(m.pressure.stop)
		m.pressure.stop = -1
	}
}

// pressed gives up a part of the cache.
func (m *master) pressed(now time.Time) {
	p := &m.pressure
	p.events++
	dropped, bytes := m.cache.squeeze()
	p.dropped += uint64(dropped)
	p.bytes += bytes
	p.relax = now.Add(m.cfg.times.calm)
	m.recents.preload = nil
	if dropped > 0 {
		m.log("memory pressure: %d images, %d bytes are given up; %d may be held now", dropped, bytes, m.cache.limit)
	}
}

// easePressure asks for pressure where nobody tells, and lets the cache grow again
// when none came for a while.
func (m *master) easePressure(now time.Time) {
	p := &m.pressure
	if !p.relax.IsZero() && !now.Before(p.relax) {
		p.relax = now.Add(m.cfg.times.calm)
		if m.cache.relax() {
			p.relax = time.Time{}
		}
	}
}
