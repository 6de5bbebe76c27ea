// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/worker/hg"
	"hgbroker/worker/hg/command"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/image"
)

// fake is an engine whose commands do what a test needs.
type fake struct {
	images  image.Source
	release chan struct{} // ends "stuck"
	started chan string   // tells of "wait" and "stuck"
	forgot  chan image.Key
	closed  bool
}

var fakeKey = image.Key{Kind: image.Store, Path: "/r/.hg/store"}

func fakeBuilder() *image.Builder {
	b := image.NewBuilder(image.Store)
	b.Add(7, []byte("abc"), make([]byte, 3<<20))
	return b
}

func (e *fake) Run(ctx context.Context, r *hg.Request) (hg.Result, error) {
	res := hg.Result{Command: r.Args[0], Repository: "/r", Store: "/r/.hg/store", Generation: "g1"}
	switch r.Args[0] {
	case "echo":
		fmt.Fprint(r.Stdout, strings.Join(r.Args[1:], " "))
		res.ExitCode = 7
	case "cat":
		if _, err := io.Copy(r.Stdout, r.Stdin); err != nil {
			return res, err
		}
	case "both":
		for i := range 50 {
			fmt.Fprintf(r.Stdout, "out %d\n", i)
			fmt.Fprintf(r.Stderr, "err %d\n", i)
		}
	case "flood": // until nobody reads
		for {
			if _, err := r.Stdout.Write(make([]byte, 10000)); err != nil {
				return res, err
			}
		}
	case "large":
		_, err := r.Stdout.Write(make([]byte, 3<<20))
		return res, err
	case "env":
		fmt.Fprint(r.Stdout, strings.Join(r.Env, ","), "|", r.Dir, "|", r.Terminal, "|", r.Hg.Path, " ", r.Hg.Version)
		res.Repository, res.Store = "", ""
	case "unsupported":
		return res, hgerr.NewUnsupported("everything")
	case "late":
		fmt.Fprint(r.Stdout, "x")
		return res, hgerr.NewUnsupported("everything")
	case "abort":
		return res, hgerr.Abortf(hgerr.UnknownRevision, "unknown revision 'x'").WithHint("look")
	case "damage":
		return res, hgerr.Damagef("read", "00changelog.i", "short")
	case "odd":
		return res, errors.New("odd")
	case "panic":
		panic("as asked")
	case "wait":
		fmt.Fprint(r.Stdout, "waiting")
		e.started <- "wait"
		<-ctx.Done()
		return res, ctx.Err()
	case "stuck":
		e.started <- "stuck"
		<-e.release
	case "keep":
		m, err := e.images.Keep(fakeKey, fakeBuilder())
		if err != nil {
			return res, err
		}
		defer m.Close()
		s, _ := m.Section(7)
		r.Stdout.Write(s[:3])
		res.Loaded, res.LoadTime = "built", 5*time.Millisecond
	case "lease":
		m := e.images.Lease(fakeKey)
		if m == nil {
			fmt.Fprint(r.Stdout, "none")
			break
		}
		defer m.Close()
		s, _ := m.Section(7)
		r.Stdout.Write(s[:3])
	}
	return res, nil
}

func (e *fake) Load(ctx context.Context, r *hg.Request, root string) (hg.Result, error) {
	res := hg.Result{Repository: root, Store: root + "/.hg/store", Loaded: "built"}
	switch root {
	case "/panic":
		panic("as asked")
	case "/bad":
		return res, errors.New("bad repository")
	}
	_, err := e.images.Keep(image.Key{Kind: image.Store, Path: res.Store}, fakeBuilder())
	return res, err
}

var fakeResult = hg.Result{Repository: "/r", Store: "/r/.hg/store", Generation: "g1"}

func (e *fake) State(ctx context.Context, r *hg.Request) (*hg.State, hg.Result, error) {
	return &hg.State{Root: "/r\xff", Parents: []hg.Commit{{Rev: 3, Node: "n", Time: 5, TZ: -3600, Desc: "d"}}, Branch: strings.Join(r.Args, " "),
		Operation: &hg.Operation{Name: "merge", Continue: "hg commit"}}, fakeResult, nil
}

