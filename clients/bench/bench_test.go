// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hgbroker/protocol"
)

func TestMain(m *testing.M) {
	if beneath() {
		return
	}
	os.Exit(m.Run())
}

// once is the shortest run there is: every answer takes the whole budget.
var once = pace{rounds: 1, slice: time.Nanosecond, budget: time.Nanosecond}

// bench runs everything in a temporary directory, of which nothing may be left.
func bench(t *testing.T, o options) *report {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var out, notes bytes.Buffer
	if err := run(t.Context(), &out, &notes, o); err != nil {
		t.Fatalf("%v\n%s", err, notes.String())
	}
	t.Log(notes.String())
	left, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), "hgbroker-bench-") {
			t.Errorf("%s is left", e.Name())
		}
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 1 {
		t.Fatalf("%d results", len(r.Results))
	}
	return &r
}

// TestOurs measures the usual questions on a recorded repository without peers.
func TestOurs(t *testing.T) {
	repo, err := recorded(t.Context(), filepath.Join(t.TempDir(), "repo"))
	if err != nil {
		t.Fatal(err)
	}
	res := bench(t, options{repos: []string{repo}, scale: 1, pace: once, many: 1, json: true,
		without: []string{"hg", "chg", "chg-cache", "hglib", "rhg", "git", "firsts", "commits", "memory"}}).Results[0]
	if want := []string{"stdio", "channel", "drop-in", "cold", "socketpair", "print", "walk"}; !slices.Equal(res.Contenders, want) {
		t.Errorf("contenders: %v", res.Contenders)
	}
	if len(res.Rows) < len(usual)+3 {
		t.Errorf("%d rows", len(res.Rows))
	}
	for _, r := range res.Rows {
		for _, c := range res.Contenders {
			if got := r.Times[c].Count; got != 1 && (c != "walk" || r.Command == "status") {
				t.Errorf("%s: %s was measured %d times: %v", r.Command, c, got, r.Remarks)
			}
		}
	}
	if len(res.CPU) != 4 {
		t.Errorf("CPU: %+v", res.CPU)
	}
}

// TestPeers measures two commands with everything that this machine has, on a
// small repository made by a recipe, with a git twin, and looks at the page.
func TestPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts hg a hundred times")
	}
	hg, err := protocol.FindHg("", os.Getenv("PATH"))
	if err != nil {
		t.Skipf("no hg: %v", err)
	}
	if _, err := hgPython(t.Context(), hg); err != nil {
		t.Skip(err)
	}
	page := filepath.Join(t.TempDir(), "page.md")
	o := options{recipes: []string{"r1"}, scale: 0.002, keep: t.TempDir(), twin: true, pace: once, many: 2, json: true, page: page,
		only: []string{"log -G -l10", "status"}, without: []string{"cold"}}
	r := bench(t, o)
	res := r.Results[0]
	for _, row := range res.Rows {
		if row.Bytes == 0 && row.Command != "status" || row.Times["hg"].Count == 0 {
			t.Errorf("%+v", row)
		}
		for _, m := range row.Remarks {
			if strings.Contains(m, "differently") {
				t.Errorf("%s: %s", row.Command, m)
			}
		}
	}
	has := func(contender string) bool { return slices.Contains(res.Contenders, contender) }
	if want := persistent; !slices.ContainsFunc(want, has) || len(res.Firsts) < 3 || len(res.Commits) != len(res.Firsts) {
		t.Errorf("firsts: %+v\nafter commits: %+v", res.Firsts, res.Commits)
	}
	if f := res.Firsts[0]; f.Contender != "stdio" || f.Of != following {
		t.Errorf("first: %+v", f)
	}
	if m := res.Memory; len(m) == 0 || m[0].PSS <= 0 || m[0].Master <= 0 || m[0].Processes < 2 {
		t.Errorf("memory: %+v", m)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n## r1-0.002\n", "(bench.svg)", "| `status` |", "chg-cache"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), o.keep) {
		t.Error("the page names a path of this machine")
	}
	plot, err := os.ReadFile(filepath.Join(filepath.Dir(page), "bench.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if circles := elements(t, plot)["circle"]; circles < 2*4 {
		t.Errorf("the plot has %d dots", circles)
	}
}

// elements counts the elements of well-formed XML by name.
func elements(t *testing.T, text []byte) map[string]int {
	t.Helper()
	n := map[string]int{}
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatalf("plot: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok {
			n[e.Name.Local]++
		}
	}
}

func TestSummaryAndTable(t *testing.T) {
	var samples []time.Duration
	for i := range 200 {
		samples = append(samples, time.Duration(200-i)*time.Microsecond)
	}
	s := summary(samples)
	if s != (times{Count: 200, P50: 101, P99: 199, Min: 1, Max: 200}) {
		t.Errorf("%+v", s)
	}
	r := result{Contenders: []string{"stdio", "hg"}, Rows: []row{{Command: "log -r 'a|b'", Bytes: 70,
		Times: map[string]times{"stdio": s, "hg": {Count: 1, P50: 202_000, P99: 300_000}}}}}
	var b strings.Builder
	r.rows(&b)
	want := "| command | answer | stdio | hg | hg ÷ stdio |\n| --- | --- | --- | --- | --- |\n" +
		"| `log -r 'a\\|b'` | 70 B | 101 µs / 199 µs | 202 ms / 300 ms | 2000× |\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestQuoted(t *testing.T) {
	line := []string{"log", "-r", "head() and not closed()", "-T", "{node}"}
	if got := quoted(line); got != "log -r 'head() and not closed()' -T '{node}'" || !slices.Equal(unquoted(got), line) {
		t.Errorf("%s: %q", got, unquoted(got))
	}
}

// TestStat reads what the kernel tells of this process.
func TestStat(t *testing.T) {
	parent, _, _, err := stat(os.Getpid())
	if err != nil || parent != os.Getppid() {
		t.Errorf("parent %d, %v", parent, err)
	}
	if n, err := pss(os.Getpid()); err != nil || n < 1<<16 {
		t.Errorf("PSS %d, %v", n, err)
	}
}
