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
	} {
		args := strings.Fields(line)
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			var out, errOut bytes.Buffer
			for b.Loop() {
				out.Reset()
				errOut.Reset()
				_, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: env, UID: os.Getuid(),
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

// BenchmarkCold measures the first command on a repository: everything is read
// and the image is built.
func BenchmarkCold(b *testing.B) {
	dir := os.Getenv("HGBROKER_BENCH_REPO")
	if dir == "" {
		dir = hgtest.Extract(b, "merges-renames")
	}
	for _, line := range []string{"root", "log -r . -T {node}", "log -G -l10", "identify", "branches", "tags", "heads"} {
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
