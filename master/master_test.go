// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

const store = "/r/.hg/store"

func TestCommandsAndTheirCounts(t *testing.T) {
	h := open(t, Config{})
	v := h.visit()
	r := v.acquire(protocol.Reader)
	for i := range 5 {
		if out := r.run("echo", fmt.Sprint(i)); out != fmt.Sprint(i) {
			t.Errorf("got %q", out)
		}
	}
	r.run("keep", store, "1000", "abcd")
	r.begin("diff")
	if _, end, err := r.collect(); err != nil || end.Type != protocol.ChUnsupported {
		t.Error(end, err)
	}
	var s *Stats
	eventually(t, "seven commands are counted", func() bool {
		s = v.stats()
		return s.Requests.Native+s.Requests.Unsupported == 7 && s.Donations.Admitted == 1
	})
	if got := r.run("lease", store); got != "abcd <nil>" {
		t.Errorf("got %q", got)
	}
	eventually(t, "the hit is counted", func() bool { s = v.stats(); return s.Cache.Hits == 1 })
	if s.Cache.Misses != 1 || s.Cache.Entries != 1 || s.Cache.Bytes < 1000 || s.Cache.MaxBytes != 64<<20 || s.Leases.Granted != 1 {
		t.Errorf("%+v %+v", s.Cache, s.Leases)
	}
	if e := s.Commands["echo"]; e.Native != 5 || e.P50 == 0 || e.P99 < e.P50 || s.Commands["diff"].Unsupported != 1 {
		t.Errorf("%+v", s.Commands)
	}
	if len(s.Repositories) != 1 || s.Repositories[0].Path != store || s.Repositories[0].Generation != "g" || !s.Repositories[0].Hot {
		t.Errorf("%+v", s.Repositories)
	}
	if s.PID != os.Getpid() || s.Build != "test" || s.Clients != 1 || s.Queue.Granted != 1 {
		t.Errorf("%+v", s)
	}
}

func TestSpareIsKept(t *testing.T) {
	h := open(t, Config{Spares: 2})
	v := h.visit()
	idle := func(n int) func() bool { return func() bool { return v.stats().Workers.Reader["idle"] == n } }
	eventually(t, "two spares", idle(2))
	rooms := []*room{v.acquire(protocol.Reader), v.acquire(protocol.Reader)}
	eventually(t, "two spares beside two busy ones", idle(2))
	for _, r := range rooms {
		r.close()
	}
	eventually(t, "all are idle", idle(4))
}

func TestSurplusIsRetired(t *testing.T) {
	h := open(t, Config{times: times{workerIdle: 20 * time.Millisecond}})
	v := h.visit()
	rooms := []*room{v.acquire(protocol.Reader), v.acquire(protocol.Reader), v.acquire(protocol.Runner)}
	for _, r := range rooms {
		r.close()
	}
	eventually(t, "only the spare is left", func() bool {
		s := v.stats()
		return len(s.Workers.Runner) == 0 && len(s.Workers.Reader) == 1 && s.Workers.Reader["idle"] == 1
	})
	if s := v.stats(); s.Workers.Lost != 0 || s.Workers.Killed != 0 || s.Workers.Retired < 2 {
		t.Errorf("%+v", s.Workers)
	}
}

func TestRecycling(t *testing.T) {
	tests := []struct {
		name     string
		times    times
		commands []string
	}{
		{"after its commands", times{recycle: 3}, []string{"echo", "echo", "echo"}},
		{"after its memory grew", times{recycleHeap: 64 << 20}, []string{"echo", "grow"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, Config{times: tt.times})
			v := h.visit()
			r := v.acquire(protocol.Reader)
			pid := number(t, r.run("pid"))
			for _, c := range tt.commands {
				r.run(c)
			}
			// The client is asked to let it go, and may use it until it does.
			if id := <-v.claims; id != r.worker {
				t.Errorf("reclaimed %d, not %d", id, r.worker)
			}
			if again := number(t, r.run("pid")); again != pid {
				t.Error("another worker on the same channel")
			}
			r.close()
			eventually(t, "the worker ends", func() bool { return !alive(pid) })
			if s := v.stats(); s.Workers.Lost != 0 || s.Workers.Killed != 0 {
				t.Errorf("%+v", s.Workers)
			}
			if next := number(t, v.acquire(protocol.Reader).run("pid")); next == pid {
				t.Error("it is used again")
			}
		})
	}
}