func (e *fake) Status(ctx context.Context, r *hg.Request, q hg.StatusQuery) ([]hg.FileStatus, hg.Result, error) {
	return []hg.FileStatus{{Path: strings.Join(q.Paths, "+"), Status: '?'}, {Path: "b", Status: 'M', CopySource: "a"}}, fakeResult, nil
}

func (e *fake) Log(ctx context.Context, r *hg.Request, q hg.LogQuery) ([]hg.Commit, string, hg.Result, error) {
	return nil, "cursor:" + q.Revset, fakeResult, nil
}

func (e *fake) Cat(ctx context.Context, r *hg.Request, path, rev string) (*hg.FileContent, hg.Result, error) {
	if path == "missing" {
		return nil, fakeResult, hgerr.Abortf(hgerr.FileNotInRevision, "no such file")
	}
	return &hg.FileContent{Path: path, Content: []byte("\x00\xff"), Node: rev, Flags: "x", Binary: true}, fakeResult, nil
}

func (e *fake) LineDiff(ctx context.Context, r *hg.Request, b command.Buffer) (*command.LineDiff, hg.Result, error) {
	return &command.LineDiff{Path: b.Path, Hunks: []command.Hunk{{OldStart: 1, OldLines: len(b.Contents)}}}, fakeResult, nil
}

func (e *fake) Annotate(ctx context.Context, r *hg.Request, q hg.AnnotateQuery) (*hg.Annotation, hg.Result, error) {
	return &hg.Annotation{Path: q.Path, Lines: []hg.AnnotatedLine{{Commit: -1, Line: q.First, Path: "other"}}}, fakeResult, nil
}

func (e *fake) Forget(key image.Key) { e.forgot <- key }
func (e *fake) Close()               { e.closed = true }

// harness is a worker in this process, and the master's end of its control
// socket.
type harness struct {
	*testing.T
	engine *fake
	ctl    *protocol.Conn
	status chan int             // of run
	exits  chan int             // of exit
	ran    []*protocol.Finished // received together, and not taken yet
}

func start(t *testing.T, change func(*Config)) *harness {
	t.Helper()
	leaks(t)
	h := &harness{T: t, status: make(chan int, 1), exits: make(chan int, 1),
		engine: &fake{release: make(chan struct{}), started: make(chan string, 1), forgot: make(chan image.Key, 1)}}
	ours, theirs, err := protocol.Pair(unix.SOCK_SEQPACKET)
	if err != nil {
		t.Fatal(err)
	}
	if h.ctl, err = protocol.NewConn(ours); err != nil {
		t.Fatal(err)
	}
	conn, err := protocol.NewConn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	// The fake's images hold no store: only the container can be verified.
	cfg := Config{Verify: (*image.Image).Verify, exit: func(code int) { h.exits <- code }, NewEngine: func(o hg.Options) Engine {
		h.engine.images = o.Images
		return h.engine
	}}
	if change != nil {
		change(&cfg)
	}
	go func() { h.status <- newWorker(cfg, conn).run() }()
	t.Cleanup(func() {
		h.ctl.Close()
		h.wait(nil)
	})
	h.control(protocol.CtlReady)
	return h
}

