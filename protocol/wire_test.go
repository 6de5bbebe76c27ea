// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/hex"
	"errors"
	"reflect"
	"runtime"
	"testing"
)

func TestWorkedExample(t *testing.T) {
	var e Encoder
	e.Str("hg")
	e.Strs([]string{"a", ""})
	const want = "020000006867" + "02000000" + "0100000061" + "00000000"
	if got := hex.EncodeToString(e.B); got != want {
		t.Fatalf("got %s", got)
	}
	d := Decoder{B: e.B}
	if s, l := d.Str(), d.Strs(); s != "hg" || !reflect.DeepEqual(l, []string{"a", ""}) || d.Err() != nil {
		t.Errorf("decoded %q %q %v", s, l, d.Err())
	}
}

func TestHeaderIsTwelveBytes(t *testing.T) {
	got := hex.EncodeToString(appendHeader(nil, &Frame{Type: ChOut, ID: 0x01020304, Payload: make([]byte, 0x102), Files: make([]int, 2)}))
	if want := "02010000" + "20" + "02" + "0000" + "04030201"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// codec is one payload: an example, and its decoder as a function of bytes.
type codec struct {
	name    string
	example []byte
	decode  func([]byte) (again []byte, err error)
}

var finishedExample = Finished{Repository: "/r", Store: "/r/.hg/store", Command: "log", Served: ServedCold, ExitCode: -1,
	DurationUs: 1 << 40, LoadUs: 7, Loaded: "built", Generation: "g", Wrote: true, Failed: "Bug", Background: true,
	Donated: ImageKey{"store", "/r/.hg/store"}, HeapBytes: 99}

func codecs() []codec {
	run := Run{Args: []string{"log", "-r", "\xff"}, Dir: "/d", Env: []string{"A=b", "C"}, Stdin: []byte("in"), RealHg: "/hg", HasFiles: true, Fallback: FallbackAlways, TimeoutMs: 5}
	call := Call{Method: "hg/state", Params: []byte("{}"), Dir: "/d", Config: []string{"a.b=c"}, Env: []string{"A=b"}, RealHg: "/hg"}
	exit := Exit{Code: 255, Served: ServedNone, Generation: "g", Canceled: true}
	failure := Failure{Kind: "Bug", Message: "m", Hint: "h", ExitCode: 255, Stderr: "abort: m\n"}
	refused := Refused{Reason: RefusedFull, Message: "m"}
	return []codec{
		{"environ", EncodeEnviron([]string{"A=b"}, 0o22), func(b []byte) ([]byte, error) {
			env, umask, err := DecodeEnviron(b)
			return EncodeEnviron(env, umask), err
		}},
		{"run", run.Encode(), func(b []byte) ([]byte, error) { r, err := DecodeRun(b); return r.Encode(), err }},
		{"call", call.Encode(), func(b []byte) ([]byte, error) { c, err := DecodeCall(b); return c.Encode(), err }},
		{"exit", exit.Encode(), func(b []byte) ([]byte, error) { x, err := DecodeExit(b); return x.Encode(), err }},
		{"failure", failure.Encode(), func(b []byte) ([]byte, error) { f, err := DecodeFailure(b); return f.Encode(), err }},
		{"refused", refused.Encode(), func(b []byte) ([]byte, error) { r, err := DecodeRefused(b); return r.Encode(), err }},
		{"acquire", EncodeAcquire(Runner), func(b []byte) ([]byte, error) { c, err := DecodeAcquire(b); return EncodeAcquire(c), err }},
		{"worker", EncodeWorker(1 << 50), func(b []byte) ([]byte, error) { id, err := DecodeWorker(b); return EncodeWorker(id), err }},
		{"attach", EncodeAttach(3), func(b []byte) ([]byte, error) { id, err := DecodeAttach(b); return EncodeAttach(id), err }},
		{"ready", EncodeReady(77), func(b []byte) ([]byte, error) { pid, err := DecodeReady(b); return EncodeReady(pid), err }},
		{"done", EncodeDone("why"), func(b []byte) ([]byte, error) { s, err := DecodeDone(b); return EncodeDone(s), err }},
		{"key", EncodeKey(ImageKey{"store", "/p"}), func(b []byte) ([]byte, error) { k, err := DecodeKey(b); return EncodeKey(k), err }},
		{"flush", EncodeFlush("/p"), func(b []byte) ([]byte, error) { p, err := DecodeFlush(b); return EncodeFlush(p), err }},
		{"finished", finishedExample.Encode(), func(b []byte) ([]byte, error) { f, err := DecodeFinished(b); return f.Encode(), err }},
	}
}

func TestPayloadsComeBackAsTheyWere(t *testing.T) {
	for _, c := range codecs() {
		again, err := c.decode(c.example)
		if err != nil || string(again) != string(c.example) {
			t.Errorf("%s: %v\n%x\n%x", c.name, err, c.example, again)
		}
	}
	f, err := DecodeFinished(finishedExample.Encode())
	if err != nil || !reflect.DeepEqual(*f, finishedExample) {
		t.Errorf("finished: %+v, %v", f, err)
	}
}

// Every prefix of a payload, and every payload with something behind it, is an
// error, and never a panic.
func TestTruncatedAndTrailingPayloads(t *testing.T) {
	for _, c := range codecs() {
		for n := range c.example {
			if n == 0 && c.name == "flush" {
				continue // means all
			}
			if _, err := c.decode(c.example[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are accepted", c.name, n, len(c.example))
			}
		}
		if _, err := c.decode(append(c.example[:len(c.example):len(c.example)], 0)); err == nil {
			t.Errorf("%s: a trailing byte is accepted", c.name)
		}
	}
}

func TestUnknownEnumeratorsAreRefused(t *testing.T) {
	if _, err := DecodeAcquire([]byte{2}); !errors.Is(err, ErrProtocol) {
		t.Errorf("class: %v", err)
	}
	x := Exit{}
	b := x.Encode()
	b[4] = 9
	if _, err := DecodeExit(b); !errors.Is(err, ErrProtocol) {
		t.Errorf("served: %v", err)
	}
}

func TestACountAllocatesNothing(t *testing.T) {
	b := []byte{0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		d := Decoder{B: b}
		if d.Strs(); d.Err() == nil {
			t.Fatal("accepted")
		}
	}
	runtime.ReadMemStats(&after)
	if grew := after.TotalAlloc - before.TotalAlloc; grew > 1<<20 {
		t.Errorf("%d bytes allocated", grew)
	}
}

func FuzzPayloads(f *testing.F) {
	all := codecs()
	for i, c := range all {
		f.Add(uint8(i), c.example)
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		c := all[int(which)%len(all)]
		again, err := c.decode(b)
		if err != nil {
			return
		}
		// What is accepted means one thing: encoding it is stable.
		twice, err := c.decode(again)
		if err != nil || string(twice) != string(again) {
			t.Fatalf("%s: %v\n%x\n%x", c.name, err, again, twice)
		}
	})
}
