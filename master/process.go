// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// process is a worker's process, and with it the session of the same number:
// the worker and all that it started, unless that left the session on purpose
// as a daemon does.
//
// A zombie keeps its number. So the end of a process is first seen without
// reaping it (wait), then everything that is left of its session is ended
// (sweep), and only then the number is given back (reap): no signal can ever
// reach a stranger.
type process struct {
	pid   int
	pidfd int // owned; -1 where the kernel has none
}

// yield makes the process one that is killed before the programs of the user
// when memory runs out. It cannot do that itself, and nor can the spawner: both
// may have given up writing. Where it is forbidden, it is not done.
func (p *process) yield() {
	_ = os.WriteFile("/proc/"+strconv.Itoa(p.pid)+"/oom_score_adj", []byte("500"), 0)
}

// wait blocks until the process ended, and leaves it as a zombie.
func (p *process) wait() {
	for {
		var err error
		if p.pidfd >= 0 {
			err = unix.Waitid(unix.P_PIDFD, p.pidfd, nil, unix.WEXITED|unix.WNOWAIT, nil)
		} else {
			err = unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		}
		if err != unix.EINTR {
			return
		}
	}
}

// pidfdSignalProcessGroup makes pidfd_send_signal address the process group
// (PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9).
const pidfdSignalProcessGroup = 4

// kill ends the worker and its process group. Not to be called after reap.
func (p *process) kill() {
	if p.pidfd >= 0 {
		err := unix.PidfdSendSignal(p.pidfd, unix.SIGKILL, nil, pidfdSignalProcessGroup)
		if err == nil || errors.Is(err, unix.ESRCH) {
			return
		}
	}
	_ = unix.Kill(-p.pid, unix.SIGKILL)
}

// sweep ends what a dead worker left in its session: a real hg is a process
// group of its own there. With patience they are told to terminate first, so
// that hg can roll back and unlock, and killed when it has passed.
func (p *process) sweep(patience time.Duration) {
	deadline := time.Now().Add(patience)
	for told := false; ; {
		groups := sessionGroups(p.pid)
		if len(groups) == 0 {
			return
		}
		late := !time.Now().Before(deadline)
		for _, g := range groups {
			switch {
			case late:
				_ = unix.Kill(-g, unix.SIGKILL)
			case !told:
				_ = unix.Kill(-g, unix.SIGTERM)
			}
		}
		told = true
		if late && time.Since(deadline) > time.Second {
			return // not to be killed: in the kernel, or another user's
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// reap gives the process's number and descriptor back.
func (p *process) reap() (code int) {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(p.pid, &status, 0, nil)
		if err != unix.EINTR {
			break
		}
	}
	if p.pidfd >= 0 {
		unix.Close(p.pidfd)
	}
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// sessionGroups lists the process groups of a session that have living members.
// It reads /proc/*/stat (`man 5 proc`): after the command's name in parentheses
// come state, parent, group and session.
func sessionGroups(session int) []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	seen := map[int]bool{}
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 4 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
			continue
		}
		if s, _ := strconv.Atoi(string(fields[3])); s != session {
			continue
		}
		if g, _ := strconv.Atoi(string(fields[2])); g > 1 {
			seen[g] = true
		}
	}
	groups := make([]int, 0, len(seen))
	for g := range seen {
		groups = append(groups, g)
	}
	return groups
}
