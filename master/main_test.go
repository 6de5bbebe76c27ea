// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	workers "hgbroker/worker"
	"hgbroker/worker/hg"
	hgcommand "hgbroker/worker/hg/command"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/image"
)

// The test binary is also the master and the worker: its first argument says so.
func TestMain(m *testing.M) {
	role := ""
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	switch role {
	case "worker":
		os.Exit(workers.Main(workers.Config{NewEngine: func(o hg.Options) workers.Engine { return &fake{images: o.Images} },
			Verify: func(m *image.Image) error {
				if s, _ := m.Section(1); bytes.HasPrefix(s, []byte("BAD")) {
					return errors.New("bad as asked")
				}
				return m.Verify()
			}}))
	case "worker-with-engine":
		os.Exit(workers.Main(workers.Config{}))
	case "worker-that-fails":
		os.Exit(1)
	case "worker-that-hangs":
		select {}
	case "worker-that-cheats":
		cheat()
	case "master":
		idle, err := time.ParseDuration(os.Args[2])
		if err == nil {
			err = Main(Config{Build: "test", MaxWorkers: 2, IdleTimeout: idle, CacheBytes: 64 << 20, Log: os.Stderr})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "session":
		session(os.Args[2])
	default:
		// The race detector makes every process sleep for a second at its
		// end; the workers are to do without.
		os.Setenv("GORACE", "atexit_sleep_ms=0")
		os.Exit(m.Run())
	}
}

// fake is the engine of the tests' workers.
type fake struct {
	images image.Source
	kept   []byte
}

func key(path string) image.Key { return image.Key{Kind: image.Store, Path: path} }

func (e *fake) Run(ctx context.Context, r *hg.Request) (hg.Result, error) {
	res := hg.Result{Command: r.Args[0]}
	arg := ""
	if len(r.Args) > 1 {
		arg = r.Args[1]
		res.Repository, res.Store, res.Generation = filepath.Dir(filepath.Dir(arg)), arg, "g"
	}
	switch r.Args[0] {
	case "echo":
		fmt.Fprint(r.Stdout, arg)
		res.Repository, res.Store = "", ""
	case "pid":
		fmt.Fprint(r.Stdout, os.Getpid())
	case "hold":
		fmt.Fprint(r.Stdout, "held")
		<-ctx.Done()
		return res, ctx.Err()
	case "stuck":
		fmt.Fprint(r.Stdout, "stuck")
		select {}
	case "crash":
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		select {}
	case "panic":
		panic("as asked")
	case "grow":
		e.kept = bytes.Repeat([]byte{1}, 100<<20)
	case "touch":
		res.Repository, res.Store = "", ""
		err := os.WriteFile(arg, nil, 0o600)
		null := os.WriteFile(os.DevNull, []byte("x"), 0)
		fmt.Fprint(r.Stdout, errors.Is(err, os.ErrPermission), null)
	case "sandbox":
		status, _ := os.ReadFile("/proc/self/status")
		adj, _ := os.ReadFile("/proc/self/oom_score_adj")
		fmt.Fprintf(r.Stdout, "%v %s", bytes.Contains(status, []byte("NoNewPrivs:\t1")), adj)
	case "keep": // path, size, start of the section
		size, err := strconv.Atoi(r.Args[2])
		if err != nil {
			return res, err
		}
		b := image.NewBuilder(image.Store)
		b.Add(1, []byte(r.Args[3]), make([]byte, size))
		m, err := e.images.Keep(key(arg), b)
		if err != nil {
			return res, err
		}
		res.Loaded = "built"
		return res, m.Close()
	case "lease", "lease-and-hold":
		m := e.images.Lease(key(arg))
		if m == nil {
			fmt.Fprint(r.Stdout, "none")
			break
		}
		defer m.Close()
		s, _ := m.Section(1)
		if r.Args[0] == "lease-and-hold" {
			fmt.Fprint(r.Stdout, "held")
			<-ctx.Done()
		}
		fmt.Fprintf(r.Stdout, "%s %v", s[:4], m.Verify())
	default:
		return res, hgerr.NewUnsupported("%s", r.Args[0])
	}
	return res, nil
}

func (e *fake) Load(ctx context.Context, r *hg.Request, root string) (hg.Result, error) {
	res := hg.Result{Repository: root, Store: root + "/.hg/store", Generation: "loaded", Loaded: "built"}
	if strings.Contains(root, "broken") {
		return res, errors.New("broken as asked")
	}
	b := image.NewBuilder(image.Store)
	b.Add(1, []byte("load"))
	m, err := e.images.Keep(key(res.Store), b)
	if err != nil {
		return res, err
	}
	return res, m.Close()
}

func (e *fake) State(context.Context, *hg.Request) (*hg.State, hg.Result, error) {
	return nil, hg.Result{}, hgerr.NewUnsupported("state")
}
func (e *fake) Status(context.Context, *hg.Request, hg.StatusQuery) ([]hg.FileStatus, hg.Result, error) {
	return nil, hg.Result{}, hgerr.NewUnsupported("status")
}
func (e *fake) Log(context.Context, *hg.Request, hg.LogQuery) ([]hg.Commit, string, hg.Result, error) {
	return nil, "", hg.Result{}, hgerr.NewUnsupported("log")
}
func (e *fake) Cat(context.Context, *hg.Request, string, string) (*hg.FileContent, hg.Result, error) {
	return nil, hg.Result{}, hgerr.NewUnsupported("cat")
}
func (e *fake) LineDiff(context.Context, *hg.Request, hgcommand.Buffer) (*hgcommand.LineDiff, hg.Result, error) {
	return nil, hg.Result{}, hgerr.NewUnsupported("lines")
}
func (e *fake) Annotate(context.Context, *hg.Request, hg.AnnotateQuery) (*hg.Annotation, hg.Result, error) {
	return nil, hg.Result{}, hgerr.NewUnsupported("lines")
}
func (e *fake) Forget(image.Key) {}
func (e *fake) Close()           {}

// house is a master in this process.
type house struct {
	*testing.T
	m    *master
	path string
	log  *logged
	end  chan error
}

// logged is a log that a failed test shows.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// listen makes a listening socket as a dialer does.
func listen(t testing.TB, path string) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	}
	if err == nil {
		err = unix.Listen(fd, 4096)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func open(t *testing.T, cfg Config) *house {
	t.Helper()
	// The first pipe of a process opens the runtime's own descriptors.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	fds, routines := descriptors(t), runtime.NumGoroutine()
	dir, err := os.MkdirTemp("", "hgb")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, path: dir + "/m.sock", log: &logged{}, end: make(chan error, 1)}
	cfg.Build, cfg.Log = "test", h.log
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = 64 << 20
	}
	m, err := newMaster(cfg, listen(t, h.path), -1)
	if err != nil {
		t.Fatal(err)
	}
	h.m = m
	go func() { h.end <- m.run() }()
	t.Cleanup(func() {
		m.post(func() { m.drain("the test ends"); m.drainEnd = time.Now() })
		if err := h.wait(); err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
		// The spawners' threads and ristretto's goroutines end by and by.
		eventually(t, "descriptors and goroutines are given back", func() bool {
			return descriptors(t) <= fds && runtime.NumGoroutine() <= routines
		})
		if t.Failed() {
			stacks := make([]byte, 1<<20)
			t.Logf("%s", stacks[:runtime.Stack(stacks, true)])
			t.Logf("descriptors %d -> %d, goroutines %d -> %d, log:\n%s", fds, descriptors(t), routines, runtime.NumGoroutine(), h.log)
		}
	})
	return h
}

