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
}

type stream struct {
	o   *output
	w   io.Writer
	buf []byte
}

func newOutput(out, err io.Writer) *output {
	o := &output{}
	o.out = stream{o: o, w: out}
	o.err = stream{o: o, w: err}
	return o
}

func (s *stream) Write(p []byte) (int, error) {
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

// Flush lets out what is held. The first error of a stream sticks: a client
// that has gone stops its command.
func (o *output) Flush() {
	for _, s := range [2]*stream{&o.out, &o.err} {
		if len(s.buf) > 0 {
			o.flowing = true
			if _, err := s.w.Write(s.buf); err != nil && o.failed == nil {
				o.failed = err
			}
			s.buf = s.buf[:0]
		}
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
