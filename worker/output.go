// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// output is where a command's stdout and stderr go: to frames of its channel,
// or to the descriptors of a drop-in hg. Small writes are joined; the order of
// what goes to either is kept; nothing is held back for longer than latency.
// Writing blocks while the reader does not read.
type output struct {
	conn  *protocol.Conn
	id    uint32
	files [2]*os.File // owned; nil: frames

	mu    sync.Mutex // guards what follows
	buf   []byte     // what both streams have in common: only one of them waits
	last  []byte     // the rest of what waits, in the engine's memory
	which int        // the stream that buf belongs to
	timer *time.Timer
	armed bool
	wrote bool  // anything, ever
	err   error // the first failure; sticks
}

// The streams.
const (
	toStdout = iota
	toStderr
)

const (
	// latency bounds how long a byte waits for more.
	latency = 20 * time.Millisecond
	// joined is up to how many bytes are joined.
	joined = 32<<10 - 64
)

// stream is one of an output's two writers.
type stream struct {
	o     *output
	which int
	now   bool // nothing is held back
}

func (s stream) Write(p []byte) (int, error) { return s.o.write(s.which, p, s.now, false) }

// WriteLast implements hg.LastWriter: the end of the command follows at once.
func (s stream) WriteLast(p []byte) (int, error) { return s.o.write(s.which, p, s.now, true) }

func newOutput(conn *protocol.Conn, id uint32) *output { return &output{conn: conn, id: id} }

func (o *output) write(which int, p []byte, now, last bool) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(p) > 0 {
		o.wrote = true
	}
	if which != o.which || len(o.buf)+len(p) > joined || len(o.last) > 0 {
		o.flush()
		o.which = which
	}
	switch {
	case last && !now:
		o.last = p
	case len(p) > joined:
		o.put(p)
	default:
		o.buf = append(o.buf, p...)
		if now {
			o.flush()
		}
	}
	if len(o.buf) > 0 && !o.armed && !last {
		o.armed = true
		if o.timer == nil {
			o.timer = time.AfterFunc(latency, o.late)
		} else {
			o.timer.Reset(latency)
		}
	}
	if o.err != nil {
		return 0, o.err
	}
	return len(p), nil
}

func (o *output) late() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.armed { // not after end
		o.armed = false
		o.flush()
	}
}

// flush writes what waits. Callers hold mu.
func (o *output) flush() {
	if len(o.buf) > 0 {
		o.put(o.buf)
		o.buf = o.buf[:0]
	}
	if len(o.last) > 0 {
		o.put(o.last)
		o.last = nil
	}
}

// put writes p to the current stream. Callers hold mu.
func (o *output) put(p []byte) {
	if o.err != nil {
		return
	}
	if f := o.files[o.which]; f != nil {
		_, o.err = f.Write(p)
		return
	}
	for len(p) > 0 && o.err == nil {
		n := min(len(p), protocol.OutputChunk)
		o.err = o.conn.Send(o.frame(p[:n]))
		p = p[n:]
	}
}

func (o *output) frame(p []byte) *protocol.Frame {
	t := protocol.ChOut
	if o.which == toStderr {
		t = protocol.ChErr
	}
	return &protocol.Frame{Type: t, ID: o.id, Payload: p}
}

// terminal tells whether stdout is one.
func (o *output) terminal() bool {
	if o.files[toStdout] == nil {
		return false
	}
	_, err := unix.IoctlGetTermios(int(o.files[toStdout].Fd()), unix.TCGETS)
	return err == nil
}

// seekable tells whether stdout is a file in which a writer could go back, and
// whether that has something in front already, or is only ever appended to.
func (o *output) seekable() (seekable, appends bool) {
	if o.files[toStdout] == nil {
		return false, false
	}
	fd := int(o.files[toStdout].Fd())
	at, err := unix.Seek(fd, 0, unix.SEEK_CUR)
	if err != nil {
		return false, false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return true, at != 0 || err != nil || flags&unix.O_APPEND != 0
}

// settle writes what waits to a drop-in hg's descriptors: that it cannot be
// written changes the exit code.
func (o *output) settle() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.files[toStdout] != nil {
		o.flush()
	}
}

// end sends what waits and the frame that ends the command, in one piece unless
// there is much. Nothing may be written afterwards.
func (o *output) end(t protocol.FrameType, payload []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.armed = false
	if o.timer != nil {
		o.timer.Stop()
	}
	if o.files[toStdout] != nil || len(o.last) > protocol.OutputChunk {
		o.flush()
		o.closeFiles()
	}
	frames := make([]*protocol.Frame, 0, 3)
	for _, p := range [][]byte{o.buf, o.last} {
		if len(p) > 0 && o.err == nil {
			frames = append(frames, o.frame(p))
		}
	}
	o.buf, o.last = nil, nil
	frames = append(frames, &protocol.Frame{Type: t, ID: o.id, Payload: payload})
	_ = o.conn.SendAll(frames...) // that the client is gone, the channel's reader notices
}

func (o *output) closeFiles() {
	for i, f := range o.files {
		if f != nil {
			f.Close()
		}
		o.files[i] = nil
	}
}

// closedByReader tells whether the output failed because nobody reads it: a
// pager that was left, a head that had enough.
func (o *output) closedByReader() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return errors.Is(o.err, unix.EPIPE)
}

// started tells whether anything was written, if only into the buffer.
func (o *output) started() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wrote
}

// input is a command's stdin when no descriptor came with it.
func input(b []byte) *bytes.Reader { return bytes.NewReader(b) }

// Read makes nothing an empty input.
func (nothing) Read([]byte) (int, error) { return 0, io.EOF }
