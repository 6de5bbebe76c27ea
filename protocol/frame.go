// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A frame, on the front door, a channel and the control socket alike:
//
//	offset size
//	0      4    length of the payload, little-endian
//	4      1    type: which message this is
//	5      1    number of descriptors that travel with it
//	6      2    zero
//	8      4    id: ties an answer to its request; 0 when there is none
//	12     ...  payload
//
// On a stream socket the descriptors travel as SCM_RIGHTS with the first byte
// of the header, so a reader takes the header with recvmsg and the rest with
// read. On the control socket a frame is one packet.
const (
	HeaderSize = 12
	// MaxPayload bounds one frame. Output is cut into frames well below it.
	MaxPayload = 64 << 20
	// MaxDescriptors is the most that any message carries.
	MaxDescriptors = 3
	// OutputChunk is the largest piece of output in one frame.
	OutputChunk = 256 << 10
)

// FrameType tells messages apart; each link has its own constants.
type FrameType uint8

// Frame is one message. Whoever receives it owns Files and closes them.
type Frame struct {
	Type    FrameType
	ID      uint32
	Payload []byte
	Files   []int // descriptors, owned by the frame's holder
}

// CloseFiles closes every descriptor that the frame still holds.
func (f *Frame) CloseFiles() {
	for _, fd := range f.Files {
		unix.Close(fd)
	}
	f.Files = nil
}

// ErrProtocol is wrapped by every complaint about what the peer sent.
var ErrProtocol = errors.New("protocol error")

// ErrClosed is what Send returns after Close.
var ErrClosed = errors.New("connection is closed")

// Sizes of the buffer that a stream is received into. Most connections carry a few
// short frames; when a receive fills the buffer, there is more.
const (
	firstBuffer = 4 << 10
	fullBuffer  = 64 << 10
)

// Conn sends and receives frames on one connected unix socket. Send may be
// called by any number of goroutines; Recv by one. Close unblocks both.
//
// The descriptor is in blocking mode and every wait happens in the kernel, in
// the calling thread. That is on purpose: a worker answers one command at a
// time, and a blocking read wakes it without passing through the netpoller. Who
// waits for many peers at once uses TryRecv and TrySend instead.
type Conn struct {
	haste  Haste // of Await
	fd     int
	packet bool // SOCK_SEQPACKET: one frame, one packet

	wmu    sync.Mutex // guards writing: wbuf, broken, and fd against Close
	wbuf   []byte     // headers and small payloads of one write
	broken error      // a Send failed, perhaps inside a frame: nothing may follow

	rbuf  []byte // bytes received and not yet consumed (stream only): rbuf[roff:rend]
	roff  int
	rend  int
	full  bool  // the last receive filled rbuf
	rfds  []int // descriptors received and not yet claimed, in order
	oob   []byte
	spare []byte // memory for a payload, from Recycle
	reset bool   // ECONNRESET was seen; what the peer had sent is still queued

	cmu    sync.Mutex // guards closed, and fd against Shutdown after Close
	closed bool
}

// NewConn takes ownership of fd, a connected SOCK_STREAM or SOCK_SEQPACKET unix
// socket in blocking mode.
func NewConn(fd int) (*Conn, error) {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return nil, fmt.Errorf("socket type: %w", err)
	}
	c := &Conn{fd: fd, packet: kind == unix.SOCK_SEQPACKET}
	c.oob = make([]byte, unix.CmsgSpace(4*(MaxDescriptors+5)))
	c.rbuf = make([]byte, firstBuffer)
	return c, nil
}

// Fd is the descriptor, still owned by c.
func (c *Conn) Fd() int { return c.fd }

// Shutdown ends both directions: the peer reads the end of the stream, and a
// blocked Recv or Send of ours returns. The descriptor stays valid until Close.
// Any goroutine may call it, at any time.
func (c *Conn) Shutdown() {
	c.cmu.Lock()
	defer c.cmu.Unlock()
	if !c.closed {
		_ = unix.Shutdown(c.fd, unix.SHUT_RDWR)
	}
}

// ShutdownRead ends the direction towards us: once what has arrived is read, Recv
// finds the end of the stream. Sending goes on. Any goroutine may call it.
func (c *Conn) ShutdownRead() {
	c.cmu.Lock()
	defer c.cmu.Unlock()
	if !c.closed {
		_ = unix.Shutdown(c.fd, unix.SHUT_RD)
	}
}

// Close shuts the socket down and gives the descriptor back. Only the goroutine
// that calls Recv may call it, or someone who knows that none does. Sends that
// are under way fail first; later ones fail with ErrClosed.
func (c *Conn) Close() error {
	c.Shutdown() // unblocks a Send, which holds wmu
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.cmu.Lock()
	defer c.cmu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	c.broken = ErrClosed
	for _, fd := range c.rfds {
		unix.Close(fd)
	}
	c.rfds = nil
	return unix.Close(c.fd)
}

