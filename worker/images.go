// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/worker/hg/image"
)

// images is the engine's source of images in a worker: leased from the master,
// and kept in sealed memory files that are donated to it with the next
// finished-command message. The descriptors are closed as soon as the memory is
// mapped and donated; the engine decides how long a mapping stays.
type images struct {
	control *control
	made    []donation // not told yet
}

type donation struct {
	key protocol.ImageKey
	fd  int // owned
}

func newImages(c *control) *images { return &images{control: c} }

func wireKey(k image.Key) protocol.ImageKey {
	return protocol.ImageKey{Kind: k.Kind.String(), Path: k.Path}
}

// Lease implements image.Source.
func (s *images) Lease(key image.Key) *image.Image {
	return opened(s.control.lease(wireKey(key)))
}

// Claim implements image.Claimer.
func (s *images) Claim(ctx context.Context, key image.Key) *image.Image {
	return opened(s.control.ask(protocol.CtlClaim, wireKey(key), claimTimeout, ctx.Done()))
}

// opened maps what the master sent, and closes it.
func opened(fd int) *image.Image {
	if fd < 0 {
		return nil
	}
	defer unix.Close(fd)
	m, err := openImage(fd)
	if err != nil {
		return nil // an image is never needed
	}
	return m
}

// Keep implements image.Source.
func (s *images) Keep(key image.Key, b *image.Builder) (*image.Image, error) {
	fd, err := sealedFile("hgbroker:"+key.Kind.String(), b)
	if err != nil {
		return nil, fmt.Errorf("keep image of %s: %w", key.Path, err)
	}
	m, err := openImage(fd)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("keep image of %s: %w", key.Path, err)
	}
	k := wireKey(key)
	for i := range s.made {
		if s.made[i].key == k {
			unix.Close(s.made[i].fd)
			s.made[i].fd = fd
			return m, nil
		}
	}
	s.made = append(s.made, donation{k, fd})
	return m, nil
}

// donates tells whether there is anything for takeDonations.
func (s *images) donates() bool { return len(s.made) > 0 }

// takeDonations returns what was kept since the last call; the caller owns the
// descriptors.
func (s *images) takeDonations() []donation {
	made := s.made
	s.made = nil
	return made
}

func (s *images) close() {
	for _, d := range s.takeDonations() {
		unix.Close(d.fd)
	}
}

// Seals of a memory file that nobody can change any more.
const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL

// writeChunk is how much is handed to one pwrite.
const writeChunk = 1 << 20

// sealedFile writes an image into a new memory file and seals it. It is written
// with pwrite, which is faster than a mapping, and which leaves no writable
// mapping behind that would forbid the seal.
func sealedFile(name string, b *image.Builder) (int, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return -1, fmt.Errorf("memfd_create: %w", err)
	}
	w := &chunks{fd: fd, buf: make([]byte, 0, min(int64(writeChunk), b.Size()))}
	if _, err = b.WriteTo(w); err == nil {
		err = w.flush()
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("write memory file: %w", err)
	}
	return fd, nil
}

// chunks writes a file front to back in large pieces.
type chunks struct {
	fd  int
	at  int64
	buf []byte
}

func (w *chunks) Write(p []byte) (int, error) {
	if len(w.buf)+len(p) > writeChunk {
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	if len(p) >= writeChunk {
		return len(p), w.put(p)
	}
	w.buf = append(w.buf, p...)
	return len(p), nil
}

func (w *chunks) flush() error {
	err := w.put(w.buf)
	w.buf = w.buf[:0]
	return err
}

func (w *chunks) put(p []byte) error {
	for len(p) > 0 {
		n, err := unix.Pwrite(w.fd, p[:min(len(p), writeChunk)], w.at)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		w.at += int64(n)
		p = p[n:]
	}
	return nil
}

// openImage maps a sealed memory file. fd stays the caller's and may be closed
// at once.
func openImage(fd int) (*image.Image, error) {
	got, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil || got&seals != seals {
		return nil, fmt.Errorf("map image: not sealed (%#x, %v)", got, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("map image: %w", err)
	}
	data, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED)
	if errors.Is(err, unix.EPERM) {
		// Before Linux 6.7, a shared mapping of what is sealed against
		// writing is refused.
		data, err = unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_PRIVATE)
	}
	if err != nil {
		return nil, fmt.Errorf("map image: %w", err)
	}
	m, err := image.Open(data, func() error { return unix.Munmap(data) })
	if err != nil {
		_ = unix.Munmap(data)
		return nil, err
	}
	return m, nil
}
