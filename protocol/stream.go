// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Framing is how messages are told apart on the client's wire.
type Framing uint8

// The framings.
const (
	// FramingAuto takes what the first byte says: '{' or '[' is a line, anything
	// else a header.
	FramingAuto Framing = iota
	// FramingLSP is LSP's base protocol: header lines, an empty line, a body of
	// Content-Length bytes. Header names are read without regard to case.
	FramingLSP
	// FramingLines is one JSON object a line.
	FramingLines
)

// ParseFraming reads the value of --framing.
func ParseFraming(s string) (Framing, error) {
	switch s {
	case "auto", "":
		return FramingAuto, nil
	case "lsp":
		return FramingLSP, nil
	case "lines":
		return FramingLines, nil
	}
	return 0, fmt.Errorf("framing %q: must be lsp, lines or auto", s)
}

// Limits of the client's wire.
const (
	// MaxHeader bounds the header lines of one message.
	MaxHeader = 4 << 10
	// MaxBody bounds one message. A longer one is read to its end, thrown away
	// and answered with -32600.
	MaxBody = 64 << 20
	// MaxDrain bounds what is thrown away; a longer message is broken framing.
	MaxDrain = 4 << 30
	// QueueLimit bounds what waits for a client that does not read. Whoever
	// writes then waits, and so stops reading from its worker.
	QueueLimit = 8 << 20
	// StallLimit is how long one write may make no progress before the
	// connection is given up.
	StallLimit = 30 * time.Second
	// writePiece is what one write hands to the kernel, so that a client that
	// reads slowly is told from one that does not read.
	writePiece = 64 << 10
)

// ErrFraming is wrapped when the bytes cannot be cut into messages any more.
var ErrFraming = errors.New("broken framing")

// ErrStalled is what a Stream ends with when its client stopped reading.
var ErrStalled = errors.New("client stopped reading")

// ErrStreamClosed is returned by writes after Close.
var ErrStreamClosed = errors.New("stream is closed")

// Stream is the client's wire: an ObjectStream for jsonrpc2 that does three
// things the stock ones do not. Parameters are lifted out of a request before
// jsonrpc2 sees it, so that they are decoded once, by whoever knows their type
// (Current hands them out). Ids go back as they came. And what is wrong with a
// message is answered with the error that JSON-RPC has for it, and reading goes
// on with the next one; only framing that is broken ends the stream.
//
// Writes go through a bounded queue to a goroutine of the stream's own, which
// ends with Close.
type Stream struct {
	r       *bufio.Reader
	w       io.Writer
	c       io.Closer
	current *Message // owned by the goroutine that calls ReadObject
	spare   []byte   // from Recycle

	mu      sync.Mutex // guards what follows
	framing Framing
	work    *sync.Cond // there is something for the writer goroutine; only it waits here
	cond    *sync.Cond // something was written, or writing has failed
	queue   [][]byte
	writing bool // somebody is in w.Write: the goroutine, or a caller of WriteRaw
	queued  int  // bytes in queue and in the writer's hands
	err     error
	broken  bool // the framing
	closing bool
	done    chan struct{} // closed when the writer is gone
	failed  chan struct{} // closed when err is set

	stall time.Duration
	out   *outlet         // nil when w is no pipe or socket
	input syscall.RawConn // nil when r is nothing that can be polled
}

// NewStream reads messages from r and writes to w. Close closes c, which must
// unblock both where the system allows it.
func NewStream(r io.Reader, w io.Writer, c io.Closer, framing Framing) *Stream {
	return newStream(r, w, c, framing, StallLimit)
}

func newStream(r io.Reader, w io.Writer, c io.Closer, framing Framing, stall time.Duration) *Stream {
	s := &Stream{r: bufio.NewReaderSize(r, 64<<10), w: w, c: c, framing: framing,
		done: make(chan struct{}), failed: make(chan struct{}), stall: stall}
	s.work, s.cond = sync.NewCond(&s.mu), sync.NewCond(&s.mu)
	s.out = newOutlet(w)
	if in, ok := r.(syscall.Conn); ok {
		s.input, _ = in.SyscallConn()
	}
	go s.write()
	return s
}

