// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/worker/hg/image"
)

// Why a donated image is refused, as stats count it.
const (
	refusedKey    = "key"    // no such kind, or no sane path
	refusedType   = "type"   // not a regular file
	refusedSize   = "size"   // empty, or larger than all that may be cached
	refusedSeals  = "seals"  // somebody could still change it
	refusedHoles  = "holes"  // a reader's touch would allocate memory
	refusedHeader = "header" // not an image, or of another kind
	refusedVerify = "verify" // a worker found it damaged
	refusedBusy   = "busy"   // too many wait to be verified
	refusedOlder  = "older"  // a newer one was admitted meanwhile
	refusedEmpty  = "empty"  // no descriptor came with it
)

// wantedSeals make an image one that nobody can change any more.
const wantedSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL

// maxPath bounds a key's path, in bytes (the kernel's PATH_MAX).
const maxPath = 4096

// inspect checks all that can be known of a donated image without mapping it:
// five microseconds. It returns why the image is refused, or "". What the
// sections hold is checked by a worker.
//
// fd stays the caller's. limit is the largest file admitted, in bytes.
func inspect(key protocol.ImageKey, fd int, limit int64) (size, cost int64, refused string) {
	kind, ok := image.ParseKind(key.Kind)
	if !ok || !sanePath(key.Path) {
		return 0, 0, refusedKey
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return 0, 0, refusedType
	}
	if st.Size <= 0 || st.Size > limit {
		return 0, 0, refusedSize
	}
	// The seals come before everything that could change.
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil || seals&wantedSeals != wantedSeals {
		return 0, 0, refusedSeals
	}
	if err := unix.Fstat(fd, &st); err != nil || st.Size > limit {
		return 0, 0, refusedSize
	}
	if st.Blocks*512 < st.Size {
		return 0, 0, refusedHoles
	}
	info, err := image.ReadInfo(descriptor(fd), st.Size)
	if err != nil || info.Kind != kind {
		return 0, 0, refusedHeader
	}
	return st.Size, st.Blocks * 512, ""
}

func sanePath(p string) bool {
	return len(p) <= maxPath && path.IsAbs(p) && path.Clean(p) == p && !strings.ContainsRune(p, 0)
}

// descriptor reads a descriptor at offsets, without a position and without
// owning it.
type descriptor int

func (d descriptor) ReadAt(b []byte, off int64) (int, error) {
	got := 0
	for got < len(b) {
		n, err := unix.Pread(int(d), b[got:], off+int64(got))
		if err == unix.EINTR {
			continue
		}
		if err == nil && n == 0 {
			err = unix.ENODATA
		}
		if err != nil {
			return got, err
		}
		got += n
	}
	return got, nil
}
