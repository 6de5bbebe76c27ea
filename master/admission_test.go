// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"testing"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/worker/hg/image"
)

func goodImage(t *testing.T, size int) int {
	t.Helper()
	b := image.NewBuilder(image.Store)
	b.Add(1, make([]byte, size))
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Pwrite(fd, b.Bytes(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, wantedSeals); err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestInspect(t *testing.T) {
	good := protocol.ImageKey{Kind: "store", Path: "/r/.hg/store"}
	fd := goodImage(t, 5000)
	size, cost, why := inspect(good, fd, testLimit)
	unix.Close(fd)
	if why != "" || size < 5000 || cost < size || cost%4096 != 0 {
		t.Errorf("a good one: %d, %d, %q", size, cost, why)
	}
	for _, b := range badImages() {
		fd, err := b.make()
		if err != nil {
			t.Fatalf("%s: %v", b.name, err)
		}
		k := good
		if b.key != nil {
			k = *b.key
		}
		limit := int64(testLimit)
		if b.name == "plain file" {
			limit = 1 << 40
		}
		if _, _, why := inspect(k, fd, limit); why != b.why {
			t.Errorf("%s: refused for %q, want %q", b.name, why, b.why)
		}
		unix.Close(fd)
	}
}

// FuzzInspect donates sealed files of arbitrary content.
func FuzzInspect(f *testing.F) {
	b := image.NewBuilder(image.Store)
	b.Add(1, []byte("abc"))
	b.Add(2, make([]byte, 100))
	f.Add("store", "/r", b.Bytes())
	f.Add("store", "/r", []byte{})
	f.Fuzz(func(t *testing.T, kind, path string, content []byte) {
		fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		if _, err := unix.Pwrite(fd, content, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, wantedSeals); err != nil {
			t.Fatal(err)
		}
		_, _, why := inspect(protocol.ImageKey{Kind: kind, Path: path}, fd, testLimit)
		if _, err := image.Open(content, nil); (err == nil) != (why == "") && why != refusedKey {
			t.Errorf("refused for %q, but open says %v", why, err)
		}
	})
}
