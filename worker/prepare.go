// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg"
)

// preparing is an engine that can do beforehand what its first command would be late
// for.
type preparing interface {
	Prepare(ctx context.Context, r *hg.Request)
}

const (
	// prepareAfter is how long nobody wants anything of a new worker before it gets
	// ready for that: one that is wanted at once has no time to lose, and neither has
	// the first worker of a master that it was started beside.
	prepareAfter = 100 * time.Millisecond
	// warmHeap is how much memory, in bytes, is taken from the kernel beforehand. The
	// first collection of garbage comes at 4 MB: until then each page of it would
	// interrupt a command.
	warmHeap = 3 << 20
)

// prepare makes use of the time until a new worker is wanted.
func (w *worker) prepare() {
	e, ok := w.engine.(preparing)
	if !ok || !w.control.quiet(prepareAfter) {
		return
	}
	fault(warmHeap)
	_ = guard(func() error {
		w.engineMu.Lock()
		defer w.engineMu.Unlock()
		now, env := time.Now(), os.Environ()
		e.Prepare(context.Background(), &hg.Request{Dir: "/", Env: env, UID: w.uid,
			Stdin: nothing{}, Stdout: nothing{}, Stderr: nothing{}, Now: now, Hg: w.hgs.of("", env, now)})
		return nil
	})
	w.reports.heapBytes(heapAfter)
	if w.control.quiet(0) {
		runtime.GC()
	}
}

// fault has the kernel back so many bytes of the heap, which are used next.
func fault(size int) {
	b := make([]byte, size)
	if err := unix.Madvise(b, unix.MADV_POPULATE_WRITE); err == nil { // Linux 5.14
		runtime.KeepAlive(b)
		runtime.GC() // they are free again, and stay where they are
	}
}