func (h *house) wait() error {
	h.Helper()
	select {
	case err := <-h.end:
		h.end <- err
		return err
	case <-time.After(20 * time.Second):
		return errors.New("the master does not end")
	}
}

func descriptors(t testing.TB) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	return len(names)
}

func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !f() {
		if time.Now().After(deadline) {
			t.Errorf("in vain: %s", what)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// ask runs f in the loop and waits for it.
func (h *house) ask(f func()) {
	h.Helper()
	done := make(chan struct{})
	if !h.m.post(func() { f(); close(done) }) {
		h.Fatal("the master ended")
	}
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		h.Fatal("the loop is stuck")
	}
}

// visitor is a client at the front door.
type visitor struct {
	*testing.T
	conn   *protocol.Conn
	id     uint32
	frames chan *protocol.Frame // answers; closed at the end
	claims chan uint64          // workers that are reclaimed
}

// knock connects; it fails the test only for what a client would not retry.
func knock(t *testing.T, path string, hello protocol.Hello) (*visitor, error) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		unix.Close(fd)
		return nil, err
	}
	conn, err := protocol.NewConn(fd)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(hello)
	if err == nil {
		err = conn.Send(&protocol.Frame{Type: protocol.DoorHello, Payload: b})
	}
	var f *protocol.Frame
	if err == nil {
		f, err = conn.Recv()
	}
	if err == nil && f.Type != protocol.DoorWelcome {
		err = fmt.Errorf("frame %d instead of a welcome", f.Type)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	v := &visitor{T: t, conn: conn, frames: make(chan *protocol.Frame, 100), claims: make(chan uint64, 100)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(v.frames)
		for {
			f, err := conn.Recv()
			if err != nil {
				return
			}
			if f.Type == protocol.DoorReclaim {
				id, _ := protocol.DecodeWorker(f.Payload)
				v.claims <- id
				continue
			}
			v.frames <- f
		}
	}()
	t.Cleanup(func() {
		conn.Shutdown()
		<-ended
		conn.Close()
		for f := range v.frames {
			f.CloseFiles()
		}
	})
	return v, nil
}

