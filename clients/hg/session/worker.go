// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"hgbroker/protocol"
)

// lease is a session's hold on a worker: a channel that is kept from command to
// command, and given back when none came for a while or the master needs it.
type lease struct {
	dialer protocol.Dialer

	mu   sync.Mutex // guards what follows
	door *protocol.Door
	idle *protocol.Channel // nil while a command runs, or without a channel
	want uint64            // the worker that the master asked for while it was busy
	back *time.Timer       // gives idle back
}

const (
	// keep is how long a channel is kept without a command.
	keep = 5 * time.Second
	// acquireLimit is how long a worker is waited for, before the real hg does it.
	acquireLimit = 5 * time.Second
)

// take returns the kept channel, or a new one.
func (l *lease) take(ctx context.Context) (*protocol.Channel, error) {
	l.mu.Lock()
	ch := l.idle
	l.idle = nil
	if l.back != nil {
		l.back.Stop()
	}
	door := l.door
	l.mu.Unlock()
	if ch != nil {
		if ch.Alive() {
			return ch, nil
		}
		ch.Close()
	}
	ctx, stop := context.WithTimeout(ctx, acquireLimit)
	defer stop()
	for attempt := 1; ; attempt++ {
		if door == nil {
			conn, welcome, err := l.dialer.Dial(ctx)
			if err != nil {
				return nil, err
			}
			door = protocol.NewDoor(conn, welcome, l.reclaim)
			l.mu.Lock()
			l.door = door
			l.mu.Unlock()
		}
		ch, err := door.Acquire(ctx, protocol.Reader)
		var refused *protocol.Refused
		drains := errors.As(err, &refused) && refused.Reason == protocol.RefusedDraining
		if err == nil || attempt == 2 || !drains && !errors.Is(err, protocol.ErrMasterLost) {
			return ch, err
		}
		door.Close() // the master ends: there will be another
		door = nil
	}
}

// put gives the channel back for the next command.
func (l *lease) put(ch *protocol.Channel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ch.Usable() || l.want == ch.Worker {
		ch.Close()
		return
	}
	l.idle = ch
	if l.back == nil {
		l.back = time.AfterFunc(keep, l.drop)
	} else {
		l.back.Reset(keep)
	}
}

func (l *lease) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.idle != nil {
		l.idle.Close()
		l.idle = nil
	}
}

// reclaim is called when the master wants a worker back.
func (l *lease) reclaim(worker uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.idle != nil && l.idle.Worker == worker {
		l.idle.Close()
		l.idle = nil
		return
	}
	l.want = worker
}

// close leaves the master.
func (l *lease) close() {
	l.drop()
	l.mu.Lock()
	door := l.door
	l.door = nil
	l.mu.Unlock()
	if door != nil {
		door.Close()
	}
}
