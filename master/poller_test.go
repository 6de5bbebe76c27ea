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
	if got := p.wait(never()); len(got) != 1 || int(got[0].Fd) != int(p.bell.Fd()) {
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
