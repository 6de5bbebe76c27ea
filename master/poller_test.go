// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// TestPoller: a wait ends with the time, with the bell, and with what can be read, the
// last also when there is no time at all.
func TestPoller(t *testing.T) {
	p, err := newPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	never := func() time.Time { return time.Now().Add(time.Hour) }
	over := time.Now().Add(-time.Second)
	for range 3 {
		if got := p.wait(over); len(got) != 0 {
			t.Fatalf("events of nothing: %v", got)
		}
		if got := p.wait(time.Now().Add(time.Millisecond)); len(got) != 0 {
			t.Fatalf("events of nothing: %v", got)
		}
	}
	go p.ring()
	if got := p.wait(never()); len(got) != 1 || got[0].Fd != p.bellFd {
		t.Fatalf("after the bell: %v", got)
	}
	p.rung()

	ours, theirs, err := protocol.Pair(unix.SOCK_STREAM)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ours)
	defer unix.Close(theirs)
	if err := p.add(ours, unix.EPOLLIN|unix.EPOLLRDHUP); err != nil {
		t.Fatal(err)
	}
	go unix.Write(theirs, []byte("x"))
	for _, until := range []time.Time{never(), over, never()} { // until it is read
		if got := p.wait(until); len(got) != 1 || int(got[0].Fd) != ours {
			t.Fatalf("after a byte: %v", got)
		}
	}
	p.remove(ours)
	if got := p.wait(over); len(got) != 0 {
		t.Errorf("events of what was removed: %v", got)
	}
}

// TestDoorClosesBesideAKnock: who asks the master to stop and who knocks are told of
// together, and the first closes the door that the second is at.
func TestDoorClosesBesideAKnock(t *testing.T) {
	path := t.TempDir() + "/m.sock"
	m, err := newMaster(Config{Build: "test", CacheBytes: 1 << 20}, listen(t, path), -1)
	if err != nil {
		t.Fatal(err)
	}
	first := connect(t, path)
	defer first.Close()
	for len(m.clients) == 0 {
		m.wait(time.Now().Add(time.Second))
	}
	// The workers that start ring the bell; it has to be silent.
	m.readers.state()
	for len(m.poller.wait(time.Now().Add(300*time.Millisecond))) > 0 {
		m.wait(time.Now())
	}
	if err := first.Send(&protocol.Frame{Type: protocol.DoorStop, ID: 1}); err != nil {
		t.Fatal(err)
	}
	defer connect(t, path).Close()
	waited := make(chan struct{})
	go func() {
		defer close(waited)
		m.wait(time.Now().Add(time.Second))
	}()
	select {
	case <-waited:
	case <-time.After(20 * time.Second):
		m.poller.ring()
		t.Error("the loop waits for a bell that nobody rings")
		<-waited
	}
	if !m.draining || m.listener >= 0 {
		t.Errorf("draining %v, listener %d", m.draining, m.listener)
	}
	if err := m.finish(); err != nil {
		t.Error(err)
	}
}
