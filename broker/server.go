// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"hgbroker/protocol"
)

// Options are what a broker is started with.
type Options struct {
	Dialer     protocol.Dialer // how to reach or start the master
	Fallback   protocol.Fallback
	RealHg     string // "" means the first hg on Environ's PATH that is not ours
	Framing    protocol.Framing
	MaxWorkers int      // channels at once; 0 means as the master: twice the cores, at least 4
	Environ    []string // the client's environment, which commands run with
	Umask      int
	Dir        string // where relative paths start; absolute
	Version    string
	// NativeCommands and Requirements are told in the capabilities.
	NativeCommands []string
	Requirements   []string
	Languages      map[string][]string
	Log            io.Writer // nil: no log
	Trace          bool      // log each request
	// MCP makes the server speak the Model Context Protocol; MCPWrites adds the
	// tool that may change repositories.
	MCP, MCPWrites bool
}

// Limits of one client's connection.
const (
	maxRunning = 64
	maxWaiting = 256
	// drainLimit is how long a client that closed its end, but still reads, is
	// given its last answers (lines framing: that is how a shell script ends).
	drainLimit = 30 * time.Second
	// exitLimit is how long exit waits for shutdown to be answered.
	exitLimit = 10 * time.Second
	// endLimit bounds the wait for canceled requests at the end: a worker's
	// grace, the master's kill, and some more.
	endLimit = protocol.CancelGrace + 2*time.Second
)

// phase is where the client is in LSP's lifecycle.
type phase uint8

const (
	beforeInitialize phase = iota
	running
	afterShutdown
)

// Server serves one client.
type Server struct {
	opts   Options
	log    *log.Logger
	stream *protocol.Stream
	pool   *pool
	counts *counters
	slots  chan struct{} // one for each running request
	asked  atomic.Uint64 // requests of ours to the client
	sweep  sync.Once     // of what killed brokers left

	ctx  context.Context // of all requests
	stop context.CancelCauseFunc

	// mu guards what follows.
	mu       sync.Mutex
	phase    phase
	conn     *jsonrpc2.Conn // for requests of ours
	trace    string
	fallback protocol.Fallback
	config   []string // --config values of the client
	encoding string
	dir      string
	hg       struct { // the real hg, as last looked for
		path string
		err  error
		when time.Time
	}
	interactive protocol.InteractiveClient // what the client can be asked
	following   *follower                  // nil until a repository is opened
	requests    map[protocol.RawID]context.CancelCauseFunc
	wg          sync.WaitGroup
	quiet       chan struct{} // closed when shutdown has been answered

	inline *coroutine     // for requests that the read loop performs; only it looks here
	haste  protocol.Haste // the read loop's, for workers' answers
	eager  protocol.Haste // the read loop's, for the client's next request

	exit     chan int // the exit notification's code
	exitOnce sync.Once
}

// method is how one request is answered. The result is JSON.
type method func(s *Server, ctx context.Context, r *request) ([]byte, error)

// methods is the table that dispatch and the capabilities share; initialize and
// shutdown change the lifecycle and are handled in the read loop.
var methods map[string]method

func init() {
	methods = map[string]method{
		protocol.MethodRun:      (*Server).hgRun,
		protocol.MethodState:    (*Server).typed,
		protocol.MethodStatus:   (*Server).typed,
		protocol.MethodLog:      (*Server).hgLog,
		protocol.MethodLineDiff: (*Server).typed,
		protocol.MethodAnnotate: (*Server).typed,
		protocol.MethodCat:      (*Server).typed,
		protocol.MethodRunBatch: (*Server).runBatch,
		protocol.MethodCatBatch: (*Server).catBatch,
		protocol.MethodStats:    (*Server).brokerStats,
		protocol.MethodFlush:    (*Server).brokerFlush,
	}
	methods[protocol.MethodOpen] = (*Server).repositoryOpen
	methods[protocol.MethodClose] = (*Server).repositoryClose
	for name := range lineMethods {
		methods[name] = (*Server).byLines
	}
}

