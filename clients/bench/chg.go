// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// chg is Mercurial's own C client, with servers that only we know.
type chg struct {
	process
	dir string // of its sockets
}

func startChg(w *world) (contender, error) { return newChg(w, "chg", w.hg) }

// chgCache is how many repositories the cached chg keeps.
const chgCache = 8

// startChgCache enters chg with the preloaded repositories of its master. The
// setting is given by a script that starts the server, so that it is added to
// whatever configuration there is.
func startChgCache(w *world) (contender, error) {
	if w.hg == "" {
		return nil, absent("no hg on PATH")
	}
	script := filepath.Join(w.temp, "chg-hg")
	text := fmt.Sprintf("#!/bin/sh\nexec '%s' --config cmdserver.max-repo-cache=%d \"$@\"\n", strings.ReplaceAll(w.hg, "'", `'\''`), chgCache)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		return nil, err
	}
	return newChg(w, "chg-cache", script)
}

// newChg prepares chg with servers of its own, which hg starts.
func newChg(w *world, name, hg string) (contender, error) {
	program, err := exec.LookPath("chg")
	if err != nil || w.hg == "" {
		return nil, absent("no chg on PATH")
	}
	dir := filepath.Join(w.temp, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	env := append(w.env[:len(w.env):len(w.env)], "CHGSOCKNAME="+filepath.Join(dir, "server"), "CHGHG="+hg)
	return &chg{process{w: w, program: program, env: env}, dir}, nil
}

// servers are the processes that listen in our directory.
func (c *chg) servers() ([]int, error) {
	names, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, n := range names {
		if n.Type()&os.ModeSocket == 0 {
			continue
		}
		if pid, err := listener(filepath.Join(c.dir, n.Name())); err == nil {
			pids = append(pids, pid) // else nobody listens any more
		}
	}
	return pids, nil
}

// cpu counts what the server's forked children used once they have ended.
func (c *chg) cpu() (map[string]time.Duration, error) {
	pids, err := c.servers()
	if err != nil {
		return nil, err
	}
	server, err := spent(true, pids...)
	return map[string]time.Duration{"client": c.spent, "server": server}, err
}

// close ends the servers, each by its process ID.
func (c *chg) close() error {
	pids, err := c.servers()
	for _, pid := range pids {
		if bad := end(pid); bad != nil {
			err = errors.Join(err, fmt.Errorf("chg's server %d: %w", pid, bad))
		}
	}
	return err
}

// listener is the process that listens on a socket.
func listener(path string) (pid int, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return 0, err
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Pid), nil
}

// patience is how long a server may go on with what it does, for instance
// loading a repository, after it was told to end.
const patience = 20 * time.Second

// end terminates a process that is not our child, and waits for its end.
func end(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.PidfdSendSignal(fd, signal, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience/time.Millisecond))
			if n > 0 {
				return nil
			}
			if err != nil && !errors.Is(err, unix.EINTR) {
				return err
			}
		}
	}
	return errors.New("does not end")
}
