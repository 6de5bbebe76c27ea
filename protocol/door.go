// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

// The front door: the master's listening unix socket. Every connection is
// checked by its peer's credentials before a byte is read.
//
//	client                                     master
//	  │── DoorHello {json Hello} ───────────────▶ │
//	  │ ◀──────────── DoorWelcome {json Welcome} ─│   no request before this, so that
//	  │                                           │   starting over is always safe
//	  │── DoorAcquire {id, class} ──────────────▶ │
//	  │ ◀────── DoorGranted {id, worker} + 1 fd ──│   the client's end of a channel, or
//	  │ ◀────────────── DoorRefused {id, reason} ─│   the queue is full, or the master drains
//	  │                                           │
//	  │── (close of the channel) ───────────────▶ │   the worker is free again
//	  │ ◀──────────────── DoorReclaim {worker} ───│   others wait: close that channel if idle
//	  │── DoorKill {worker} ────────────────────▶ │   a command ignores its cancel
//	  │                                           │
//	  │── DoorStats / DoorFlush / DoorStop {id} ▶ │
//	  │ ◀───────────────────── DoorAnswer {json} ─│
const (
	DoorHello FrameType = 1 + iota
	DoorAcquire
	DoorKill
	DoorStats
	DoorFlush
	DoorStop
	DoorAbandon // the client no longer waits for its DoorAcquire {id}
)

// What the master sends.
const (
	DoorWelcome FrameType = 32 + iota
	DoorGranted
	DoorRefused
	DoorReclaim
	DoorAnswer
)

// Hello is the first message on the front door.
type Hello struct {
	Protocol int    `json:"protocol"`
	Build    string `json:"build"`
	PID      int    `json:"pid"`
	Client   string `json:"client"` // "broker", "hg", "stats", ...
}

// Welcome is the master's answer to Hello.
type Welcome struct {
	Protocol int    `json:"protocol"`
	Build    string `json:"build"`
	PID      int    `json:"pid"`
}

// Class is the kind of worker that a client asks for.
type Class uint8

const (
	// Reader workers run native read commands and have given up the right to
	// write to the file system where the kernel lets them.
	Reader Class = iota
	// Runner workers run the real hg.
	Runner
)

// String is the class's name in stats and logs.
func (c Class) String() string {
	if c == Runner {
		return "runner"
	}
	return "reader"
}

// EncodeAcquire is DoorAcquire's payload.
func EncodeAcquire(c Class) []byte { return []byte{byte(c)} }

// DecodeAcquire is the reverse of EncodeAcquire.
func DecodeAcquire(b []byte) (Class, error) {
	d := Decoder{B: b}
	c := Class(d.U8())
	return c, d.Err()
}

// EncodeWorker is the payload of DoorGranted, DoorReclaim and DoorKill.
func EncodeWorker(id uint64) []byte {
	var e Encoder
	e.U64(id)
	return e.B
}

// DecodeWorker is the reverse of EncodeWorker.
func DecodeWorker(b []byte) (uint64, error) {
	d := Decoder{B: b}
	id := d.U64()
	return id, d.Err()
}