func (h *house) visit() *visitor {
	h.Helper()
	v, err := knock(h.T, h.path, protocol.Hello{Protocol: protocol.Version, Build: "test", Client: "test"})
	if err != nil {
		h.Fatal(err)
	}
	return v
}

func (v *visitor) leave() { v.conn.Shutdown() }

func (v *visitor) send(t protocol.FrameType, payload []byte) uint32 {
	v.Helper()
	v.id++
	if err := v.conn.Send(&protocol.Frame{Type: t, ID: v.id, Payload: payload}); err != nil {
		v.Fatal(err)
	}
	return v.id
}

// next waits for an answer.
func (v *visitor) next() *protocol.Frame {
	v.Helper()
	select {
	case f, ok := <-v.frames:
		if !ok {
			v.Fatal("the master hung up")
		}
		return f
	case <-time.After(20 * time.Second):
		v.Fatal("no answer")
		return nil
	}
}

// room is a channel to a worker.
type room struct {
	*testing.T
	worker uint64
	conn   *protocol.Conn
	id     uint32
}

func (v *visitor) granted(f *protocol.Frame) *room {
	v.Helper()
	if f.Type != protocol.DoorGranted || len(f.Files) != 1 {
		r, _ := protocol.DecodeRefused(f.Payload)
		v.Fatalf("frame %d: %+v", f.Type, r)
	}
	id, err := protocol.DecodeWorker(f.Payload)
	if err != nil {
		v.Fatal(err)
	}
	conn, err := protocol.NewConn(f.Files[0])
	if err != nil {
		v.Fatal(err)
	}
	v.Cleanup(func() { conn.Close() })
	return &room{T: v.T, worker: id, conn: conn}
}

func (v *visitor) acquire(c protocol.Class) *room {
	v.Helper()
	v.send(protocol.DoorAcquire, protocol.EncodeAcquire(c))
	return v.granted(v.next())
}

func (r *room) begin(args ...string) {
	r.Helper()
	if err := r.try(protocol.Run{Args: args, Dir: "/"}); err != nil {
		r.Fatal(err)
	}
}

func (r *room) try(run protocol.Run) error {
	r.id++
	return r.conn.Send(&protocol.Frame{Type: protocol.ChRun, ID: r.id, Payload: run.Encode()})
}

// output waits for the first output of the command that runs.
func (r *room) output() string {
	r.Helper()
	f, err := r.conn.Recv()
	if err != nil || f.Type != protocol.ChOut {
		r.Fatal(f, err)
	}
	return string(f.Payload)
}

// collect reads to the command's end.
func (r *room) collect() (out string, end *protocol.Frame, err error) {
	for {
		f, err := r.conn.Recv()
		if err != nil {
			return out, nil, err
		}
		if f.Type != protocol.ChOut && f.Type != protocol.ChErr {
			return out, f, nil
		}
		out += string(f.Payload)
	}
}

func (r *room) run(args ...string) string {
	r.Helper()
	r.begin(args...)
	out, end, err := r.collect()
	if err != nil {
		r.Fatal(err)
	}
	if end.Type != protocol.ChExit {
		f, _ := protocol.DecodeFailure(end.Payload)
		r.Fatalf("%v: ended by frame %d: %+v", args, end.Type, f)
	}
	return out
}

func (r *room) close() { r.conn.Close() }

func (v *visitor) stats() *Stats {
	v.Helper()
	v.send(protocol.DoorStats, nil)
	f := v.next()
	var s Stats
	if err := json.Unmarshal(f.Payload, &s); err != nil || f.ID != v.id {
		v.Fatal(f, err)
	}
	return &s
}

