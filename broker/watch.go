// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// watch ends the broker when the process that the client named is gone, even
// when someone else still holds the other end of stdin.
func (s *Server) watch(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	switch err {
	case nil:
	case unix.ESRCH:
		s.log.Printf("client's process %d does not exist", pid)
		s.quit(1)
		return
	default:
		go s.watchByAsking(pid) // kernels before 5.3
		return
	}
	go func() {
		defer unix.Close(fd)
		for s.ctx.Err() == nil {
			// The timeout only lets this goroutine end with the broker.
			p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(p, 1000)
			if n > 0 && err == nil {
				s.gone(pid)
				return
			}
		}
	}()
}

func (s *Server) watchByAsking(pid int) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			if unix.Kill(pid, 0) == unix.ESRCH {
				s.gone(pid)
				return
			}
		}
	}
}

func (s *Server) gone(pid int) {
	s.log.Printf("client's process %d is gone", pid)
	s.quit(1)
}

// readerGone reports whether the other end of out is closed. Only a pipe or a
// socket can tell.
func readerGone(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd)}}
		n, err := unix.Poll(p, 0)
		gone = err == nil && n > 0 && p[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
	})
	return gone || err != nil
}
