// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"os"
	"slices"
	"testing"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
)

// TestSerial makes calls that read in their caller.
func TestSerial(t *testing.T) {
	w := newWorld(t)
	c, err := client.StartSerial(client.Options{Executable: w.exe, Args: append(slices.Clone(w.flags), "--fallback=always"), Dir: w.dir, Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	defer func() {
		if !closed {
			c.Close()
		}
	}()
	if _, err := c.Hg(w.dir, "say", "early"); client.Kind(err) != "" || err == nil {
		t.Errorf("before initialize: %v", err)
	}
	if _, err := c.Initialize(protocol.InitializeParams{}); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		r, err := c.Hg(w.dir, "say", "x")
		if err != nil || r.Stdout != "x\n" || r.Served != "fallback" {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if err := c.Call("hg/none", nil, nil); err == nil {
		t.Error("an unknown method was answered")
	}
	closed = true
	if err := c.Close(); err != nil {
		t.Errorf("the broker ended with %v", err)
	}
	if err := c.Call(protocol.MethodStats, nil, nil); err == nil {
		t.Error("a broker that ended answered")
	}
}
