// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// TestEveryFrameIsTaken: a frame that arrives while its command's watcher goes home
// is not left behind, with a client that waits for its answer for ever.
func TestEveryFrameIsTaken(t *testing.T) {
	ours, theirs, err := protocol.Pair(unix.SOCK_STREAM)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := protocol.NewConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	client, err := protocol.NewConn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c := &channel{conn: conn, frames: make(chan *protocol.Frame, pipelined), canceled: map[uint32]bool{}}
	defer c.close()
	late := time.AfterFunc(20*time.Second, conn.Shutdown)
	defer late.Stop()
	for id := range uint32(20000) {
		c.mu.Lock()
		c.watch()
		c.mu.Unlock()
		if err := client.Send(&protocol.Frame{Type: protocol.ChRun, ID: id}); err != nil {
			t.Fatal(err)
		}
		if f := c.next(); f == nil || f.ID != id {
			t.Fatalf("frame %d: %+v", id, f)
		}
	}
}
