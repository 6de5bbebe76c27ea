// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Crew is on how many goroutines large pieces of work are done, and how these begin.
// The zero Crew is that of a command: one goroutine for each processor.
type Crew struct {
	Size int            // goroutines at once, with the one that asks; 0: GOMAXPROCS
	Go   func(f func()) // begins one; nil: the go statement
}

func (c Crew) size() int {
	if c.Size > 0 {
		return c.Size
	}
	return runtime.GOMAXPROCS(0)
}

// each calls do for all numbers below n, on the goroutine that asks and on others,
// and returns the first error; after that it begins no more. A panic is one of the
// goroutine that asks.
func (c Crew) each(n int, do func(i int) error) error {
	var next atomic.Int64
	var once sync.Once
	var failed error
	var cause any
	part := func() {
		defer func() {
			if v := recover(); v != nil {
				next.Store(int64(n))
				once.Do(func() { cause = v })
			}
		}()
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			if err := do(i); err != nil {
				next.Store(int64(n))
				once.Do(func() { failed = err })
			}
		}
	}
	begin := c.Go
	if begin == nil {
		begin = func(f func()) { go f() }
	}
	var others sync.WaitGroup
	for range min(c.size(), n) - 1 {
		others.Add(1)
		begin(func() { defer others.Done(); part() })
	}
	part()
	others.Wait()
	if cause != nil {
		panic(cause)
	}
	return failed
}
