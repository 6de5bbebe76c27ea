// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A command makes a dozen of these calls before it does anything, each of which
// takes the kernel a microsecond: names are put where the kernel reads them without
// memory from the heap.

// shortName is the size of what most paths fit into, with the zero at their end.
const shortName = 512

// statAt is fstatat, following symbolic links.
func statAt(dir int, name string, st *unix.Stat_t) unix.Errno {
	if strings.IndexByte(name, 0) >= 0 {
		return unix.EINVAL
	}
	var short [shortName]byte
	buf := short[:]
	if len(name) >= len(buf) {
		buf = make([]byte, len(name)+1)
	}
	copy(buf, name)
	for {
		_, _, errno := unix.Syscall6(unix.SYS_NEWFSTATAT, uintptr(dir), uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(st)), 0, 0, 0)
		if errno != unix.EINTR {
			return errno
		}
	}
}

// IsDirectory tells whether path leads to a directory.
func IsDirectory(path string) bool {
	var st unix.Stat_t
	return statAt(unix.AT_FDCWD, path, &st) == 0 && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

// OpenReal opens a directory to look at what is in it, if path is absolute and
// there is no symbolic link in it, nor "." or "..". -1 may also mean that the kernel
// (before Linux 5.6) cannot tell. It takes one call however long the path is.
func OpenReal(path string) (fd int) {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path {
		return -1
	}
	return openDirectory(path, unix.RESOLVE_NO_SYMLINKS)
}

// openDirectory opens a directory without the right to read it; -1 when that fails.
// resolve is how its path is followed, 0 as usual.
func openDirectory(path string, resolve uint64) (fd int) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: resolve}
	for {
		var err error
		if resolve == 0 {
			fd, err = unix.Open(path, int(how.Flags), 0)
		} else {
			fd, err = unix.Openat2(unix.AT_FDCWD, path, &how)
		}
		switch err {
		case nil:
			return fd
		case unix.EINTR:
		default:
			return -1
		}
	}
}
