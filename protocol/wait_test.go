// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"os"
	"testing"
	"time"
)

func TestWaitBriefly(t *testing.T) {
	var r, w [2]*os.File
	for i := range r {
		var err error
		if r[i], w[i], err = os.Pipe(); err != nil {
			t.Fatal(err)
		}
		defer r[i].Close()
		defer w[i].Close()
	}
	wait := func(second bool) (bool, bool) {
		other := -1
		if second {
			other = int(r[1].Fd())
		}
		return WaitBriefly(int(r[0].Fd()), other, BriefWait)
	}
	if a, b := wait(true); a || b {
		t.Errorf("nothing was written: %v, %v", a, b)
	}
	w[1].Write([]byte("x"))
	if a, b := wait(true); a || !b {
		t.Errorf("the second was written to: %v, %v", a, b)
	}
	if a, b := wait(false); a || b {
		t.Errorf("the second does not count: %v, %v", a, b)
	}
	w[0].Close()
	if a, _ := wait(true); !a {
		t.Error("the end of the first can be read")
	}
}

func TestHaste(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var h Haste
	if ready, _ := h.Wait(int(r.Fd()), -1, BriefWait); ready || h.short {
		t.Errorf("nothing was written: %v, %v", ready, h.short)
	}
	b := make([]byte, 1)
	for range 10 { // what is there already is a short wait
		w.Write(b)
		if ready, _ := h.Wait(int(r.Fd()), -1, BriefWait); !ready {
			t.Fatal("a byte was not seen")
		}
		r.Read(b)
	}
	if h.short != severalProcessors {
		t.Errorf("after short waits: %v", h.short)
	}
	if ready, _ := h.Wait(int(r.Fd()), -1, BriefWait); ready || h.short {
		t.Errorf("after a long wait: %v, %v", ready, h.short)
	}
}

func TestHasteIsModestAmongOthers(t *testing.T) {
	if !severalProcessors {
		t.Skip("with one processor it never looks")
	}
	defer func(was func()) { yield = was }(yield)
	yields := 0
	yield = func() {
		yields++
		time.Sleep(2 * crowdedAfter) // somebody else has the processor
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	h := Haste{short: true, Limit: time.Hour}
	for i := range modestFor + 1 {
		if ready, _ := h.Wait(int(r.Fd()), -1, BriefWait); ready || yields != 1 {
			t.Fatalf("wait %d: ready %v after %d yields", i, ready, yields)
		}
	}
	h.short = true
	if h.Wait(int(r.Fd()), -1, BriefWait); yields != 2 {
		t.Errorf("it looks again after a while: %d yields", yields)
	}
}
