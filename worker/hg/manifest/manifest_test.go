// SPDX-License-Identifier: GPL-2.0-or-later

package manifest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

const example = "README\x00b789fdd96dc2f3bd229c1dd8eedf0fc60e2b68e3\ntools/run\x001e88685f5ddec574a34c70af492f95b6debc8741x\n"

// TestWorkedExample has the bytes of the package comment.
func TestWorkedExample(t *testing.T) {
	m, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	e, ok, err := m.Lookup("tools/run")
	if err != nil || !ok || e.Flag != Executable || e.Flag.String() != "x" || e.Node.Short() != "1e88685f5dde" || m.Len() != 2 {
		t.Errorf("%+v %v %v", e, ok, err)
	}
	for _, path := range []string{"", "R", "README2", "tools", "tools/ru", "tools/run2", "z", "\x00"} {
		if _, ok, err := m.Lookup(path); ok || err != nil || m.Has(path) {
			t.Errorf("%q is found (%v)", path, err)
		}
	}
	for dir, want := range map[string]bool{"": true, "tools": true, "tool": false, "README": false, "z": false} {
		if m.HasDir(dir) != want {
			t.Errorf("directory %q", dir)
		}
	}
}

func TestDamaged(t *testing.T) {
	good := "b789fdd96dc2f3bd229c1dd8eedf0fc60e2b68e3"
	for _, text := range []string{
		"a", "a\x00", "a\x00" + good, "a\x00" + good[1:] + "\n", "a\x00" + good + "xx\n", "a\x00" + good + "q\n", "a\x00" + good[:39] + "g\n",
		"b\x00" + good + "\na\x00" + good + "\n", "a\x00" + good + "\na\x00" + good + "\n", "a\nb\x00" + good + "\n", "\n",
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
		m := Of([]byte(text))
		_, _, _ = m.Lookup("a")
		for _, err := range m.All() {
			if err != nil {
				break
			}
		}
	}
}

// random makes a manifest of some of the files that it is given.
func random(rnd *rand.Rand, paths []string, keep float64) Manifest {
	var b bytes.Buffer
	for _, p := range paths {
		if rnd.Float64() < keep {
			fmt.Fprintf(&b, "%s\x00%040x%s\n", p, rnd.IntN(2), []string{"", "", "", "x", "l"}[rnd.IntN(5)])
		}
	}
	return Of(b.Bytes())
}

func entries(t testing.TB, m Manifest) map[string]Entry {
	t.Helper()
	all := map[string]Entry{}
	for e, err := range m.All() {
		if err != nil {
			t.Fatal(err)
		}
		all[string(e.Path)] = e
	}
	return all
}

// checkDiff compares Diff with what follows from the two sets of entries.
func checkDiff(t testing.TB, a, b Manifest) {
	t.Helper()
	ea, eb := entries(t, a), entries(t, b)
	prev := ""
	seen := map[string]bool{}
	for c, err := range Diff(a, b) {
		if err != nil {
			t.Fatal(err)
		}
		path := string(c.Path)
		if len(seen) > 0 && path <= prev {
			t.Errorf("%q follows %q", path, prev)
		}
		prev = path
		seen[path] = true
		x, inA := ea[path]
		y, inB := eb[path]
		if (c.A != nil) != inA || (c.B != nil) != inB || inA && c.A.Node != x.Node || inB && c.B.Flag != y.Flag ||
			inA && inB && x.Node == y.Node && x.Flag == y.Flag {
			t.Errorf("%q: %+v", path, c)
		}
	}
	for path, x := range ea {
		if y, ok := eb[path]; (!ok || x.Node != y.Node || x.Flag != y.Flag) && !seen[path] {
			t.Errorf("%q is not in the difference", path)
		}
	}
	for path := range eb {
		if _, ok := ea[path]; !ok && !seen[path] {
			t.Errorf("%q is not in the difference", path)
		}
	}
}

