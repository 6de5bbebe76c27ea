// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if echoing() {
		echo()
		return
	}
	os.Exit(m.Run())
}

// TestRun measures a recorded repository without peers, once, and finds nothing
// left behind. It looks at no time.
func TestRun(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	repo, err := recorded(t.Context(), filepath.Join(t.TempDir(), "repo"))
	if err != nil {
		t.Fatal(err)
	}
	o := options{repo: repo, rounds: 1, slice: time.Nanosecond, without: []string{"hg", "chg", "hglib"}, json: true}
	var out, notes bytes.Buffer
	if err := run(t.Context(), &out, &notes, o); err != nil {
		t.Fatalf("%v\n%s", err, notes.String())
	}
	var res result
	if err := json.Unmarshal(out.Bytes(), &res); err != nil {
		t.Fatal(err)
	}
	if len(res.Contenders) != 5 || len(res.Rows) < 12 {
		t.Errorf("%d contenders, %d rows", len(res.Contenders), len(res.Rows))
	}
	for _, r := range res.Rows {
		for _, c := range res.Contenders {
			if r.Times[c].Count == 0 {
				t.Errorf("%s: %s was not measured: %v", r.Command, c, r.Remarks)
			}
		}
	}
	left, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), "hgbroker-bench-") {
			t.Errorf("%s is left", e.Name())
		}
	}
}

func TestSummaryAndTable(t *testing.T) {
	var samples []time.Duration
	for i := range 200 {
		samples = append(samples, time.Duration(200-i)*time.Microsecond)
	}
	s := summary(samples)
	if s != (times{Count: 200, P50: 101, P99: 199, Min: 1}) {
		t.Errorf("%+v", s)
	}
	r := result{Rounds: 2, Contenders: []string{"stdio", "hg"}, Rows: []row{{Command: "log -r 'a|b'",
		Times: map[string]times{"stdio": s, "hg": {Count: 1, P50: 202_000, P99: 300_000}}, Remarks: []string{"hg: a remark"}}}}
	var b strings.Builder
	if err := r.writeMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	want := "p50 / p99, 2 rounds, one run\n\n| command | stdio | hg | hg ÷ stdio |\n| --- | --- | --- | --- |\n" +
		"| `log -r 'a\\|b'` | 101 µs / 199 µs | 202 ms / 300 ms | 2e+03× |\n\n- `log -r 'a|b'`: hg: a remark\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
