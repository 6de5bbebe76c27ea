// SPDX-License-Identifier: GPL-2.0-or-later

// Package protocol is every wire of hgbroker, and nothing else: it holds no
// process, no policy and no Mercurial format, and imports none of our packages.
//
// Four links carry everything:
//
//	client ══ JSON-RPC 2.0 on stdio ══ broker        stream.go, methods.go
//	broker or drop-in hg ── front door ── master     door.go     (unix stream)
//	broker or drop-in hg ══ channel ══ worker        channel.go  (socketpair, stream)
//	master ── control ── worker                      control.go  (socketpair, seqpacket)
//
// The last three share one frame (frame.go): a fixed header, a payload, and an
// exact count of descriptors that travel with it. Payloads of the hot path are
// binary (wire.go); what is asked once in a while is JSON.
//
// Invariants: a length is checked against a named limit before anything is
// allocated; a received descriptor is counted, marked close-on-exec by the
// kernel, and closed on every error path; a decoder is total.
package protocol

// Version is the version of the door, channel and control protocols taken
// together. A broker and a master of different versions never talk: the version
// is part of the socket's file name.
const Version = 1
