// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// spawner forks workers from one operating system thread that it keeps for its
// life. "Fork" is fork and exec of this executable: a Go process cannot go on
// after a bare fork. The readers' spawner gives up the right to write before its
// first fork, and every reader inherits that at no cost; the runners' spawner
// gives up nothing.
type spawner struct {
	orders chan order
	ready  chan struct{} // closed when sandbox is known
	// sandbox says what its workers cannot do, or why nothing is forbidden.
	sandbox string
}

// state is the sandbox.
func (s *spawner) state() string {
	<-s.ready
	return s.sandbox
}

// backlog is how many workers may be ordered before the first one started.
func (c *Config) backlog() int { return c.MaxWorkers + c.Spares + 16 }

// order asks for one process; done is called on the spawner's thread.
type order struct {
	args, env []string
	done      func(spawned, error)
}

// spawned is a started worker: whoever receives it owns the control socket and
// the process.
type spawned struct {
	control int // our end of the control socket
	process *process
}

func newSpawner(restrict, noLandlock bool, backlog int) *spawner {
	s := &spawner{orders: make(chan order, backlog), ready: make(chan struct{}), sandbox: "nothing is forbidden"}
	go s.run(restrict, noLandlock)
	return s
}

// run ends when orders is closed. The thread is never unlocked, so that it ends
// too: nobody else may inherit its domain.
func (s *spawner) run(restrict, noLandlock bool) {
	runtime.LockOSThread()
	if restrict {
		state, err := "", errNoLandlock
		if !noLandlock {
			state, err = denyWriting()
		}
		if s.sandbox = state; err != nil {
			s.sandbox = "not available, readers are not restricted: " + err.Error()
		}
	}
	close(s.ready)
	for o := range s.orders {
		o.done(start(o.args, o.env))
	}
}

// start forks one worker. It is the leader of a session of its own, so that
// whatever it starts can be found again (process.go).
func start(args, env []string) (spawned, error) {
	ours, theirs, err := protocol.Pair(unix.SOCK_SEQPACKET)
	if err != nil {
		return spawned{}, err
	}
	defer unix.Close(theirs)
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		unix.Close(ours)
		return spawned{}, fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer unix.Close(null)
	pidfd := -1
	files := []uintptr{uintptr(null), uintptr(null), 2, uintptr(theirs)} // the last is protocol.WorkerControlFd
	pid, err := syscall.ForkExec("/proc/self/exe", append([]string{"hgbroker"}, args...), &syscall.ProcAttr{
		Dir:   "/",
		Env:   env,
		Files: files,
		Sys:   &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd},
	})
	if err != nil {
		unix.Close(ours)
		return spawned{}, fmt.Errorf("fork a worker: %w", err)
	}
	return spawned{control: ours, process: &process{pid: pid, pidfd: pidfd}}, nil
}

func (s *spawner) close() { close(s.orders) }
