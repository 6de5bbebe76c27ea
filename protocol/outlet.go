// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// outlet is a pipe or socket to the client, of which can be told whether a message
// would be written without waiting. A nil outlet takes nothing.
type outlet struct {
	raw    syscall.RawConn
	socket bool
	room   int  // how many bytes it takes when nothing is in it
	wide   bool // room is what it can be
}

const (
	// smallWrite is what a pipe or socket takes at once when it takes anything (PIPE_BUF).
	smallWrite = 4 << 10
	// widePipe is what a pipe to the client is asked to hold once there is more to write
	// than it holds: both ends then go to sleep less often. It is what Linux allows
	// everybody (pipe-max-size).
	widePipe = 1 << 20
	// mostTaken is the largest message that is written without the goroutine.
	mostTaken = 256 << 10
)

// newOutlet is nil when w is neither a pipe nor a socket.
func newOutlet(w io.Writer) *outlet {
	c, ok := w.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	o := &outlet{raw: raw}
	var kind uint32
	err = raw.Control(func(fd uintptr) {
		var st unix.Stat_t
		if unix.Fstat(int(fd), &st) == nil {
			kind = st.Mode & unix.S_IFMT
		}
		switch kind {
		case unix.S_IFIFO:
			o.room, _ = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0)
		case unix.S_IFSOCK:
			// What the kernel needs beside the bytes counts too.
			size, _ := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF)
			o.socket, o.room, o.wide = true, size/4, true
		}
	})
	if err != nil || kind != unix.S_IFIFO && kind != unix.S_IFSOCK {
		return nil
	}
	return o
}

// takes tells whether a message of size bytes would be written without waiting.
func (o *outlet) takes(size int) bool {
	if o == nil || size > mostTaken {
		return false
	}
	if size > o.room {
		o.widen()
	}
	free := false
	err := o.raw.Control(func(fd uintptr) {
		p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(p[:], 0)
		free = err == nil && n == 1 && p[0].Revents == unix.POLLOUT
		if free && size > smallWrite {
			unread := uint(unix.TIOCINQ)
			if o.socket {
				unread = unix.SIOCOUTQ
			}
			n, err := unix.IoctlGetInt(int(fd), unread)
			free = err == nil && n == 0 && size <= o.room
		}
	})
	return err == nil && free
}

// widen asks for more room in a pipe; a socket stays as it is, and so does a pipe
// for which there is no more.
func (o *outlet) widen() {
	if o == nil || o.wide {
		return
	}
	o.wide = true
	_ = o.raw.Control(func(fd uintptr) {
		_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, max(o.room, widePipe))
		if size, err := unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0); err == nil {
			o.room = size
		}
	})
}

// write writes a header and the parts of a message, from where they are.
func (o *outlet) write(header string, parts [][]byte) (err error) {
	bufs := append(make([][]byte, 0, 8), bytesOf(header))
	for _, b := range parts {
		if len(b) > 0 {
			bufs = append(bufs, b)
		}
	}
	werr := o.raw.Control(func(fd uintptr) {
		for len(bufs) > 0 {
			var n int
			n, err = unix.Writev(int(fd), bufs)
			switch err {
			case nil, unix.EINTR:
			case unix.EAGAIN: // somebody else writes there too
				_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
			}
			if err != nil && err != unix.EINTR {
				return
			}
			bufs = unwritten(bufs, max(n, 0))
		}
	})
	if err == nil {
		err = werr
	}
	return err
}
