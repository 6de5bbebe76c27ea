// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgtest"
)

// counter forgets what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// BenchmarkHistory measures commands that read every changeset, once the texts
// are in an image. HGBROKER_BENCH_REPO names a repository to use instead of a
// recorded one.
func BenchmarkHistory(b *testing.B) {
	dir := os.Getenv("HGBROKER_BENCH_REPO")
	if dir == "" {
		dir = hgtest.Extract(b, "merges-renames")
	}
	e := New(Options{})
	defer e.Close()
	for _, line := range []string{"log", "log -T {node|short}\\t{desc|firstline}\\n", "log -G", "heads", "tags", "branches -c", "summary",
		"log -k zzzqqq", "log -u ada", "log -T {node}\\n", "log -T {desc}\\n", "log -r desc(zzzqqq)", "log -r user(zzzqqq)", "log -d 2014-06-01"} {
		args := strings.Fields(line)
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			run := func() {
				out := &counter{}
				_, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: []string{"HGRCPATH="}, UID: os.Getuid(),
					Stdin: bytes.NewReader(nil), Stdout: out, Stderr: io.Discard, Now: time.Now(), Hg: Installation{Version: "6.3.2"}})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(out.n)
			}
			run()
			for b.Loop() {
				run()
			}
		})
	}
}
