// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/worker/hg/hgtest"
)

// BenchmarkWarm measures commands on a repository that is open and unchanged,
// as a worker runs them: the same environment, directory and engine each time.
// HGBROKER_BENCH_REPO names a repository to use instead of a recorded one.
func BenchmarkWarm(b *testing.B) {
	dir := os.Getenv("HGBROKER_BENCH_REPO")
	if dir == "" {
		dir = hgtest.Extract(b, "merges-renames")
	}
	home := b.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".hgrc"), []byte("[ui]\nusername = Ada <ada@example.org>\n"), 0o666); err != nil {
		b.Fatal(err)
	}
	env := []string{"HOME=" + home, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "USER=ada", "SHELL=/bin/sh", "EDITOR=vi", "PWD=" + dir}
	for i := range 20 {
		env = append(env, "FILLER_"+strings.Repeat("X", i)+"="+strings.Repeat("y", 3*i))
	}
	e := New(Options{})
	defer e.Close()
	for _, line := range []string{
		"root", "log -r . -T {node}", "log -l10", "log -G -l10", "log -l50 -Tjson", "status", "identify", "branch",
		"branches", "heads", "tags", "bookmarks", "files", "summary", "parents", "log -r draft()", "log -r head()-closed()",
		"log -r .", "log -r 'head() and not closed()'", "log", "log -k refactor", "log -k status", `log -T '{node|short} {desc|firstline}\n'`, "log src/hot.c",
	} {
		args := words(line)
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			var out, errOut bytes.Buffer
			run := func() {
				out.Reset()
				errOut.Reset()
				_, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: env, UID: os.Getuid(),
					Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut, Now: time.Now(), Hg: Installation{Version: "6.3.2"}})
				if err != nil {
					b.Skip(err)
				}
			}
			run() // the first one may make images
			begin := processorTime(b)
			for b.Loop() {
				run()
			}
			b.ReportMetric(float64(processorTime(b)-begin)/float64(b.N), "cpu-ns/op")
			if errOut.Len() > 0 {
				b.Fatal(errOut.String())
			}
			b.SetBytes(int64(out.Len()))
		})
	}
}

// processorTime is what the process has used, in nanoseconds: on a busy machine it
// says more than the clock.
func processorTime(b *testing.B) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// words splits a command line at blanks; what stands in single quotes is one word.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

// BenchmarkCold measures the first command on a repository: everything is read
// and the image is built.
func BenchmarkCold(b *testing.B) {
	dir := os.Getenv("HGBROKER_BENCH_REPO")
	if dir == "" {
		dir = hgtest.Extract(b, "merges-renames")
	}
	for _, line := range []string{"root", "log -r . -T {node}", "log -G -l10", "identify", "branches", "tags", "heads", "files", "status", "summary"} {
		args := strings.Fields(line)
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			var out, errOut bytes.Buffer
			for b.Loop() {
				e := New(Options{Deferred: true})
				_, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: []string{"HGRCPATH="}, UID: os.Getuid(),
					Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut, Now: time.Now(), Hg: Installation{Version: "6.3.2"}})
				e.Close()
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