// alive tells whether a process exists that is not a zombie.
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	s := string(b)
	return !strings.HasPrefix(s[strings.LastIndexByte(s, ')')+1:], " Z")
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// cheat is a worker that donates what must be refused, then behaves.
func cheat() {
	conn, err := protocol.NewConn(protocol.WorkerControlFd)
	if err != nil {
		os.Exit(1)
	}
	_ = conn.Send(&protocol.Frame{Type: protocol.CtlReady, Payload: protocol.EncodeReady(os.Getpid())})
	good := protocol.ImageKey{Kind: "store", Path: "/r/.hg/store"}
	for _, b := range badImages() {
		fd, err := b.make()
		if err != nil {
			fmt.Fprintln(os.Stderr, b.name, err)
			os.Exit(1)
		}
		fin := protocol.Finished{Command: "keep", Donated: good}
		if b.key != nil {
			fin.Donated = *b.key
		}
		_ = conn.Send(&protocol.Frame{Type: protocol.CtlFinished, Payload: fin.Encode(), Files: []int{fd}})
		unix.Close(fd)
	}
	_ = conn.Send(&protocol.Frame{Type: protocol.CtlFinished, Payload: (&protocol.Finished{Donated: good}).Encode()})
	for {
		f, err := conn.Recv()
		if err != nil {
			os.Exit(0)
		}
		f.CloseFiles()
	}
}

// badImage is a donation that must be refused, and why.
type badImage struct {
	name string
	why  string
	key  *protocol.ImageKey
	make func() (int, error)
}

const testLimit = 1 << 20 // of inspect, bytes

func badImages() []badImage {
	good := func() []byte {
		b := image.NewBuilder(image.Store)
		b.Add(1, []byte("good"), make([]byte, 20000))
		return b.Bytes()
	}
	file := func(content func() []byte, seals int, more func(fd int) error) func() (int, error) {
		return func() (int, error) {
			fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
			if err != nil {
				return -1, err
			}
			_, err = unix.Pwrite(fd, content(), 0)
			if err == nil && more != nil {
				err = more(fd)
			}
			if err == nil {
				_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
			}
			return fd, err
		}
	}
	change := func(at int) func() []byte {
		return func() []byte { b := good(); b[at] ^= 0x10; return b }
	}
	bad := []badImage{
		{name: "unsealed", why: refusedSeals, make: file(good, 0, nil)},
		{name: "may still shrink", why: refusedSeals, make: file(good, wantedSeals&^unix.F_SEAL_SHRINK, nil)},
		{name: "may still be written", why: refusedSeals, make: file(good, wantedSeals&^unix.F_SEAL_WRITE, nil)},
		{name: "with holes", why: refusedHoles, make: file(good, wantedSeals, func(fd int) error {
			return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 8192, 4096)
		})},
		{name: "with a sparse end", why: refusedHoles, make: file(good, wantedSeals, func(fd int) error { return unix.Ftruncate(fd, 100000) })},
		{name: "no magic", why: refusedHeader, make: file(change(0), wantedSeals, nil)},
		{name: "header checksum", why: refusedHeader, make: file(change(28), wantedSeals, nil)},
		{name: "table checksum", why: refusedHeader, make: file(change(image.HeaderSize+9), wantedSeals, nil)},
		{name: "shorter than a header", why: refusedHeader, make: file(func() []byte { return []byte("x") }, wantedSeals, nil)},
		{name: "longer than its header says", why: refusedHeader, make: file(func() []byte { return append(good(), 0) }, wantedSeals, nil)},
		{name: "of another kind", why: refusedHeader, make: file(func() []byte { return image.NewBuilder(99).Bytes() }, wantedSeals, nil)},
		{name: "empty", why: refusedSize, make: file(func() []byte { return nil }, wantedSeals, nil)},
		{name: "oversized", why: refusedSize, make: file(func() []byte { return make([]byte, testLimit+1) }, wantedSeals, nil)},
		{name: "directory", why: refusedType, make: func() (int, error) { return unix.Open("/", unix.O_RDONLY|unix.O_CLOEXEC, 0) }},
		{name: "socket", why: refusedType, make: func() (int, error) {
			return unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		}},
		{name: "plain file", why: refusedSeals, make: func() (int, error) { return unix.Open("/proc/self/exe", unix.O_RDONLY|unix.O_CLOEXEC, 0) }},
	}
	for _, k := range []protocol.ImageKey{{Kind: "nonsense", Path: "/r"}, {Kind: "store", Path: "relative"}, {Kind: "store", Path: "/r/../r"},
		{Kind: "store", Path: "/r\x00"}, {Kind: "store", Path: "/" + strings.Repeat("x", maxPath)}} {
		bad = append(bad, badImage{name: fmt.Sprintf("key %.20q", k), why: refusedKey, key: &k, make: file(good, wantedSeals, nil)})
	}
	return bad
}

var _ io.ReaderAt = descriptor(0)
