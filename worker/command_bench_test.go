// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"testing"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/worker/hg"
)

// BenchmarkCommand measures what a worker does for a command beside the engine:
// from the frame that asks to the frames that answer, with those themselves.
func BenchmarkCommand(b *testing.B) {
	ours, theirs, err := protocol.Pair(unix.SOCK_SEQPACKET)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(ours)
	conn, err := protocol.NewConn(theirs)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	w := newWorker(Config{NewEngine: func(hg.Options) Engine { return &fake{} }}, conn)
	near, far, err := protocol.Pair(unix.SOCK_STREAM)
	if err != nil {
		b.Fatal(err)
	}
	client, err := protocol.NewConn(near)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	worker, err := protocol.NewConn(far)
	if err != nil {
		b.Fatal(err)
	}
	c := &channel{conn: worker, frames: make(chan *protocol.Frame, pipelined), reports: &w.reports, umask: 0o22, canceled: map[uint32]bool{},
		env: []string{"PATH=/usr/bin:/bin", "HOME=/home/ada"}}
	defer c.close()
	packet := make([]byte, protocol.MaxPacket)
	payload := (&protocol.Run{Args: []string{"echo", "hello"}, Dir: "/r", Fallback: protocol.FallbackNever}).Encode()
	b.ReportAllocs()
	for id := uint32(1); b.Loop(); id++ {
		if sound, ok := w.command(c, &protocol.Frame{Type: protocol.ChRun, ID: id, Payload: payload}); !sound || !ok {
			b.Fatal(sound, ok)
		}
		for {
			f, err := client.Recv()
			if err != nil {
				b.Fatal(err)
			}
			if f.Type == protocol.ChExit {
				break
			}
		}
		// What the master is told.
		for {
			if n, _, err := unix.Recvfrom(ours, packet, unix.MSG_DONTWAIT); n <= 0 || err != nil {
				break
			}
		}
	}
}
