// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// result is all that was measured.
type result struct {
	Repository string   `json:"repository"`
	Rounds     int      `json:"rounds"`
	Contenders []string `json:"contenders"`
	Rows       []row    `json:"rows"`
}

// row is one command.
type row struct {
	Command string           `json:"command"`
	Times   map[string]times `json:"times"` // by contender
	Remarks []string         `json:"remarks,omitempty"`
}

// times sums up the samples of one contender, in microseconds.
type times struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50us"`
	P99   float64 `json:"p99us"`
	Min   float64 `json:"minus"`
}

// summary sums up samples, of which there is at least one.
func summary(samples []time.Duration) times {
	s := slices.Sorted(slices.Values(samples))
	at := func(part float64) float64 {
		return float64(s[min(len(s)-1, int(part*float64(len(s))))].Nanoseconds()) / 1e3
	}
	return times{Count: len(s), P50: at(0.50), P99: at(0.99), Min: at(0)}
}

func (r *result) writeJSON(out io.Writer) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", b)
	return err
}

// peers are what the first contender is compared with.
var peers = []string{"hg", "chg", "hglib"}

// writeMarkdown writes a table: for every command the medians, with the 99th
// percentile behind the slash, and how many times slower than stdio each peer is.
func (r *result) writeMarkdown(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "p50 / p99, %d rounds, one run\n\n|", r.Rounds)
	head := []string{"command"}
	head = append(head, r.Contenders...)
	ratios := slices.DeleteFunc(slices.Clone(peers), func(p string) bool {
		return !slices.Contains(r.Contenders, p) || !slices.Contains(r.Contenders, "stdio")
	})
	for _, p := range ratios {
		head = append(head, p+" ÷ stdio")
	}
	for _, h := range head {
		b.WriteString(" " + h + " |")
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", len(head)) + "\n")
	for _, w := range r.Rows {
		b.WriteString("| `" + strings.ReplaceAll(w.Command, "|", "\\|") + "` |")
		for _, c := range r.Contenders {
			t, ok := w.Times[c]
			if !ok {
				b.WriteString(" - |")
				continue
			}
			fmt.Fprintf(&b, " %s / %s |", show(t.P50), show(t.P99))
		}
		for _, p := range ratios {
			ours, theirs := w.Times["stdio"], w.Times[p]
			if ours.Count == 0 || theirs.Count == 0 {
				b.WriteString(" - |")
				continue
			}
			fmt.Fprintf(&b, " %.3g× |", theirs.P50/ours.P50)
		}
		b.WriteString("\n")
	}
	for _, w := range r.Rows {
		for _, m := range w.Remarks {
			fmt.Fprintf(&b, "\n- `%s`: %s", w.Command, m)
		}
	}
	_, err := io.WriteString(out, strings.TrimSuffix(b.String(), "\n")+"\n")
	return err
}

// show prints microseconds.
func show(us float64) string {
	switch {
	case us < 10:
		return fmt.Sprintf("%.1f µs", us)
	case us < 1000:
		return fmt.Sprintf("%.0f µs", us)
	case us < 100_000:
		return fmt.Sprintf("%.1f ms", us/1e3)
	}
	return fmt.Sprintf("%.0f ms", us/1e3)
}