// Framing is the framing in force; FramingAuto before the first message.
func (s *Stream) Framing() Framing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.framing
}

// Drained tells that all bytes that were received are read. Only the goroutine
// that calls ReadObject may call it.
func (s *Stream) Drained() bool { return s.r.Buffered() == 0 }

// CanWait tells whether WithInput has a descriptor to give.
func (s *Stream) CanWait() bool { return s.input != nil }

// WithInput calls f with the descriptor that messages come from, if there is one.
func (s *Stream) WithInput(f func(fd int)) {
	if s.input != nil {
		_ = s.input.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// Idle tells that nothing waits to be written.
func (s *Stream) Idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queued == 0
}

// Current is the request that ReadObject returned last. Only a handler that
// runs in the read loop may call it.
func (s *Stream) Current() *Message { return s.current }

// ReadObject implements jsonrpc2.ObjectStream. v decodes the envelope; the
// parameters stay behind, for Current.
func (s *Stream) ReadObject(v any) error {
	for {
		body, err := s.ReadMessage()
		var bad *InvalidMessage
		if errors.As(err, &bad) {
			if werr := s.WriteError(bad.ID, int64(bad.Code), bad.Text, nil); werr != nil {
				return werr
			}
			continue
		}
		if err != nil {
			if errors.Is(err, ErrFraming) {
				s.mu.Lock()
				s.broken = true
				s.mu.Unlock()
				// Best effort: tell the client why it is being left.
				_ = s.WriteError("null", CodeParseError, "Parse error: "+err.Error(), nil)
			}
			return err
		}
		e, bad := ParseMessage(body)
		if bad != nil {
			if werr := s.WriteError(bad.ID, int64(bad.Code), bad.Text, nil); werr != nil {
				return werr
			}
			continue
		}
		small := body
		if !e.Response {
			// jsonrpc2 must see a request only as far as to call the handler.
			// Its own idea of ids is narrower than JSON-RPC's, so it sees none.
			small = append([]byte(`{"method":`), AppendText(nil, e.Method)...)
			small = append(small, '}')
		} else if !strings.HasPrefix(string(e.ID), `"`) && !isNatural(string(e.ID)) {
			continue // answers no request of ours
		}
		s.current = &e.Message
		if u, ok := v.(json.Unmarshaler); ok {
			err = u.UnmarshalJSON(small)
		} else {
			err = json.Unmarshal(small, v)
		}
		if err != nil {
			if e.Response {
				continue
			}
			return fmt.Errorf("decode message: %w", err)
		}
		return nil
	}
}

func isNatural(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

// ReadMessage reads the body of the next message. An *InvalidMessage concerns
// this message only; any other error ends the stream.
func (s *Stream) ReadMessage() ([]byte, error) {
	f := s.Framing()
	if f == FramingAuto {
		var err error
		if f, err = s.detect(); err != nil {
			return nil, err
		}
	}
	if f == FramingLines {
		return s.readLine()
	}
	return s.readFramed()
}

// detect looks at the first byte that is not blank.
func (s *Stream) detect() (Framing, error) {
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return 0, err
		}
		if b == ' ' || b == '\t' || b == '\r' || b == '\n' {
			continue
		}
		_ = s.r.UnreadByte()
		f := FramingLSP
		if b == '{' || b == '[' {
			f = FramingLines
		}
		s.mu.Lock()
		s.framing = f
		s.mu.Unlock()
		return f, nil
	}
}

