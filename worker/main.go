// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// Exit statuses of the process.
const (
	exitDone  = 0
	exitStart = 1 // not started by a master
	exitHung  = 3 // a command did not end after its client was gone
	exitPanic = 4 // a command panicked; what it left behind is not trusted
)

// memoryLimit is what the garbage collector tries to keep the process within,
// in bytes; images are mapped and do not count.
const memoryLimit = 512 << 20

// gcPercent lets garbage grow to twice what is in use, and at least to 4 MB,
// before it is collected: a worker uses a megabyte or two, and is one of many.
// While a command takes long it is gcLong: what prints a whole history would
// collect every few milliseconds. So it is in the time of a process's first command,
// gcYouth, which may read a whole index that there is no image of.
const (
	gcPercent = 100
	gcLong    = 400
	gcYouth   = 500 * time.Millisecond
)

// Main is the worker process: it serves its master's control socket, descriptor
// protocol.WorkerControlFd, until that ends. It returns the exit status.
func Main(cfg Config) int {
	unix.CloseOnExec(protocol.WorkerControlFd)
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(gcLong)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	// An interrupt that whoever started the master had ignored would be ignored
	// by the real hg too, and it is how a command is canceled. What is caught
	// here is set back to its default in every child.
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGHUP, unix.SIGQUIT)
	conn, err := protocol.NewConn(protocol.WorkerControlFd)
	if err != nil {
		fmt.Fprintf(os.Stderr, "hgbroker worker: control socket: %v\n", err)
		return exitStart
	}
	w := newWorker(cfg, conn)
	time.AfterFunc(gcYouth, w.grow)
	return w.run()
}

// grow ends the process's youth, once no command runs.
func (w *worker) grow() {
	if w.inNative.Load() {
		time.AfterFunc(gcYouth, w.grow)
		return
	}
	debug.SetGCPercent(gcPercent)
}
