// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BriefWait bounds WaitBriefly: so long may everything that needs all goroutines
// to stop, such as the garbage collector, have to wait for it.
const BriefWait = 2 * time.Millisecond

// WaitBriefly waits until fd, or other unless it is negative, can be read, but
// not longer than limit and BriefWait. It does so without telling Go's scheduler,
// which otherwise looks after a thread that waits in the kernel every 20 µs, on
// the processor that the answer is being made on: of a round trip of 100 µs
// between three processes that took 15. Both are false when nothing came.
func WaitBriefly(fd, other int, limit time.Duration) (first, second bool) {
	p := [2]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(other), Events: unix.POLLIN}}
	ts := unix.NsecToTimespec(int64(min(limit, BriefWait)))
	n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), uintptr(len(p)), uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
	if errno != 0 || n == 0 {
		return false, false // a signal is as good as the time being over
	}
	return p[0].Revents != 0, p[1].Revents != 0
}

// hasteLimit is what counts as a short wait, and how long a Haste looks: most answers
// come before. With twice as much six clients at once on two processors get a fifth
// fewer answers together.
const hasteLimit = 250 * time.Microsecond

// Haste waits for a peer that answers at once: as long as the waits are short it
// keeps looking instead of going to sleep, for to be woken on an idle processor
// takes longer than most answers. One long wait, and it sleeps again until they
// are short. With one processor it never looks. It belongs to one goroutine.
type Haste struct{ short bool }

var severalProcessors = runtime.NumCPU() > 1

// Wait is WaitBriefly.
func (h *Haste) Wait(fd, other int, limit time.Duration) (first, second bool) {
	start := time.Now()
	if h.short {
		for time.Since(start) < min(hasteLimit, limit) {
			if first, second = WaitBriefly(fd, other, 0); first || second {
				return first, second
			}
			unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) // whoever else is ready here goes first
		}
	}
	first, second = WaitBriefly(fd, other, limit)
	h.short = severalProcessors && first && time.Since(start) < hasteLimit
	return first, second
}
