// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"context"
	"testing"

	"hgbroker/worker/hg"
)

// ready is a fake that can be prepared.
type ready struct {
	*fake
	prepared chan *hg.Request
	fails    bool
}

func (e *ready) Prepare(_ context.Context, r *hg.Request) {
	e.prepared <- r
	if e.fails {
		panic("as asked")
	}
}

// A worker that nobody wants yet prepares itself, whatever becomes of that; one that
// has something to do at once may leave it out.
func TestPrepare(t *testing.T) {
	for _, fails := range []bool{false, true} {
		prepared := make(chan *hg.Request, 1)
		h := start(t, func(c *Config) {
			make := c.NewEngine
			c.NewEngine = func(o hg.Options) Engine {
				return &ready{fake: make(o).(*fake), prepared: prepared, fails: fails}
			}
		})
		if r := <-prepared; r.Dir != "/" || len(r.Args) != 0 {
			t.Errorf("%+v", r)
		}
		if a := h.attach().run("echo", "x"); a.out != "x" {
			t.Errorf("afterwards: %+v", a)
		}
	}
}
