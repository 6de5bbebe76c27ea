// SPDX-License-Identifier: GPL-2.0-or-later

// Package cmdserver is the wire of Mercurial's own command server, of its pipe
// and unix modes and of chg's: the greeting, requests and chunks. It holds no
// process and knows no command.
//
// Mercurial describes it in its wiki (CommandServer) and in the comments of
// mercurial/commandserver.py and chgserver.py. All numbers are big-endian.
//
//	client                                server
//	  │ ◀──────────────────── 'o' greeting │   one chunk: "capabilities: ..." first,
//	  │                                    │   then "encoding: ...", pid, pgid
//	  │── "runcommand\n" u32 args ───────▶ │   args joined by NUL; 0 bytes: none
//	  │ ◀───────────── 'o' 'e' 'd' 'm' ... │   output, errors, debugging, messages
//	  │ ◀──────────────────────── 'I', 'L' │   at most so many bytes, or a line of
//	  │── u32 data ──────────────────────▶ │   so many: 0 bytes are the end of input
//	  │ ◀────────────────── 'r' i32 result │   ends the command
//	  │── "getencoding\n" ───────────────▶ │
//	  │ ◀────────────────── 'r' the name   │
//	  │── end of input, or "\n" ─────────▶ │   the server exits
//
// A chunk is a channel byte, a u32 and, but for 'I' and 'L' where the number says
// how much is wanted, so many bytes. chg adds requests without an answer (chdir,
// setenv, setumask2, setprocname: u32 and data), attachio ('I' 1, then one byte
// with the descriptors, then 'r' and their count), validate (as runcommand; 'r'
// and instructions joined by NUL), and the channel 'S', by which the server asks
// the client to run an editor or a pager.
//
// Invariants: decoders are total, and allocate with what arrives, never by a
// length that was only announced.
package cmdserver