// SetSendTimeout bounds how long one Send may wait for a peer that does not
// read; afterwards Send fails with EAGAIN. Zero means for ever.
func (c *Conn) SetSendTimeout(d time.Duration) error {
	tv := unix.NsecToTimeval(d.Nanoseconds())
	return unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &tv)
}

// SetRecvTimeout is the same for Recv.
func (c *Conn) SetRecvTimeout(d time.Duration) error {
	tv := unix.NsecToTimeval(d.Nanoseconds())
	return unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
}

// Send writes one frame. The descriptors are duplicated by the kernel and stay
// the caller's. After a failed Send every later one fails too: a part of the
// frame may have gone out.
func (c *Conn) Send(f *Frame) error {
	if err := c.check(f); err != nil {
		return err
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	var oob []byte
	if len(f.Files) > 0 {
		oob = unix.UnixRights(f.Files...)
	}
	return c.write(oob, f)
}

// TrySend is Send for who may not wait: it is false, and nothing was sent, when the
// peer has to read first. It takes short frames only.
func (c *Conn) TrySend(f *Frame) (bool, error) {
	if err := c.check(f); err != nil || len(f.Payload) > joinLimit {
		return false, err
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.broken != nil {
		return false, c.broken
	}
	var oob []byte
	if len(f.Files) > 0 {
		oob = unix.UnixRights(f.Files...)
	}
	c.wbuf = append(appendHeader(c.wbuf[:0], f), f.Payload...)
	n, err := unix.SendmsgN(c.fd, c.wbuf, oob, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return false, nil
	case err == nil && n < len(c.wbuf): // of so few bytes a unix socket takes all or none
		err = io.ErrShortWrite
	}
	if err != nil {
		c.broken = fmt.Errorf("send frame: %w", err)
	}
	return err == nil, c.broken
}

// SendAll writes frames without descriptors one after the other, on a stream
// with a single system call: the peer wakes once for the last output and the end
// of its command.
func (c *Conn) SendAll(fs ...*Frame) error {
	for _, f := range fs {
		if err := c.check(f); err != nil {
			return err
		}
		if len(f.Files) > 0 {
			return fmt.Errorf("%w: joined frame with descriptors", ErrProtocol)
		}
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	if !c.packet {
		return c.write(nil, fs...)
	}
	for _, f := range fs {
		if err := c.write(nil, f); err != nil {
			return err
		}
	}
	return nil
}

// joinLimit is up to which size a payload is copied behind its header.
const joinLimit = 4 << 10

func (c *Conn) check(f *Frame) error {
	switch {
	case len(f.Payload) > MaxPayload, c.packet && len(f.Payload) > MaxPacket-HeaderSize:
		return fmt.Errorf("%w: frame of %d bytes", ErrProtocol, len(f.Payload))
	case len(f.Files) > MaxDescriptors:
		return fmt.Errorf("%w: frame with %d descriptors", ErrProtocol, len(f.Files))
	}
	return nil
}

func appendHeader(b []byte, f *Frame) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.Payload)))
	b = append(b, byte(f.Type), byte(len(f.Files)), 0, 0)
	return binary.LittleEndian.AppendUint32(b, f.ID)
}

// write sends frames, with the descriptors at their first byte. Headers and small
// payloads are joined in wbuf; large ones are sent from where they are. Callers hold
// wmu.
func (c *Conn) write(oob []byte, fs ...*Frame) error {
	size := 0
	for _, f := range fs {
		size += HeaderSize
		if len(f.Payload) <= joinLimit {
			size += len(f.Payload)
		}
	}
	c.wbuf = slices.Grow(c.wbuf[:0], size)
	parts := make([][]byte, 0, 4)
	joined := c.wbuf
	for _, f := range fs {
		joined = appendHeader(joined, f)
		if len(f.Payload) <= joinLimit {
			joined = append(joined, f.Payload...)
			continue
		}
		parts = append(parts, joined, f.Payload)
		joined = joined[len(joined):]
	}
	if len(joined) > 0 {
		parts = append(parts, joined)
	}
	for len(parts) > 0 {
		n, err := unix.SendmsgBuffers(c.fd, parts, oob, nil, unix.MSG_NOSIGNAL)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			c.broken = fmt.Errorf("send frame: %w", err)
			return c.broken
		}
		oob, parts = nil, unwritten(parts, n)
	}
	return nil
}

// unwritten are the parts that are left when n bytes of them are written. It changes
// the list.
func unwritten(parts [][]byte, n int) [][]byte {
	for len(parts) > 0 && n >= len(parts[0]) {
		n -= len(parts[0])
		parts = parts[1:]
	}
	if n > 0 {
		parts[0] = parts[0][n:]
	}
	return parts
}

