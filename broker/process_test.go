// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/broker"
	client "hgbroker/clients/go"
	"hgbroker/protocol"
)

// Forty brokers that start at once find or start one master.
func TestFortyBrokersOneMaster(t *testing.T) {
	w := newWorld(t)
	const brokers = 40
	masters := make(chan int, brokers)
	failed := make(chan error, brokers)
	for range brokers {
		c := w.start("--fallback=always")
		go func() {
			ctx := w.context()
			if _, err := c.Initialize(ctx, protocol.InitializeParams{}); err != nil {
				failed <- err
				return
			}
			if r, err := c.Hg(ctx, w.dir, "say", "hi"); err != nil || r.Stdout != "hi\n" {
				failed <- fmt.Errorf("%+v, %w", r, err)
				return
			}
			raw, err := c.Stats(ctx)
			if err != nil {
				failed <- err
				return
			}
			pid := 0
			if _, rest, ok := strings.Cut(string(raw), `"master":`); ok {
				_, rest, _ = strings.Cut(rest, `"pid":`)
				fmt.Sscanf(rest, "%d", &pid)
			}
			masters <- pid
		}()
	}
	seen := map[int]int{}
	for range brokers {
		select {
		case pid := <-masters:
			seen[pid]++
		case err := <-failed:
			t.Error(err)
		}
	}
	if len(seen) > 1 || seen[0] > 0 {
		t.Errorf("masters: %v", seen)
	}
	if list := w.role("master"); len(list) != 1 {
		t.Errorf("masters that run: %v", list)
	}
}

// After kill -9 of the master its socket is still there; the next broker starts
// another one, and so does a broker that was connected.
func TestStaleSocket(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	w.run(c, "say")
	old := w.masterPID(c)
	if err := unix.Kill(old, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.eventually("the master is gone", func() bool { return !alive(old) })
	if sockets, _ := filepath.Glob(filepath.Join(w.runtime, "m-*.sock")); len(sockets) != 1 {
		t.Fatalf("sockets: %v", sockets)
	}
	d := w.open()
	if r := w.run(d, "say", "new"); r.Stdout != "new\n" {
		t.Errorf("the second broker: %+v", r)
	}
	if r := w.run(c, "say", "again"); r.Stdout != "again\n" {
		t.Errorf("the first broker: %+v", r)
	}
	if a, b := w.masterPID(c), w.masterPID(d); a != b || a == old {
		t.Errorf("masters %d and %d after %d", a, b, old)
	}
}

// load sends many requests from many goroutines while disturb does its work, and
// checks that each has an answer or a clear error.
func (w *world) load(c *client.Client, requests int, disturb func(stop <-chan struct{})) (answered int, kinds map[string]int) {
	w.t.Helper()
	stop := make(chan struct{})
	var disturbing sync.WaitGroup
	disturbing.Go(func() { disturb(stop) })
	kinds = map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	next := make(chan int)
	for range 32 {
		wg.Go(func() {
			for i := range next {
				want := fmt.Sprintf("request %d\n", i)
				r, err := c.Hg(ctx, w.dir, "say", "request", fmt.Sprint(i))
				mu.Lock()
				var e *client.Error
				switch {
				case err == nil && string(r.Stdout) == want && r.ExitCode == 0:
					answered++
				case err == nil && r.ExitCode == 128+int(unix.SIGKILL):
					// What was killed was not a worker but its child, a moment
					// before that became the real hg.
					answered++
				case err == nil:
					w.t.Errorf("request %d: %+v", i, r)
				case errors.As(err, &e) && e.Data != nil && e.Data.Kind != "":
					kinds[e.Data.Kind]++
				default:
					w.t.Errorf("request %d: %v", i, err)
				}
				mu.Unlock()
			}
		})
	}
	for i := range requests {
		next <- i
	}
	close(next)
	wg.Wait()
	close(stop)
	disturbing.Wait()
	return answered, kinds
}

// killing kills a random process of the role again and again.
func (w *world) killing(role string, every time.Duration, killed *int) func(<-chan struct{}) {
	return func(stop <-chan struct{}) {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				if list := w.role(role); len(list) > 0 {
					if unix.Kill(list[rand.N(len(list))].pid, unix.SIGKILL) == nil {
						*killed++
					}
				}
			}
		}
	}
}