// readLine reads one line that is not blank; the last one needs no newline.
func (s *Stream) readLine() ([]byte, error) {
	var line []byte
	long := 0 // bytes of an over-long line, thrown away
	for {
		piece, err := s.r.ReadSlice('\n')
		if long > 0 || len(line)+len(piece) > MaxBody+1 {
			long += len(line) + len(piece)
			line = nil
			if long > MaxDrain {
				return nil, fmt.Errorf("%w: line longer than %d bytes", ErrFraming, MaxDrain)
			}
		} else {
			line = append(line, piece...)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		if long > 0 {
			return nil, tooLong()
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return line, nil
		}
		if err != nil {
			return nil, io.EOF
		}
		line = line[:0]
	}
}

func tooLong() *InvalidMessage {
	return &InvalidMessage{ID: "null", Code: CodeInvalidRequest,
		Text: fmt.Sprintf("Invalid Request: message longer than %d bytes", MaxBody)}
}

// readFramed reads a header and its body.
func (s *Stream) readFramed() ([]byte, error) {
	size, err := s.readHeader()
	if err != nil {
		return nil, err
	}
	if size > MaxBody {
		if size > MaxDrain {
			return nil, fmt.Errorf("%w: Content-Length %d", ErrFraming, size)
		}
		if _, err := io.CopyN(io.Discard, s.r, size); err != nil {
			return nil, unexpected(err)
		}
		return nil, tooLong()
	}
	// The buffer grows with what arrives, not with what the header claims.
	body := s.spare[:0]
	s.spare = nil
	for int64(len(body)) < size {
		at := len(body)
		n := int(min(size-int64(at), int64(max(64<<10, 3*at))))
		body = slices.Grow(body, n)[:at+n]
		if _, err := io.ReadFull(s.r, body[at:]); err != nil {
			return nil, unexpected(err)
		}
	}
	return body, nil
}

// Recycle gives the memory of a message's body back, for the next one. Only the
// goroutine that calls ReadMessage may call it.
func (s *Stream) Recycle(body []byte) {
	if cap(body) <= mostSpare {
		s.spare = body
	}
}

// mostSpare is how much memory waits for the next message at most.
const mostSpare = 1 << 20

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readHeader reads header lines up to the empty one and returns Content-Length.
// A lone newline ends a line too.
func (s *Stream) readHeader() (int64, error) {
	size := int64(-1)
	total := 0
	for first := true; ; first = false {
		line, err := s.r.ReadSlice('\n')
		total += len(line)
		if err == io.EOF && first && len(line) == 0 {
			return 0, io.EOF
		}
		if total > MaxHeader || err == bufio.ErrBufferFull {
			return 0, fmt.Errorf("%w: header longer than %d bytes", ErrFraming, MaxHeader)
		}
		if err != nil {
			return 0, unexpected(err)
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return 0, fmt.Errorf("%w: header line without a colon", ErrFraming)
		}
		if !strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 62)
		if err != nil {
			return 0, fmt.Errorf("%w: bad Content-Length", ErrFraming)
		}
		if size >= 0 && size != int64(n) {
			return 0, fmt.Errorf("%w: two Content-Length headers", ErrFraming)
		}
		size = int64(n)
	}
	if size < 0 {
		return 0, fmt.Errorf("%w: no Content-Length header", ErrFraming)
	}
	return size, nil
}

// WriteObject implements jsonrpc2.ObjectStream, for the few messages that
// jsonrpc2 itself sends.
func (s *Stream) WriteObject(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	return s.WriteRaw(b)
}

// WriteResult answers request id with a result that is already JSON, in one or
// more parts, which the stream then owns.
func (s *Stream) WriteResult(id RawID, result ...[]byte) error {
	if len(result) == 1 {
		return s.WriteRaw(AppendResponse(make([]byte, 0, len(result[0])+len(id)+40), id, result[0]))
	}
	result[0] = append(appendResponseHead(nil, id), result[0]...)
	last := &result[len(result)-1]
	*last = append(*last, '}')
	return s.WriteRaw(result...)
}

// WriteError answers request id with an error; data is JSON or nil.
func (s *Stream) WriteError(id RawID, code int64, message string, data []byte) error {
	return s.WriteRaw(AppendError(nil, id, code, message, data))
}

