// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"os"
	"testing"
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