func TestWorkersKilledUnderLoad(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	killed := 0
	answered, kinds := w.load(c, 1000, w.killing("worker", 40*time.Millisecond, &killed))
	t.Logf("%d workers killed: %d answers, errors %v", killed, answered, kinds)
	if killed == 0 {
		t.Error("nothing was killed")
	}
	for kind, n := range kinds {
		if kind != protocol.KindWorkerLost {
			t.Errorf("%d requests failed with kind %s", n, kind)
		}
	}
	if answered < 500 {
		t.Errorf("only %d answers", answered)
	}
	// The last one may have been killed a moment ago: its end is noticed by whoever
	// uses it next, and what a runner was asked is never repeated.
	r, err := c.Hg(w.context(), w.dir, "say", "after")
	for n := 0; client.Kind(err) == protocol.KindWorkerLost && n < 8; n++ {
		r, err = c.Hg(w.context(), w.dir, "say", "after")
	}
	if err != nil || r.Stdout != "after\n" {
		t.Errorf("afterwards: %+v, %v", r, err)
	}
}

func TestMasterKilledUnderLoad(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	killed := 0
	answered, kinds := w.load(c, 1000, w.killing("master", 200*time.Millisecond, &killed))
	t.Logf("%d masters killed: %d answers, errors %v", killed, answered, kinds)
	if killed == 0 {
		t.Error("nothing was killed")
	}
	for kind, n := range kinds {
		if kind != protocol.KindWorkerLost && kind != protocol.KindNoMaster {
			t.Errorf("%d requests failed with kind %s", n, kind)
		}
	}
	if answered < 900 {
		t.Errorf("only %d answers", answered)
	}
	w.eventually("the workers of dead masters are gone", func() bool {
		masters := map[int]bool{}
		for _, p := range w.role("master") {
			masters[p.pid] = true
		}
		for _, p := range w.role("worker") {
			if !masters[p.parent] {
				return false
			}
		}
		return len(masters) <= 1
	})
}

// More requests than may run or wait at once are refused, the others answered.
func TestTooManyRequests(t *testing.T) {
	w := newWorld(t, "--max-workers=1")
	c := w.open()
	file := filepath.Join(w.dir, "pid")
	ctx, cancel := context.WithCancel(w.context())
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = c.Hg(ctx, w.dir, "rest", file) })
	w.pidFrom(file)
	var mu sync.Mutex
	busy, canceled, ending := 0, 0, false
	for range 400 {
		wg.Go(func() {
			_, err := c.Hg(ctx, w.dir, "say")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case client.Kind(err) == protocol.KindBusy:
				busy++
			case errors.Is(err, context.Canceled):
				canceled++
			case err == nil && ending:
				canceled++ // the one before it was canceled first, and it got its turn
			default:
				t.Errorf("a request behind one that does not end: %v", err)
			}
		})
	}
	w.eventually("the surplus is refused", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return busy == 400-(64+256-1)
	})
	mu.Lock()
	ending = true
	mu.Unlock()
	cancel()
	wg.Wait()
	if busy+canceled != 400 {
		t.Errorf("%d refused, %d canceled", busy, canceled)
	}
}

// When its input ends a broker ends, with everything that it started but the
// master, and the master ends when it is idle.
func TestNothingIsLeft(t *testing.T) {
	w := newWorld(t, "--idle-timeout=300ms")
	c := w.open("--framing=lsp")
	file := filepath.Join(w.dir, "pid")
	go func() { _, _ = c.Hg(context.Background(), w.dir, "rest", file) }()
	pid := w.pidFrom(file)
	start := time.Now()
	if err := c.Close(); err != nil {
		t.Errorf("the broker ended with: %v", err)
	}
	t.Logf("ended after %s", time.Since(start))
	w.eventually("the command is gone", func() bool { return !alive(pid) })
	w.eventually("the idle master is gone", func() bool { return len(w.processes()) == 0 })
	if sockets, _ := filepath.Glob(filepath.Join(w.runtime, "*.sock")); len(sockets) != 0 {
		t.Errorf("left: %v", sockets)
	}
}

