// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"testing"

	"hgbroker/protocol"
)

// Several workers that had to read a repository at once make one image of it.
func TestAnImageIsMadeOnce(t *testing.T) {
	_, root := hgFor(t)
	h := open(t, Config{WorkerArgs: []string{"worker-with-engine"}, MaxWorkers: 8})
	v := h.visit()
	var rooms []*room
	for range 4 {
		rooms = append(rooms, v.acquire(protocol.Reader))
	}
	for _, r := range rooms {
		if err := r.try(protocol.Run{Args: tip, Dir: root, Env: hgEnviron, Fallback: protocol.FallbackNever}); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range rooms {
		if out, _, err := r.collect(); err != nil || out != "first\n" {
			t.Fatal(out, err)
		}
	}
	var s *Stats
	eventually(t, "all have the image", func() bool {
		s = v.stats()
		return s.Donations.Admitted == 1 && s.Leases.Granted >= 3
	})
	for _, r := range rooms {
		if _, served := r.native(root, tip...); served != protocol.ServedWarm {
			t.Errorf("the second of a worker is served %v", served)
		}
	}
	if s = v.stats(); s.Donations.Received != 1 {
		t.Errorf("%+v", s.Donations)
	}
	t.Logf("%d read it", s.Cache.Misses)
	h.ask(func() {
		if len(h.m.claims) != 0 {
			t.Errorf("claims are left: %v", h.m.claims)
		}
	})
}

func TestAClaimEndsWithItsMaker(t *testing.T) {
	h := open(t, Config{MaxWorkers: 4, Spares: 3})
	eventually(t, "there are spares", func() (ready bool) {
		h.ask(func() { ready = h.m.count(protocol.Reader, idle) >= 3 })
		return ready
	})
	key := protocol.ImageKey{Kind: storeKind, Path: "/r/.hg/store"}
	h.ask(func() {
		m := h.m
		now := m.started
		var w []*worker
		for _, x := range m.workers {
			w = append(w, x)
		}
		for i, x := range w[:3] {
			m.claim(x, uint32(1000+i), key, now)
		}
		c := m.claims[key]
		if c.maker != w[0] || len(c.waiting) != 2 {
			t.Fatalf("%+v", c)
		}
		m.claim(w[0], 2000, key, now) // once more: it may
		m.disclaim(w[0], now)
		if c = m.claims[key]; c.maker != w[1] || len(c.waiting) != 1 {
			t.Fatalf("the next is not told: %+v", c)
		}
		// One that is late is not waited for.
		m.claim(w[0], 2001, key, now.Add(claimLimit))
		if c = m.claims[key]; c.maker != w[0] {
			t.Errorf("%+v", c)
		}
		s := sealedOf(t, key.Path, 100)
		put(m.cache, s, now)
		m.claimed(key, now)
		m.claim(w[1], 2002, key, now)
		if m.claims[key] != nil || !w[1].images[key] {
			t.Error("an image that is there is claimed")
		}
	})
}
