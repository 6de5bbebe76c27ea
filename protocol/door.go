// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// The front door: the master's listening unix socket. Every connection is
// checked by its peer's credentials before a byte is read.
//
//	client                                     master
//	  │── DoorHello {json Hello} ───────────────▶ │
//	  │ ◀──────────── DoorWelcome {json Welcome} ─│   no request before this, so that
//	  │                                           │   starting over is always safe
//	  │── DoorAcquire {id, class} ──────────────▶ │
//	  │ ◀────── DoorGranted {id, worker} + 1 fd ──│   the client's end of a channel, or
//	  │ ◀────────────── DoorRefused {id, reason} ─│   the queue is full, or the master drains,
//	  │                                           │   or a worker does not start
//	  │                                           │
//	  │── (close of the channel) ───────────────▶ │   the worker is free again
//	  │ ◀──────────────── DoorReclaim {worker} ───│   others wait: close that channel as soon
//	  │                                           │   as no command runs on it
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
	// Dir is where a client that has one command is at work, absolute: a hint at
	// the worker that knows most about it.
	Dir string `json:"dir,omitempty"`
}

// Welcome is the master's answer to Hello.
type Welcome struct {
	Protocol int    `json:"protocol"`
	Build    string `json:"build"`
	PID      int    `json:"pid"`
}

// AppendJSON appends h as JSON. It is what json.Marshal does, without looking at the
// type: a drop-in hg lives for a millisecond. Dir, a hint, is left out when JSON
// cannot carry it.
func (h *Hello) AppendJSON(b []byte) []byte {
	b = append(b, `{"protocol":`...)
	b = strconv.AppendInt(b, int64(h.Protocol), 10)
	b = AppendText(append(b, `,"build":`...), validUTF8(h.Build))
	b = append(b, `,"pid":`...)
	b = strconv.AppendInt(b, int64(h.PID), 10)
	b = AppendText(append(b, `,"client":`...), validUTF8(h.Client))
	if h.Dir != "" && utf8.ValidString(h.Dir) {
		b = AppendText(append(b, `,"dir":`...), h.Dir)
	}
	return append(b, '}')
}

// DecodeWelcome reads a Welcome's JSON. It is what json.Unmarshal does, for the same
// reason.
func DecodeWelcome(b []byte) (*Welcome, error) {
	if !validJSON(b) {
		return nil, errors.New("not JSON")
	}
	w := &Welcome{}
	for name, value := range members(b) {
		var err error
		ok := true
		switch name {
		case "protocol":
			w.Protocol, err = strconv.Atoi(string(value))
		case "build":
			w.Build, ok = decodeString(value)
		case "pid":
			w.PID, err = strconv.Atoi(string(value))
		}
		if err != nil || !ok {
			return nil, fmt.Errorf("%s: %s", name, value)
		}
	}
	return w, nil
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
	c := Class(d.enum("class", uint8(Runner)))
	return c, d.Err()
}

// Refused is DoorRefused's payload: why no worker came. Nothing was begun, so
// asking again is always safe.
type Refused struct {
	Reason  string // one of the Refused... constants
	Message string // for people
}

// Reasons for a DoorRefused.
const (
	RefusedFull     = "full"     // too many wait already
	RefusedDraining = "draining" // this master ends; dial again
	RefusedStart    = "start"    // workers do not start
)

// Encode returns the payload.
func (r *Refused) Encode() []byte {
	var e Encoder
	e.Str(r.Reason)
	e.Str(r.Message)
	return e.B
}

// DecodeRefused is the reverse of Encode.
func DecodeRefused(b []byte) (*Refused, error) {
	d := Decoder{B: b}
	r := &Refused{Reason: d.Str(), Message: d.Str()}
	return r, d.Err()
}

// EncodeFlush is DoorFlush's payload: the repository (its working directory's
// root) or store whose images go; "" means all of them.
func EncodeFlush(repository string) []byte {
	var e Encoder
	e.Str(repository)
	return e.B
}

// DecodeFlush is the reverse of EncodeFlush; an empty payload means all too.
func DecodeFlush(b []byte) (repository string, err error) {
	if len(b) == 0 {
		return "", nil
	}
	d := Decoder{B: b}
	repository = d.Str()
	return repository, d.Err()
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
