// SPDX-License-Identifier: GPL-2.0-or-later

// Package broker is the stdio server: it speaks JSON-RPC 2.0 with one client,
// by LSP's conventions, and has the client's requests done by workers.
//
// It holds requests in flight, cancels and streams them, finds or starts the
// master, keeps a few channels to workers, repeats a read command whose worker
// died before a byte of its answer was sent, and says what became of everything
// else. What the real hg asks its user, a client that can answer is asked. It
// knows no format of Mercurial's and reads no file of a repository.
//
//	read loop (jsonrpc2) ─▶ Server.Handle ─▶ one goroutine a request ─▶ pool ─▶ worker
//	                                              │
//	client ◀── protocol.Stream's writer ◀─────────┘
//
// Invariants: every request is answered exactly once; a request's id is free
// again only after its answer was queued; what the client does not read makes
// its requests wait, and nothing else grows; when Serve returns, no goroutine,
// channel or worker of this client's requests is left.
package broker
