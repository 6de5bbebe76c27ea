// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/image"
)

// mapped is a Source of images that stay where they are, as a worker's do.
type mapped map[image.Key][]byte

func (m mapped) Lease(key image.Key) *image.Image {
	if m[key] == nil {
		return nil
	}
	return must(image.Open(m[key], nil))
}

func (m mapped) Keep(key image.Key, b *image.Builder) (*image.Image, error) {
	m[key] = b.Bytes()
	return image.Open(m[key], nil)
}

// wideCheckout is a working directory of so many files, all of them added.
func wideCheckout(b *testing.B, files int) string {
	b.Helper()
	dir, err := filepath.EvalSymlinks(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	state := make([]byte, 40)
	write := func(name string, data []byte) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	for i := range files {
		name := fmt.Sprintf("package%02d/module%03d/a file name %06d.c", i/1000, i/20, i)
		write(name, nil)
		state = append(state, "a\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"...)
		state = append(binary.BigEndian.AppendUint32(state, uint32(len(name))), name...)
	}
	write(".hg/requires", []byte("revlogv1\nstore\nfncache\ndotencode\n"))
	write(".hg/store/fncache", nil)
	write(".hg/dirstate", state)
	return dir
}

// userTime is the processor time that this process has used outside of the kernel.
func userTime() time.Duration {
	var use unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &use)
	return time.Duration(use.Utime.Nano())
}

// BenchmarkFirstInWorker measures the first command of an engine that has answered
// nothing yet, without images and with those that another engine has left, and the
// next ones; and what such an engine holds for itself, in bytes.
// HGBROKER_BENCH_WIDE names a repository to use instead of one that is written here.
func BenchmarkFirstInWorker(b *testing.B) {
	dir := os.Getenv("HGBROKER_BENCH_WIDE")
	if dir == "" {
		dir = wideCheckout(b, 20000)
	}
	var out bytes.Buffer
	run := func(e *Engine, args []string) {
		out.Reset()
		_, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: []string{"HGRCPATH="}, UID: os.Getuid(),
			Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: io.Discard, Now: time.Now(), Hg: Installation{Version: "6.3.2"}})
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, line := range []string{"status", "identify", "files", "locate *7.c", "summary"} {
		args := strings.Fields(line)
		for _, with := range []string{"nothing", "images"} {
			var source image.Source = image.Private{}
			if with == "images" {
				source = mapped{}
				time.Sleep(50 * time.Millisecond) // what was written just now makes no image
				for range 2 {
					e := New(Options{Images: source})
					run(e, []string{"status"})
					run(e, args)
					e.Close()
				}
			}
			b.Run(args[0]+"/with="+with, func(b *testing.B) {
				b.ReportAllocs()
				user := userTime()
				for b.Loop() {
					e := New(Options{Images: source, Deferred: true})
					run(e, args)
					e.Close()
				}
				b.ReportMetric(float64((userTime()-user).Microseconds())/float64(b.N), "user-µs/op")
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				e := New(Options{Images: source, Deferred: true})
				run(e, args)
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc)-float64(before.HeapAlloc), "held-B")
				e.Close()
			})
			b.Run(args[0]+"/next/with="+with, func(b *testing.B) {
				b.ReportAllocs()
				e := New(Options{Images: source, Deferred: true})
				defer e.Close()
				run(e, args)
				user := userTime()
				for b.Loop() {
					run(e, args)
				}
				b.ReportMetric(float64((userTime()-user).Microseconds())/float64(b.N), "user-µs/op")
			})
		}
	}
}