// kill -9 of the broker leaves its commands to the workers, which see that
// nobody waits for them.
func TestBrokerKilled(t *testing.T) {
	w := newWorld(t, "--idle-timeout=300ms")
	c := w.open()
	file := filepath.Join(w.dir, "pid")
	go func() { _, _ = c.Hg(context.Background(), w.dir, "rest", file) }()
	pid := w.pidFrom(file)
	if err := c.Process().Kill(); err != nil {
		t.Fatal(err)
	}
	w.eventually("the command is gone", func() bool { return !alive(pid) })
	w.eventually("the idle master is gone", func() bool { return len(w.processes()) == 0 })
}

// The process that the client named dies, but somebody holds the pipe open.
func TestClientProcessDies(t *testing.T) {
	w := newWorld(t)
	named := exec.Command("sleep", "1000")
	if err := named.Start(); err != nil {
		t.Fatal(err)
	}
	x := w.wire("--framing=lines")
	x.expect(fmt.Sprintf(`{"id":1,"method":"initialize","params":{"processId":%d}}`, named.Process.Pid), "1", 0)
	_ = named.Process.Kill()
	_ = named.Wait()
	if code := x.exit(); code != 1 {
		t.Errorf("exit code %d", code)
	}
}

func TestSignalEndsBroker(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	file := filepath.Join(w.dir, "pid")
	ended := make(chan error, 1)
	go func() { _, err := c.Hg(context.Background(), w.dir, "rest", file); ended <- err }()
	pid := w.pidFrom(file)
	_ = c.Process().Signal(syscall.SIGTERM)
	if err := <-ended; err == nil {
		t.Error("the command ended well")
	}
	w.eventually("the command is gone", func() bool { return !alive(pid) })
}

// A broker inside this process leaves no goroutine and no descriptor.
func TestNothingLeaks(t *testing.T) {
	w := newWorld(t)
	dialer := protocol.Dialer{Executable: w.exe, RuntimeDir: w.runtime, Client: "test"}
	// The master is started by another process, which waits for it.
	outside := w.open()
	outsideFlags := protocol.MasterConfig{Log: strings.TrimPrefix(w.flags[2], "--log=")}
	dialer.Config = outsideFlags
	w.run(outside, "say")

	session := func() {
		theirs, ours, err := protocol.Pair(unix.SOCK_STREAM)
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range []int{theirs, ours} { // so that Close ends a Read
			if err := unix.SetNonblock(fd, true); err != nil {
				t.Fatal(err)
			}
		}
		server, ourEnd := os.NewFile(uintptr(theirs), "server"), os.NewFile(uintptr(ours), "client")
		done := make(chan int)
		go func() {
			done <- broker.Serve(context.Background(), server, server, server, broker.Options{Dialer: dialer,
				Fallback: protocol.FallbackAlways, RealHg: w.hg, Environ: os.Environ(), Umask: 0o22, Dir: w.dir})
		}()
		c := client.New(ourEnd, client.Options{})
		w.initialize(c)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(w.context())
				if i%4 == 0 {
					time.AfterFunc(time.Duration(i)*time.Millisecond, cancel)
				}
				defer cancel()
				if _, err := c.Hg(ctx, w.dir, "say", "x"); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := c.Shutdown(w.context()); err != nil {
			t.Error(err)
		}
		if code := <-done; code != 0 {
			t.Errorf("exit code %d", code)
		}
	}
	descriptors := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	session() // the runtime's own descriptors and goroutines exist after this
	goroutines, fds := runtime.NumGoroutine(), descriptors()
	for range 3 {
		session()
	}
	w.eventually("as many goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
	w.eventually("as many descriptors as before", func() bool { return descriptors() <= fds })
}

// The runtime directory must be ours alone.
func TestUnsafeRuntimeDir(t *testing.T) {
	w := newWorld(t)
	open := filepath.Join(w.dir, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(w.dir, "link")
	if err := os.Symlink(w.runtime, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{open, link, filepath.Join(w.dir, strings.Repeat("long/", 1))} {
		c := w.open("--runtime-dir=" + dir)
		_, err := c.Hg(w.context(), w.dir, "say", "x")
		if dir == open || dir == link {
			if client.Kind(err) != protocol.KindNoMaster {
				t.Errorf("%s: %v", dir, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		_ = exec.Command(w.exe, append(append([]string{"stop"}, w.flags...), "--runtime-dir="+dir)...).Run()
	}
}
