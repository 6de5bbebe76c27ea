// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// report is a whole run.
type report struct {
	Date     string   `json:"date"`
	Machine  machine  `json:"machine"`
	Versions []string `json:"versions"`
	Results  []result `json:"results"`
}

// result is all that was measured on one repository.
type result struct {
	Repository string   `json:"repository"`
	About      string   `json:"about"`
	Rounds     int      `json:"rounds"`
	Load       string   `json:"load"` // the machine's load average before and after
	Contenders []string `json:"contenders"`
	Rows       []row    `json:"rows"`
	Firsts     []first  `json:"firsts,omitempty"`
	Commits    []after  `json:"afterCommit,omitempty"`
	CPU        []load   `json:"cpu,omitempty"`
	Memory     []memory `json:"memory,omitempty"`
}

// join takes over what else was measured on the same repository.
func (r *result) join(o *result) {
	for _, w := range o.Rows {
		if i := slices.IndexFunc(r.Rows, func(had row) bool { return had.Command == w.Command }); i >= 0 {
			r.Rows[i] = w
			continue
		}
		r.Rows = append(r.Rows, w)
	}
	for _, c := range o.Contenders {
		if !slices.Contains(r.Contenders, c) {
			r.Contenders = append(r.Contenders, c)
		}
	}
	r.Load += "; " + o.Load
	r.Rounds = max(r.Rounds, o.Rounds)
	if o.Firsts != nil {
		r.Firsts = o.Firsts
	}
	if o.Commits != nil {
		r.Commits = o.Commits
	}
	if o.CPU != nil {
		r.CPU = o.CPU
	}
	if o.Memory != nil {
		r.Memory = o.Memory
	}
}

// row is one command.
type row struct {
	Command string           `json:"command"`
	Bytes   int              `json:"bytes"` // of the answer
	Times   map[string]times `json:"times"` // by contender
	Remarks []string         `json:"remarks,omitempty"`
}

func (r *row) remark(format string, args ...any) {
	r.Remarks = append(r.Remarks, fmt.Sprintf(format, args...))
}

// times sums up the samples of one contender, in microseconds.
type times struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50us"`
	P99   float64 `json:"p99us"`
	Min   float64 `json:"minus"`
	Max   float64 `json:"maxus"`
}

// summary sums up samples, of which there is at least one.
func summary(samples []time.Duration) times {
	s := slices.Sorted(slices.Values(samples))
	at := func(part float64) float64 {
		return float64(s[min(len(s)-1, int(part*float64(len(s))))].Nanoseconds()) / 1e3
	}
	return times{Count: len(s), P50: at(0.50), P99: at(0.99), Min: at(0), Max: at(1)}
}

func (r *report) writeJSON(out io.Writer) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", b)
	return err
}
