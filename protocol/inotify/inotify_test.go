// SPDX-License-Identifier: GPL-2.0-or-later

package inotify

import (
	"os"
	"testing"
	"time"
)

func TestChangesAreTold(t *testing.T) {
	n, err := New()
	if err != nil {
		t.Skip(err)
	}
	events, ended := make(chan Event, 100), make(chan struct{})
	go func() {
		defer close(ended)
		n.Read(func(e Event) { events <- e })
	}()
	wait := func(what string, want func(Event) bool) {
		t.Helper()
		for {
			select {
			case e := <-events:
				if want(e) {
					return
				}
			case <-time.After(10 * time.Second):
				t.Fatal("not told: ", what)
			}
		}
	}
	dir := t.TempDir() + "/d"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w, err := n.Add(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := n.Add(dir + "/."); err != nil || again != w {
		t.Errorf("the same directory: watch %d, not %d, %v", again, w, err)
	}
	if _, err := n.Add(dir + "/absent"); err == nil {
		t.Error("a directory that does not exist is watched")
	}
	if err := os.WriteFile(dir+"/file", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	wait("a new file", func(e Event) bool { return e.Watch == w && e.Name == "file" && !e.Gone() && !e.Lost() })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	wait("the end of the directory", Event.Gone)
	n.Remove(w) // it is gone already
	n.Close()
	<-ended
	if _, err := n.Add(t.TempDir()); err == nil {
		t.Error("something is watched after Close")
	}
	n.Remove(w)
}
