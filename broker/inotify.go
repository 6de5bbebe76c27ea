// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// inotify watches directories, as inotify(7) describes. What it tells is a hint:
// whoever gets it looks for himself.
type inotify struct {
	file *os.File
	fd   int
}

// inotifyMask is every way in which a name or its content changes.
const inotifyMask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MODIFY | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK

// inotifyEvent is one change of a directory.
type inotifyEvent struct {
	watch int32  // of add; -1 when events were lost
	mask  uint32 // IN_*
	name  string // in the directory; "" for the directory itself
}

func newInotify() (*inotify, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	return &inotify{os.NewFile(uintptr(fd), "inotify"), fd}, nil
}

// add watches a directory. The same directory has the same watch.
func (n *inotify) add(dir string) (int32, error) {
	w, err := unix.InotifyAddWatch(n.fd, dir, inotifyMask)
	if err != nil {
		return 0, fmt.Errorf("watch %s: %w", dir, os.NewSyscallError("inotify_add_watch", err))
	}
	return int32(w), nil
}

func (n *inotify) remove(watch int32) {
	_, _ = unix.InotifyRmWatch(n.fd, uint32(watch)) // it may be gone with its directory
}

// close ends read.
func (n *inotify) close() { n.file.Close() }

// read calls f with every event until close.
func (n *inotify) read(f func(inotifyEvent)) {
	buf := make([]byte, 64<<10) // at least one event of the longest name
	for {
		size, err := n.file.Read(buf)
		if err != nil {
			return
		}
		for b := buf[:size]; len(b) >= unix.SizeofInotifyEvent; {
			// struct inotify_event: int wd, uint32 mask, cookie, len; char name[len]
			length := int(binary.NativeEndian.Uint32(b[12:]))
			end := unix.SizeofInotifyEvent + length
			if end > len(b) {
				return
			}
			name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:end], []byte{0})
			f(inotifyEvent{int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:]), string(name)})
			b = b[end:]
		}
	}
}
