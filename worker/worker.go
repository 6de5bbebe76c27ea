// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/worker/hg"
	"hgbroker/worker/hg/image"
)

// worker is the state of the process. Only main touches it, but for the fields
// that say otherwise.
type worker struct {
	cfg     Config
	control *control
	images  *images
	engine  Engine
	hgs     *installations
	uid     int
	reports reports
	settler *settler
	lent    processors

	engineMu sync.Mutex // guards engine
	seen     atomic.Pointer[seen]
	ran      atomic.Uint64 // commands that the engine began
	inNative atomic.Bool   // it runs one; any goroutine may look

	// answering says that a command began and may still use what the engine told
	// it. It is set before the engine is locked for it.
	answering atomic.Bool
}

// seen is what a donated image stands for: the disk as the last command found it,
// or later.
type seen struct {
	start      time.Time // when the command began; zero before the first
	generation string
}

// begun is when the command began, by the clock that all processes share. Asking
// for that is a system call, which most commands have no need of.
func (s *seen) begun() uint64 {
	if s.start.IsZero() {
		return 0
	}
	return protocol.Clock() - uint64(time.Since(s.start))
}

func newWorker(cfg Config, conn *protocol.Conn) *worker {
	w := &worker{cfg: cfg.withDefaults(), control: newControl(conn), hgs: newInstallations(), uid: os.Getuid(), settler: newSettler()}
	w.seen.Store(&seen{})
	w.reports.control, w.control.tell = w.control, w.reports.flush
	w.images = newImages(w.control)
	w.engine = w.cfg.NewEngine(hg.Options{Images: w.images, Deferred: true, Crew: crew()})
	return w
}

// run serves the control socket until it ends or the master retires us. It
// returns the exit status.
func (w *worker) run() int {
	go w.control.read()
	quit, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		w.lastCommand(quit)
	}()
	defer func() {
		close(quit)
		<-watched
	}()
	defer w.control.close()
	defer w.images.close()
	defer w.engine.Close()
	defer w.settler.stop()
	w.control.send(protocol.CtlReady, 0, protocol.EncodeReady(os.Getpid()))
	w.prepare()
	for {
		t, ok := w.control.next()
		if !ok {
			w.settler.finish(w.control.gone)
			return exitDone
		}
		if !w.do(t) {
			return exitPanic
		}
	}
}

// do does one task. It tells whether the process may go on.
func (w *worker) do(t task) bool {
	switch t.what {
	case protocol.CtlAttach:
		sound := w.serve(t.fd)
		if sound {
			w.control.send(protocol.CtlIdle, 0, nil)
		}
		return sound
	case protocol.CtlVerify:
		return w.job(t, func() (protocol.Finished, error) { return protocol.Finished{}, w.verify(t) })
	case protocol.CtlLoad:
		return w.job(t, func() (protocol.Finished, error) { return w.load(t.key.Path) })
	case protocol.CtlDrop:
		w.forget(t.key)
	}
	return true
}

// forget lets the engine unmap an image.
func (w *worker) forget(key protocol.ImageKey) {
	if kind, ok := image.ParseKind(key.Kind); ok {
		w.engineMu.Lock()
		defer w.engineMu.Unlock()
		w.engine.Forget(image.Key{Kind: kind, Path: key.Path})
	}
}

// job runs a background task and tells the master how it ended.
func (w *worker) job(t task, f func() (protocol.Finished, error)) (sound bool) {
	var fin protocol.Finished
	var err error
	background(func() {
		err = guard(func() (err error) {
			fin, err = f()
			return err
		})
	})
	bug := isPanic(err)
	if bug {
		fin.Failed = "Bug"
	}
	if bug || t.what == protocol.CtlLoad {
		fin.Background = true
		w.report(fin)
	}
	failure := ""
	if err != nil {
		failure = err.Error()
	}
	w.control.send(protocol.CtlDone, t.id, protocol.EncodeDone(failure))
	return !bug
}

// load brings a repository's image up to date, and donates what it made.
func (w *worker) load(root string) (protocol.Finished, error) {
	start := time.Now()
	fin := protocol.Finished{Repository: root, Command: "load"}
	env := os.Environ()
	w.engineMu.Lock()
	defer w.engineMu.Unlock()
	res, err := w.engine.Load(context.Background(), &hg.Request{Dir: root, Env: env, UID: w.uid,
		Stdin: nothing{}, Stdout: nothing{}, Stderr: nothing{}, Now: start, Hg: w.hgs.of("", env, start)}, root)
	w.fill(&fin, &res, start)
	return fin, err
}

// fill takes over what the engine says about a command.
func (w *worker) fill(fin *protocol.Finished, res *hg.Result, start time.Time) {
	took := time.Since(start)
	w.seen.Store(&seen{start, res.Generation})
	fin.DurationUs = max(1, uint64(took.Microseconds()))
	if res.Command != "" {
		fin.Command = res.Command
	}
	if res.Repository != "" {
		fin.Repository = res.Repository
	}
	fin.Store, fin.Generation = res.Store, res.Generation
	fin.ExitCode, fin.Loaded = res.ExitCode, res.Loaded
	fin.LoadUs = uint64(res.LoadTime.Microseconds())
	fin.Served = served(res)
}

func served(res *hg.Result) protocol.Served {
	switch {
	case res.Repository == "" && res.Store == "":
		return protocol.ServedNone
	case res.Loaded == "":
		return protocol.ServedWarm
	}
	return protocol.ServedCold
}

// verify walks a donated image.
func (w *worker) verify(t task) error {
	m, err := openImage(t.fd)
	unix.Close(t.fd)
	if err != nil {
		return err
	}
	defer m.Close()
	if kind := m.Info().Kind.String(); kind != t.key.Kind {
		return fmt.Errorf("verify image of %s: kind %s, not %s", t.key.Path, kind, t.key.Kind)
	}
	if err := w.cfg.Verify(m); err != nil {
		return fmt.Errorf("verify image of %s: %w", t.key.Path, err)
	}
	return nil
}

// panicked is a panic on its way to being an error.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func isPanic(err error) bool {
	_, ok := err.(*panicked)
	return ok
}

// guard calls f and turns its panic into an error. The stack goes to stderr,
// which is the master's log.
func guard(f func() error) (err error) {
	// A fault in mapped memory is a panic like any other.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			p := &panicked{value: v, stack: debug.Stack()}
			fmt.Fprintf(os.Stderr, "hgbroker worker %d: %v\n%s\n", os.Getpid(), p, p.stack)
			err = p
		}
	}()
	return f()
}

// nothing is an input without bytes and an output that forgets.
type nothing struct{}

func (nothing) Write(b []byte) (int, error) { return len(b), nil }
