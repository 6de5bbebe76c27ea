// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hgbroker/protocol"
)

// BenchmarkNewWorker measures the first command of a worker that finds the images of
// a repository, over a channel, beside the second one and a warm one: what a client
// feels when its worker was replaced. HGBROKER_BENCH_REPO, HGBROKER_BENCH_BUILT and
// HGBROKER_BENCH_FIRST, here the command line, are as for BenchmarkSettling.
func BenchmarkNewWorker(b *testing.B) {
	w := namedWorld(b)
	args := strings.Fields(cmp.Or(os.Getenv("HGBROKER_BENCH_FIRST"), "log -l10"))
	c, err := startChannel(w)
	if err != nil {
		b.Fatal(err)
	}
	defer c.close()
	warm := c.(*channel)
	ask := func(c *channel) time.Duration {
		_, took, err := c.ask(args)
		if err != nil {
			b.Fatal(err)
		}
		return took
	}
	for range 20 { // all that is asked is in an image
		ask(warm)
		if err := w.settle(warm.c, warm.door); err != nil {
			b.Fatal(err)
		}
	}
	var times [3][]time.Duration
	for b.Loop() {
		next, err := warm.door.Acquire(context.Background(), protocol.Reader)
		if err == nil {
			err = next.SetEnviron(w.env, 0o22)
		}
		if err != nil {
			b.Fatal(err)
		}
		fresh := &channel{w: w, c: next}
		time.Sleep(sparePrepares) // the next spare starts
		times[0] = append(times[0], ask(fresh))
		times[1] = append(times[1], ask(fresh))
		times[2] = append(times[2], ask(warm))
		warm.door.Kill(next.Worker)
		next.Close()
		time.Sleep(sparePrepares)
	}
	b.ReportMetric(0, "ns/op")
	for i, name := range []string{"first", "second", "warm"} {
		slices.Sort(times[i])
		b.ReportMetric(float64(times[i][len(times[i])/2])/1e3, name+"-µs")
		b.ReportMetric(float64(times[i][0])/1e3, name+"-min-µs")
	}
}

// sparePrepares is how long a spare is given to start and to prepare itself.
const sparePrepares = 200 * time.Millisecond
