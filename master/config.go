// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"io"
	"os"
	"runtime"
	"time"
)

// ListenerFd and LockFd are the descriptors that a master is started with: the
// listening socket, already bound, and the lock file, already locked.
const (
	ListenerFd = 3
	LockFd     = 4
)

// Config is what a master is told at its start. Zero values mean the default
// written beside each field.
type Config struct {
	// Build is the build id that Hello and Welcome compare.
	Build string
	// WorkerArgs is the command line, without argv[0], with which this
	// executable becomes a worker; {"worker"}.
	WorkerArgs []string
	// WorkerEnv is the workers' own environment (never a command's, which
	// comes over its channel); this process's.
	WorkerEnv []string
	// CacheBytes is what the cached images may take; a quarter of the
	// machine's, or of this control group's, memory.
	CacheBytes int64
	// MaxWorkers bounds how many workers are busy at once; twice the number
	// of cores, and at least 4.
	MaxWorkers int
	// Spares is how many idle readers are kept started; 1.
	Spares int
	// HotSlots is how many of the last used images are kept whatever the
	// cache decides; 2.
	HotSlots int
	// MaxQueue bounds how many requests wait for a worker; 256.
	MaxQueue int
	// IdleTimeout is how long a master without clients lives; 10 minutes.
	IdleTimeout time.Duration
	// Log receives one line for each event worth telling; discarded.
	Log io.Writer
	// Trace logs every command that finishes.
	Trace bool
	// RecentDir is where the list of recently used repositories is kept; none is.
	// Main finds it (recent.go).
	RecentDir string

	times times
}

// times are the bounds that nobody but a test changes.
type times struct {
	hello       time.Duration // for a client's Hello; 3 s
	start       time.Duration // for a worker's CtlReady; 10 s
	workerIdle  time.Duration // a worker beyond the spares; 60 s
	retire      time.Duration // from CtlRetire to the kill; 5 s
	job         time.Duration // one load or verification; 10 min
	hotIdle     time.Duration // a hot slot that nobody uses; 10 min
	burst       time.Duration // uses of one image that count as one; 30 s
	drain       time.Duration // for busy workers when told to stop; 30 s
	sweep       time.Duration // between SIGTERM and SIGKILL for what a dead runner left; 2 s
	house       time.Duration // between two looks at socket file and executable; 30 s
	follow      time.Duration // a repository that nobody asks for is watched no more; 10 min
	settle      time.Duration // without a change, before what changed is loaded; 20 ms
	settleMost  time.Duration // from the first change to that, and for locks; 2 s
	save        time.Duration // between two writes of the list of repositories; 5 min
	quiet       time.Duration // without a request, before one of the list is loaded; 300 ms
	calm        time.Duration // without pressure, before the cache may grow again; 1 min
	recycle     int           // commands of one worker; 10000
	recycleHeap uint64        // growth of its private memory; 64 MiB
	noLandlock  bool          // as if the kernel had none
}

// withDefaults fills in what was left zero, but for CacheBytes, which takes looking
// at the machine.
func (c Config) withDefaults() Config {
	if c.WorkerArgs == nil {
		c.WorkerArgs = []string{"worker"}
	}
	if c.WorkerEnv == nil {
		c.WorkerEnv = os.Environ()
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	or(&c.MaxWorkers, max(4, 2*runtime.NumCPU()))
	or(&c.Spares, 1)
	or(&c.HotSlots, 2)
	or(&c.MaxQueue, 256)
	or(&c.IdleTimeout, 10*time.Minute)
	t := &c.times
	or(&t.hello, 3*time.Second)
	or(&t.start, 10*time.Second)
	or(&t.workerIdle, 60*time.Second)
	or(&t.retire, 5*time.Second)
	or(&t.job, 10*time.Minute)
	or(&t.hotIdle, 10*time.Minute)
	or(&t.burst, 30*time.Second)
	or(&t.drain, 30*time.Second)
	or(&t.sweep, 2*time.Second)
	or(&t.house, 30*time.Second)
	or(&t.follow, 10*time.Minute)
	or(&t.settle, 20*time.Millisecond)
	or(&t.settleMost, 2*time.Second)
	or(&t.save, 5*time.Minute)
	or(&t.quiet, 300*time.Millisecond)
	or(&t.calm, time.Minute)
	or(&t.recycle, 10000)
	or(&t.recycleHeap, 64<<20)
	return c
}

func or[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
