// SPDX-License-Identifier: GPL-2.0-or-later

// Package client is the Go client of hgbroker, in two forms: Client speaks
// JSON-RPC with a broker, as an editor does, and Direct goes past the broker to
// a worker, as the drop-in hg does.
//
// It starts a broker when asked to, and nothing else; it decides nothing about
// what is native, and never runs hg itself.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hgbroker/protocol"
)

// Options are how a broker is started and listened to.
type Options struct {
	Executable string
	Args       []string // flags
	Env        []string // nil: this process's
	Dir        string   // "" this process's
	Framing    protocol.Framing
	Stderr     io.Writer
	// Notify gets every notification but hg/output, in order, in the reading
	// goroutine: it must not wait for an answer.
	Notify func(method string, params json.RawMessage)
	// Answer answers what the broker asks (hg/prompt, hg/edit), each in a goroutine
	// of its own. The result may be nil, an error says that there is no answer. A
	// $/cancelRequest, which Notify gets, tells that it is not wanted any more.
	Answer func(method string, params json.RawMessage) (result any, err error)
}

// Error is a JSON-RPC error that the broker answered with.
type Error struct {
	Code    int                 `json:"code"`
	Message string              `json:"message"`
	Data    *protocol.ErrorData `json:"data"`
}

func (e *Error) Error() string {
	if e.Data != nil && e.Data.Kind != "" {
		return fmt.Sprintf("%s (%d, %s)", e.Message, e.Code, e.Data.Kind)
	}
	return fmt.Sprintf("%s (%d)", e.Message, e.Code)
}

// Kind is the kind of a failed request, "" for other errors.
func Kind(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Data != nil {
		return e.Data.Kind
	}
	return ""
}

// ErrClosed is returned when the connection ended before the answer.
var ErrClosed = errors.New("connection to the broker is closed")

// Client is a connection to a broker. All methods may be called by any number
// of goroutines.
type Client struct {
	stream *protocol.Stream
	notify func(string, json.RawMessage)
	answer func(string, json.RawMessage) (any, error)
	cmd    *exec.Cmd // nil when the broker was not started here
	done   chan struct{}

	// handled counts the broker's requests that have been handled. It orders what
	// their handlers did before what follows from their answers: the way in between
	// is through other processes, of which Go's memory model knows nothing.
	handled atomic.Uint64

	mu      sync.Mutex // guards what follows
	next    uint64
	pending map[protocol.RawID]*pending
	ended   error
}

// pending is a request without its answer.
type pending struct {
	answer chan answer
	output func(stderr bool, data []byte)
	run    bool // it may be a hg/run's result, decoded
}

// answer is a response, or, when it was decoded already, the result of a hg/run.
type answer struct {
	*protocol.Incoming
	run *protocol.RunResult
}

// New speaks with a broker at the other end of conn, which it takes over.
func New(conn io.ReadWriteCloser, o Options) *Client {
	if o.Framing == protocol.FramingAuto {
		o.Framing = protocol.FramingLSP // somebody has to begin
	}
	c := &Client{stream: protocol.NewStream(conn, conn, conn, o.Framing), notify: o.Notify, answer: o.Answer,
		done: make(chan struct{}), pending: map[protocol.RawID]*pending{}}
	go c.read()
	return c
}

// Start starts a broker of its own and speaks with it over pipes.
func Start(o Options) (*Client, error) {
	cmd := exec.Command(o.Executable, o.Args...)
	cmd.Env, cmd.Dir, cmd.Stderr = o.Env, o.Dir, o.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	c := New(&pipes{out, in}, o)
	c.cmd = cmd
	return c, nil
}

type pipes struct {
	io.ReadCloser
	w io.WriteCloser
}

// SyscallConn is that of the end for writing.
func (p *pipes) SyscallConn() (syscall.RawConn, error) {
	if c, ok := p.w.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

func (p *pipes) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p *pipes) Close() error                { return errors.Join(p.w.Close(), p.ReadCloser.Close()) }

// Process is the broker's process, nil when it was not started here.
func (c *Client) Process() *os.Process {
	if c.cmd == nil {
		return nil
	}
	return c.cmd.Process
}

func (c *Client) read() {
	defer close(c.done)
	for {
		body, err := c.stream.ReadMessage()
		if err != nil {
			c.end(err)
			return
		}
		c.handled.Load()
		if id, run, ok := protocol.ParseRunResponse(body); ok && c.answered(id, answer{run: run}) {
			continue
		}
		m, bad := protocol.ParseMessage(body)
		if bad != nil {
			c.end(fmt.Errorf("broker sent: %w", bad))
			return
		}
		switch {
		case m.Response:
			c.answered(m.ID, answer{Incoming: m})
		case m.Notif && m.Method == protocol.MethodOutput:
			c.output(m.Params)
		case m.Notif && c.notify != nil:
			c.notify(m.Method, m.Params)
		case !m.Notif && c.answer != nil:
			go c.asked(m)
		case !m.Notif:
			_ = c.stream.WriteError(m.ID, protocol.CodeMethodNotFound, "Method not found", nil)
		}
	}
}

// answered hands an answer to whoever waits for it. It is false when he wants a
// hg/run's result in another form.
func (c *Client) answered(id protocol.RawID, a answer) bool {
	c.mu.Lock()
	p := c.pending[id]
	if p != nil && a.run != nil && !p.run {
		c.mu.Unlock()
		return false
	}
	delete(c.pending, id)
	c.mu.Unlock()
	if p != nil {
		p.answer <- a     // room for one
		runtime.Gosched() // the caller goes on in this thread, which is awake
	}
	return true
}