// leaks fails the test when it leaves descriptors or goroutines behind.
func leaks(t *testing.T) {
	t.Helper()
	// The first pipe of a process opens the runtime's own descriptors.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	fds, routines := descriptors(t), goroutines()
	t.Cleanup(func() {
		deadline := time.Now().Add(20 * time.Second) // others may run in parallel
		for descriptors(t) > fds || goroutines() > routines {
			if time.Now().After(deadline) {
				t.Errorf("descriptors %d -> %d, goroutines %d -> %d", fds, descriptors(t), routines, goroutines())
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	return len(names)
}

// wait waits for the worker's end, and checks its status if want is given.
func (h *harness) wait(want *int) {
	h.Helper()
	select {
	case got := <-h.status:
		if want != nil && got != *want {
			h.Errorf("exit status %d, want %d", got, *want)
		}
		h.status <- got
	case <-time.After(20 * time.Second):
		h.Error("the worker does not end")
	}
}

// control receives a frame of the control socket.
func (h *harness) control(want protocol.FrameType) *protocol.Frame {
	h.Helper()
	if len(h.ran) > 0 {
		h.Fatalf("%d finished commands came before; want type %d", len(h.ran), want)
	}
	f, err := h.ctl.Recv()
	if err != nil || f.Type != want {
		h.Fatalf("control frame %v, %v; want type %d", f, err, want)
	}
	return f
}

// finished receives the next finished-command message, alone or among others.
func (h *harness) finished() *protocol.Finished {
	h.Helper()
	if len(h.ran) == 0 {
		f, err := h.ctl.Recv()
		if err != nil {
			h.Fatal(err)
		}
		f.CloseFiles()
		switch f.Type {
		case protocol.CtlFinished:
			fin, err := protocol.DecodeFinished(f.Payload)
			if err != nil {
				h.Fatal(err)
			}
			return fin
		case protocol.CtlRan:
			if h.ran, err = protocol.DecodeRan(f.Payload); err != nil || len(h.ran) == 0 {
				h.Fatal(h.ran, err)
			}
		default:
			h.Fatalf("control frame %v, want a finished command", f)
		}
	}
	fin := h.ran[0]
	h.ran = h.ran[1:]
	return fin
}

func (h *harness) send(f *protocol.Frame) {
	h.Helper()
	if err := h.ctl.Send(f); err != nil {
		h.Fatal(err)
	}
}

// peer is the client's end of a channel.
type peer struct {
	h    *harness
	conn *protocol.Conn
	id   uint32
}

// attach gives the worker a channel.
func (h *harness) attach() *peer {
	h.Helper()
	ours, theirs, err := protocol.Pair(unix.SOCK_STREAM)
	if err != nil {
		h.Fatal(err)
	}
	h.send(&protocol.Frame{Type: protocol.CtlAttach, Payload: protocol.EncodeAttach(1), Files: []int{theirs}})
	unix.Close(theirs)
	conn, err := protocol.NewConn(ours)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { conn.Close() })
	return &peer{h: h, conn: conn}
}

func (p *peer) send(f *protocol.Frame) {
	p.h.Helper()
	if err := p.conn.Send(f); err != nil {
		p.h.Fatal(err)
	}
}

// begin sends a command line without waiting for its end.
func (p *peer) begin(run protocol.Run) {
	p.h.Helper()
	p.id++
	p.send(&protocol.Frame{Type: protocol.ChRun, ID: p.id, Payload: run.Encode()})
}

// answer is what came back for a command.
type answer struct {
	out, err, both string
	frames         int
	end            *protocol.Frame
}

// collect reads up to the end of the command.
func (p *peer) collect() answer {
	p.h.Helper()
	var a answer
	for {
		f, err := p.conn.Recv()
		if err != nil {
			p.h.Fatalf("channel: %v", err)
		}
		if f.ID != p.id {
			p.h.Fatalf("frame of command %d, not %d", f.ID, p.id)
		}
		a.frames++
		switch f.Type {
		case protocol.ChOut:
			a.out += string(f.Payload)
			a.both += string(f.Payload)
		case protocol.ChErr:
			a.err += string(f.Payload)
			a.both += string(f.Payload)
		default:
			a.end = f
			return a
		}
	}
}

func (p *peer) run(args ...string) answer {
	p.h.Helper()
	p.begin(protocol.Run{Args: args, Dir: "/"})
	return p.collect()
}

func (a answer) exit(t *testing.T) *protocol.Exit {
	t.Helper()
	if a.end.Type != protocol.ChExit {
		f, _ := protocol.DecodeFailure(a.end.Payload)
		t.Fatalf("ended by frame %d: %+v", a.end.Type, f)
	}
	x, err := protocol.DecodeExit(a.end.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (a answer) failure(t *testing.T, want protocol.FrameType) *protocol.Failure {
	t.Helper()
	if a.end.Type != want {
		t.Fatalf("ended by frame %d, want %d", a.end.Type, want)
	}
	f, err := protocol.DecodeFailure(a.end.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
