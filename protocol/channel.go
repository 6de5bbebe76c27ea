// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

// The channel: a stream socketpair between one client of the master (a broker,
// or a drop-in hg) and one worker. The client sends one command at a time and
// waits for its end; the worker never speaks first.
//
//	client                                worker
//	  │── ChEnviron {env} ───────────────▶ │   once, before the first command
//	  │                                    │
//	  │── ChRun {id, args, dir, ...} ────▶ │   a command line, or
//	  │── ChCall {id, method, params} ───▶ │   a typed method
//	  │                                    │
//	  │ ◀──────────── ChOut / ChErr {id} ──│   any number, in the command's order
//	  │── ChCancel {id} ─────────────────▶ │   at any moment; an end still follows
//	  │                                    │
//	  │ ◀───────────────── ChExit {id} ────│   the command ran: exit code, served
//	  │ ◀───────────────── ChResult {id} ──│   the method's answer (JSON)
//	  │ ◀───────────────── ChUnsupported ──│   not native, and nothing was printed
//	  │ ◀───────────────── ChFailed {id} ──│   the worker could not do it (kind, text)
//	  │        (exactly one of these four ends a command)
//	  │── close ─────────────────────────▶ │   the worker goes back to the pool
//
// Back-pressure is the socket's own: a client that does not read stops the
// worker's write. ChRun may carry three descriptors (stdin, stdout, stderr of a
// drop-in hg); then output goes there and no ChOut or ChErr follows.
const (
	ChEnviron FrameType = 1 + iota
	ChRun
	ChCall
	ChCancel
)

// What the worker sends.
const (
	ChOut FrameType = 32 + iota
	ChErr
	ChExit
	ChResult
	ChUnsupported
	ChFailed
)

// Fallback is what to do with a command that is not native.
type Fallback uint8

// The policies of --fallback.
const (
	FallbackAuto   Fallback = iota // run the real hg
	FallbackNever                  // answer with an error that names what is unsupported
	FallbackAlways                 // run the real hg without trying
)

// Served says how a command was answered.
type Served uint8

// How a command was answered.
const (
	ServedWarm     Served = iota // natively, from an image that was already there
	ServedCold                   // natively, after building or refreshing an image
	ServedFallback               // by the real hg
	ServedNone                   // natively, without any repository
)

// String is the wire's name of s.
func (s Served) String() string {
	switch s {
	case ServedWarm:
		return "warm"
	case ServedCold:
		return "cold"
	case ServedFallback:
		return "fallback"
	}
	return "none"
}

// EncodeEnviron is ChEnviron's payload: the client's environment, NAME=VALUE
// each, and its file creation mask.
func EncodeEnviron(env []string, umask int) []byte {
	var e Encoder
	e.U32(uint32(umask))
	e.Strs(env)
	return e.B
}

// DecodeEnviron is the reverse of EncodeEnviron.
func DecodeEnviron(b []byte) (env []string, umask int, err error) {
	d := Decoder{B: b}
	umask = int(d.U32())
	env = d.Strs()
	return env, umask, d.Err()
}

// Run is ChRun's payload: one hg command line.
type Run struct {
	Args      []string // without argv[0]
	Dir       string   // working directory, absolute
	Env       []string // NAME=VALUE laid over ChEnviron's; "NAME" alone unsets
	Stdin     []byte   // what the command reads, when no descriptors travel along
	RealHg    string   // the real hg: a runner runs it, a reader answers as its release does; "" when not known
	HasFiles  bool     // stdin, stdout and stderr travel as descriptors
	Fallback  Fallback // FallbackAlways in a runner: run RealHg
	TimeoutMs uint32   // 0: none
	For       []string // when Args start a command server for one command line: that, for the finished-command message
}

// usualRun is how many bytes most command lines have, with an environment.
const usualRun = 4 << 10

// Encode returns the payload.
func (r *Run) Encode() []byte {
	e := Encoder{B: make([]byte, 0, usualRun)}
	e.Strs(r.Args)
	e.Str(r.Dir)
	e.Strs(r.Env)
	e.Bytes(r.Stdin)
	e.Str(r.RealHg)
	e.Bool(r.HasFiles)
	e.U8(uint8(r.Fallback))
	e.U32(r.TimeoutMs)
	e.Strs(r.For)
	return e.B
}

// DecodeRun is the reverse of Encode.
func DecodeRun(b []byte) (*Run, error) {
	d := Decoder{B: b}
	r := &Run{Args: d.Strs(), Dir: d.Str(), Env: d.Strs(), Stdin: d.Bytes(), RealHg: d.Str(),
		HasFiles: d.Bool(), Fallback: Fallback(d.enum("fallback", uint8(FallbackAlways))), TimeoutMs: d.U32(), For: d.Strs()}
	return r, d.Err()
}

// Call is ChCall's payload: one typed method.
type Call struct {
	Method string // "hg/state", ...
	Params []byte // the JSON that the client sent
	Dir    string // directory that relative paths start from
	Config []string
	Env    []string // as in Run
	RealHg string   // as in Run, for its release
}

// Encode returns the payload.
func (c *Call) Encode() []byte {
	var e Encoder
	e.Str(c.Method)
	e.Bytes(c.Params)
	e.Str(c.Dir)
	e.Strs(c.Config)
	e.Strs(c.Env)
	e.Str(c.RealHg)
	return e.B
}

// DecodeCall is the reverse of Encode.
func DecodeCall(b []byte) (*Call, error) {
	d := Decoder{B: b}
	c := &Call{Method: d.Str(), Params: d.Bytes(), Dir: d.Str(), Config: d.Strs(), Env: d.Strs(), RealHg: d.Str()}
	return c, d.Err()
}

// Exit is ChExit's payload: the command ran to its end.
type Exit struct {
	Code       int
	Served     Served
	Generation string // of the repository, "" without one
	Canceled   bool
}

// Encode returns the payload.
func (x *Exit) Encode() []byte {
	var e Encoder
	e.U32(uint32(int32(x.Code)))
	e.U8(uint8(x.Served))
	e.Str(x.Generation)
	e.Bool(x.Canceled)
	return e.B
}

// DecodeExit is the reverse of Encode.
func DecodeExit(b []byte) (*Exit, error) {
	d := Decoder{B: b}
	x := &Exit{Code: int(int32(d.U32())), Served: Served(d.enum("served", uint8(ServedNone))), Generation: d.Str(), Canceled: d.Bool()}
	return x, d.Err()
}

// Failure is the payload of ChFailed and ChUnsupported: why no answer came.
// Kind is one of the documented kinds of protocol.md ("Bug", "WorkerLost",
// "Timeout", "Unsupported", "NotARepository", ...).
type Failure struct {
	Kind     string
	Message  string
	Hint     string
	ExitCode int
	Stderr   string
}

// Encode returns the payload.
func (f *Failure) Encode() []byte {
	var e Encoder
	e.Str(f.Kind)
	e.Str(f.Message)
	e.Str(f.Hint)
	e.U32(uint32(int32(f.ExitCode)))
	e.Str(f.Stderr)
	return e.B
}

// DecodeFailure is the reverse of Encode.
func DecodeFailure(b []byte) (*Failure, error) {
	d := Decoder{B: b}
	f := &Failure{Kind: d.Str(), Message: d.Str(), Hint: d.Str(), ExitCode: int(int32(d.U32())), Stderr: d.Str()}
	return f, d.Err()
}
