// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The tables, in Markdown.

// peers are what the first contender is compared with.
var peers = []string{"hg", "chg", "chg-cache", "hglib", "rhg", "git"}

// markdown is a run in tables, a chapter for each repository.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. %s.\n%s.\n", r.Date, r.Machine, strings.Join(r.Versions, ", "))
	for i := range r.Results {
		r.Results[i].markdown(&b)
	}
	return b.String()
}

func (r *result) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s. Load of the machine: %s.\n\n", r.Repository, r.About, r.Load)
	fmt.Fprintf(b, "p50 / p99, up to %d turns each, one run:\n\n", r.Rounds)
	r.rows(b)
	r.firsts(b)
	r.commits(b)
	r.cpu(b)
	r.memory(b)
	head := "\n"
	for _, w := range r.Rows {
		for _, m := range w.Remarks {
			fmt.Fprintf(b, "%s- `%s`: %s\n", head, w.Command, m)
			head = ""
		}
	}
}

// table writes one, whose first line is its head.
func table(b *strings.Builder, lines [][]string) {
	for i, cells := range lines {
		b.WriteString("|")
		for _, c := range cells {
			b.WriteString(" " + strings.ReplaceAll(c, "|", "\\|") + " |")
		}
		b.WriteString("\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(cells)) + "\n")
		}
	}
}

// rows tells of every command: the medians, with the 99th percentile behind the
// slash, how many times slower than stdio each peer is, and how many times
// slower stdio is than the emptiest command, and than the bound.
func (r *result) rows(b *strings.Builder) {
	head := append([]string{"command", "answer"}, r.Contenders...)
	compared := slices.DeleteFunc(slices.Clone(peers), func(p string) bool {
		return !slices.Contains(r.Contenders, p) || !slices.Contains(r.Contenders, "stdio")
	})
	for _, p := range compared {
		head = append(head, p+" ÷ stdio")
	}
	var base, printed times
	for _, w := range r.Rows {
		if w.Command == quoted(empty) {
			base, printed = w.Times["stdio"], w.Times["print"]
		}
	}
	if base.Count > 0 {
		head = append(head, "stdio ÷ `"+quoted(empty)+"`")
	}
	if printed.Count > 0 {
		head = append(head, "stdio ÷ bound")
	}
	lines := [][]string{head}
	for _, w := range r.Rows {
		cells := []string{"`" + w.Command + "`", amount(int64(w.Bytes))}
		for _, c := range r.Contenders {
			t, ok := w.Times[c]
			if !ok {
				cells = append(cells, "-")
				continue
			}
			cells = append(cells, show(t.P50)+" / "+show(t.P99))
		}
		ours := w.Times["stdio"]
		for _, p := range compared {
			cells = append(cells, ratio(w.Times[p], ours))
		}
		if base.Count > 0 {
			cells = append(cells, ratio(ours, base))
		}
		if printed.Count > 0 {
			// Two empty commands, and what it takes to print the answer.
			bound := w.Times["print"]
			bound.P50 = 2*base.P50 + max(0, bound.P50-printed.P50)
			cells = append(cells, ratio(ours, bound))
		}
		lines = append(lines, cells)
	}
	table(b, lines)
}

func (r *result) firsts(b *strings.Builder) {
	if len(r.Firsts) == 0 {
		return
	}
	fmt.Fprintf(b, "\nThe first `%s` of all, with the start of whatever stays, and %d more back to back right after it:\n\n", quoted(typical), following)
	lines := [][]string{{"", "first", "next, p50", "next, slowest", "warm", "next, one by one, p50"}}
	for _, f := range r.Firsts {
		var places []string
		for _, p := range f.Places {
			places = append(places, show(p))
		}
		lines = append(lines, []string{f.Contender, show(f.First.P50), show(f.Next.P50), show(f.Next.Max), fmt.Sprintf("%d of %d", f.Warm, f.Of),
			strings.Join(places, ", ")})
	}
	table(b, lines)
}

func (r *result) commits(b *strings.Builder) {
	if len(r.Commits) == 0 {
		return
	}
	fmt.Fprintf(b, "\nThe newest changeset, asked for right after hg committed it:\n\n")
	lines := [][]string{{"", "commits", "p50", "slowest", "the same once more, p50", "difference", "once more after a pause, p50"}}
	for _, a := range r.Commits {
		lines = append(lines, []string{a.Contender, fmt.Sprint(a.After.Count), show(a.After.P50), show(a.After.Max), show(a.Warm.P50), show(max(0, a.After.P50-a.Warm.P50)), show(a.Pause.P50)})
	}
	table(b, lines)
}

func (r *result) cpu(b *strings.Builder) {
	if len(r.CPU) == 0 {
		return
	}
	fmt.Fprintf(b, "\nCPU time of all processes together, mean of a warm command:\n\n")
	lines := [][]string{{"", "command", "CPU", "of that"}}
	for _, l := range r.CPU {
		var parts []string
		for _, p := range slices.Sorted(maps.Keys(l.Parts)) {
			parts = append(parts, p+" "+show(l.Parts[p]))
		}
		lines = append(lines, []string{l.Contender, "`" + l.Command + "`", show(l.CPU), strings.Join(parts, ", ")})
	}
	table(b, lines)
}

func (r *result) memory(b *strings.Builder) {
	if len(r.Memory) == 0 {
		return
	}
	fmt.Fprintf(b, "\nMemory (sum of PSS) of busy processes on this one repository:\n\n")
	lines := [][]string{{"", "processes", "together", "of that, shared images", "rest of each", "master, beside them"}}
	for _, m := range r.Memory {
		cells := []string{m.Contender, fmt.Sprint(m.Processes), amount(m.PSS), "-", amount((m.PSS - m.Images) / int64(max(1, m.Processes))), "-"}
		if m.Images > 0 {
			cells[3], cells[5] = amount(m.Images), amount(m.Master)
		}
		lines = append(lines, cells)
	}
	table(b, lines)
}

// ratio is how many times slower t is.
func ratio(t, than times) string {
	if t.Count == 0 || than.Count == 0 {
		return "-"
	}
	q := t.P50 / than.P50
	if q >= 100 {
		return fmt.Sprintf("%.0f×", q)
	}
	return fmt.Sprintf("%.3g×", q)
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
	case us < 10_000_000:
		return fmt.Sprintf("%.0f ms", us/1e3)
	}
	return fmt.Sprintf("%.1f s", us/1e6)
}

// amount prints bytes.
func amount(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 10_000_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}