// A worker that alone knows a repository is kept until others can have it from an
// image, within bounds.
func TestWhoAloneKnowsIsNotReplaced(t *testing.T) {
	h := open(t, Config{times: times{recycle: 100, recycleHeap: 1 << 20}})
	key := protocol.ImageKey{Kind: storeKind, Path: "/r/.hg/store"}
	h.ask(func() {
		check := func(what string, w worker, used bool) {
			if got := h.m.usedUp(&w); (got != "") != used {
				t.Errorf("%s: %q", what, got)
			}
		}
		check("knows nothing", worker{commands: 100}, true)
		check("alone", worker{commands: 100, firstHeap: 1, heap: 2 << 20, last: key}, false)
		check("alone, and broken", worker{broken: "panicked", last: key}, true)
		check("alone for too long", worker{commands: 100 * aloneFactor, last: key}, true)
		check("alone, and too large", worker{firstHeap: 1, heap: 1 << 20 * (aloneFactor + 1), last: key}, true)
		put(h.m.cache, sealedOf(t, key.Path, 100), time.Now())
		check("with an image", worker{commands: 100, last: key}, true)
		check("large, with an image", worker{firstHeap: 1, heap: 2 << 20, last: key}, true)
	})
}

func TestPanicCostsOneRequestAndOneWorker(t *testing.T) {
	h := open(t, Config{})
	v := h.visit()
	r := v.acquire(protocol.Reader)
	r.begin("panic")
	_, end, err := r.collect()
	if err != nil || end.Type != protocol.ChFailed {
		t.Fatal(end, err)
	}
	if f, err := protocol.DecodeFailure(end.Payload); err != nil || f.Kind != "Bug" {
		t.Errorf("%+v %v", f, err)
	}
	if _, err := r.conn.Recv(); err != io.EOF {
		t.Errorf("the channel: %v", err)
	}
	if out := v.acquire(protocol.Reader).run("echo", "x"); out != "x" {
		t.Errorf("got %q", out)
	}
	eventually(t, "the failure is counted", func() bool { return v.stats().Commands["panic"].Failed == 1 })
}

func TestWorkerKilledInMidCommandHurtsNobodyElse(t *testing.T) {
	h := open(t, Config{MaxWorkers: 4})
	v, other := h.visit(), h.visit()
	bystander := other.acquire(protocol.Reader)
	bystander.begin("hold")
	bystander.output()
	// One round before counting: buffers and threads have their size then.
	for round := range 6 {
		r := v.acquire(protocol.Reader)
		if round%2 == 0 {
			r.begin("crash")
		} else {
			r.begin("hold")
			r.output()
			h.ask(func() {
				if err := unix.Kill(h.m.workers[r.worker].process.pid, unix.SIGKILL); err != nil {
					t.Error(err)
				}
			})
		}
		if _, _, err := r.collect(); err != io.EOF {
			t.Errorf("the client reads %v", err)
		}
		r.close()
	}
	if out := v.acquire(protocol.Reader).run("echo", "x"); out != "x" {
		t.Errorf("got %q", out)
	}
	if err := bystander.conn.Send(&protocol.Frame{Type: protocol.ChCancel, ID: bystander.id}); err != nil {
		t.Fatal(err)
	}
	if _, end, err := bystander.collect(); err != nil || end.Type != protocol.ChExit {
		t.Errorf("the bystander: %v, %v", end, err)
	}
	eventually(t, "six are counted as lost", func() bool { return v.stats().Workers.Lost == 6 })
}

