// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// place is a runtime directory in which clients start masters as processes, by
// the dance of a dialer: connect, or else lock, bind and start.
type place struct {
	*testing.T
	dir     string
	exe     string
	idle    string
	started atomic.Int32

	mu       sync.Mutex // guards children
	children []*exec.Cmd
}

func newPlace(t *testing.T, idle string) *place {
	t.Helper()
	dir, err := os.MkdirTemp("", "hgb")
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{T: t, dir: dir, exe: exe, idle: idle}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.children {
			_ = c.Process.Signal(unix.SIGTERM)
			if err := c.Wait(); err != nil && !p.killed(c) {
				t.Errorf("master: %v\n%s", err, c.Stderr)
			}
		}
		os.RemoveAll(dir)
	})
	return p
}

func (p *place) killed(c *exec.Cmd) bool {
	ws, ok := c.ProcessState.Sys().(interface{ Signaled() bool })
	return ok && ws.Signaled()
}

func (p *place) socket() string { return p.dir + "/m.sock" }

// dial connects to the master, starting it if need be.
func (p *place) dial() (*visitor, error) {
	deadline := time.Now().Add(20 * time.Second)
	var last error
	for time.Now().Before(deadline) {
		v, err := knock(p.T, p.socket(), protocol.Hello{Protocol: protocol.Version, Build: "test", Client: "test"})
		if err == nil {
			return v, nil
		}
		last = err
		if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ECONNREFUSED) {
			continue // between two masters: before the welcome, so start over
		}
		if err := p.start(); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no master: %w", last)
}

