// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair is two connected Conns, closed at the test's end, which also checks that
// no descriptor is left.
func pair(t testing.TB, kind int) (a, b *Conn) {
	t.Helper()
	before := descriptors(t)
	t.Cleanup(func() {
		a.Close()
		b.Close()
		if after := descriptors(t); after != before {
			t.Errorf("%d descriptors before, %d after", before, after)
		}
	})
	x, y, err := Pair(kind)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = NewConn(x); err != nil {
		t.Fatal(err)
	}
	if b, err = NewConn(y); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func descriptors(t testing.TB) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	return len(names)
}

func tempFd(t testing.TB, content string) int {
	t.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Pwrite(fd, []byte(content), 0); err != nil {
		t.Fatal(err)
	}
	return fd
}

func content(t testing.TB, fd int) string {
	t.Helper()
	b := make([]byte, 100)
	n, err := unix.Pread(fd, b, 0)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func kinds(t *testing.T, f func(t *testing.T, kind int)) {
	t.Run("stream", func(t *testing.T) { f(t, unix.SOCK_STREAM) })
	t.Run("packet", func(t *testing.T) { f(t, unix.SOCK_SEQPACKET) })
}

func TestFramesKeepOrderSizeAndDescriptors(t *testing.T) {
	kinds(t, func(t *testing.T, kind int) {
		a, b := pair(t, kind)
		sizes := []int{0, 1, 100, joinLimit, joinLimit + 1, 100 << 10}
		if kind == unix.SOCK_STREAM {
			sizes = append(sizes, 64<<10-HeaderSize, 64<<10, 5<<20+7)
		}
		sent := make(chan error, 1)
		go func() {
			for i, size := range sizes {
				f := &Frame{Type: FrameType(i), ID: uint32(1000 + i), Payload: bytes.Repeat([]byte{byte(i + 1)}, size)}
				for n := range i % (MaxDescriptors + 1) {
					f.Files = append(f.Files, tempFd(t, string(rune('a'+n))))
				}
				err := a.Send(f)
				f.CloseFiles()
				if err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		for i, size := range sizes {
			f, err := b.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if f.Type != FrameType(i) || f.ID != uint32(1000+i) || !bytes.Equal(f.Payload, bytes.Repeat([]byte{byte(i + 1)}, size)) {
				t.Fatalf("frame %d: type %d, id %d, %d bytes", i, f.Type, f.ID, len(f.Payload))
			}
			if len(f.Files) != i%(MaxDescriptors+1) {
				t.Fatalf("frame %d: %d descriptors", i, len(f.Files))
			}
			for n, fd := range f.Files {
				if got := content(t, fd); got != string(rune('a'+n)) {
					t.Errorf("frame %d: descriptor %d holds %q", i, n, got)
				}
				if flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
					t.Errorf("frame %d: descriptor %d is not close-on-exec", i, n)
				}
			}
			f.CloseFiles()
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		a.Shutdown()
		if _, err := b.Recv(); err != io.EOF {
			t.Fatalf("after the end: %v", err)
		}
	})
}

func TestSendAllArrivesAsSingleFrames(t *testing.T) {
	kinds(t, func(t *testing.T, kind int) {
		a, b := pair(t, kind)
		for _, size := range []int{3, joinLimit} {
			if err := a.SendAll(&Frame{Type: 1, Payload: make([]byte, size)}, &Frame{Type: 2, ID: 9}); err != nil {
				t.Fatal(err)
			}
			for want := FrameType(1); want <= 2; want++ {
				f, err := b.Recv()
				if err != nil || f.Type != want {
					t.Fatalf("want frame %d, got %v, %v", want, f, err)
				}
			}
		}
		if err := a.SendAll(&Frame{Files: []int{0}}); !errors.Is(err, ErrProtocol) {
			t.Errorf("descriptors in SendAll: %v", err)
		}
	})
}

func TestRefusedFrames(t *testing.T) {
	tests := []struct{ name, header string }{
		{"too long", "ffffffff0100000000000000"},
		{"too many descriptors", "000000000109000000000000"},
		{"missing descriptors", "000000000101000000000000"},
		{"reserved bytes", "000000000100010000000000"},
	}
	kinds(t, func(t *testing.T, kind int) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				a, b := pair(t, kind)
				raw, err := hex.DecodeString(tt.header)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := unix.Write(a.Fd(), raw); err != nil {
					t.Fatal(err)
				}
				if _, err := b.Recv(); !errors.Is(err, ErrProtocol) {
					t.Errorf("got %v", err)
				}
			})
		}
	})
	t.Run("ends inside a frame", func(t *testing.T) {
		a, b := pair(t, unix.SOCK_STREAM)
		if _, err := unix.Write(a.Fd(), []byte{9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'x'}); err != nil {
			t.Fatal(err)
		}
		a.Shutdown()
		if _, err := b.Recv(); err != io.ErrUnexpectedEOF {
			t.Errorf("got %v", err)
		}
	})
	t.Run("length beside the packet", func(t *testing.T) {
		a, b := pair(t, unix.SOCK_SEQPACKET)
		if _, err := unix.Write(a.Fd(), []byte{9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'x'}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Recv(); !errors.Is(err, ErrProtocol) {
			t.Errorf("got %v", err)
		}
	})
}