func TestRandomManifests(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 14))
	var paths []string
	for range 300 {
		var p []string
		for range 1 + rnd.IntN(3) {
			p = append(p, []string{"a", "b", "a.b", "a-b", "a0", "dir", "\xff", "x y"}[rnd.IntN(8)]+fmt.Sprint(rnd.IntN(5)))
		}
		paths = append(paths, strings.Join(p, "/"))
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	for range 200 {
		a, b := random(rnd, paths, rnd.Float64()), random(rnd, paths, rnd.Float64())
		checkDiff(t, a, b)
		checkDiff(t, a, a)
		checkDiff(t, a, Manifest{})
		if _, err := Parse(a.Text()); err != nil {
			t.Fatal(err)
		}
		all := entries(t, a)
		for _, p := range paths {
			if _, want := all[p]; a.Has(p) != want {
				t.Errorf("has %q: %v", p, !want)
			}
		}
		for _, dir := range []string{"", "a0", "a1", "dir2", "a", "dir2/a1", "zzz"} {
			var got, want []string
			for e, err := range a.Below(dir) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(e.Path))
			}
			for _, p := range paths {
				if _, ok := all[p]; ok && (dir == "" || strings.HasPrefix(p, dir+"/")) {
					want = append(want, p)
				}
			}
			if !slices.Equal(got, want) || a.HasDir(dir) != (len(want) > 0) {
				t.Errorf("below %q: got %q, want %q", dir, got, want)
			}
		}
	}
}

func TestCommonPrefix(t *testing.T) {
	rnd := rand.New(rand.NewPCG(15, 16))
	x := bytes.Repeat([]byte("some text "), 20000)
	for range 500 {
		n := rnd.IntN(len(x))
		y := bytes.Clone(x[:n+rnd.IntN(len(x)-n)+1])
		y[n] ^= 1
		if got := commonPrefix(x, y); got != n {
			t.Fatalf("got %d, want %d", got, n)
		}
	}
	if commonPrefix(x, x[:777]) != 777 || commonPrefix(nil, x) != 0 {
		t.Error("prefix of a prefix")
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(example), []byte(example[:48]), "README")
	f.Add([]byte("a\n\n\n"), []byte("\x00\x00"), "")
	f.Fuzz(func(t *testing.T, x, y []byte, path string) {
		// Whatever the text is, nothing panics or hangs.
		a, b := Of(x), Of(y)
		_, _, _ = a.Lookup(path)
		a.HasDir(path)
		for range a.Below(path) {
		}
		n := 0
		for range Diff(a, b) {
			if n++; n > len(x)+len(y) {
				t.Fatal("more changes than bytes")
			}
		}
		// What Parse accepts is consistent.
		if _, err := Parse(x); err != nil {
			return
		}
		for p := range entries(t, a) {
			if !a.Has(p) {
				t.Errorf("%q is not found", p)
			}
		}
		if _, err := Parse(y); err == nil {
			checkDiff(t, a, b)
		}
	})
}

// large is a manifest of n files.
func large(n int) []byte {
	var text []byte
	for i := range n {
		text = fmt.Appendf(text, "directory%04d/file%06d.c\x00%040x\n", i/20, i, i*7919*104729)
	}
	return text
}

func BenchmarkDiff(b *testing.B) {
	x := large(100000)
	y := bytes.Clone(x)
	for i := 100; i < len(y); i += len(y) / 5 {
		at := bytes.IndexByte(y[i:], 0) + i
		y[at+1] ^= 1
	}
	b.SetBytes(int64(len(x)))
	for b.Loop() {
		n := 0
		for _, err := range Diff(Of(x), Of(y)) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 5 {
			b.Fatal(n)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	m := Of(large(100000))
	for b.Loop() {
		if !m.Has("directory2500/file050000.c") {
			b.Fatal("not found")
		}
	}
}

func BenchmarkAll(b *testing.B) {
	m := Of(large(100000))
	b.SetBytes(int64(len(m.Text())))
	for b.Loop() {
		for _, err := range m.All() {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
