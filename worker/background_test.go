// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// attributes are how the kernel schedules the calling thread.
func attributes(t *testing.T) *unix.SchedAttr {
	t.Helper()
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return attr
}

// What runs in the background is less than what runs otherwise, also on threads that
// begin later.
func TestBackground(t *testing.T) {
	before := attributes(t)
	var inside, child *unix.SchedAttr
	background(func() {
		inside = attributes(t)
		seen := make(chan *unix.SchedAttr)
		go func() {
			runtime.LockOSThread() // ends with it
			seen <- attributes(t)
		}()
		child = <-seen
	})
	if inside.Nice != backgroundNice || inside.Policy != unix.SCHED_BATCH {
		t.Errorf("in the background: %+v", inside)
	}
	for range 10 {
		seen := make(chan *unix.SchedAttr)
		go func() {
			runtime.LockOSThread()
			seen <- attributes(t)
		}()
		for _, a := range []*unix.SchedAttr{child, <-seen, attributes(t)} {
			if a.Nice != before.Nice || a.Policy != before.Policy {
				t.Fatalf("another thread: %+v", a)
			}
		}
	}
}

func TestProcessorsAreGivenBack(t *testing.T) {
	own := runtime.GOMAXPROCS(0)
	var p processors
	one, two := p.lend(), p.lend()
	if n := runtime.GOMAXPROCS(0); n != own+backgroundCrew(own) {
		t.Errorf("%d processors of %d", n, own)
	}
	one()
	if runtime.GOMAXPROCS(0) == own {
		t.Error("taken from who still works")
	}
	two()
	if n := runtime.GOMAXPROCS(0); n != own {
		t.Errorf("%d processors of %d are left", n, own)
	}
}
