// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// socket is a connection of a client, which may send descriptors along.
type socket struct {
	fd  int   // owned
	fds []int // received and not yet taken; owned
}

// maxAttached is the most descriptors that one message may carry.
const maxAttached = 8

func (c *socket) Read(b []byte) (int, error) {
	var oob [256]byte
	for {
		n, oobn, _, _, err := unix.Recvmsg(c.fd, b, oob[:], unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, fmt.Errorf("receive: %w", err)
		}
		if oobn > 0 {
			if err := c.receive(oob[:oobn]); err != nil {
				return 0, err
			}
		}
		if n == 0 {
			return 0, io.EOF
		}
		return n, nil
	}
}

// receive keeps the descriptors of a control message.
func (c *socket) receive(oob []byte) error {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return fmt.Errorf("receive descriptors: %w", err)
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return fmt.Errorf("receive descriptors: %w", err)
		}
		c.fds = append(c.fds, fds...)
	}
	if len(c.fds) > maxAttached {
		return fmt.Errorf("receive descriptors: %d of them", len(c.fds))
	}
	return nil
}

func (c *socket) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		n, err := unix.SendmsgN(c.fd, b[done:], nil, nil, unix.MSG_NOSIGNAL)
		if err != nil && err != unix.EINTR {
			return done, fmt.Errorf("send: %w", err)
		}
		done += max(n, 0)
	}
	return len(b), nil
}

// take gives the received descriptors away.
func (c *socket) take() []int {
	fds := c.fds
	c.fds = nil
	return fds
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
