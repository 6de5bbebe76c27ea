// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The contest: every contender is asked every line, turn by turn.

// empty is the emptiest native command: what the path itself costs.
var empty = []string{"root"}

// usual are the command lines that are always measured; some are added that need
// a word or a file of the repository.
var usual = [][]string{
	empty,
	{"log", "-r", ".", "-T", "{node}"}, {"log", "-r", "."}, {"log", "-l10"}, {"log", "-G", "-l10"}, {"log", "-l50", "-T", "json"},
	{"status"}, {"identify"}, {"summary"}, {"branches"}, {"heads"}, {"tags"}, {"bookmarks"},
	{"log", "-r", "draft()"}, {"log", "-r", "head() and not closed()"}, {"files"},
}

// questions are the usual command lines, and cat, log of everything and log -k
// with a file and a word that the repository has.
func (w *world) questions() ([][]string, error) {
	lines := append([][]string(nil), usual...)
	var asked contender
	for _, e := range w.entries {
		if _, ok := e.contender.(bare); !ok {
			asked = e.contender
			break
		}
	}
	if asked == nil {
		return lines, nil
	}
	names, _, err := asked.ask([]string{"files"})
	if err != nil {
		return nil, err
	}
	if file, _, _ := strings.Cut(string(names), "\n"); file != "" {
		lines = append(lines, []string{"cat", file})
	}
	text, _, err := asked.ask([]string{"log", "-l20", "-T", "{desc|firstline} "})
	if err != nil {
		return nil, err
	}
	word := "merge"
	for _, f := range strings.Fields(string(text)) {
		if f = strings.Trim(f, ".:,;"); len(f) > 4 && !strings.ContainsFunc(f, func(r rune) bool { return r < 'a' || r > 'z' }) {
			word = f
			break
		}
	}
	return append(lines, []string{"log", "-k", word}, []string{"log"}), nil
}

// most is how many times a contender is asked in one turn at most.
const most = 500

// pace is how long everything takes.
type pace struct {
	rounds int           // turns of each contender at each line
	slice  time.Duration // how long a turn lasts, at least one answer and at most so many
	budget time.Duration // what a contender may spend on a line, at least one answer
}

// measure asks every contender every line.
func (w *world) measure(lines [][]string, p pace, res *result) error {
	for _, e := range w.entries {
		res.Contenders = append(res.Contenders, e.name)
	}
	for _, line := range lines {
		r, err := w.contest(line, p)
		if err != nil {
			return fmt.Errorf("%s: %w", strings.Join(line, " "), err)
		}
		res.Rows = append(res.Rows, *r)
		fmt.Fprintf(w.notes, "measured %s\n", r.Command)
	}
	return nil
}

// contest measures one line. Each contender first answers once beside the
// measurement; one that cannot, is left out with a remark. An answer that takes
// the whole budget is measured at once, and is the only one.
func (w *world) contest(line []string, p pace) (*row, error) {
	r := &row{Command: quoted(line), Times: map[string]times{}}
	samples := make([][]time.Duration, len(w.entries))
	turns := make([]int, len(w.entries)) // how many are left to each
	answers := map[string]string{}
	answer := "" // of whoever gave one first
	for i, e := range w.entries {
		if err := w.ctx.Err(); err != nil {
			return nil, err
		}
		text, took, err := e.ask(line)
		switch {
		case errors.Is(err, errOther):
			continue
		case err != nil:
			r.remark("%s: %s", e.name, strings.ReplaceAll(err.Error(), w.repo, "REPOSITORY"))
			continue
		case took >= p.budget:
			samples[i] = []time.Duration{took}
		default:
			turns[i] = max(1, min(p.rounds, int(p.budget/max(took, min(p.slice, most*took), 1))))
		}
		if _, ok := e.contender.(bare); !ok {
			answers[e.name] = string(text)
			if len(answer) == 0 {
				answer = string(text)
			}
		}
	}
	r.Bytes = len(answer)
	for i, e := range w.entries {
		want, ok := answers["hg"]
		if got, answered := answers[e.name]; ok && answered && got != want {
			r.remark("%s answers differently from hg", e.name)
		}
		if s, ok := e.contender.(expecting); ok {
			if err := s.expect(answer); err != nil {
				r.remark("%s: %v", e.name, err)
				turns[i], samples[i] = 0, nil
			}
		}
	}
	for round := range p.rounds {
		for k := range w.entries {
			i := (k + round) % len(w.entries)
			if turns[i]*round/p.rounds == turns[i]*(round+1)/p.rounds {
				continue // fewer turns than rounds: spread over all of them
			}
			if err := w.ctx.Err(); err != nil {
				return nil, err
			}
			spent := time.Duration(0)
			for n := 0; n == 0 || spent < p.slice && n < most; n++ {
				_, took, err := w.entries[i].ask(line)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", w.entries[i].name, err)
				}
				spent += took
				samples[i] = append(samples[i], took)
			}
		}
	}
	for i, s := range samples {
		if len(s) > 0 {
			r.Times[w.entries[i].name] = summary(s)
		}
	}
	return r, nil
}

// quoted is a line as one types it.
func quoted(line []string) string {
	words := make([]string, len(line))
	for i, a := range line {
		if words[i] = a; strings.ContainsAny(a, " ()|{}") {
			words[i] = "'" + a + "'"
		}
	}
	return strings.Join(words, " ")
}

// unquoted is a line in words; between two ' they are one.
func unquoted(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}
