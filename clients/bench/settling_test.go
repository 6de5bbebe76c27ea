// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hgbroker/protocol"
)

// BenchmarkSettling asks for something cheap every few milliseconds while the first
// images of a repository are made in the background, after a first command that
// looked at all of it. It tells how long these commands took, in microseconds, and
// the longest of each run, the median of the runs and the best of them: background
// work must not be felt.
//
// HGBROKER_BENCH_REPO is the repository, large enough for making its image to take a
// while, HGBROKER_BENCH_BUILT a directory with hgbroker and our hg, and
// HGBROKER_BENCH_FIRST the first command.
func BenchmarkSettling(b *testing.B) {
	w := namedWorld(b)
	first := strings.Fields(cmp.Or(os.Getenv("HGBROKER_BENCH_FIRST"), "heads"))
	for _, pace := range []time.Duration{0, 4 * time.Millisecond, 30 * time.Millisecond} {
		b.Run("every-"+pace.String(), func(b *testing.B) {
			var all, firsts, longest []time.Duration
			for b.Loop() {
				w.temp = b.TempDir()
				begun, next := w.settling(b, first, pace)
				firsts, all = append(firsts, begun), append(all, next...)
				longest = append(longest, slices.Max(next))
			}
			slices.Sort(firsts)
			slices.Sort(all)
			slices.Sort(longest)
			us := func(d time.Duration) float64 { return float64(d) / 1e3 }
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(us(firsts[len(firsts)/2]), "first-µs")
			b.ReportMetric(us(all[len(all)/2]), "p50-µs")
			b.ReportMetric(us(all[len(all)*99/100]), "p99-µs")
			b.ReportMetric(us(all[len(all)*999/1000]), "p99.9-µs")
			b.ReportMetric(us(longest[0]), "max-min-µs")
			b.ReportMetric(us(longest[len(longest)/2]), "max-p50-µs")
		})
	}
}

// namedWorld is a world with the repository and the programs that the environment
// names.
func namedWorld(b *testing.B) *world {
	b.Helper()
	repo := os.Getenv("HGBROKER_BENCH_REPO")
	if repo == "" {
		b.Skip("HGBROKER_BENCH_REPO names no repository")
	}
	bin := filepath.Join(b.TempDir(), "bin")
	if err := build(b.Context(), os.Getenv("HGBROKER_BENCH_BUILT"), bin); err != nil {
		b.Fatal(err)
	}
	hg, _ := protocol.FindHg("", os.Getenv("PATH"))
	return &world{ctx: b.Context(), notes: io.Discard, bin: bin, repo: repo, hg: hg, env: environment(false), temp: b.TempDir()}
}

// settlingFor is how long commands are sent: until images are made, verified and
// used.
const settlingFor = 3 * time.Second

// settling is how long the first command of a fresh master takes, and those that
// follow.
func (w *world) settling(b *testing.B, first []string, pace time.Duration) (begun time.Duration, next []time.Duration) {
	s, err := newStdio(w, "run-settling")
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			b.Error(err)
		}
	}()
	ask := func(args ...string) (took time.Duration) {
		_, took, err := s.ask(args)
		if err != nil {
			b.Fatal(err)
		}
		return took
	}
	begun = ask(first...)
	for start := time.Now(); time.Since(start) < settlingFor; {
		at := time.Since(start)
		took := ask("log", "-r", ".", "-T", "{node}\n")
		if next = append(next, took); took > 2*time.Millisecond {
			b.Logf("%v after the first: %v", at, took)
		}
		if rest := pace - took; rest > 0 {
			time.Sleep(rest)
		}
	}
	return begun, next
}
