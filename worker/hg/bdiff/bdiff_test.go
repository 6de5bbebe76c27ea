// SPDX-License-Identifier: GPL-2.0-or-later

package bdiff_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/hgtest"
)

// compared is one line of testdata/oracle.py.
type compared struct {
	A, B, Options string
	Given         bool
	Parts         [][5]int
}

func options(letters string) bdiff.Options {
	return bdiff.Options{
		IgnoreAllSpace:    strings.Contains(letters, "w"),
		IgnoreSpaceAmount: strings.Contains(letters, "b"),
		IgnoreSpaceAtEOL:  strings.Contains(letters, "Z"),
		IgnoreBlankLines:  strings.Contains(letters, "B"),
		Xdiff:             strings.Contains(letters, "x"),
	}
}

func compareWithHg(t *testing.T, seed, count int, letters string) {
	var d bdiff.Differ
	n, bad := 0, 0
	hgtest.Oracle(t, "oracle.py", []string{fmt.Sprint(seed), fmt.Sprint(count), letters}, func(c compared) {
		n++
		a, b := []byte(hgtest.FromLatin1(c.A)), []byte(hgtest.FromLatin1(c.B))
		var parts []bdiff.Part
		if c.Given {
			parts = d.PartsOf(bdiff.Split(a), bdiff.Split(b), options(c.Options))
		} else {
			parts = d.Parts(a, b, options(c.Options))
		}
		var got [][5]int
		for _, p := range parts {
			got = append(got, [5]int{p.A1, p.A2, p.B1, p.B2, int(p.Kind)})
		}
		if !slices.Equal(got, c.Parts) {
			if bad++; bad <= 3 {
				if len(c.Parts) > 50 {
					t.Errorf("case %d, options %q: parts differ", n, c.Options)
				} else {
					t.Errorf("case %d, options %q\na %q\nb %q\ngot %v\nhg  %v", n, c.Options, a, b, got, c.Parts)
				}
			}
		}
	})
	t.Logf("%d texts compared with hg's mdiff.allblocks, %d differ", n, bad)
}

func TestPartsLikeHg(t *testing.T) { compareWithHg(t, 1, 2000, "wbZB") }

func TestInRange(t *testing.T) {
	a, b := []byte("a\nb\nc\nd\ne\n"), []byte("x\na\nb\nC\nd\ne\n")
	parts := bdiff.Parts(a, b, bdiff.Options{})
	kept, lo, hi, ok := bdiff.InRange(parts, 2, 4)
	if !ok || lo != 1 || hi != 3 || len(kept) != 2 {
		t.Errorf("lines 2 to 4: %v, %d to %d, %v", kept, lo, hi, ok)
	}
	if _, _, _, ok := bdiff.InRange(parts, 2, 40); ok {
		t.Error("lines past the end are in range")
	}
}

// FuzzBlocks checks what holds for any blocks: they are in order, the lines in
// them are equal, and the last one is the end.
func FuzzBlocks(f *testing.F) {
	f.Add([]byte("a\nb\n"), []byte("b\na"), false)
	f.Add([]byte(""), []byte("\n\n"), true)
	f.Add([]byte("a\n a\n\tb\n}\n"), []byte("a\n a\n}\n\n a\n\tb\n}"), true)
	f.Fuzz(func(t *testing.T, a, b []byte, xdiff bool) {
		la, lb := bdiff.Split(a), bdiff.Split(b)
		if la.Len() != bdiff.CountLines(a) || !bytes.Equal(la.Span(0, la.Len()), a) {
			t.Fatal("lines are not those of the text")
		}
		blocks := bdiff.Blocks(a, b)
		if xdiff {
			blocks = bdiff.XdiffBlocks(la, lb)
		}
		var prev bdiff.Block
		for _, x := range blocks {
			if x.A1 < prev.A2 || x.B1 < prev.B2 || !bytes.Equal(la.Span(x.A1, x.A2), lb.Span(x.B1, x.B2)) {
				t.Fatalf("block %v after %v", x, prev)
			}
			prev = x
		}
		if prev.A2 != la.Len() || prev.B2 != lb.Len() || !xdiff && prev.A1 != prev.A2 {
			t.Fatalf("ends with %v in texts of %d and %d lines", prev, la.Len(), lb.Len())
		}
	})
}

func BenchmarkBlocks(b *testing.B) {
	rand := rand.New(rand.NewPCG(1, 2))
	var lines, changed []string
	for range 10000 {
		lines = append(lines, fmt.Sprintf("\tline %d of a text\n", rand.IntN(8000)))
	}
	changed = slices.Clone(lines)
	for range 50 {
		changed[rand.IntN(len(changed))] = "changed\n"
	}
	old, new := []byte(strings.Join(lines, "")), []byte(strings.Join(changed, ""))
	b.Run("bdiff", func(b *testing.B) {
		var d bdiff.Differ
		x, y := bdiff.Split(old), bdiff.Split(new)
		b.SetBytes(int64(len(old)))
		for b.Loop() {
			x.Reset(old)
			y.Reset(new)
			d.Blocks(x, y)
		}
	})
	b.Run("xdiff", func(b *testing.B) {
		b.SetBytes(int64(len(old)))
		for b.Loop() {
			bdiff.XdiffBlocks(bdiff.Split(old), bdiff.Split(new))
		}
	})
}

func TestXdiffLikeHg(t *testing.T) { compareWithHg(t, 2, 1500, "xwB") }
