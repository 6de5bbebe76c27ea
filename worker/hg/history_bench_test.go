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

// BenchmarkHistory measures what walks through the history of one file, in a
// repository that has one with many revisions:
//
//	HGBROKER_BENCH_REPO    the repository
//	HGBROKER_BENCH_FILE    the file (src/hot.c)
func BenchmarkHistory(b *testing.B) {
	dir, file := os.Getenv("HGBROKER_BENCH_REPO"), os.Getenv("HGBROKER_BENCH_FILE")
	if dir == "" {
		b.Skip("HGBROKER_BENCH_REPO names no repository")
	}
	if file == "" {
		file = "src/hot.c"
	}
	e := New(Options{})
	defer e.Close()
	for _, line := range []string{"annotate -r tip FILE", "annotate -r tip -w FILE", "log -f -r tip -T {rev}\\n FILE", "log -T {rev}\\n -r follow('FILE',tip)",
		"log -T {rev}\\n -r followlines('FILE',3:9,startrev=tip)", "debugpathcopies 0 tip", "status -C --change tip"} {
		args := strings.Fields(strings.ReplaceAll(line, "FILE", file))
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			var out, errOut bytes.Buffer
			for b.Loop() {
				out.Reset()
				errOut.Reset()
				_, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8"}, UID: os.Getuid(),
					Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut, Now: time.Now(), Hg: Installation{Version: "6.3.2"}})
				if err != nil {
					b.Skip(err)
				}
			}
			if errOut.Len() > 0 {
				b.Fatal(errOut.String())
			}
		})
	}
}
