// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// BenchmarkFollow measures what walks through the history of one file:
//
//	HGBROKER_BENCH_REPO    the repository
//	HGBROKER_BENCH_FILE    a file in it with many revisions (src/hot.c)
//
// First is a command on an engine that has just opened the repository.
func BenchmarkFollow(b *testing.B) {
	dir, file := os.Getenv("HGBROKER_BENCH_REPO"), os.Getenv("HGBROKER_BENCH_FILE")
	if dir == "" {
		b.Skip("HGBROKER_BENCH_REPO names no repository")
	}
	if file == "" {
		file = "src/hot.c"
	}
	lines := []string{"annotate -r tip FILE", "annotate -r tip -w FILE", "log -f -r tip -T {rev}\\n FILE", "log -T {rev}\\n FILE", "log FILE", "log -f -r tip FILE", "log -T {rev}\\n -r follow('FILE',tip)",
		"log -T {rev}\\n -r followlines('FILE',3:9,startrev=tip)", "debugpathcopies 0 tip", "status -C --change tip"}
	for _, line := range lines {
		args := strings.Fields(strings.ReplaceAll(line, "FILE", file))
		run := func(b *testing.B, e *Engine) {
			var out, errOut bytes.Buffer
			_, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8"}, UID: os.Getuid(),
				Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut, Now: time.Now(), Hg: Installation{Version: "6.3.2"}})
			if err != nil {
				b.Skip(err)
			}
			if errOut.Len() > 0 {
				b.Fatal(errOut.String())
			}
		}
		name := strings.ReplaceAll(line, " ", "_")
		b.Run("first/"+name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				e := New(Options{})
				tip := &Request{Args: []string{"log", "-r", "tip"}, Dir: dir, Env: []string{"PATH=/usr/bin:/bin"}, UID: os.Getuid(), Stdin: bytes.NewReader(nil),
					Stdout: new(bytes.Buffer), Stderr: new(bytes.Buffer), Now: time.Now(), Hg: Installation{Version: "6.3.2"}}
				if _, err := e.Run(context.Background(), tip); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				run(b, e)
				b.StopTimer()
				e.Close()
				b.StartTimer()
			}
		})
		b.Run("again/"+name, func(b *testing.B) {
			e := New(Options{})
			defer e.Close()
			run(b, e)
			b.ReportAllocs()
			for b.Loop() {
				run(b, e)
			}
		})
	}
}