// Serve answers one client until its input ends, it says exit, or the process
// that it named dies; it returns the exit code. closer is closed at the end and
// must unblock a read of in where the system allows it.
func Serve(ctx context.Context, in io.Reader, out io.Writer, closer io.Closer, opts Options) int {
	if opts.Log == nil {
		opts.Log = io.Discard
	}
	if opts.MaxWorkers <= 0 {
		opts.MaxWorkers = max(4, 2*runtime.NumCPU())
	}
	s := &Server{
		opts: opts, log: log.New(opts.Log, "broker ", log.LstdFlags|log.Lmicroseconds|log.Lmsgprefix),
		stream: protocol.NewStream(in, out, closer, opts.Framing),
		counts: newCounters(), quiet: make(chan struct{}), slots: make(chan struct{}, maxRunning),
		fallback: opts.Fallback, dir: opts.Dir,
		requests: map[protocol.RawID]context.CancelCauseFunc{}, eager: protocol.Haste{Limit: eagerLimit}, exit: make(chan int, 1),
	}
	s.pool = newPool(opts.Dialer, opts.Environ, opts.Umask, opts.MaxWorkers, s.warn)
	s.ctx, s.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	return s.serve(ctx, out)
}

func (s *Server) serve(ctx context.Context, out io.Writer) int {
	readCtx, stopReading := context.WithCancel(context.Background())
	defer stopReading()
	var handler jsonrpc2.Handler = s
	if s.opts.MCP {
		handler = &mcp{s: s, writes: s.opts.MCPWrites}
	}
	conn := jsonrpc2.NewConn(readCtx, unclosed{s.stream, s}, handler, jsonrpc2.SetLogger(s.log))
	code := 0
	select {
	case <-conn.DisconnectNotify():
		// The read loop ended: the end of input, or broken framing.
		select {
		case code = <-s.exit:
		default:
			if s.stream.Broken() {
				code = 1
			}
		}
		if s.stream.Framing() == protocol.FramingLines {
			s.drain(out)
		}
	case code = <-s.exit:
	case <-s.stream.Failed():
		code = 1
		s.log.Printf("ending: %v", s.stream.Err())
	case <-ctx.Done():
		code = 1
	}
	s.stop(errEnding)
	s.await(endLimit)
	s.endFollowing()
	s.pool.close()
	s.stream.Close()
	return code
}

// unclosed keeps jsonrpc2 from closing the stream when the input ends: answers
// may still be under way.
type unclosed struct {
	*protocol.Stream
	s *Server
}

func (unclosed) Close() error { return nil }

// ReadObject implements jsonrpc2.ObjectStream. Its error ends the read loop.
func (u unclosed) ReadObject(v any) error {
	u.s.awaitInput()
	err := u.Stream.ReadObject(v)
	if err != nil {
		u.s.endInline()
	}
	return err
}

// drain lets the requests in flight finish, as long as the client reads.
func (s *Server) drain(out io.Writer) {
	end := time.Now().Add(drainLimit)
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(end) && s.stream.Err() == nil && !readerGone(out) {
		select {
		case <-done:
			s.stream.Flush(time.Until(end))
			return
		case <-s.exit:
			return
		case <-tick.C:
		}
	}
}

// await waits for all requests to end.
func (s *Server) await(limit time.Duration) {
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(limit):
		s.log.Printf("ending with requests that do not end")
	}
}

// request is one request in flight.
type request struct {
	*protocol.Message
	served string   // for the counters
	parts  [][]byte // the result, when its method returned none
}

// decode decodes the parameters into v.
func (r *request) decode(v any) error {
	if r.Params == nil {
		return nil
	}
	decode := json.Unmarshal
	if u, ok := v.(json.Unmarshaler); ok {
		decode = func(b []byte, _ any) error { return u.UnmarshalJSON(b) } // b is known to be valid
	}
	if err := decode(r.Params, v); err != nil {
		return invalidParams(err.Error())
	}
	return nil
}

