// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"cmp"
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

// Limits of a Haste.
const (
	// hasteLimit is what counts as a short wait, and how long a Haste looks: nearly all
	// answers of a page or two come before. Less, and answers of 20 kB are waited for
	// asleep, which makes them a third slower.
	hasteLimit = 500 * time.Microsecond
	// crowdedAfter is for how long others have the processor when it is theirs rather
	// than the peer's.
	crowdedAfter = time.Millisecond
	// modestFor is how many waits a Haste does not look after it met others.
	modestFor = 64
)

// Haste waits for a peer that answers at once: as long as the waits are short it
// keeps looking instead of going to sleep, for to be woken on an idle processor
// takes longer than most answers. One long wait, and it sleeps again until they
// are short. Where others want the processor it sleeps too: who looks has used up
// his share when the answer comes, who sleeps goes first. With one processor it
// never looks. It belongs to one goroutine.
type Haste struct {
	// Limit is what counts as a short wait, if not what suits waiting for an answer.
	Limit  time.Duration
	short  bool
	modest int // so many waits are still slept through
}

var severalProcessors = runtime.NumCPU() > 1

// yield lets whoever else is ready on this processor go first.
var yield = func() { unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// Wait is WaitBriefly.
func (h *Haste) Wait(fd, other int, limit time.Duration) (first, second bool) {
	start := time.Now()
	look := cmp.Or(h.Limit, hasteLimit)
	if h.modest > 0 {
		h.modest--
	} else if h.short {
		for now := time.Duration(0); now < min(look, limit); {
			if first, second = WaitBriefly(fd, other, 0); first || second {
				return first, second
			}
			yield()
			last := now
			if now = time.Since(start); now-last > crowdedAfter {
				h.modest = modestFor
				break
			}
		}
	}
	first, second = WaitBriefly(fd, other, limit)
	h.short = severalProcessors && first && time.Since(start) < look
	return first, second
}