// asked answers a request of the broker's.
func (c *Client) asked(m *protocol.Incoming) {
	result, err := c.answer(m.Method, m.Params)
	c.handled.Add(1)
	if err == nil {
		var b []byte
		if b, err = protocol.MarshalResult(result); err == nil {
			_ = c.stream.WriteResult(m.ID, b)
			return
		}
	}
	_ = c.stream.WriteError(m.ID, protocol.CodeRequestFailed, err.Error(), nil)
}

func (c *Client) output(params json.RawMessage) {
	var o protocol.Output
	if json.Unmarshal(params, &o) != nil {
		return
	}
	c.mu.Lock()
	p := c.pending[protocol.RawID(o.ID)]
	c.mu.Unlock()
	if p != nil && p.output != nil {
		p.output(o.Channel == "err", []byte(o.Data))
	}
}

func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = fmt.Errorf("%w: %w", ErrClosed, err)
	for id, p := range c.pending {
		close(p.answer)
		delete(c.pending, id)
	}
}

// Call sends a request and decodes its answer into result, which may be nil.
// When ctx ends the broker is told to cancel, and its answer is awaited: after
// Call nothing of the request is under way. A method that was done before the
// cancel came returns its result.
func (c *Client) Call(ctx context.Context, method string, params, result any) error {
	return c.call(ctx, method, params, result, nil)
}

func (c *Client) call(ctx context.Context, method string, params, result any, output func(bool, []byte)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := &pending{answer: make(chan answer, 1), output: output}
	_, p.run = result.(*protocol.RunResult)
	c.mu.Lock()
	if c.ended != nil {
		c.mu.Unlock()
		return c.ended
	}
	c.next++
	id := protocol.RawID(strconv.FormatUint(c.next, 10))
	c.pending[id] = p
	c.mu.Unlock()
	if err := c.send(id, method, params); err != nil {
		c.mu.Lock()
		delete(c.pending, id)
		c.mu.Unlock()
		return err
	}
	var a answer
	select {
	case a = <-p.answer:
	case <-ctx.Done():
		if err := c.Notify(protocol.MethodCancel, protocol.CancelParams{ID: json.RawMessage(id)}); err != nil {
			return err
		}
		a = <-p.answer
	}
	if a == (answer{}) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.ended
	}
	err := decode(a, method, result)
	var e *Error
	if errors.As(err, &e) && e.Code == protocol.CodeRequestCancelled && ctx.Err() != nil {
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
	return err
}

// decode takes the result, or the error, out of an answer.
func decode(m answer, method string, result any) error {
	if m.run != nil {
		*result.(*protocol.RunResult) = *m.run
		return nil
	}
	if m.Failure != nil {
		e := &Error{}
		if err := json.Unmarshal(m.Failure, e); err != nil {
			return fmt.Errorf("decode error of %s: %w", method, err)
		}
		return fmt.Errorf("%s: %w", method, e)
	}
	if result == nil {
		return nil
	}
	if raw, ok := result.(*json.RawMessage); ok {
		*raw = m.Result
		return nil
	}
	decode := json.Unmarshal
	if u, ok := result.(json.Unmarshaler); ok {
		decode = func(b []byte, _ any) error { return u.UnmarshalJSON(b) } // b is known to be valid
	}
	if err := decode(m.Result, result); err != nil {
		return fmt.Errorf("decode result of %s: %w", method, err)
	}
	return nil
}

func (c *Client) send(id protocol.RawID, method string, params any) error {
	b, err := request(id, method, params)
	if err != nil {
		return err
	}
	return c.stream.WriteRaw(b)
}

// request encodes a request; without an id, a notification.
func request(id protocol.RawID, method string, params any) ([]byte, error) {
	b := append([]byte(`{"jsonrpc":"2.0","method":`), protocol.AppendText(nil, method)...)
	if id != "" {
		b = append(append(b, `,"id":`...), id...)
	}
	if params != nil {
		b = append(b, `,"params":`...)
		if p, ok := params.(interface{ AppendJSON([]byte) []byte }); ok {
			return append(p.AppendJSON(b), '}'), nil
		}
		p, err := json.Marshal(params)
		if err != nil {
			return nil, fmt.Errorf("encode params of %s: %w", method, err)
		}
		b = append(b, p...)
	}
	return append(b, '}'), nil
}

// Notify sends a notification.
func (c *Client) Notify(method string, params any) error { return c.send("", method, params) }

// Shutdown says shutdown and exit, as LSP has it, and waits for the broker's
// end when it was started here.
func (c *Client) Shutdown(ctx context.Context) error {
	if err := c.Call(ctx, protocol.MethodShutdown, nil, nil); err != nil {
		return err
	}
	if err := c.Notify(protocol.MethodExit, nil); err != nil {
		return err
	}
	select {
	case <-c.done: // the broker closed its end
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.Close()
}

// Close closes the connection, which ends a broker that was started here, and
// waits for it; after 10 seconds it is killed.
func (c *Client) Close() error {
	_ = c.stream.Close()
	if c.cmd == nil {
		return nil
	}
	kill := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	return c.cmd.Wait()
}
