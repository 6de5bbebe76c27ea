// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// BenchmarkCommand is the floor under every native command: a frame to a worker
// on a kept channel, an engine that does nothing, and the answer.
func BenchmarkCommand(b *testing.B) {
	_, channel, _ := benchDoor(b)
	run := protocol.Run{Args: []string{"echo", "x"}, Dir: "/"}
	payload := run.Encode()
	for b.Loop() {
		command(b, channel, payload)
	}
}

// BenchmarkAcquire is the same with a channel of its own for each command, as a
// drop-in hg does it on a kept door.
func BenchmarkAcquire(b *testing.B) {
	door, channel, _ := benchDoor(b)
	channel.Close()
	payload := (&protocol.Run{Args: []string{"echo", "x"}, Dir: "/"}).Encode()
	for b.Loop() {
		c := acquireChannel(b, door)
		command(b, c, payload)
		c.Close()
	}
}

// BenchmarkVisit is the same with a door of its own, too: all of a drop-in hg but its
// process.
func BenchmarkVisit(b *testing.B) {
	_, channel, path := benchDoor(b)
	channel.Close()
	payload := (&protocol.Run{Args: []string{"echo", "x"}, Dir: "/"}).Encode()
	for b.Loop() {
		door := connectDoor(b, path)
		c := acquireChannel(b, door)
		command(b, c, payload)
		c.Close()
		door.Close()
	}
}

func benchDoor(b *testing.B) (door, channel *protocol.Conn, path string) {
	b.Helper()
	dir, err := os.MkdirTemp("", "hgb")
	if err != nil {
		b.Fatal(err)
	}
	path = dir + "/m.sock"
	m, err := newMaster(Config{Build: "test", CacheBytes: 1 << 20}, listen(b, path), -1)
	if err != nil {
		b.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- m.run() }()
	door = connectDoor(b, path)
	channel = acquireChannel(b, door)
	b.Cleanup(func() {
		channel.Close()
		door.Close()
		m.post(func() { m.drain("the benchmark ends") })
		if err := <-end; err != nil {
			b.Error(err)
		}
		os.RemoveAll(dir)
	})
	return door, channel, path
}

// connectDoor knocks, and is welcome.
func connectDoor(b *testing.B, path string) *protocol.Conn {
	b.Helper()
	door := connect(b, path)
	if _, err := door.Recv(); err != nil {
		b.Fatal(err)
	}
	return door
}

// connect knocks at a door, and says hello.
func connect(t testing.TB, path string) *protocol.Conn {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
	}
	if err != nil {
		t.Fatal(err)
	}
	door, err := protocol.NewConn(fd)
	if err == nil {
		hello := protocol.Hello{Protocol: protocol.Version, Build: "test"}
		err = door.Send(&protocol.Frame{Type: protocol.DoorHello, Payload: hello.AppendJSON(nil)})
	}
	if err != nil {
		t.Fatal(err)
	}
	return door
}

func acquireChannel(b *testing.B, door *protocol.Conn) *protocol.Conn {
	b.Helper()
	if err := door.Send(&protocol.Frame{Type: protocol.DoorAcquire, ID: 1, Payload: protocol.EncodeAcquire(protocol.Reader)}); err != nil {
		b.Fatal(err)
	}
	f, err := door.Recv()
	for err == nil && f.Type == protocol.DoorReclaim { // of a worker that is used up
		f, err = door.Recv()
	}
	if err != nil || f.Type != protocol.DoorGranted || len(f.Files) != 1 {
		b.Fatal(f, err)
	}
	c, err := protocol.NewConn(f.Files[0])
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func command(b *testing.B, c *protocol.Conn, payload []byte) {
	if err := c.Send(&protocol.Frame{Type: protocol.ChRun, ID: 1, Payload: payload}); err != nil {
		b.Fatal(err)
	}
	for {
		f, err := c.Recv()
		if err != nil {
			b.Fatal(err)
		}
		if f.Type == protocol.ChExit {
			return
		}
	}
}
