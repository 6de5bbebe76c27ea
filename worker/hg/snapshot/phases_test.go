// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
)

// edited is a list with some of it replaced.
func edited[T any](rnd *rand.Rand, list []T, one func() T) []T {
	out := slices.Clone(list)
	for range rnd.IntN(4) {
		at := rnd.IntN(len(out) + 1)
		end := min(len(out), at+rnd.IntN(3))
		var more []T
		for range rnd.IntN(3) {
			more = append(more, one())
		}
		out = slices.Replace(out, at, end, more...)
	}
	return out
}

// TestDifference takes texts apart: what is left out on both sides are the same
// lines.
func TestDifference(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	line := func() string { return strconv.Itoa(rnd.IntN(30)) + "\n" }
	text := func(lines []string) []byte {
		var b []byte
		for _, l := range lines {
			b = append(b, l...)
		}
		if rnd.IntN(4) == 0 {
			b = bytes.TrimSuffix(b, []byte{'\n'})
		}
		return b
	}
	count := func(text []byte) map[string]int {
		m := map[string]int{}
		for l := range bytes.Lines(text) {
			m[string(bytes.TrimSuffix(l, []byte{'\n'}))]++
		}
		return m
	}
	short := 0
	for round := range 3000 {
		var lines []string
		n := rnd.IntN(20)
		if round%10 == 0 {
			n = 6000
		}
		for range n {
			lines = append(lines, line())
		}
		a, b := text(lines), text(edited(rnd, lines, line))
		inA, inB := difference(a, b)
		left := count(a)
		for l, k := range count(inA) {
			left[l] -= k
		}
		for l, k := range count(inB) {
			left[l] += k
		}
		for l, k := range count(b) {
			left[l] -= k
		}
		for l, k := range left {
			if k != 0 {
				t.Fatalf("%q and %q are %q and %q: line %q counts %d", a, b, inA, inB, l, k)
			}
		}
		if countLines(a) != len(slices.Collect(bytes.Lines(a))) {
			t.Fatalf("%q has %d lines", a, countLines(a))
		}
		if len(inA)+len(inB) < len(a)/2 {
			short++
		}
		if bytes.Equal(a, b) && len(inA)+len(inB) > 0 {
			t.Fatalf("%q differs from itself by %q and %q", a, inA, inB)
		}
	}
	if short < 500 {
		t.Errorf("only %d differences are short", short)
	}
}

// TestReplaceRoots compares with sorting all of them.
func TestReplaceRoots(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	one := func() phaseRoot { return phaseRoot{node.Rev(rnd.IntN(40)), phases.Phase(1 + rnd.IntN(2))} }
	sorted := func(list []phaseRoot) []phaseRoot {
		list = slices.Clone(list)
		slices.SortFunc(list, compareRoots)
		return list
	}
	for range 3000 {
		var file []phaseRoot
		for range rnd.IntN(30) {
			file = append(file, one())
		}
		now := edited(rnd, file, one)
		// Whatever both have may be among what goes and what comes.
		both := rnd.IntN(1 + min(len(file), len(now)))
		for both > 0 && !slices.Equal(file[:both], now[:both]) {
			both--
		}
		roots, from, ok := replaceRoots(sorted(file), sorted(file[both:]), sorted(now[both:]))
		if !ok || !slices.Equal(roots, sorted(now)) {
			t.Fatalf("%v and %v make %v, %v", file, now, roots, ok)
		}
		below := func(list []phaseRoot) []phaseRoot {
			return slices.DeleteFunc(sorted(list), func(r phaseRoot) bool { return int(r.rev) >= from })
		}
		if !slices.Equal(below(file), below(now)) {
			t.Fatalf("%v and %v differ below %d", file, now, from)
		}
		if len(file) > 0 {
			if _, _, ok := replaceRoots(nil, file[:1], nil); ok {
				t.Fatal("a root went that was not there")
			}
		}
	}
}