func TestQueueWaitsReclaimsAndRefuses(t *testing.T) {
	h := open(t, Config{MaxWorkers: 1, MaxQueue: 2})
	holder, waiter := h.visit(), h.visit()
	r := holder.acquire(protocol.Reader)
	ids := []uint32{waiter.send(protocol.DoorAcquire, protocol.EncodeAcquire(protocol.Reader)),
		waiter.send(protocol.DoorAcquire, protocol.EncodeAcquire(protocol.Runner))}
	if id := <-holder.claims; id != r.worker {
		t.Errorf("reclaimed %d", id)
	}
	over := waiter.send(protocol.DoorAcquire, protocol.EncodeAcquire(protocol.Reader))
	f := waiter.next()
	if why, err := protocol.DecodeRefused(f.Payload); err != nil || f.Type != protocol.DoorRefused || f.ID != over || why.Reason != protocol.RefusedFull {
		t.Fatalf("%+v %+v", f, why)
	}
	if n := holder.stats().Queue.Waiting; n != 2 {
		t.Errorf("%d wait", n)
	}
	r.close()
	f = waiter.next()
	if f.ID != ids[0] {
		t.Fatalf("answered %d", f.ID)
	}
	first := waiter.granted(f)
	first.run("echo")
	if s := holder.stats(); s.Workers.Reader["busy"]+s.Workers.Runner["busy"] != 1 {
		t.Errorf("%+v", s.Workers)
	}
	first.close()
	f = waiter.next()
	if f.ID != ids[1] {
		t.Fatalf("answered %d", f.ID)
	}
	second := waiter.granted(f)
	// Abandoned requests, and those of who leaves, are served to nobody.
	gone := h.visit()
	gone.send(protocol.DoorAcquire, protocol.EncodeAcquire(protocol.Reader))
	id := holder.send(protocol.DoorAcquire, protocol.EncodeAcquire(protocol.Reader))
	eventually(t, "both wait", func() bool { return waiter.stats().Queue.Waiting == 2 })
	gone.leave()
	if err := holder.conn.Send(&protocol.Frame{Type: protocol.DoorAbandon, ID: id}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nobody waits", func() bool { return waiter.stats().Queue.Waiting == 0 })
	second.close()
	waiter.acquire(protocol.Reader).run("echo")
}

func TestFairness(t *testing.T) {
	h := open(t, Config{MaxWorkers: 1})
	greedy, modest := h.visit(), h.visit()
	r := greedy.acquire(protocol.Reader)
	for range 20 {
		greedy.send(protocol.DoorAcquire, protocol.EncodeAcquire(protocol.Reader))
	}
	eventually(t, "twenty wait", func() bool { return modest.stats().Queue.Waiting == 20 })
	modest.send(protocol.DoorAcquire, protocol.EncodeAcquire(protocol.Reader))
	eventually(t, "twenty-one wait", func() bool { return modest.stats().Queue.Waiting == 21 })
	served := 0
	for {
		r.close()
		select {
		case f := <-modest.frames:
			modest.granted(f)
			if served > 1 {
				t.Errorf("served after %d of the greedy one's", served)
			}
			return
		case f := <-greedy.frames:
			r = greedy.granted(f)
			served++
		case <-time.After(20 * time.Second):
			t.Fatal("nobody is served")
		}
	}
}

// realHg writes a shell script that plays the real hg.
func realHg(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hg")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r *room) fallback(hg, dir string, args ...string) {
	r.Helper()
	if err := r.try(protocol.Run{Args: args, Dir: dir, RealHg: hg, Fallback: protocol.FallbackAlways,
		Env: []string{"PATH=" + os.Getenv("PATH")}}); err != nil {
		r.Fatal(err)
	}
}

func TestKillOfARunnerEndsGrandchildren(t *testing.T) {
	for _, how := range []string{"the client asks", "the worker crashes"} {
		t.Run(how, func(t *testing.T) {
			h := open(t, Config{times: times{sweep: 50 * time.Millisecond}})
			v := h.visit()
			r := v.acquire(protocol.Runner)
			file := filepath.Join(t.TempDir(), "pids")
			r.fallback(realHg(t, `trap '' INT TERM; sleep 1000 & echo $$ $! >"$1"; while :; do wait; done`), "/", file)
			var text []byte
			eventually(t, "the script starts", func() bool { text, _ = os.ReadFile(file); return strings.HasSuffix(string(text), "\n") })
			if how == "the client asks" {
				// Another client's demand has no effect.
				if err := h.visit().conn.Send(&protocol.Frame{Type: protocol.DoorKill, Payload: protocol.EncodeWorker(r.worker)}); err != nil {
					t.Fatal(err)
				}
				v.send(protocol.DoorKill, protocol.EncodeWorker(r.worker))
			} else {
				h.ask(func() { _ = unix.Kill(h.m.workers[r.worker].process.pid, unix.SIGKILL) })
			}
			if _, _, err := r.collect(); err != io.EOF {
				t.Errorf("the client reads %v", err)
			}
			for _, id := range strings.Fields(string(text)) {
				eventually(t, "process "+id+" ends", func() bool { return !alive(number(t, id)) })
			}
			if s := v.stats(); how == "the client asks" && s.Workers.Killed != 1 {
				t.Errorf("%+v", s.Workers)
			}
		})
	}
}

func TestKillOfAReaderThatIgnoresItsCancel(t *testing.T) {
	h := open(t, Config{})
	v := h.visit()
	r := v.acquire(protocol.Reader)
	r.begin("stuck")
	r.output()
	if err := r.conn.Send(&protocol.Frame{Type: protocol.ChCancel, ID: r.id}); err != nil {
		t.Fatal(err)
	}
	v.send(protocol.DoorKill, protocol.EncodeWorker(r.worker))
	if _, _, err := r.collect(); err != io.EOF {
		t.Errorf("the client reads %v", err)
	}
	v.acquire(protocol.Reader).run("echo")
	if s := v.stats(); s.Workers.Killed != 1 || s.Workers.Lost != 0 {
		t.Errorf("%+v", s.Workers)
	}
}

func TestReadersCannotWriteAndRunnersCan(t *testing.T) {
	h := open(t, Config{})
	v := h.visit()
	if !strings.Contains(v.stats().Landlock, "cannot write") {
		t.Skip("this kernel has no Landlock: " + v.stats().Landlock)
	}
	dir := t.TempDir()
	r := v.acquire(protocol.Reader)
	if got := r.run("touch", dir+"/by-reader"); got != "true <nil>" {
		t.Errorf("the reader: refused and /dev/null: %s", got)
	}
	if got := strings.TrimSpace(r.run("sandbox")); got != "true 500" {
		t.Errorf("no_new_privs and oom_score_adj: %s", got)
	}
	if got := r.run("keep", store, "10", "abcd"); got != "" {
		t.Errorf("memory files: %s", got)
	}
	run := v.acquire(protocol.Runner)
	run.fallback(realHg(t, `: >by-runner`), dir)
	if _, end, err := run.collect(); err != nil || end.Type != protocol.ChExit {
		t.Fatal(end, err)
	}
	for name, want := range map[string]bool{"by-reader": false, "by-runner": true} {
		if _, err := os.Stat(dir + "/" + name); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The master itself, and its other threads, may still write.
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := os.WriteFile(fmt.Sprint(dir, "/", i), nil, 0o600); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestWithoutLandlock(t *testing.T) {
	h := open(t, Config{times: times{noLandlock: true}})
	v := h.visit()
	if got := v.acquire(protocol.Reader).run("touch", t.TempDir()+"/x"); got != "false <nil>" {
		t.Errorf("got %q", got)
	}
	if got := v.stats().Landlock; !strings.Contains(got, "not available") {
		t.Errorf("got %q", got)
	}
}

func TestDonationsAreChecked(t *testing.T) {
	t.Run("by the master", func(t *testing.T) {
		h := open(t, Config{WorkerArgs: []string{"worker-that-cheats"}, CacheBytes: testLimit / 2})
		v := h.visit()
		want := map[string]uint64{refusedEmpty: 1}
		for _, b := range badImages() {
			why := b.why
			if b.name == "plain file" {
				why = refusedSize
			}
			want[why]++
		}
		var s *Stats
		eventually(t, "all are refused", func() bool { s = v.stats(); return s.Donations.Received == uint64(len(badImages())+1) })
		for why, n := range want {
			if s.Donations.Refused[why] != n {
				t.Errorf("%s: %d, want %d", why, s.Donations.Refused[why], n)
			}
		}
		if s.Donations.Admitted != 0 || s.Cache.Entries != 0 {
			t.Errorf("%+v", s.Donations)
		}
	})
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprintf("by a worker, at most %d", workers), func(t *testing.T) {
			h := open(t, Config{MaxWorkers: workers})
			v := h.visit()
			r := v.acquire(protocol.Reader)
			r.run("keep", "/bad/.hg/store", "1000", "BAD!")
			eventually(t, "it is refused", func() bool { return v.stats().Donations.Refused[refusedVerify] == 1 })
			r.run("keep", "/good/.hg/store", "1000", "good")
			eventually(t, "it is admitted", func() bool { return v.stats().Donations.Admitted == 1 })
			if got := r.run("lease", "/bad/.hg/store"); got != "none" {
				t.Errorf("got %q", got)
			}
			if got := r.run("lease", "/good/.hg/store"); got != "good <nil>" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestNewestDonationWins(t *testing.T) {
	h := open(t, Config{})
	v := h.visit()
	r := v.acquire(protocol.Reader)
	for _, name := range []string{"one!", "two!", "last"} {
		r.run("keep", store, "100000", name)
	}
	eventually(t, "all are decided", func() bool {
		s := v.stats().Donations
		return s.Admitted+s.Refused[refusedOlder] == 3
	})
	if got := r.run("lease", store); got != "last <nil>" {
		t.Errorf("got %q", got)
	}
	if s := v.stats(); s.Cache.Entries != 1 {
		t.Errorf("%+v", s.Cache)
	}
}

func TestFlushWhileAWorkerReads(t *testing.T) {
	h := open(t, Config{})
	v := h.visit()
	r := v.acquire(protocol.Reader)
	r.run("keep", store, "1000", "abcd")
	r.run("keep", "/other/.hg/store", "1000", "abcd")
	eventually(t, "both are admitted", func() bool { return v.stats().Donations.Admitted == 2 })
	r.begin("lease-and-hold", store)
	r.output()
	flush := func(path string) map[string]int64 {
		v.send(protocol.DoorFlush, protocol.EncodeFlush(path))
		var got map[string]int64
		if err := json.Unmarshal(v.next().Payload, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := flush("/r"); got["entries"] != 1 || got["bytes"] < 1000 { // by its working directory
		t.Errorf("%v", got)
	}
	if err := r.conn.Send(&protocol.Frame{Type: protocol.ChCancel, ID: r.id}); err != nil {
		t.Fatal(err)
	}
	if out, _, err := r.collect(); err != nil || out != "abcd <nil>" {
		t.Errorf("the mapping after the eviction: %q, %v", out, err)
	}
	if got := r.run("lease", store); got != "none" {
		t.Errorf("got %q", got)
	}
	if got := flush(""); got["entries"] != 1 {
		t.Errorf("%v", got)
	}
}

func TestWriteIsFollowedByALoad(t *testing.T) {
	h := open(t, Config{})
	v := h.visit()
	dir := t.TempDir()
	for _, name := range []string{"fine", "broken"} {
		if err := os.MkdirAll(filepath.Join(dir, name, ".hg"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	run := v.acquire(protocol.Runner)
	hg := realHg(t, "exit 0")
	for _, name := range []string{"fine", "broken"} {
		run.fallback(hg, filepath.Join(dir, name), "commit")
		if _, _, err := run.collect(); err != nil {
			t.Fatal(err)
		}
	}
	var s *Stats
	eventually(t, "both loads end", func() bool { s = v.stats(); return s.Loads.Done+s.Loads.Failed == 2 && s.Donations.Admitted == 1 })
	if s.Loads.Done != 1 || s.Loads.Failed != 1 || s.Requests.Fallback != 2 || s.Requests.Native != 0 {
		t.Errorf("%+v %+v", s.Loads, s.Requests)
	}
	if got := v.acquire(protocol.Reader).run("lease", dir+"/fine/.hg/store"); got != "load <nil>" {
		t.Errorf("got %q", got)
	}
}

func TestChurn(t *testing.T) {
	h := open(t, Config{MaxWorkers: 2, times: times{recycle: 12}, CacheBytes: 1 << 20})
	v := h.visit()
	r := v.acquire(protocol.Reader)
	eventually(t, "a spare is there", func() bool { return v.stats().Workers.Reader["idle"] == 1 })
	before := descriptors(t)
	for i := range 300 {
		switch i % 4 {
		case 0:
			r.run("keep", fmt.Sprintf("/%d/.hg/store", i%12), "100000", "abcd")
		case 1:
			r.run("lease", fmt.Sprintf("/%d/.hg/store", i%12))
		default:
			r.run("echo", "x")
		}
		select {
		case <-v.claims:
			r.close()
			r = v.acquire(protocol.Reader)
		default:
		}
	}
	r.close()
	v.send(protocol.DoorFlush, nil)
	v.next()
	eventually(t, "300 commands are counted", func() bool { return v.stats().Requests.Native == 300 })
	// Each worker has two descriptors, each image one; there were a busy worker
	// and a spare before. What was retired takes its time to go.
	eventually(t, "the descriptors are as many as before", func() bool {
		s := v.stats()
		workers := 0
		for _, n := range s.Workers.Reader {
			workers += n
		}
		return workers <= 5 && descriptors(t) <= before+2*(workers-2)+s.Cache.Entries
	})
	if s := v.stats(); s.Workers.Lost != 0 || s.Workers.Killed != 0 || s.Workers.Retired < 2 {
		t.Errorf("%+v", s.Workers)
	}
}

func TestWorkersThatDoNotStart(t *testing.T) {
	for _, tt := range []struct {
		role  string
		times times
	}{{"worker-that-fails", times{}}, {"worker-that-hangs", times{start: 20 * time.Millisecond}}} {
		t.Run(tt.role, func(t *testing.T) {
			h := open(t, Config{WorkerArgs: []string{tt.role}, times: tt.times})
			v := h.visit()
			v.send(protocol.DoorAcquire, protocol.EncodeAcquire(protocol.Reader))
			f := v.next()
			why, err := protocol.DecodeRefused(f.Payload)
			if err != nil || f.Type != protocol.DoorRefused || why.Reason != protocol.RefusedStart {
				t.Errorf("%+v %+v", f, why)
			}
		})
	}
}

func TestStrangersAtTheDoor(t *testing.T) {
	h := open(t, Config{times: times{hello: 20 * time.Millisecond}})
	for _, hello := range []protocol.Hello{{Protocol: protocol.Version + 1, Build: "test"}, {Protocol: protocol.Version, Build: "other"}} {
		v, err := knock(t, h.path, hello) // the welcome says what is wrong
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := <-v.frames; ok {
			t.Errorf("%+v: %+v", hello, f)
		}
	}
	for _, f := range []*protocol.Frame{nil, {Type: protocol.DoorStats}, {Type: protocol.DoorHello, Payload: []byte("{")}, {Type: 200}} {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Connect(fd, &unix.SockaddrUnix{Name: h.path}); err != nil {
			t.Fatal(err)
		}
		conn, err := protocol.NewConn(fd)
		if err != nil {
			t.Fatal(err)
		}
		if f != nil {
			if err := conn.Send(f); err != nil {
				t.Fatal(err)
			}
		} // else: says nothing, and is cut off
		if got, err := conn.Recv(); err != io.EOF {
			t.Errorf("%+v: %v, %v", f, got, err)
		}
		conn.Close()
	}
	h.visit().stats()
}

func TestClientThatDoesNotRead(t *testing.T) {
	h := open(t, Config{})
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: h.path}); err != nil {
		t.Fatal(err)
	}
	conn, err := protocol.NewConn(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	b, err := json.Marshal(protocol.Hello{Protocol: protocol.Version, Build: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Send(&protocol.Frame{Type: protocol.DoorHello, Payload: b}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if err = conn.Send(&protocol.Frame{Type: protocol.DoorStats}); err != nil {
			break
		}
	}
	if !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("it is not cut off: %v", err)
	}
	h.visit().acquire(protocol.Reader).run("echo")
}

func TestStopLetsCommandsEnd(t *testing.T) {
	h := open(t, Config{})
	v, other := h.visit(), h.visit()
	r := other.acquire(protocol.Reader)
	r.begin("hold")
	r.output()
	v.send(protocol.DoorStop, nil)
	if f := v.next(); f.Type != protocol.DoorAnswer {
		t.Errorf("%+v", f)
	}
	v.send(protocol.DoorAcquire, protocol.EncodeAcquire(protocol.Reader))
	f := v.next()
	if why, err := protocol.DecodeRefused(f.Payload); err != nil || why.Reason != protocol.RefusedDraining {
		t.Errorf("%+v %+v", f, why)
	}
	if _, err := os.Stat(h.path); !os.IsNotExist(err) {
		t.Errorf("the socket: %v", err)
	}
	if id := <-other.claims; id != r.worker {
		t.Errorf("reclaimed %d", id)
	}
	if err := r.conn.Send(&protocol.Frame{Type: protocol.ChCancel, ID: r.id}); err != nil {
		t.Fatal(err)
	}
	if _, end, err := r.collect(); err != nil || end.Type != protocol.ChExit {
		t.Errorf("%v %v", end, err)
	}
	r.close()
	if err := h.wait(); err != nil {
		t.Error(err)
	}
}

func TestSocketThatWasTakenAway(t *testing.T) {
	h := open(t, Config{times: times{house: 10 * time.Millisecond}})
	v := h.visit()
	if err := os.Remove(h.path); err != nil {
		t.Fatal(err)
	}
	if err := h.wait(); err != nil {
		t.Error(err)
	}
	if _, ok := <-v.frames; ok {
		t.Error("the door is still open")
	}
}
