// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"testing"
	"time"

	"hgbroker/protocol"
)

// visitFrom is a client that has one command, in a directory.
func (h *house) visitFrom(dir string) *visitor {
	h.Helper()
	v, err := knock(h.T, h.path, protocol.Hello{Protocol: protocol.Version, Build: "test", Client: "hg", Dir: dir})
	if err != nil {
		h.Fatal(err)
	}
	return v
}

// What follows the first command on a repository is warm, also when another process
// asks: as long as there is no image it gets the worker that has read it.
func TestTheSecondCommandIsWarm(t *testing.T) {
	_, root := hgFor(t)
	h := open(t, Config{WorkerArgs: []string{"worker-with-engine"}, MaxWorkers: 4, Spares: 3})
	look := h.visit()
	eventually(t, "there are spares", func() (ready bool) {
		h.ask(func() { ready = h.m.count(protocol.Reader, idle) >= 3 })
		return ready
	})
	for i := range 10 {
		v := h.visitFrom(root)
		r := v.acquire(protocol.Reader)
		want := protocol.ServedWarm
		if i == 0 {
			want = protocol.ServedCold
		}
		if out, served := r.native(root, tip...); served != want || out != "first\n" {
			t.Errorf("command %d: %q, served %v", i, out, served)
		}
		// The process ends: both connections, in any order.
		if i%2 == 0 {
			r.close()
			v.leave()
		} else {
			v.leave()
			r.close()
		}
		eventually(t, "the client left", func() bool { return h.clientsOf(root) == 0 })
	}
	eventually(t, "one image is admitted", func() bool { s := look.stats(); return s.Donations.Admitted == 1 && s.Donations.Pending == 0 })
	other := look.acquire(protocol.Reader)
	if out, served := other.native(root, tip...); served != protocol.ServedWarm || out != "first\n" {
		t.Errorf("later: %q, served %v", out, served)
	}
	if s := look.stats(); s.Cache.Misses != 1 || s.Donations.Received != 1 {
		t.Errorf("read more than once: %+v, %+v", s.Cache, s.Donations)
	}
}

// clientsOf counts the clients in a directory.
func (h *house) clientsOf(dir string) (n int) {
	h.ask(func() {
		for _, c := range h.m.clients {
			if c.dir == dir {
				n++
			}
		}
	})
	return n
}

func TestARequestWaitsForTheWorkerThatKnows(t *testing.T) {
	h := open(t, Config{MaxWorkers: 4, Spares: 3})
	eventually(t, "there are spares", func() (ready bool) {
		h.ask(func() { ready = h.m.count(protocol.Reader, idle) >= 3 })
		return ready
	})
	h.ask(func() { h.m.stores["/r"] = "/r/.hg/store" })
	knowing := h.visitFrom("/r/sub")
	held := knowing.acquire(protocol.Reader)
	h.ask(func() {
		h.m.workers[held.worker].last = protocol.ImageKey{Kind: storeKind, Path: "/r/.hg/store"}
	})
	// While its client lives it may ask more: nobody waits.
	v := h.visitFrom("/r")
	other := v.acquire(protocol.Reader)
	if other.worker == held.worker {
		t.Fatal("one worker for two")
	}
	other.close()
	knowing.leave()
	eventually(t, "its client is gone", func() bool { return h.clientsOf("/r/sub") == 0 })
	v.send(protocol.DoorAcquire, protocol.EncodeAcquire(protocol.Reader))
	time.AfterFunc(5*time.Millisecond, func() { held.conn.Shutdown() })
	r := v.granted(v.next())
	if r.worker != held.worker { // more than returnLimit went by, on a busy machine
		t.Logf("worker %d, not %d", r.worker, held.worker)
	}
	r.close()
	// Another class, another repository, and an image that is there: no reason to wait.
	h.ask(func() {
		m := h.m
		var w *worker
		for _, x := range m.workers {
			if x.class == protocol.Reader {
				w = x
			}
			x.last = protocol.ImageKey{}
		}
		now := time.Now()
		state, holder, key := w.state, w.client, protocol.ImageKey{Kind: storeKind, Path: "/r/.hg/store"}
		w.state, w.client, w.last = busy, nil, key
		c := &client{dir: "/r/a/b", link: &link{}}
		for _, tc := range []struct {
			what string
			r    request
			want bool
		}{
			{"its own", request{client: c, since: now}, true},
			{"a runner", request{client: c, since: now, class: protocol.Runner}, false},
			{"elsewhere", request{client: &client{dir: "/elsewhere", link: &link{}}, since: now}, false},
			{"nowhere", request{client: &client{link: &link{}}, since: now}, false},
			{"long enough", request{client: c, since: now.Add(-returnLimit)}, false},
		} {
			if got := m.returning(&tc.r, now) != nil; got != tc.want {
				t.Errorf("%s: %v", tc.what, got)
			}
		}
		put(m.cache, sealedOf(t, key.Path, 100), now)
		if m.returning(&request{client: c, since: now}, now) != nil {
			t.Error("it waits though there is an image")
		}
		w.state, w.client, w.last = state, holder, protocol.ImageKey{}
	})
}