// Buffered tells whether bytes of the next frame have been received already. Only
// the goroutine that calls Recv may call it.
func (c *Conn) Buffered() bool { return c.rend > c.roff }

// Await waits a moment for the next frame, in the way that is best when the peer
// is about to send it. Only the goroutine that calls Recv may call it.
func (c *Conn) Await() {
	if !c.Buffered() {
		c.haste.Wait(c.fd, -1, BriefWait)
	}
}

// Recv reads the next frame. At the clean end of the stream it returns io.EOF;
// inside a frame, io.ErrUnexpectedEOF. The payload is the caller's, until Recycle.
func (c *Conn) Recv() (*Frame, error) {
	if c.packet {
		return c.recvPacket(0)
	}
	for c.rend-c.roff < HeaderSize {
		if err := c.fill(c.roff == c.rend, 0); err != nil {
			return nil, err
		}
	}
	h := c.rbuf[c.roff : c.roff+HeaderSize]
	f, size, nfds, err := parseHeader(h)
	if err != nil {
		return nil, err
	}
	c.roff += HeaderSize
	f.Payload = c.memory(min(size, 1<<20))
	for len(f.Payload) < size {
		if c.roff == c.rend {
			if size-len(f.Payload) >= len(c.rbuf) {
				// A large body goes straight to its place, growing with
				// what really arrives.
				if err := c.readBody(f, size); err != nil {
					return nil, err
				}
				break
			}
			if err := c.fill(false, 0); err != nil {
				return nil, err
			}
		}
		n := min(size-len(f.Payload), c.rend-c.roff)
		f.Payload = append(f.Payload, c.rbuf[c.roff:c.roff+n]...)
		c.roff += n
	}
	if len(c.rfds) < nfds {
		return nil, fmt.Errorf("%w: %d descriptors announced, %d received", ErrProtocol, nfds, len(c.rfds))
	}
	if nfds > 0 {
		f.Files = append([]int(nil), c.rfds[:nfds]...)
		c.rfds = append(c.rfds[:0], c.rfds[nfds:]...)
	}
	if c.roff == c.rend && len(c.rfds) > 0 {
		// Descriptors come with the first byte of their frame, and no byte
		// is left: no frame announces them.
		f.CloseFiles()
		return nil, fmt.Errorf("%w: %d descriptors that no frame announces", ErrProtocol, len(c.rfds))
	}
	return f, nil
}

// TryRecv is Recv for who may not wait: it receives once, and returns nil as long as
// no whole frame has come. On a stream it takes frames that fit into the buffer.
func (c *Conn) TryRecv() (*Frame, error) {
	if c.packet {
		f, err := c.recvPacket(unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			return nil, nil
		}
		return f, err
	}
	whole, err := c.whole()
	if !whole && err == nil {
		if err = c.fill(c.roff == c.rend, unix.MSG_DONTWAIT); errors.Is(err, unix.EAGAIN) {
			return nil, nil
		}
		if err == nil {
			whole, err = c.whole()
		}
	}
	if !whole || err != nil {
		return nil, err
	}
	return c.Recv()
}

// whole tells whether all of the next frame has been received, and makes room for it.
func (c *Conn) whole() (bool, error) {
	if c.rend-c.roff < HeaderSize {
		return false, nil
	}
	_, size, _, err := parseHeader(c.rbuf[c.roff : c.roff+HeaderSize])
	switch size += HeaderSize; {
	case err != nil:
		return false, err
	case size > fullBuffer:
		return false, fmt.Errorf("%w: frame of %d bytes", ErrProtocol, size)
	case size > len(c.rbuf):
		c.grow()
	}
	return c.rend-c.roff >= size, nil
}

// Recycle gives the memory of a frame's payload back, for the next one. Only the
// goroutine that calls Recv may call it.
func (c *Conn) Recycle(f *Frame) {
	c.spare, f.Payload = f.Payload[:0], nil
}

func (c *Conn) memory(size int) []byte {
	if b := c.spare; size > 4<<10 && cap(b) >= size {
		c.spare = nil
		return b
	}
	return make([]byte, 0, size)
}

func (c *Conn) readBody(f *Frame, size int) error {
	for len(f.Payload) < size {
		at := len(f.Payload)
		grow := min(size-at, max(1<<20, at))
		f.Payload = slices.Grow(f.Payload, grow)[:at+grow]
		got := 0
		for got < grow {
			n, err := c.recvmsg(f.Payload[at+got:at+grow], 0)
			if err != nil {
				return err
			}
			if n == 0 {
				return io.ErrUnexpectedEOF
			}
			got += n
		}
	}
	return nil
}

