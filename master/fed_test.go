// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/protocol/inotify"
)

// The cache is fed by commands that finished and by what changed on disk; here
// with the real engine and a real hg.

// hgFor is the real hg, and a repository of its making.
func hgFor(t *testing.T) (hg, root string) {
	t.Helper()
	hg = os.Getenv("HGBROKER_TEST_HG")
	if hg == "" {
		var err error
		if hg, err = exec.LookPath("hg"); err != nil {
			t.Skip("there is no hg: ", err)
		}
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root += "/r"
	outside(t, hg, "/", "init", root)
	write(t, root+"/file", "0\n")
	outside(t, hg, root, "commit", "-Am", "first")
	return hg, root
}

var hgEnviron = []string{"HGRCPATH=", "HGPLAIN=1", "HGUSER=test", "LANG=C", "PATH=" + os.Getenv("PATH")}

// outside runs hg past us.
func outside(t *testing.T, hg, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(hg, args...)
	cmd.Dir, cmd.Env = dir, hgEnviron
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("hg %v: %v\n%s", args, err, out)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// native runs a command in the engine, and tells how it was served.
func (r *room) native(dir string, args ...string) (string, protocol.Served) {
	r.Helper()
	if err := r.try(protocol.Run{Args: args, Dir: dir, Env: hgEnviron, Fallback: protocol.FallbackNever}); err != nil {
		r.Fatal(err)
	}
	out, end, err := r.collect()
	if err != nil || end.Type != protocol.ChExit {
		r.Fatalf("%v: %v, %v", args, end, err)
	}
	exit, err := protocol.DecodeExit(end.Payload)
	if err != nil {
		r.Fatal(err)
	}
	return out, exit.Served
}

func newest(n int) string { return fmt.Sprintf("change %d\n", n) }

var tip = []string{"log", "-r", "tip", "-T", "{desc}\n"}

func TestAfterAWriteOfTheRealHgTheNextCommandIsWarm(t *testing.T) {
	hg, root := hgFor(t)
	h := open(t, Config{WorkerArgs: []string{"worker-with-engine"}, MaxWorkers: 4})
	v := h.visit()
	r, run := v.acquire(protocol.Reader), v.acquire(protocol.Runner)
	if _, served := r.native(root, tip...); served != protocol.ServedCold {
		t.Errorf("the first is served %v", served)
	}
	// Whatever else sees the change comes later.
	h.ask(func() { h.m.stopWatching() })
	for i := range 4 {
		write(t, root+"/file", fmt.Sprint(i))
		if err := run.try(protocol.Run{Args: []string{"commit", "-m", strings.TrimSpace(newest(i))}, Dir: root, RealHg: hg,
			Env: hgEnviron, Fallback: protocol.FallbackAlways}); err != nil {
			t.Fatal(err)
		}
		if out, end, err := run.collect(); err != nil || end.Type != protocol.ChExit {
			t.Fatal(out, end, err)
		}
		eventually(t, "it is loaded", func() bool {
			s := v.stats()
			return s.Loads.Done == uint64(i+1) && s.Loads.Pending == 0 && s.Donations.Pending == 0
		})
		// Another worker than the one that answered before, and than the loader.
		fresh := v.acquire(protocol.Reader)
		if out, served := fresh.native(root, tip...); served != protocol.ServedWarm || out != newest(i) {
			t.Errorf("after commit %d: %q, served %v", i, out, served)
		}
		fresh.close()
	}
	s := v.stats()
	if s.Cache.Kinds["store"].Entries != 1 || s.Cache.Kinds["growth"].Entries > 1 || s.Cache.Misses != 1 || s.Cache.Refreshed != 0 {
		t.Errorf("%+v", s.Cache)
	}
	t.Logf("%+v %+v", s.Cache, s.Donations)
}

func TestAChangeFromOutsideIsLoaded(t *testing.T) {
	hg, root := hgFor(t)
	h := open(t, Config{WorkerArgs: []string{"worker-with-engine"}, MaxWorkers: 4})
	v := h.visit()
	r := v.acquire(protocol.Reader)
	r.native(root, tip...)
	var s *Stats
	eventually(t, "it is watched", func() bool { s = v.stats(); return s.Watches.Watches == 2 || s.Watches.State != "on" })
	if s.Watches.State != "on" {
		t.Skip("nothing can be watched: " + s.Watches.State)
	}
	// While hg holds a lock, nothing is loaded. A link is how it holds one.
	if err := os.Symlink("somebody:1", root+"/.hg/wlock"); err != nil {
		t.Fatal(err)
	}
	write(t, root+"/.hg/bookmarks", "")
	eventually(t, "the change is seen", func() bool { return v.stats().Watches.Events > 0 })
	h.ask(func() { h.m.refresh(time.Now().Add(time.Second)) })
	h.ask(func() {}) // the scout may have come back before
	if s := v.stats(); s.Watches.Refreshes != 0 {
		t.Errorf("loaded under a lock: %+v", s.Watches)
	}
	if err := os.Remove(root + "/.hg/wlock"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is loaded when the lock is gone", func() bool { s = v.stats(); return s.Loads.Done >= 1 && s.Loads.Pending == 0 })
	write(t, root+"/file", "1")
	outside(t, hg, root, "commit", "-m", strings.TrimSpace(newest(1)))
	at := func() (n uint64) { s = v.stats(); return s.Watches.Refreshes }
	eventually(t, "a commit is seen", func() bool { return at() >= 2 && s.Donations.Admitted >= 2 && s.Loads.Pending+s.Donations.Pending == 0 })
	fresh := v.acquire(protocol.Reader)
	if out, served := fresh.native(root, tip...); served != protocol.ServedWarm || out != newest(1) {
		t.Errorf("%q, served %v", out, served)
	}
	// Lost events mean that anything may have changed.
	before := at()
	h.m.noticed(inotifyLost)
	eventually(t, "all are loaded again", func() bool { return at() > before && s.Watches.Overflows == 1 })
	// A repository that goes is watched no more.
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the watches are gone", func() bool { s = v.stats(); return s.Watches.Repositories == 0 && s.Watches.Watches == 0 })
}

func TestWatchesAreBoundedAndEnd(t *testing.T) {
	h := open(t, Config{CacheBytes: 64 << 20})
	dir := t.TempDir()
	now := time.Now()
	names := make([]string, maxWatched+5)
	for i := range names {
		names[i] = fmt.Sprintf("%s/%d", dir, i)
		if err := os.MkdirAll(names[i]+"/.hg/store", 0o700); err != nil {
			t.Fatal(err)
		}
	}
	v := h.visit()
	if s := v.stats(); s.Watches.State != "on" {
		t.Skip("nothing can be watched: " + s.Watches.State)
	}
	for i, root := range names {
		h.ask(func() { h.m.follow(root, root+"/.hg/store", now.Add(time.Duration(i)*time.Second)) })
		h.scouted()
	}
	var s *Stats
	eventually(t, "as many are watched as may be", func() bool { s = v.stats(); return s.Watches.Watches == 2*maxWatched })
	if s.Watches.Repositories != maxWatched || s.Watches.Failed != 0 {
		t.Errorf("%+v", s.Watches)
	}
	h.ask(func() {
		if h.m.watches.roots[names[0]] != nil || h.m.watches.roots[names[len(names)-1]] == nil {
			t.Error("not the oldest made room")
		}
		// Nobody asked for the first half lately.
		h.m.nextLook = time.Time{}
		half := now.Add(h.m.cfg.times.follow + maxWatched/2*time.Second)
		h.m.look(half)
	})
	eventually(t, "half of them end", func() bool { n := v.stats().Watches.Repositories; return n > 0 && n < maxWatched })
	// One that cannot be watched is not kept.
	h.ask(func() { h.m.follow(dir+"/absent", dir+"/absent/.hg/store", now) })
	eventually(t, "a repository without a directory fails", func() bool { return v.stats().Watches.Failed == 1 })
	// Shares of one store have one watch on it; it ends with the last.
	h.ask(func() { h.m.unfollow(func(*watched) bool { return true }) })
	for _, root := range names[:2] {
		h.ask(func() { h.m.follow(root, names[2]+"/.hg/store", now) })
	}
	eventually(t, "three directories", func() bool { return v.stats().Watches.Watches == 3 })
	h.ask(func() { h.m.unfollow(func(w *watched) bool { return w.root == names[0] }) })
	eventually(t, "two directories", func() bool { return v.stats().Watches.Watches == 2 })
}

// scouted waits until the scout has nothing to do.
func (h *house) scouted() {
	h.Helper()
	done := make(chan struct{})
	h.ask(func() {
		if !h.m.watches.ask(func() { close(done) }) {
			close(done)
		}
	})
	<-done
}

func TestPressureIsHeardOf(t *testing.T) {
	// A socket with urgent data polls as a trigger does.
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Sendmsg(pair[1], []byte("!"), nil, nil, unix.MSG_OOB); err != nil {
		unix.Close(pair[0])
		unix.Close(pair[1])
		t.Skip("no urgent data on unix sockets: ", err)
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	events, ended := make(chan struct{}, 10), make(chan struct{})
	go func() {
		defer close(ended)
		waitForPressure([]int{pair[0]}, pipe[0], func() {
			var b [1]byte
			_, _, _ = unix.Recvfrom(pair[0], b[:], unix.MSG_OOB)
			events <- struct{}{}
		})
	}()
	<-events
	unix.Close(pipe[1])
	<-ended
	unix.Close(pair[1])
}

func TestPressureTakesFromTheCacheOfAMaster(t *testing.T) {
	h := open(t, Config{times: times{calm: time.Millisecond, burst: time.Nanosecond}})
	v := h.visit()
	r := v.acquire(protocol.Reader)
	for i := range 6 {
		r.run("keep", fmt.Sprintf("/%d/.hg/store", i), "100000", "abcd")
	}
	eventually(t, "all are admitted", func() bool { return v.stats().Donations.Admitted == 6 })
	s := v.stats()
	if s.Cache.Kinds["store"].Entries != 6 || s.Pressure.LimitBytes != s.Cache.MaxBytes || s.Pressure.State == "" {
		t.Errorf("%+v %+v", s.Cache, s.Pressure)
	}
	for range 6 {
		h.ask(func() { h.m.pressed(time.Now().Add(time.Hour)) })
	}
	s = v.stats()
	if s.Cache.Entries != 2 || s.Pressure.Dropped != 4 || s.Pressure.Bytes < 400000 || s.Pressure.Events < 6 || s.Pressure.LimitBytes >= s.Cache.MaxBytes {
		t.Errorf("%+v %+v", s.Cache, s.Pressure)
	}
	h.ask(func() { h.m.pressure.relax = time.Now() })
	eventually(t, "the limit grows again", func() bool { s = v.stats(); return s.Pressure.LimitBytes == s.Cache.MaxBytes })
	h.ask(func() {
		if !h.m.pressure.relax.IsZero() {
			t.Error("it is waited for nothing")
		}
	})
}

func TestWithoutPressureFiles(t *testing.T) {
	m := &master{}
	m.cfg.Log = &logged{}
	before := descriptors(t)
	m.watchPressure([]string{"/proc/self/nothing", "/proc/self/status"})
	if m.pressure.stop != -1 || m.pressure.state == "" {
		t.Errorf("%+v", m.pressure)
	}
	m.stopPressure()
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors, %d before", n, before)
	}
	for _, f := range pressureFiles() {
		if !filepath.IsAbs(f) || filepath.Clean(f) != f {
			t.Error(f)
		}
	}
}

// inotifyLost is what a full queue says.
var inotifyLost = inotify.Event{Watch: -1, Mask: unix.IN_Q_OVERFLOW}
