// SPDX-License-Identifier: GPL-2.0-or-later

package status

import (
	"bytes"
	"encoding/binary"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listing is one directory as read from the kernel: its records, and where each
// of them is. The memory is used again for the next directory.
//
// The records are Linux's struct linux_dirent64: 8 bytes inode, 8 bytes
// offset, 2 bytes length of the record, 1 byte type, and the name up to a zero.
type listing struct {
	buf  []byte
	ents []dirent
	repo bool // it has a directory .hg
}

// listings are those that nobody uses.
var listings = sync.Pool{New: func() any { return &listing{} }}

// dirent is one entry of a listing. Its type is one of unix.DT_*.
type dirent struct {
	at, end uint32 // the name in listing.buf, which a zero byte follows
	kind    byte
}

const (
	direntName = 19
	// firstRead is what most directories fit into, with one call.
	firstRead = 64 << 10
)

func (l *listing) name(e dirent) []byte { return l.buf[e.at:e.end] }

// read reads the whole directory, in the order of the file system.
func (l *listing) read(fd int) error {
	l.ents, l.repo = l.ents[:0], false
	if l.buf == nil {
		l.buf = make([]byte, firstRead)
	}
	used := 0
	for {
		if len(l.buf)-used < firstRead/2 {
			l.buf = append(l.buf, make([]byte, len(l.buf))...)
		}
		n, err := unix.Getdents(fd, l.buf[used:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n <= 0 {
			break
		}
		used += n
	}
	for pos := 0; used-pos > direntName; {
		size := int(binary.NativeEndian.Uint16(l.buf[pos+16:]))
		if size <= direntName || size > used-pos {
			return unix.EIO
		}
		kind := l.buf[pos+18]
		at := pos + direntName
		length := bytes.IndexByte(l.buf[at:pos+size], 0)
		pos += size
		if length < 0 {
			return unix.EIO
		}
		e := dirent{uint32(at), uint32(at + length), kind}
		switch name := string(l.name(e)); {
		case name == "." || name == "..":
			continue
		case kind == unix.DT_UNKNOWN:
			var st unix.Stat_t
			if l.stat(fd, e, &st) != 0 {
				continue
			}
			e.kind = byte((st.Mode & unix.S_IFMT) >> 12) // DT_* are the bits of S_IFMT
			l.repo = l.repo || name == ".hg" && e.kind == unix.DT_DIR
		case name == ".hg" && kind == unix.DT_DIR:
			l.repo = true
		}
		l.ents = append(l.ents, e)
	}
	return nil
}

// stat asks about an entry of the directory that fd is.
func (l *listing) stat(fd int, e dirent, st *unix.Stat_t) unix.Errno {
	return statAt(fd, &l.buf[e.at], st)
}

// statAt is fstatat of a name that a zero byte ends, without following a link.
// It does not go by way of the scheduler: it is one of a hundred thousand calls
// which take a microsecond each.
func statAt(dir int, name *byte, st *unix.Stat_t) unix.Errno {
	for {
		_, _, errno := unix.RawSyscall6(unix.SYS_NEWFSTATAT, uintptr(dir), uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(st)),
			unix.AT_SYMLINK_NOFOLLOW, 0, 0)
		if errno != unix.EINTR {
			return errno
		}
	}
}