// Handle implements jsonrpc2.Handler. It runs in the read loop, so that the
// order of messages is the client's: lifecycle and cancel are done here, each
// other request gets a goroutine.
func (s *Server) Handle(_ context.Context, conn *jsonrpc2.Conn, _ *jsonrpc2.Request) {
	m := s.stream.Current()
	if m.Notif {
		s.notification(m)
		return
	}
	s.mu.Lock()
	phase := s.phase
	s.conn = conn
	s.mu.Unlock()
	switch {
	case m.Method == protocol.MethodInitialize:
		s.reply(m, s.initialize, phase)
		return
	case phase == beforeInitialize:
		s.answer(m.ID, nil, rpcError(protocol.CodeServerNotInitialized, "Server not initialized"))
		return
	case phase == afterShutdown:
		s.answer(m.ID, nil, rpcError(protocol.CodeInvalidRequest, "Invalid Request: after shutdown"))
		return
	case m.Method == protocol.MethodShutdown:
		s.mu.Lock()
		s.phase = afterShutdown
		s.mu.Unlock()
		go s.shutdown(m.ID)
		return
	}
	handle := methods[m.Method]
	if handle == nil {
		s.answer(m.ID, nil, rpcError(protocol.CodeMethodNotFound, "Method not found: "+m.Method))
		return
	}
	s.begin(m, handle)
}

// shutdown answers the request of that name once everything that was asked
// before it has been answered.
func (s *Server) shutdown(id protocol.RawID) {
	s.await(drainLimit)
	s.answer(id, [][]byte{[]byte("null")}, nil)
	close(s.quiet)
}

func (s *Server) reply(m *protocol.Message, f func(*protocol.Message, phase) ([]byte, error), p phase) {
	result, err := f(m, p)
	s.answer(m.ID, [][]byte{result}, err)
}

// begin starts a request's goroutine, unless too many wait already.
func (s *Server) begin(m *protocol.Message, handle method) {
	s.mu.Lock()
	var refuse error
	switch {
	case s.requests[m.ID] != nil:
		refuse = rpcError(protocol.CodeInvalidRequest, "Invalid Request: id is in use")
	case len(s.requests) >= maxRunning+maxWaiting:
		refuse = requestFailed(fmt.Sprintf("more than %d requests at once", maxRunning+maxWaiting),
			protocol.ErrorData{Kind: protocol.KindBusy})
	}
	if refuse != nil {
		s.mu.Unlock()
		s.counts.refused()
		s.answer(m.ID, nil, refuse)
		return
	}
	ctx, cancel := context.WithCancelCause(s.ctx)
	inFlight := len(s.requests)
	s.requests[m.ID] = cancel
	s.wg.Add(1)
	s.mu.Unlock()
	perform := func(ctx context.Context) {
		defer s.wg.Done()
		defer cancel(nil)
		s.perform(ctx, &request{Message: m}, handle)
	}
	if s.mayInline(m.Method, inFlight) {
		s.performInline(ctx, perform)
		return
	}
	go perform(ctx)
	// The request begins in this thread, which is awake; another one wakes
	// meanwhile to go on reading.
	runtime.Gosched()
}

// perform runs one request to its answer.
func (s *Server) perform(ctx context.Context, r *request, handle method) {
	start := time.Now()
	result, err := func() (result []byte, err error) {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		defer func() {
			if p := recover(); p != nil {
				stack := make([]byte, 16<<10)
				stack = stack[:runtime.Stack(stack, false)]
				s.log.Printf("panic in %s: %v\n%s", r.Method, p, stack)
				err = rpcError(protocol.CodeInternalError, "Internal error: "+fmt.Sprint(p))
			}
		}()
		return handle(s, ctx, r)
	}()
	took := time.Since(start)
	s.counts.ended(r.Method, r.served, took, err)
	if !s.stream.Idle() {
		inlineOf(ctx).leave()
	}
	// The id is free before the answer goes out: a client that has the answer may
	// use it again at once.
	s.mu.Lock()
	delete(s.requests, r.ID)
	s.mu.Unlock()
	if !errors.Is(err, errUnwanted) {
		if r.parts == nil {
			r.parts = [][]byte{result}
		}
		s.answer(r.ID, r.parts, err)
	}
	s.traced(r, took, err)
}