// fill reads more bytes into rbuf, after moving what is left to its start.
func (c *Conn) fill(atBoundary bool, flags int) error {
	if c.roff > 0 {
		copy(c.rbuf, c.rbuf[c.roff:c.rend])
		c.rend -= c.roff
		c.roff = 0
	}
	if c.full {
		c.grow()
	}
	n, err := c.recvmsg(c.rbuf[c.rend:], flags)
	if err != nil {
		return err
	}
	if n == 0 {
		if atBoundary {
			return io.EOF
		}
		return io.ErrUnexpectedEOF
	}
	c.rend += n
	c.full = c.rend == len(c.rbuf)
	return nil
}

// grow makes the buffer as large as it gets.
func (c *Conn) grow() {
	if len(c.rbuf) < fullBuffer {
		c.rbuf = append(make([]byte, 0, fullBuffer), c.rbuf[:c.rend]...)[:fullBuffer]
	}
}

// recvmsg is one receive; descriptors that came along are queued in rfds.
func (c *Conn) recvmsg(b []byte, flags int) (int, error) {
	for {
		n, oobn, got, _, err := unix.Recvmsg(c.fd, b, c.oob, unix.MSG_CMSG_CLOEXEC|flags)
		if err == unix.EINTR {
			continue
		}
		if err == unix.ECONNRESET && !c.reset {
			// The peer died with input unread; what it had sent is
			// still queued, and the end of the stream behind it.
			c.reset = true
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("receive frame: %w", err)
		}
		if oobn > 0 {
			fds, perr := parseRights(c.oob[:oobn])
			c.rfds = append(c.rfds, fds...)
			if perr != nil {
				return 0, perr
			}
		}
		if got&unix.MSG_CTRUNC != 0 {
			return 0, fmt.Errorf("%w: more descriptors than any message carries", ErrProtocol)
		}
		if len(c.rfds) > 4*MaxDescriptors {
			return 0, fmt.Errorf("%w: descriptors that no frame announces", ErrProtocol)
		}
		return n, nil
	}
}

func (c *Conn) recvPacket(flags int) (*Frame, error) {
	if len(c.rbuf) < MaxPacket {
		c.rbuf = make([]byte, MaxPacket)
	}
	n, err := c.recvmsg(c.rbuf, flags)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, io.EOF
	}
	fds := c.rfds
	c.rfds = nil
	f := &Frame{Files: fds}
	if n < HeaderSize {
		f.CloseFiles()
		return nil, fmt.Errorf("%w: packet of %d bytes", ErrProtocol, n)
	}
	h, size, nfds, err := parseHeader(c.rbuf[:HeaderSize])
	if err == nil && (size != n-HeaderSize || nfds != len(fds)) {
		err = fmt.Errorf("%w: packet of %d bytes and %d descriptors announces %d and %d", ErrProtocol, n-HeaderSize, len(fds), size, nfds)
	}
	if err != nil {
		f.CloseFiles()
		return nil, err
	}
	f.Type, f.ID = h.Type, h.ID
	f.Payload = append([]byte(nil), c.rbuf[HeaderSize:n]...)
	return f, nil
}

// MaxPacket bounds a frame on the control socket (the kernel's own limit is
// about 200 KB).
const MaxPacket = 128 << 10

func parseHeader(h []byte) (f *Frame, size, nfds int, err error) {
	size = int(binary.LittleEndian.Uint32(h))
	nfds = int(h[5])
	f = &Frame{Type: FrameType(h[4]), ID: binary.LittleEndian.Uint32(h[8:])}
	switch {
	case size > MaxPayload:
		err = fmt.Errorf("%w: frame of %d bytes", ErrProtocol, size)
	case nfds > MaxDescriptors:
		err = fmt.Errorf("%w: frame with %d descriptors", ErrProtocol, nfds)
	case h[6] != 0 || h[7] != 0:
		err = fmt.Errorf("%w: reserved header bytes are set", ErrProtocol)
	}
	return f, size, nfds, err
}

// parseRights returns every descriptor in the control messages, also beside an
// error, so that the caller can close them.
func parseRights(oob []byte) ([]int, error) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("%w: control message: %v", ErrProtocol, err)
	}
	var all []int
	for i := range msgs {
		fds, err := unix.ParseUnixRights(&msgs[i])
		if err != nil {
			return all, fmt.Errorf("%w: control message: %v", ErrProtocol, err)
		}
		all = append(all, fds...)
	}
	return all, nil
}

// Pair makes a connected pair of sockets, close-on-exec, of unix.SOCK_STREAM or
// unix.SOCK_SEQPACKET.
func Pair(kind int) (a, b int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("socketpair: %w", err)
	}
	return fds[0], fds[1], nil
}