// WriteRaw queues one whole message, in one or more parts, which the stream then
// owns. It waits while the queue is full.
func (s *Stream) WriteRaw(msg ...[]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && !s.closing && s.queued >= QueueLimit {
		s.cond.Wait()
	}
	if s.err != nil {
		return s.err
	}
	if s.closing {
		return ErrStreamClosed
	}
	size := 0
	for _, part := range msg {
		size += len(part)
	}
	header := ""
	if s.framing == FramingLines {
		last := &msg[len(msg)-1]
		*last = append(*last, '\n')
		size++
	} else {
		header = "Content-Length: " + strconv.Itoa(size) + "\r\n\r\n"
		size += len(header)
	}
	s.queued += size
	if !s.writing && len(s.queue) == 0 && s.out.takes(size) {
		// Nothing waits, and this will not: it is done without waking the
		// goroutine.
		s.writing = true
		s.mu.Unlock()
		err := s.out.write(header, msg)
		for _, part := range msg {
			slabStock.put(part)
		}
		if err != nil {
			s.fail(fmt.Errorf("write to client: %w", err))
		}
		s.mu.Lock()
		s.writing = false
		s.queued -= size
		s.cond.Broadcast()
		if len(s.queue) > 0 || s.closing {
			s.work.Signal()
		}
		return s.err
	}
	if header != "" {
		s.queue = append(s.queue, []byte(header))
	}
	s.queue = append(s.queue, msg...)
	if size > writePiece {
		s.out.widen()
	}
	s.work.Signal()
	return nil
}

// write is the writer goroutine. It joins what is queued to few writes.
func (s *Stream) write() {
	defer close(s.done)
	watchdog := time.AfterFunc(time.Hour, func() { s.fail(ErrStalled) })
	watchdog.Stop()
	var joined []byte
	for mine := false; ; mine = true {
		s.mu.Lock()
		if mine {
			s.writing = false
		}
		for s.err == nil && (s.writing || len(s.queue) == 0 && !s.closing) {
			s.work.Wait()
		}
		if s.err != nil || len(s.queue) == 0 {
			s.mu.Unlock()
			return
		}
		queue := s.queue
		s.queue = nil
		s.writing = true
		s.mu.Unlock()

		for len(queue) > 0 {
			b := queue[0]
			whole := b
			queue = queue[1:]
			if len(queue) > 0 && len(b) < 4<<10 {
				joined = append(joined[:0], b...)
				for len(queue) > 0 && len(joined)+len(queue[0]) <= writePiece {
					joined = append(joined, queue[0]...)
					slabStock.put(queue[0])
					queue = queue[1:]
				}
				b = joined
			}
			for len(b) > 0 {
				piece := b[:min(len(b), writePiece)]
				watchdog.Reset(s.stall)
				n, err := s.w.Write(piece)
				watchdog.Stop()
				s.mu.Lock()
				s.queued -= n
				s.cond.Broadcast()
				s.mu.Unlock()
				if err != nil {
					s.fail(fmt.Errorf("write to client: %w", err))
					return
				}
				b = b[n:]
			}
			slabStock.put(whole)
		}
	}
}

// fail ends the stream because of err.
func (s *Stream) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
		close(s.failed)
	}
	s.cond.Broadcast()
	s.work.Signal()
	s.mu.Unlock()
	_ = s.c.Close()
}

// Err is what ended the writing, nil while it works.
func (s *Stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Failed is closed when writing has ended, for Err's reason.
func (s *Stream) Failed() <-chan struct{} { return s.failed }

// Broken reports whether reading ended because of ErrFraming.
func (s *Stream) Broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// Flush waits until all that was queued is written, writing has failed, or the
// limit has passed.
func (s *Stream) Flush(limit time.Duration) {
	timer := time.AfterFunc(limit, func() {
		s.mu.Lock()
		s.cond.Broadcast()
		s.mu.Unlock()
	})
	defer timer.Stop()
	end := time.Now().Add(limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && s.queued > 0 && time.Now().Before(end) {
		s.cond.Wait()
	}
}

// Close writes what is queued, waiting at most a second for it, and closes.
func (s *Stream) Close() error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.closing = true
	s.cond.Broadcast()
	s.work.Signal()
	s.mu.Unlock()
	select {
	case <-s.done:
	case <-time.After(time.Second):
	}
	s.fail(ErrStreamClosed)
	return nil
}
