// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgtest"
)

// benchRevsets are chosen for what each reveals, in the manner of Mercurial's
// contrib/base-revsets.txt.
var benchRevsets = []struct{ revset, reveals string }{
	{"all()", "iteration"},
	{"reverse(all())", "iteration backward"},
	{"first(all())", "laziness"},
	{"last(all(), 100)", "laziness from the end"},
	{"draft()", "phase lookup"},
	{"public()", "phases of everything"},
	{"::tip", "ancestors of one head"},
	{"::head()", "ancestors of many heads"},
	{"first(::tip)", "lazy ancestors"},
	{"max(::(tip~1000) and merge())", "intersection read from one end"},
	{"0::tip", "a DAG range over everything"},
	{"(tip~5000)::tip", "a short DAG range"},
	{"1000::", "descendants of an old changeset"},
	{"-10000:-1", "a range"},
	{"-10000:-1 and not ::(tip~5000)", "difference with ancestors"},
	{"only(tip, tip~2000)", "two sets of ancestors"},
	{"only(head())", "ancestors outside of all other heads"},
	{"::tip - ::(tip~2000)", "the rewrite to only()"},
	{"roots(all())", "roots of everything"},
	{"roots(-10000:-1)", "roots of a range"},
	{"heads(all())", "heads of everything"},
	{"heads(-10000:-1)", "heads of a range"},
	{"heads(::tip)", "heads of ancestors"},
	{"head()", "branch heads"},
	{"children(-10000:-1)", "children"},
	{"parents(-10000:-1)", "parents"},
	{"merge()", "a quick filter"},
	{"branchpoint()", "counting children"},
	{"branch(stable)", "branch names"},
	{"branch('re:rel')", "branch names by pattern"},
	{"closed()", "closed heads"},
	{"tag()", "names"},
	{"bookmark()", "names"},
	{"author('ada')", "users of everything"},
	{"last(author('ada'), 10)", "users from one end"},
	{"desc('fix')", "descriptions"},
	{"keyword('fix')", "all texts"},
	{"grep('fix.*merge')", "a regular expression over all texts"},
	{"date('2015')", "dates"},
	{"date('>2014') and author('o')", "two filters"},
	{"file('src/cold.c')", "files of everything"},
	{"limit(file('src/hot.c'), 10)", "files until enough"},
	{"sort(all(), -date)", "sorting by a column"},
	{"sort(all(), author)", "sorting by text"},
	{"sort(-1000:-1, topo)", "topological sorting"},
	{"max(all() - merge())", "laziness through a difference"},
	{"min(0:tip and author('o'))", "laziness through a filter"},
	{"0 + 1 + 2 + tip + tip~5", "a union of single revisions"},
	{"(0:100000) + (50000:tip)", "a union of ranges"},
	{"ancestor(tip, tip~5000)", "common ancestor"},
	{"ancestors(tip, depth=50)", "bounded ancestors"},
	{"descendants(1000, depth=50)", "bounded descendants"},
	{"matching(tip, branch)", "comparing fields"},
	{"extra('branch')", "extra fields"},
	{"_intlist('0\\x005\\x00100000')", "a list of numbers"},
	{"unstable()", "obsolescence"},
}

// TestRevsetTable prints how long revsets take here and in an hg command server
// that keeps the repository open; both count what a revset selects.
//
//	HGBROKER_BENCH_REVSETS    the repository; without one the test is skipped
//	HGBROKER_BENCH_ROUNDS     how often each is asked, if that takes no more than seconds (21)
func TestRevsetTable(t *testing.T) {
	dir := os.Getenv("HGBROKER_BENCH_REVSETS")
	if dir == "" {
		t.Skip("HGBROKER_BENCH_REVSETS names no repository to measure")
	}
	rounds := number(t, "HGBROKER_BENCH_ROUNDS", 21)
	env := hgtest.BaseEnv()
	server, err := hgtest.StartCmdServerIn(hgtest.Hg(t), env, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	number, err := hgtest.HgNumber(hgtest.Hg(t))
	if err != nil {
		t.Fatal(err)
	}
	e := New(Options{})
	defer e.Close()
	ours := func(args []string) ([]byte, []byte, error) {
		var out, errOut bytes.Buffer
		_, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: env, UID: os.Getuid(),
			Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut, Now: time.Now(), Hg: Installation{Version: number}})
		return out.Bytes(), errOut.Bytes(), err
	}
	theirs := func(args []string) ([]byte, []byte, error) {
		out, errOut, _, err := server.RunHere(args)
		return out, errOut, err
	}
	var table strings.Builder
	fmt.Fprintf(&table, "| revset | what it reveals | hg %s | here | times faster |\n|---|---|--:|--:|--:|\n", number)
	var ratios []float64
	for _, b := range benchRevsets {
		args := []string{"log", "-r", "null", "-T", `{count(revset("` + b.revset + `"))}\n`}
		want, wantErr, hg := measure(t, theirs, args, rounds)
		got, gotErr, here := measure(t, ours, args, rounds)
		if !bytes.Equal(got, want) || !bytes.Equal(gotErr, wantErr) {
			t.Errorf("%s: %q %q, hg says %q %q", b.revset, got, gotErr, want, wantErr)
		}
		ratio := float64(hg) / float64(here)
		ratios = append(ratios, ratio)
		fmt.Fprintf(&table, "| `%s` | %s | %.3g ms | %.3g ms | %.3g |\n", b.revset, b.reveals, ms(hg), ms(here), ratio)
	}
	slices.Sort(ratios)
	t.Logf("p50 of up to %d rounds, %d revsets; median %.3g times faster, lowest %.3g\n%s", rounds, len(ratios), ratios[len(ratios)/2], ratios[0], &table)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// longEnough is how long a contender is measured with one revset, at most.
const longEnough = 3 * time.Second

// measure runs a command once, then up to rounds times, and returns what it
// printed and the median time.
func measure(t *testing.T, run func([]string) ([]byte, []byte, error), args []string, rounds int) (out, errOut []byte, median time.Duration) {
	t.Helper()
	var times []time.Duration
	begin := time.Now()
	for len(times) < 2 || len(times) <= rounds && time.Since(begin) < longEnough {
		start := time.Now()
		var err error
		if out, errOut, err = run(args); err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		times = append(times, time.Since(start))
	}
	times = times[1:]
	slices.Sort(times)
	return out, errOut, times[len(times)/2]
}
