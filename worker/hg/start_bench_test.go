// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hgbroker/worker/hg/hgtest"
)

// BenchmarkStart measures what every command costs before it does anything, by
// the directory in which it is asked for.
func BenchmarkStart(b *testing.B) {
	dir := hgtest.Extract(b, "merges-renames")
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		b.Fatal(err)
	}
	deep, link := filepath.Join(dir, "some", "directories", "below"), filepath.Join(b.TempDir(), "link")
	if err := os.MkdirAll(deep, 0o777); err != nil {
		b.Fatal(err)
	}
	if err := os.Symlink(dir, link); err != nil {
		b.Fatal(err)
	}
	env := []string{"HOME=" + b.TempDir(), "PATH=/usr/bin:/bin", "LANG=C.UTF-8"}
	for _, at := range []struct{ name, dir string }{{"root", dir}, {"below", deep}, {"link", link}} {
		b.Run(at.name, func(b *testing.B) {
			e := New(Options{})
			defer e.Close()
			b.ReportAllocs()
			var out, errOut bytes.Buffer
			begin := processorTime(b)
			for b.Loop() {
				out.Reset()
				_, err := e.Run(context.Background(), &Request{Args: []string{"root"}, Dir: at.dir, Env: env, UID: os.Getuid(),
					Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut, Now: time.Now(), Hg: Installation{Version: "6.3.2"}})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(processorTime(b)-begin)/float64(b.N), "cpu-ns/op")
		})
	}
}
