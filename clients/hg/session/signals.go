// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"hgbroker/clients/hg/realhg"
)

// interrupts decides what a signal does: it ends the command that runs, and the
// session when none does.
type interrupts struct {
	mu     sync.Mutex // guards what follows
	cancel context.CancelFunc
	pass   func(syscall.Signal) // to the real hg that runs the command
}

// command is called when a native command begins, done when it has ended.
func (i *interrupts) command(parent context.Context) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancel(parent)
	i.set(cancel, nil)
	return ctx, func() { i.set(nil, nil); cancel() }
}

func (i *interrupts) set(cancel context.CancelFunc, pass func(syscall.Signal)) {
	i.mu.Lock()
	i.cancel, i.pass = cancel, pass
	i.mu.Unlock()
}

// watch starts to act on signals, as hg does: SIGINT ends a command, the others
// the process. It never ends.
func (s *Session) watch() {
	ch := make(chan os.Signal, 4)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for sig := range ch {
			s.signaled(sig.(syscall.Signal))
		}
	}()
}

func (s *Session) signaled(sig syscall.Signal) {
	i := &s.signals
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.pass != nil:
		i.pass(sig)
		if sig == syscall.SIGINT || s.chg {
			return
		}
	case sig != syscall.SIGINT:
	case i.cancel != nil:
		i.cancel()
		return
	case s.lastsLong:
		return
	}
	if s.wire == nil {
		message := "killed!\n"
		if sig == syscall.SIGINT {
			message = "interrupted!\n"
		}
		s.complain(message)
	}
	os.Exit(s.failure(realhg.Failure))
}