func TestDescriptorsThatNoFrameAnnounces(t *testing.T) {
	header := make([]byte, HeaderSize)
	for _, n := range []int{1, 3, 12} { // 12: more than fit, the kernel closes the rest
		kinds(t, func(t *testing.T, kind int) {
			a, b := pair(t, kind)
			fds := make([]int, n)
			for i := range fds {
				fds[i] = tempFd(t, "x")
			}
			err := unix.Sendmsg(a.Fd(), header, unix.UnixRights(fds...), nil, 0)
			for _, fd := range fds {
				unix.Close(fd)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Recv(); !errors.Is(err, ErrProtocol) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSendToClosedAndAfterClose(t *testing.T) {
	kinds(t, func(t *testing.T, kind int) {
		a, b := pair(t, kind)
		if err := b.Send(&Frame{Type: 7, Payload: []byte("last words")}); err != nil {
			t.Fatal(err)
		}
		if err := a.Send(&Frame{Type: 8}); err != nil { // never read: b's end is a reset
			t.Fatal(err)
		}
		b.Close()
		if err := b.Send(&Frame{}); !errors.Is(err, ErrClosed) {
			t.Errorf("send after close: %v", err)
		}
		b.Shutdown() // nothing to do, and nobody else's descriptor
		f, err := a.Recv()
		if err != nil || string(f.Payload) != "last words" {
			t.Fatalf("what a dead peer had sent: %v, %v", f, err)
		}
		if _, err := a.Recv(); err != io.EOF {
			t.Errorf("then: %v", err)
		}
		if err := a.Send(&Frame{}); !errors.Is(err, unix.EPIPE) {
			t.Errorf("send to a dead peer: %v", err)
		}
	})
}

func TestCloseEndsABlockedSend(t *testing.T) {
	a, _ := pair(t, unix.SOCK_STREAM)
	failed := make(chan error)
	go func() { failed <- a.Send(&Frame{Payload: make([]byte, 8<<20)}) }()
	a.Close()
	select {
	case err := <-failed:
		if err == nil {
			t.Error("sent")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still blocked")
	}
}

func TestTimeoutBreaksAStreamForGood(t *testing.T) {
	a, b := pair(t, unix.SOCK_STREAM)
	if err := a.SetSendTimeout(10 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	err := a.Send(&Frame{Payload: make([]byte, 8<<20)})
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatalf("send to who does not read: %v", err)
	}
	if again := a.Send(&Frame{}); !errors.Is(again, unix.EAGAIN) {
		t.Errorf("a frame after half a frame: %v", again)
	}
	if err := b.SetRecvTimeout(10 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Recv(); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("receive timeout: %v", err)
	}
}

func TestOversizedFrameIsNotSent(t *testing.T) {
	a, _ := pair(t, unix.SOCK_SEQPACKET)
	if err := a.Send(&Frame{Payload: make([]byte, MaxPacket)}); !errors.Is(err, ErrProtocol) {
		t.Errorf("packet: %v", err)
	}
	if err := a.Send(&Frame{Files: make([]int, MaxDescriptors+1)}); !errors.Is(err, ErrProtocol) {
		t.Errorf("descriptors: %v", err)
	}
	if err := a.Send(&Frame{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 'h', 'g'})
	f.Add([]byte{0, 0, 0, 0, 1, 1, 0, 0, 5, 0, 0, 0})
	f.Add([]byte{255, 255, 255, 3, 1, 0, 0, 0, 5, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 64<<10 {
			return
		}
		kindOf := [...]int{unix.SOCK_STREAM, unix.SOCK_SEQPACKET}
		for _, kind := range kindOf {
			x, y, err := Pair(kind)
			if err != nil {
				t.Fatal(err)
			}
			c, err := NewConn(y)
			if err != nil {
				t.Fatal(err)
			}
			_, err = unix.Write(x, b)
			unix.Close(x)
			if err != nil {
				t.Fatal(err)
			}
			total := 0
			for {
				fr, err := c.Recv()
				if err != nil {
					break
				}
				total += HeaderSize + len(fr.Payload)
				fr.CloseFiles()
			}
			c.Close()
			if total > len(b) {
				t.Fatalf("%d bytes out of %d", total, len(b))
			}
		}
	})
}

// TestSendAllOfAllSizes sends frames of all sizes together: small ones are joined, large ones
// sent from where they are, and a reader sees no difference.
func TestSendAllOfAllSizes(t *testing.T) {
	a, b := pair(t, unix.SOCK_STREAM)
	sizes := []int{0, 1, joinLimit, joinLimit + 1, 3, 2, 300 << 10, 40 << 10, 0}
	var frames []*Frame
	for i, n := range sizes {
		frames = append(frames, &Frame{Type: FrameType(i), ID: uint32(n), Payload: bytes.Repeat([]byte{byte('a' + i)}, n)})
	}
	sent := make(chan error, 1)
	go func() { sent <- a.SendAll(frames...) }()
	for i, want := range frames {
		f, err := b.Recv()
		if err != nil || f.Type != want.Type || f.ID != want.ID || !bytes.Equal(f.Payload, want.Payload) {
			t.Fatalf("frame %d: %v, %d bytes, %v", i, f.Type, len(f.Payload), err)
		}
		if i%2 == 0 {
			b.Recycle(f)
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if err := a.SendAll(&Frame{Payload: make([]byte, MaxPayload+1)}); !errors.Is(err, ErrProtocol) {
		t.Errorf("too large: %v", err)
	}
}

// TestTryRecv: what comes in pieces is a frame once all of it is there, and nobody waits.
func TestTryRecv(t *testing.T) {
	kinds(t, func(t *testing.T, kind int) {
		a, b := pair(t, kind)
		if f, err := b.TryRecv(); f != nil || err != nil {
			t.Fatalf("nothing was sent: %v, %v", f, err)
		}
		want := []*Frame{{Type: 1, ID: 1, Payload: []byte("x")}, {Type: 2, Payload: make([]byte, 3*firstBuffer)}, {Type: 3, ID: 7, Files: []int{0}}}
		for _, f := range want {
			if err := a.Send(f); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range want {
			var got *Frame
			for range 3 { // receives
				var err error
				if got, err = b.TryRecv(); err != nil {
					t.Fatal(err)
				}
				if got != nil {
					break
				}
			}
			if got == nil || got.Type != f.Type || got.ID != f.ID || len(got.Payload) != len(f.Payload) || len(got.Files) != len(f.Files) {
				t.Fatalf("got %+v, want %+v", got, f)
			}
			got.CloseFiles()
		}
		if kind == unix.SOCK_STREAM {
			half := appendHeader(nil, &Frame{Type: 4, Payload: []byte("xyz")})
			for _, piece := range [][]byte{half[:5], half[5:], []byte("xy")} {
				if _, err := unix.Write(a.Fd(), piece); err != nil {
					t.Fatal(err)
				}
				if f, err := b.TryRecv(); f != nil || err != nil {
					t.Fatalf("only a part came: %v, %v", f, err)
				}
			}
			if _, err := unix.Write(a.Fd(), []byte("z")); err != nil {
				t.Fatal(err)
			}
			if f, err := b.TryRecv(); err != nil || f == nil || string(f.Payload) != "xyz" {
				t.Fatalf("%v, %v", f, err)
			}
			long := appendHeader(nil, &Frame{Type: 5, Payload: make([]byte, fullBuffer)})
			if _, err := unix.Write(a.Fd(), long); err != nil {
				t.Fatal(err)
			}
			if f, err := b.TryRecv(); !errors.Is(err, ErrProtocol) {
				t.Errorf("longer than the buffer: %v, %v", f, err)
			}
			return
		}
		a.Close()
		if f, err := b.TryRecv(); err != io.EOF {
			t.Errorf("at the end: %v, %v", f, err)
		}
	})
}

// TestTrySend: a frame that has no room is not sent at all, and may be sent later.
func TestTrySend(t *testing.T) {
	kinds(t, func(t *testing.T, kind int) {
		a, b := pair(t, kind)
		sent := uint32(0)
		for {
			ok, err := a.TrySend(&Frame{Type: 1, ID: sent, Payload: make([]byte, joinLimit)})
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			sent++
		}
		if ok, err := a.TrySend(&Frame{Type: 1, Payload: make([]byte, joinLimit+1)}); ok || err != nil {
			t.Errorf("a long frame: %v, %v", ok, err)
		}
		for id := range sent {
			if f, err := b.Recv(); err != nil || f.ID != id || len(f.Payload) != joinLimit {
				t.Fatalf("frame %d of %d: %v, %v", id, sent, f, err)
			}
		}
		if ok, err := a.TrySend(&Frame{Type: 2}); !ok || err != nil {
			t.Errorf("there is room again: %v, %v", ok, err)
		}
		if f, err := b.Recv(); err != nil || f.Type != 2 {
			t.Errorf("%v, %v", f, err)
		}
		b.Close()
		if ok, err := a.TrySend(&Frame{Type: 2}); ok || err == nil {
			t.Errorf("nobody is there: %v, %v", ok, err)
		}
	})
}
