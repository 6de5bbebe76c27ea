// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// changing is a way in which somebody else changes a repository.
type changing struct {
	name  string
	do    func(r *longRepo)
	ready func(r *longRepo) // before it, not measured; may be nil
	lines []string
}

var (
	lookingAtAll = []string{"log -r .", "log -G -l10", "identify -n", "heads", "branches", "log -r draft()"}
	lookingAtIt  = []string{"log -G -l10", "heads", "branches"}
)

func changings() []changing {
	return []changing{
		{name: "commit", do: (*longRepo).commit, lines: lookingAtAll},
		{name: "pull-100", do: func(r *longRepo) { r.pull(100) }, lines: lookingAtIt},
		{name: "phase", do: (*longRepo).publish, ready: (*longRepo).commit, lines: lookingAtIt},
		{name: "bookmark", do: (*longRepo).bookmark, lines: append([]string{"bookmarks"}, lookingAtIt...)},
		{name: "dirstate", do: func(r *longRepo) { r.update(r.stands ^ 1) }, lines: []string{"log -r .", "identify", "log -G -l10"}},
		{name: "marker", do: func(r *longRepo) { r.mark(r.manifest, r.nodes[0]) }, lines: lookingAtIt},
		{name: "amend", do: (*longRepo).amend, ready: (*longRepo).commit, lines: lookingAtIt},
		{name: "strip", do: func(r *longRepo) { r.strip(3) }, ready: func(r *longRepo) { r.pull(3) }, lines: []string{"log -G -l10", "branches"}},
	}
}

// Of the kind of recipe r1: 21 MB of markers, and many lines of drafts.
const (
	markersSize = 21 << 20
	draftRoots  = 7000
)

// BenchmarkRefresh measures the first command after a change of the repository,
// beside the one before and what is done after its answer, medians, at several
// lengths of history: without a marker, and with an obsstore of 21 MB and 7,000 draft roots.
//
//	HGBROKER_BENCH_LENGTHS   numbers of changesets ("10000 200000")
func BenchmarkRefresh(b *testing.B) {
	for _, length := range strings.Fields(cmp.Or(os.Getenv("HGBROKER_BENCH_LENGTHS"), "10000 200000")) {
		n, err := strconv.Atoi(length)
		if err != nil {
			b.Fatal(err)
		}
		for _, of := range []string{"plain", "rewritten"} {
			r := newLongRepo(b, n)
			if of == "rewritten" {
				r.rewritten(markersSize, draftRoots)
			}
			for _, c := range changings() {
				for _, line := range c.lines {
					b.Run(strings.Join([]string{length, of, c.name, strings.ReplaceAll(line, " ", "_")}, "/"), func(b *testing.B) {
						benchmarkChanging(b, r, c, strings.Fields(line))
					})
				}
			}
		}
	}
}

func benchmarkChanging(b *testing.B, r *longRepo, c changing, args []string) {
	e := New(Options{Deferred: true})
	defer e.Close()
	run := func() time.Duration {
		var out, errOut bytes.Buffer
		start := time.Now()
		_, err := e.Run(context.Background(), &Request{Args: args, Dir: r.dir, Env: []string{"HGRCPATH="}, UID: os.Getuid(),
			Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut, Now: start, Hg: Installation{Version: "6.3.2"}})
		took := time.Since(start)
		if err != nil || out.Len()+errOut.Len() == 0 {
			b.Fatalf("%v, %q, %q", err, out.String(), errOut.String())
		}
		return took
	}
	run()
	e.Settle()
	var warm, refresh, settle []time.Duration
	for b.Loop() {
		if c.ready != nil {
			c.ready(r)
			run()
			e.Settle()
		}
		warm = append(warm, run())
		c.do(r)
		refresh = append(refresh, run())
		start := time.Now()
		e.Settle()
		settle = append(settle, time.Since(start))
	}
	for name, took := range map[string][]time.Duration{"warm-µs": warm, "refresh-µs": refresh, "settle-µs": settle} {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, name)
	}
	b.ReportMetric(0, "ns/op")
}
