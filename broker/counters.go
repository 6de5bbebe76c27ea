// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"hgbroker/protocol"
)

// keepTimes is how many durations of each method are kept for the percentiles.
const keepTimes = 512

// counters count what this client asked.
type counters struct {
	mu      sync.Mutex // guards all
	methods map[string]*methodCount
	refuses int
	repeats int
}

type methodCount struct {
	requests, errors, canceled int
	served                     map[string]int
	times                      []time.Duration // the last ones, a ring
	next                       int
}

func newCounters() *counters { return &counters{methods: map[string]*methodCount{}} }

// ended counts a request that has its answer. served is "" when it does not
// concern a repository.
func (c *counters) ended(method, served string, took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.methods[method]
	if m == nil {
		m = &methodCount{served: map[string]int{}}
		c.methods[method] = m
	}
	m.requests++
	var rpc *jsonrpc2.Error
	switch {
	case err == nil:
	case errors.Is(err, errCanceled) || errors.As(err, &rpc) && rpc.Code == protocol.CodeRequestCancelled:
		m.canceled++
	default:
		m.errors++
	}
	if err == nil && served != "" {
		m.served[served]++
	}
	if len(m.times) < keepTimes {
		m.times = append(m.times, took)
	} else {
		m.times[m.next] = took
		m.next = (m.next + 1) % keepTimes
	}
}

func (c *counters) refused() {
	c.mu.Lock()
	c.refuses++
	c.mu.Unlock()
}

func (c *counters) repeated() {
	c.mu.Lock()
	c.repeats++
	c.mu.Unlock()
}

// MethodStats is one line of broker/stats.
type MethodStats struct {
	Requests int            `json:"requests"`
	Errors   int            `json:"errors"`
	Canceled int            `json:"canceled"`
	Served   map[string]int `json:"served"`
	P50us    int64          `json:"p50us"` // of the last 512
	P99us    int64          `json:"p99us"`
}

// Stats is the broker's own part of broker/stats.
type Stats struct {
	PID      int                    `json:"pid"`
	Methods  map[string]MethodStats `json:"methods"`
	Running  int                    `json:"running"`
	Refused  int                    `json:"refused"`
	Repeated int                    `json:"repeated"` // commands whose worker died
	Busy     int                    `json:"busyChannels"`
	Idle     int                    `json:"idleChannels"`
	Masters  int                    `json:"masters"` // connected to, one after the other
}

func (c *counters) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := Stats{Methods: map[string]MethodStats{}, Refused: c.refuses, Repeated: c.repeats}
	for name, m := range c.methods {
		sorted := slices.Clone(m.times)
		slices.Sort(sorted)
		served := map[string]int{}
		for k, v := range m.served {
			served[k] = v
		}
		st.Methods[name] = MethodStats{Requests: m.requests, Errors: m.errors, Canceled: m.canceled, Served: served,
			P50us: sorted[len(sorted)/2].Microseconds(), P99us: sorted[len(sorted)*99/100].Microseconds()}
	}
	return st
}
