// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// The control socket: a SEQPACKET socketpair between the master and one worker,
// descriptor 3 of the worker. One frame is one packet. A worker whose control
// socket ends finishes its command and exits; a master whose end reads the end
// of the stream knows that the worker is gone.
//
//	master                                   worker
//	  │ ◀────────────────────── CtlReady {pid} ─│   once, after the start
//	  │── CtlAttach {worker} + 1 fd ──────────▶ │   serve this channel until it closes
//	  │ ◀─────────── CtlLease {id, kind, path} ─│   is there an image of that?
//	  │── CtlImage {id} + 0 or 1 fd ──────────▶ │
//	  │ ◀─────────── CtlClaim {id, kind, path} ─│   I am about to make that image
//	  │── CtlImage {id} + 0 or 1 fd ──────────▶ │   here it is, or (without) do; while
//	  │                                         │   another worker makes it, not yet
//	  │ ◀────────── CtlFinished {...} + 0/1 fd ─│   a command ended; an image is donated
//	  │ ◀──────────────────── CtlRan [{...}, ...]│   some ended, and there is nothing to do
//	  │── CtlTell ────────────────────────────▶ │   tell what of CtlRan waits, now
//	  │ ◀────────────── CtlRan ..., CtlTold ────│
//	  │ ◀─────────────────────────── CtlIdle ───│   the channel closed: free for the next
//	  │                                         │
//	  │── CtlLoad {id, path} ─────────────────▶ │   background: load or refresh this one
//	  │ ◀─── CtlFinished ... , CtlDone {id} ────│
//	  │── CtlVerify {id, kind, path} + 1 fd ──▶ │   walk all of a donated image
//	  │ ◀──────────────────── CtlDone {id,err} ─│
//	  │── CtlDrop {kind, path} ───────────────▶ │   unmap what is no longer cached
//	  │── CtlRetire ──────────────────────────▶ │   exit when idle
const (
	CtlAttach FrameType = 1 + iota
	CtlImage
	CtlLoad
	CtlVerify
	CtlDrop
	CtlRetire
	CtlTell
)

// What the worker sends.
const (
	CtlReady FrameType = 32 + iota
	CtlLease
	CtlFinished
	CtlIdle
	CtlDone
	CtlRan
	CtlTold
	CtlClaim
)

// WorkerControlFd is the worker's end of the control socket.
const WorkerControlFd = 3

// ImageKey names a cached image: its kind and the real path that it stands for.
type ImageKey struct {
	Kind string // "store", "growth", "texts", "checkout", "manifest"
	Path string // the store's real path, of the last two that of the working directory
}

// EncodeKey is the payload of CtlLease, CtlClaim, CtlLoad, CtlVerify and CtlDrop. CtlLoad's
// path is a working directory's root, since that is what a loader is told; the
// others name the image itself.
func EncodeKey(k ImageKey) []byte {
	var e Encoder
	e.Str(k.Kind)
	e.Str(k.Path)
	return e.B
}

// DecodeKey is the reverse of EncodeKey.
func DecodeKey(b []byte) (ImageKey, error) {
	d := Decoder{B: b}
	k := ImageKey{Kind: d.Str(), Path: d.Str()}
	return k, d.Err()
}

// EncodeAttach is CtlAttach's payload: the number by which the master knows the
// worker, for its logs.
func EncodeAttach(worker uint64) []byte { return EncodeWorker(worker) }

// DecodeAttach is the reverse of EncodeAttach.
func DecodeAttach(b []byte) (uint64, error) { return DecodeWorker(b) }

// EncodeReady is CtlReady's payload.
func EncodeReady(pid int) []byte {
	var e Encoder
	e.U32(uint32(pid))
	return e.B
}

// DecodeReady is the reverse of EncodeReady.
func DecodeReady(b []byte) (pid int, err error) {
	d := Decoder{B: b}
	pid = int(d.U32())
	return pid, d.Err()
}

// EncodeDone is CtlDone's payload: why the job failed, "" when it did not.
func EncodeDone(failure string) []byte {
	var e Encoder
	e.Str(failure)
	return e.B
}

// DecodeDone is the reverse of EncodeDone.
func DecodeDone(b []byte) (failure string, err error) {
	d := Decoder{B: b}
	failure = d.Str()
	return failure, d.Err()
}

// Finished is the finished-command message: what a worker tells the master when
// a command has ended. It feeds the cache. Losing one may cost speed, never
// correctness. When an image is donated its sealed descriptor travels along and
// Donated names its key.
type Finished struct {
	Repository string // working directory's root, "" without a repository
	Store      string // the store's real path
	Command    string // hg's name of it: "log", "hg/state"
	Served     Served
	ExitCode   int
	DurationUs uint64
	LoadUs     uint64 // of it: building or refreshing images
	Loaded     string // "", "built" or "refreshed"
	Generation string // of the store, after the command
	Wrote      bool   // it may have changed the repository
	Failed     string // kind of a failure, "" for a command that ran
	Background bool   // a CtlLoad, not a client's command
	Donated    ImageKey
	HeapBytes  uint64 // the worker's private memory, for its retirement
	Begun      uint64 // when the command began, by Clock; 0 when not known
}

// Encode returns the payload.
func (f *Finished) Encode() []byte {
	var e Encoder
	e.Str(f.Repository)
	e.Str(f.Store)
	e.Str(f.Command)
	e.U8(uint8(f.Served))
	e.U32(uint32(int32(f.ExitCode)))
	e.U64(f.DurationUs)
	e.U64(f.LoadUs)
	e.Str(f.Loaded)
	e.Str(f.Generation)
	e.Bool(f.Wrote)
	e.Str(f.Failed)
	e.Bool(f.Background)
	e.Str(f.Donated.Kind)
	e.Str(f.Donated.Path)
	e.U64(f.HeapBytes)
	e.U64(f.Begun)
	return e.B
}

// Clock is a time in nanoseconds that all processes of the machine share, and that
// nobody can set back.
func Clock() uint64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return 0
	}
	return uint64(ts.Nano())
}

// MaxRan bounds the messages in one CtlRan.
const MaxRan = 256

// EncodeRan is CtlRan's payload: finished-command messages, encoded, in order.
func EncodeRan(list []string) []byte {
	var e Encoder
	e.Strs(list)
	return e.B
}

// DecodeRan is the reverse of EncodeRan.
func DecodeRan(b []byte) ([]*Finished, error) {
	d := Decoder{B: b}
	var list []*Finished
	for _, s := range d.Strs() {
		f, err := DecodeFinished([]byte(s))
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	if len(list) > MaxRan {
		return nil, fmt.Errorf("%w: %d commands in one message", ErrProtocol, len(list))
	}
	return list, d.Err()
}

// DecodeFinished is the reverse of Encode.
func DecodeFinished(b []byte) (*Finished, error) {
	d := Decoder{B: b}
	f := &Finished{Repository: d.Str(), Store: d.Str(), Command: d.Str(), Served: Served(d.enum("served", uint8(ServedNone))),
		ExitCode: int(int32(d.U32())), DurationUs: d.U64(), LoadUs: d.U64(), Loaded: d.Str(),
		Generation: d.Str(), Wrote: d.Bool(), Failed: d.Str(), Background: d.Bool()}
	f.Donated.Kind = d.Str()
	f.Donated.Path = d.Str()
	f.HeapBytes = d.U64()
	f.Begun = d.U64()
	return f, d.Err()
}
