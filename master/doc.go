// SPDX-License-Identifier: GPL-2.0-or-later

// Package master is the one process per user and build that everything else
// hangs on: it accepts clients, forks workers, waits for children, and keeps
// descriptors and counts.
//
// It is small and boring so that it does not die. It never parses a byte of a
// repository and never maps an image: what builds or checks an image does so in
// a worker. Of an image it reads the header and the table, nothing else.
//
// All state belongs to one goroutine, the event loop (loop.go). Everyone else
// sends it closures:
//
//	acceptor ──────── "somebody knocks" ─▶ ┐
//	reader of a client ──── a frame ─────▶ │
//	reader of a worker ──── a frame ─────▶ ├─ events ─▶ loop: handle, then settle
//	waiter of a process ─── it ended ────▶ │             (assign, spawn, retire, exit)
//	spawner thread ──────── it started ──▶ ┘
//
// Invariants: the loop never blocks on a client or a worker (what it sends goes
// through a bounded queue, and who does not read is cut off); every descriptor
// has one owner, written at the field that holds it; all writes to the cache
// come from the loop; a worker's process id is not reaped before everything
// that could signal it is done.
package master
