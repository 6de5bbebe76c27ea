// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrMasterLost is wrapped when the master went away while it was asked.
var ErrMasterLost = errors.New("the master is gone")

// Error makes a refusal the error that Acquire and Ask return.
func (r *Refused) Error() string { return "the master refused (" + r.Reason + "): " + r.Message }

func refusal(f *Frame) error {
	f.CloseFiles()
	r, err := DecodeRefused(f.Payload)
	if err != nil {
		return fmt.Errorf("%w: refusal: %v", ErrProtocol, err)
	}
	return r
}

// Door is a client's side of the front door after the welcome: any number of
// goroutines ask, one goroutine of its own reads the answers and ends when the
// connection does.
type Door struct {
	conn      *Conn
	welcome   Welcome
	onReclaim func(worker uint64)

	mu      sync.Mutex // guards what follows
	next    uint32
	waiting map[uint32]chan *Frame
	gone    bool
	done    chan struct{}
}

// NewDoor takes over a connection from Dialer. onReclaim, which may be nil, is
// called by the reading goroutine when the master wants an idle channel back.
func NewDoor(c *Conn, w *Welcome, onReclaim func(worker uint64)) *Door {
	d := &Door{conn: c, welcome: *w, onReclaim: onReclaim, waiting: map[uint32]chan *Frame{}, done: make(chan struct{})}
	go d.read()
	return d
}

// Welcome is what the master said of itself.
func (d *Door) Welcome() Welcome { return d.welcome }

// Done is closed when the connection has ended.
func (d *Door) Done() <-chan struct{} { return d.done }

// Close ends the connection. Channels that were granted stay open.
func (d *Door) Close() {
	d.conn.Shutdown()
	<-d.done
}

func (d *Door) read() {
	for {
		f, err := d.conn.Recv()
		if err != nil {
			break
		}
		if f.Type == DoorReclaim {
			f.CloseFiles()
			if id, err := DecodeWorker(f.Payload); err == nil && d.onReclaim != nil {
				d.onReclaim(id)
			}
			continue
		}
		d.mu.Lock()
		ch := d.waiting[f.ID]
		delete(d.waiting, f.ID)
		if ch != nil {
			ch <- f // never blocks: one answer, room for one
		}
		d.mu.Unlock()
		if ch == nil {
			// A grant that nobody waits for any more: closing it frees the worker.
			f.CloseFiles()
		}
	}
	d.mu.Lock()
	d.gone = true
	for id, ch := range d.waiting {
		close(ch)
		delete(d.waiting, id)
	}
	d.mu.Unlock()
	d.conn.Close()
	close(d.done)
}

// ask sends one request and waits for its answer.
func (d *Door) ask(ctx context.Context, t FrameType, payload []byte) (*Frame, error) {
	ch := make(chan *Frame, 1)
	d.mu.Lock()
	if d.gone {
		d.mu.Unlock()
		return nil, ErrMasterLost
	}
	d.next++
	if d.next == 0 {
		d.next = 1
	}
	id := d.next
	d.waiting[id] = ch
	d.mu.Unlock()

	if err := d.send(&Frame{Type: t, ID: id, Payload: payload}); err != nil {
		d.forget(id, ch)
		return nil, err
	}
	select {
	case f, ok := <-ch:
		if !ok {
			return nil, ErrMasterLost
		}
		return f, nil
	case <-ctx.Done():
		if t == DoorAcquire {
			_ = d.send(&Frame{Type: DoorAbandon, ID: id})
		}
		d.forget(id, ch)
		return nil, context.Cause(ctx)
	}
}

func (d *Door) send(f *Frame) error {
	if err := d.conn.Send(f); err != nil {
		return fmt.Errorf("%w: %w", ErrMasterLost, err)
	}
	return nil
}

// forget stops waiting for id, and gives back what came just before.
func (d *Door) forget(id uint32, ch chan *Frame) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.waiting, id)
	select {
	case f, ok := <-ch:
		if ok {
			f.CloseFiles()
		}
	default:
	}
}

// Acquire asks for a worker and returns the channel to it.
func (d *Door) Acquire(ctx context.Context, class Class) (*Channel, error) {
	f, err := d.ask(ctx, DoorAcquire, EncodeAcquire(class))
	if err != nil {
		return nil, err
	}
	switch {
	case f.Type == DoorRefused:
		return nil, refusal(f)
	case f.Type != DoorGranted || len(f.Files) != 1:
		f.CloseFiles()
		return nil, fmt.Errorf("%w: answer %d with %d descriptors to a request for a worker", ErrProtocol, f.Type, len(f.Files))
	}
	worker, err := DecodeWorker(f.Payload)
	if err != nil {
		f.CloseFiles()
		return nil, fmt.Errorf("%w: grant: %v", ErrProtocol, err)
	}
	conn, err := NewConn(f.Files[0])
	if err != nil {
		f.CloseFiles()
		return nil, err
	}
	return &Channel{conn: conn, door: d, Worker: worker, Class: class}, nil
}

// Kill has the master kill a worker that ignores its cancel.
func (d *Door) Kill(worker uint64) {
	_ = d.send(&Frame{Type: DoorKill, Payload: EncodeWorker(worker)})
}

// Ask is for what is asked once in a while: DoorStats, DoorFlush, DoorStop. The
// answer is JSON.
func (d *Door) Ask(ctx context.Context, t FrameType, payload []byte) ([]byte, error) {
	f, err := d.ask(ctx, t, payload)
	if err != nil {
		return nil, err
	}
	switch f.Type {
	case DoorAnswer:
		f.CloseFiles()
		return f.Payload, nil
	case DoorRefused:
		return nil, refusal(f)
	}
	f.CloseFiles()
	return nil, fmt.Errorf("%w: answer %d", ErrProtocol, f.Type)
}
