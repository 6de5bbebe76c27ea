// SPDX-License-Identifier: GPL-2.0-or-later

// Package inotify watches directories, as inotify(7) describes, for the two
// processes that do: a broker tells its client what changed, and the master has
// repositories loaded again. What it tells is a hint: whoever gets it looks for
// himself. It does not follow subdirectories and keeps no paths.
package inotify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Watcher is one inotify instance. Its methods may be called by several
// goroutines; after Close, Add fails and Remove does nothing.
type Watcher struct {
	file *os.File
	raw  syscall.RawConn
}

// mask is every way in which a name or its content changes.
const mask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MODIFY | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK

// Event is one change of a directory.
type Event struct {
	Watch int32  // of Add; -1 when events were lost
	Mask  uint32 // IN_*
	Name  string // in the directory; "" for the directory itself
}

// Lost tells whether events were lost before this one: anything may have
// changed.
func (e Event) Lost() bool { return e.Mask&unix.IN_Q_OVERFLOW != 0 }

// Gone tells whether the directory is not there any more, or not where it was.
func (e Event) Gone() bool {
	return e.Mask&(unix.IN_IGNORED|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_UNMOUNT) != 0
}

// New makes an instance. It fails with EMFILE when the user has too many.
func New() (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	file := os.NewFile(uintptr(fd), "inotify")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("inotify: %w", err)
	}
	return &Watcher{file, raw}, nil
}

// Add watches a directory. The same directory has the same watch, whatever its
// path. It fails with ENOSPC when the user has too many watches.
func (n *Watcher) Add(dir string) (watch int32, err error) {
	closed := n.raw.Control(func(fd uintptr) {
		var w int
		w, err = unix.InotifyAddWatch(int(fd), dir, mask)
		watch = int32(w)
	})
	if err != nil {
		return 0, fmt.Errorf("watch %s: %w", dir, os.NewSyscallError("inotify_add_watch", err))
	}
	if closed != nil {
		return 0, fmt.Errorf("watch %s: %w", dir, closed)
	}
	return watch, nil
}

// Remove ends a watch; it may be gone with its directory.
func (n *Watcher) Remove(watch int32) {
	_ = n.raw.Control(func(fd uintptr) { _, _ = unix.InotifyRmWatch(int(fd), uint32(watch)) })
}

// Close ends Read and all watches.
func (n *Watcher) Close() { n.file.Close() }

// Read calls f with every event until Close.
func (n *Watcher) Read(f func(Event)) {
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
			f(Event{int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:]), string(name)})
			b = b[end:]
		}
	}
}
