// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"runtime/metrics"
	"sync"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// reports tells the master about finished commands. One that the master has
// something to do about is told at once; of the others, warm answers that changed
// nothing, it only keeps count, and waking it for each would cost as much as the
// command: they wait for each other, until the channel is idle or at its end.
type reports struct {
	control *control

	mu      sync.Mutex // guards what follows
	heap    []metrics.Sample
	told    int
	waiting []string // encoded
	bytes   int      // in waiting
}

const (
	// heapEvery is after how many commands the size of the heap is looked at
	// again.
	heapEvery = 16
	// waitingBytes bounds what waits: it has to fit into one packet.
	waitingBytes = protocol.MaxPacket / 2
	// heapAfter is how long a command runs that may have changed it much, in
	// microseconds.
	heapAfter = 500
)

// heapBytes is the worker's private memory after a command.
func (r *reports) heapBytes(took uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.heap == nil {
		r.heap = []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	}
	if took >= heapAfter || r.told%heapEvery == 0 {
		metrics.Read(r.heap)
	}
	r.told++
	return r.heap[0].Value.Uint64()
}

// flush tells what waits. Any goroutine may call it.
func (r *reports) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send()
}

func (r *reports) send() {
	if len(r.waiting) > 0 {
		r.control.send(protocol.CtlRan, 0, protocol.EncodeRan(r.waiting))
		r.waiting, r.bytes = r.waiting[:0], 0
	}
}

// later keeps a command for the next flush when that is soon enough, and tells
// whether it is. It is called before the client sees the end of the command, so
// that the client finds it counted.
func (w *worker) later(fin *protocol.Finished) bool {
	if fin.Wrote || fin.Background || fin.Failed != "" || fin.Loaded != "" || w.images.donates() {
		return false
	}
	r := &w.reports
	fin.HeapBytes = r.heapBytes(fin.DurationUs)
	r.mu.Lock()
	defer r.mu.Unlock()
	text := string(fin.Encode())
	r.waiting, r.bytes = append(r.waiting, text), r.bytes+len(text)
	if len(r.waiting) == protocol.MaxRan || r.bytes > waitingBytes {
		r.send()
	}
	return true
}

// report sends the finished-command message, with what the command donates.
func (w *worker) report(fin protocol.Finished) {
	w.reports.flush() // in order
	fin.HeapBytes = w.reports.heapBytes(fin.DurationUs)
	donations := w.images.takeDonations()
	if len(donations) == 0 {
		w.control.send(protocol.CtlFinished, 0, fin.Encode())
		return
	}
	fin.Begun = w.seen.Load().begun()
	for _, d := range donations {
		fin.Donated = d.key
		w.control.sendFd(protocol.CtlFinished, fin.Encode(), d.fd)
		unix.Close(d.fd)
		// What follows is only about its donation.
		fin = protocol.Finished{Background: true, Generation: fin.Generation, HeapBytes: fin.HeapBytes, Begun: fin.Begun, Served: protocol.ServedNone}
	}
}
