// SPDX-License-Identifier: GPL-2.0-or-later

// Package master is the one process per user and build that everything else
// hangs on: it accepts clients, forks workers, waits for children, and keeps
// descriptors and counts.
//
// It is small and boring so that it does not die. It never parses a byte of a
// repository and never maps an image: what builds or checks an image does so in
// a worker. Of an image it reads the header and the table, nothing else.
//
// All state belongs to one goroutine, the event loop (loop.go). It waits for all
// sockets at once (poller.go) and answers what it reads there itself, so that one
// thread is woken for a client; goroutines that wait for something else send it
// closures:
//
//	who knocks, a client's frame, a worker's frame ─▶ poller ─▶ ┐
//	waiter of a process ─── it ended ─────▶ ┐                   ├─ loop: handle, then settle
//	spawner thread ──────── it started ───▶ ├─ events ────────▶ ┘        (assign, spawn, retire, exit)
//	inotify, scout, memory pressure ──────▶ ┘
//
// Invariants: the loop never blocks on a client or a worker (what a peer does not
// take at once goes through a bounded queue, and who does not read is cut off); every
// descriptor has one owner, written at the field that holds it; all writes to the
// cache come from the loop; a worker's process id is not reaped before everything
// that could signal it is done.
package master
