// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestCrew(t *testing.T) {
	var begun atomic.Int32
	counted := func(f func()) { begun.Add(1); go f() }
	for _, c := range []Crew{{}, {Size: 1, Go: counted}, {Size: 3, Go: counted}, {Size: 3}} {
		begun.Store(0)
		var mu sync.Mutex
		seen := map[int]int{}
		if err := c.each(100, func(i int) error {
			mu.Lock()
			defer mu.Unlock()
			seen[i]++
			return nil
		}); err != nil {
			t.Error(err)
		}
		for i := range 100 {
			if seen[i] != 1 {
				t.Errorf("size %d: %d is done %d times", c.Size, i, seen[i])
			}
		}
		if c.Go != nil && int(begun.Load()) != c.Size-1 {
			t.Errorf("size %d: %d goroutines beside the first", c.Size, begun.Load())
		}
		if err := c.each(0, func(int) error { return errors.New("asked for nothing") }); err != nil {
			t.Error(err)
		}
	}
}

func TestCrewFails(t *testing.T) {
	c := Crew{Size: 4}
	bad := errors.New("bad")
	done := 0
	if err := (Crew{Size: 1}).each(10, func(i int) error {
		if done++; i == 3 {
			return bad
		}
		return nil
	}); err != bad || done != 4 {
		t.Errorf("%v after %d", err, done)
	}
	if err := c.each(50, func(i int) error {
		if i == 20 {
			return bad
		}
		return nil
	}); err != bad {
		t.Error(err)
	}
	defer func() {
		if v := recover(); v != "as asked" {
			t.Errorf("%v", v)
		}
	}()
	_ = c.each(50, func(i int) error {
		if i%10 == 5 {
			panic("as asked")
		}
		return nil
	})
}
