// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/json"
	"testing"
)

// TestHello: what is written and read by hand is what encoding/json says of the types.
func TestHello(t *testing.T) {
	for _, h := range []Hello{
		{},
		{Protocol: Version, Build: "b\"\\", PID: 4711, Client: "hg", Dir: "/a \u00e9\n<x>"},
	} {
		var got Hello
		if b := h.AppendJSON(nil); json.Unmarshal(b, &got) != nil || got != h {
			t.Errorf("%+v becomes %s, which is %+v", h, b, got)
		}
	}
	h := Hello{Client: "hg", Dir: "/a/\xff"}
	var got Hello
	if b := h.AppendJSON(nil); json.Unmarshal(b, &got) != nil || got != (Hello{Client: "hg"}) {
		t.Errorf("a directory that JSON cannot carry: %s", b)
	}
}

func TestWelcome(t *testing.T) {
	for _, w := range []Welcome{{}, {Protocol: Version, Build: "a\u2028\"", PID: 12}} {
		b, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeWelcome(b); err != nil || *got != w {
			t.Errorf("%s is %+v, %v", b, got, err)
		}
	}
	for _, s := range []string{"", "{", `{"protocol":"1"}`, `{"build":1}`, `{"pid":1e99}`, "{\"build\":\"\xff\"}"} {
		if got, err := DecodeWelcome([]byte(s)); err == nil {
			t.Errorf("%q is %+v", s, got)
		}
	}
}
