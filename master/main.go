// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Main is the master process: it serves the socket that it was started with
// until nobody needs it any more, and returns nil then. SIGTERM makes it drain.
func Main(cfg Config) error {
	// Workers must hold neither: the lock lives exactly as long as we do.
	unix.CloseOnExec(ListenerFd)
	unix.CloseOnExec(LockFd)
	unix.Umask(0o077)
	m, err := newMaster(cfg, ListenerFd, LockFd)
	if err != nil {
		return err
	}
	if cfg.RecentDir == "" && listsRecents(m.path) {
		m.cfg.RecentDir = RecentDir(os.Getenv)
	}
	// The others are caught and dropped, not ignored: an ignored signal would
	// be ignored by every worker and every hg too.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM {
				m.post(func() { m.drain("SIGTERM") })
			}
		}
	}()
	return m.run()
}
