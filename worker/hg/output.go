// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import "io"

// heldBytes is how much output is held back before it goes out. As long as it is
// held, a command can still turn out to be unsupported, or start again since the
// store changed under it, and nobody has seen anything.
const heldBytes = 256 << 10

// output is both streams of a command. It holds back what is written until
// there is much of it, or Flush.
type output struct {
	out, err stream
	held     int
	flowing  bool // something has gone out
	failed   error
	spare    *[2][]byte
}

type stream struct {
	o   *output
	w   io.Writer
	buf []byte
}

// newOutput makes the output of a command. Its memory comes from spare, and goes
// there again when it finishes.
func newOutput(out, err io.Writer, spare *[2][]byte) *output {
	o := &output{spare: spare}
	o.out = stream{o: o, w: out, buf: spare[0]}
	o.err = stream{o: o, w: err, buf: spare[1]}
	*spare = [2][]byte{}
	return o
}

func (s *stream) Write(p []byte) (int, error) {
	if s.o.failed != nil {
		return 0, s.o.failed
	}
	if s.o.flowing && len(p) >= directBytes {
		return s.direct(p)
	}
	s.buf = append(s.buf, p...)
	s.o.held += len(p)
	if s.o.held >= heldBytes {
		s.o.Flush()
	}
	return len(p), s.o.failed
}

// directBytes is from which size on a piece of output that flows goes out as it is,
// without being collected with others.
const directBytes = 32 << 10

func (s *stream) direct(p []byte) (int, error) {
	s.o.Flush()
	if s.o.failed == nil {
		if _, err := s.w.Write(p); err != nil {
			s.o.failed = err
		}
	}
	return len(p), s.o.failed
}

// WriteString avoids a copy for the many small strings of a log.
func (s *stream) WriteString(p string) (int, error) {
	if s.o.failed != nil {
		return 0, s.o.failed
	}
	s.buf = append(s.buf, p...)
	s.o.held += len(p)
	if s.o.held >= heldBytes {
		s.o.Flush()
	}
	return len(p), s.o.failed
}

// LastWriter is a stream of a request that wants to be told when a write is the
// command's last one to it. p stays as it is until the engine runs another command.
type LastWriter interface {
	WriteLast(p []byte) (int, error)
}

// Flush lets out what is held. The first error of a stream sticks: a client
// that has gone stops its command.
func (o *output) Flush() { o.flush(false) }

// Finish is Flush at the end of the command.
func (o *output) Finish() {
	o.flush(true)
	for i, s := range [2]*stream{&o.out, &o.err} {
		if cap(s.buf) <= 2*heldBytes {
			o.spare[i] = s.buf
		}
		s.buf = nil
	}
}

func (o *output) flush(last bool) {
	for _, s := range [2]*stream{&o.out, &o.err} {
		if len(s.buf) == 0 {
			continue
		}
		o.flowing = true
		write := s.w.Write
		if w, ok := s.w.(LastWriter); ok && last {
			write = w.WriteLast
		}
		if _, err := write(s.buf); err != nil && o.failed == nil {
			o.failed = err
		}
		s.buf = s.buf[:0]
	}
	o.held = 0
}

// Discard forgets what is held. It reports false, and does nothing, when
// something has gone out already.
func (o *output) Discard() bool {
	if o.flowing {
		return false
	}
	o.out.buf, o.err.buf, o.held = o.out.buf[:0], o.err.buf[:0], 0
	return true
}