func (p *place) start() error {
	lock, err := unix.Open(p.dir+"/m.lock", unix.O_CREAT|unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	lockFile := os.NewFile(uintptr(lock), "lock")
	defer lockFile.Close()
	if unix.Flock(lock, unix.LOCK_EX|unix.LOCK_NB) != nil {
		time.Sleep(time.Millisecond) // part of the dance, not of the test
		return nil
	}
	_ = os.Remove(p.socket())
	listener := os.NewFile(uintptr(listen(p.T, p.socket())), "listener")
	defer listener.Close()
	cmd := exec.Command(p.exe, "master", p.idle)
	cmd.ExtraFiles = []*os.File{listener, lockFile}
	cmd.Stderr = &logged{}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.started.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.children = append(p.children, cmd)
	return nil
}

func (p *place) last() *exec.Cmd {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.children[len(p.children)-1]
}

func TestMasterKilledAndItsWorkersExit(t *testing.T) {
	p := newPlace(t, "1h")
	v, err := p.dial()
	if err != nil {
		t.Fatal(err)
	}
	quiet, running := v.acquire(protocol.Reader), v.acquire(protocol.Reader)
	pids := []int{number(t, quiet.run("pid")), number(t, running.run("pid"))}
	running.begin("hold")
	running.output()
	if err := p.last().Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, ok := <-v.frames; ok {
		t.Error("the door is still open")
	}
	if _, err := quiet.conn.Recv(); err != io.EOF {
		t.Errorf("an idle channel: %v", err)
	}
	// What runs may still end; then that worker goes too.
	if err := running.conn.Send(&protocol.Frame{Type: protocol.ChCancel, ID: running.id}); err != nil {
		t.Fatal(err)
	}
	if _, end, err := running.collect(); err != nil || end.Type != protocol.ChExit {
		t.Errorf("the command that ran: %v, %v", end, err)
	}
	for _, pid := range pids {
		eventually(t, "the worker exits", func() bool { return !alive(pid) })
	}
	// The next client finds a stale socket and a free lock.
	v, err = p.dial()
	if err != nil {
		t.Fatal(err)
	}
	v.acquire(protocol.Reader).run("echo")
}

func TestIdleExitLosesNoClient(t *testing.T) {
	p := newPlace(t, "3ms")
	const clients, rounds = 8, 12
	var wg sync.WaitGroup
	var served atomic.Int32
	for range clients {
		wg.Go(func() {
			for range rounds {
				v, err := p.dial()
				if err != nil {
					t.Error(err)
					return
				}
				if v.stats().PID == os.Getpid() {
					t.Error("not a process of its own")
				}
				served.Add(1)
				v.leave()
			}
		})
	}
	wg.Wait()
	// And with pauses in which the master goes.
	for range 10 {
		c := p.last()
		eventually(t, "the master goes", func() bool { return !alive(c.Process.Pid) })
		v, err := p.dial()
		if err != nil {
			t.Fatal(err)
		}
		r := v.acquire(protocol.Reader)
		if out := r.run("echo", "x"); out != "x" {
			t.Errorf("got %q", out)
		}
		r.close()
		served.Add(1)
		v.leave()
	}
	if n := served.Load(); n != clients*rounds+10 {
		t.Errorf("%d clients served", n)
	}
	t.Logf("%d clients, %d masters", served.Load(), p.started.Load())
	c := p.last()
	eventually(t, "the last master goes", func() bool { return !alive(c.Process.Pid) })
	if _, err := os.Stat(p.socket()); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
	if left, _ := filepath.Glob(p.dir + "/*"); len(left) > 1 { // the lock file stays
		t.Errorf("left: %v", left)
	}
}

func TestSIGTERMDrains(t *testing.T) {
	p := newPlace(t, "1h")
	v, err := p.dial()
	if err != nil {
		t.Fatal(err)
	}
	r := v.acquire(protocol.Reader)
	r.begin("hold")
	r.output()
	first := p.last()
	if err := first.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the socket goes", func() bool { _, err := os.Stat(p.socket()); return os.IsNotExist(err) })
	// The old one waits for its command; a new one can start nevertheless.
	next, err := p.dial()
	if err != nil {
		t.Fatal(err)
	}
	if pid := next.stats().PID; pid == first.Process.Pid {
		t.Error("the old master is still at the door")
	}
	if err := r.conn.Send(&protocol.Frame{Type: protocol.ChCancel, ID: r.id}); err != nil {
		t.Fatal(err)
	}
	if _, end, err := r.collect(); err != nil || end.Type != protocol.ChExit {
		t.Errorf("%v, %v", end, err)
	}
	r.close()
	eventually(t, "the old master goes", func() bool { return !alive(first.Process.Pid) })
	if _, err := os.Stat(p.socket()); err != nil {
		t.Errorf("it took the new one's socket along: %v", err)
	}
}

func TestDeletedExecutable(t *testing.T) {
	p := newPlace(t, "1h")
	data, err := os.ReadFile(p.exe)
	if err != nil {
		t.Fatal(err)
	}
	p.exe = filepath.Join(t.TempDir(), "old-build")
	if err := os.WriteFile(p.exe, data, 0o700); err != nil {
		t.Fatal(err)
	}
	v, err := p.dial()
	if err != nil {
		t.Fatal(err)
	}
	r := v.acquire(protocol.Reader)
	if err := os.Remove(p.exe); err != nil {
		t.Fatal(err)
	}
	// Whoever is connected is served, with new workers too.
	r.run("echo")
	other := v.acquire(protocol.Runner)
	other.run("echo")
	r.close()
	other.close()
	v.leave()
	c := p.last()
	eventually(t, "the master goes", func() bool { return !alive(c.Process.Pid) })
}

func TestLockIsHeldExactlyAsLongAsTheMasterLives(t *testing.T) {
	p := newPlace(t, "1h")
	v, err := p.dial()
	if err != nil {
		t.Fatal(err)
	}
	r := v.acquire(protocol.Reader)
	pid := number(t, r.run("pid"))
	free := func() bool {
		fd, err := unix.Open(p.dir+"/m.lock", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == nil
	}
	if free() {
		t.Error("the lock is free")
	}
	links, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, l.Name())); strings.HasSuffix(to, "m.lock") {
			t.Error("a worker holds the lock")
		}
	}
	if err := p.last().Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the lock is free", free)
}