// answer sends the result or the error.
func (s *Server) answer(id protocol.RawID, result [][]byte, err error) {
	if err == nil {
		err = s.stream.WriteResult(id, result...)
	} else {
		e := wireError(err)
		var data []byte
		if e.Data != nil {
			data = *e.Data
		}
		if e.Code == protocol.CodeInternalError {
			s.log.Printf("request %s: %v", id, err)
		}
		err = s.stream.WriteError(id, e.Code, e.Message, data)
	}
	if err != nil && !errors.Is(err, protocol.ErrStreamClosed) {
		s.log.Printf("answer to %s not sent: %v", id, err)
	}
}

// notification handles a message without an id. What is not known is ignored,
// as the specification of LSP and of JSON-RPC have it.
func (s *Server) notification(m *protocol.Message) {
	s.mu.Lock()
	phase := s.phase
	s.mu.Unlock()
	switch m.Method {
	case protocol.MethodExit:
		if phase != afterShutdown {
			s.quit(1)
			return
		}
		go func() { // a client that did not wait for shutdown's answer still gets it
			select {
			case <-s.quiet:
			case <-time.After(exitLimit):
			}
			s.quit(0)
		}()
	case protocol.MethodCancel:
		var p protocol.CancelParams
		if json.Unmarshal(m.Params, &p) != nil || phase == beforeInitialize {
			return
		}
		s.mu.Lock()
		cancel := s.requests[protocol.RawID(p.ID)]
		s.mu.Unlock()
		if cancel != nil {
			cancel(errCanceled)
		}
	case protocol.MethodSetTrace:
		var p protocol.SetTraceParams
		if json.Unmarshal(m.Params, &p) == nil && phase != beforeInitialize {
			s.setTrace(p.Value)
		}
	}
}

// quit ends the broker with code; the first call counts.
func (s *Server) quit(code int) {
	s.exitOnce.Do(func() { s.exit <- code })
}

func (s *Server) setTrace(v string) {
	if slices.Contains([]string{"off", "messages", "verbose"}, v) {
		s.mu.Lock()
		s.trace = v
		s.mu.Unlock()
	}
}

// traced tells the log, and a client that asked for it, how a request went.
func (s *Server) traced(r *request, took time.Duration, err error) {
	s.mu.Lock()
	trace := s.trace
	s.mu.Unlock()
	if !s.opts.Trace && (trace == "" || trace == "off") {
		return
	}
	how := r.served
	if err != nil {
		how = fmt.Sprintf("error %d", wireError(err).Code)
	}
	text := fmt.Sprintf("%s (%s) took %s: %s", r.Method, r.ID, took.Round(time.Microsecond), how)
	if s.opts.Trace {
		s.log.Print(text)
	}
	if trace == "messages" || trace == "verbose" {
		p := protocol.LogTraceParams{Message: text}
		if trace == "verbose" {
			p.Verbose = string(r.Params)
		}
		s.notify(protocol.MethodLogTrace, p)
	}
}

// warn tells the log and the client what a user may want to know.
func (s *Server) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.log.Print(text)
	// Not from the caller's goroutine, which may hold a lock while the client
	// does not read.
	go s.notify(protocol.MethodLogMessage, protocol.LogMessageParams{Type: 2, Message: text})
}

func (s *Server) notify(method string, params any) {
	b, err := protocol.MarshalResult(params)
	if err != nil {
		s.log.Printf("%s not sent: %v", method, err)
		return
	}
	_ = s.stream.WriteRaw(protocol.AppendNotification(nil, method, b))
}
