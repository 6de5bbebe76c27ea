// SPDX-License-Identifier: GPL-2.0-or-later

package tags

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
)

// ask runs hg and returns its output.
func ask(t *testing.T, hg hgtest.Runner, dir string, args ...string) string {
	t.Helper()
	out, errOut, code, _, err := hg.Run(dir, args, hgtest.BaseEnv("HGUSER=test"))
	if err != nil || code != 0 {
		t.Fatalf("hg %q: %d, %v, %s", args, code, err, errOut)
	}
	return string(out)
}

// realTags are a repository's tags as hg has them, without tip.
func realTags(t *testing.T, hg hgtest.Runner, dir string) map[string]string {
	t.Helper()
	fields := strings.Split(ask(t, hg, dir, "tags", "-T", `{node}\0{tag}\0`), "\x00")
	out := map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i+1] != "tip" {
			out[fields[i+1]] = fields[i]
		}
	}
	return out
}

// live are the tags of a table that are not removed and whose changeset exists.
func live(t *Table, known map[string]bool) map[string]string {
	out := map[string]string{}
	for _, name := range t.Names {
		if id := t.ByName[name].Node.Hex(); known[id] {
			out[name] = id
		}
	}
	return out
}

// randomFile is a .hgtags as merges and hands leave it.
func randomFile(rng *rand.Rand, nodes []string) string {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	var b strings.Builder
	for range rng.IntN(14) {
		id := nodes[rng.IntN(len(nodes))]
		switch rng.IntN(12) {
		case 0:
			id = strings.Repeat("0", 40)
		case 1:
			id = pick(id[:39], "xyz", "", strings.Repeat("ab", 20), id+"00", strings.ToUpper(id))
		}
		b.WriteString(id + pick(" ", " ", " ", " ", " ", " ", " ", "  ", "\t", "") + pick("a", "b", "c", "d", "e", "two words", "ü", "x\x0by"))
		b.WriteString(pick("\n", "\n", "\n", "\n", "\n", "\r\n", "\r", " \n", "\n\n"))
	}
	return b.String()
}

// TestMergeAgainstHg gives several heads a .hgtags each and compares what comes
// of them all.
func TestMergeAgainstHg(t *testing.T) {
	hg := hgtest.NewReal(t, hgtest.Hg(t))
	rng := rand.New(rand.NewPCG(3, 4))
	compared := 0
	for range 12 {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		ask(t, hg, dir, "init")
		for i := range 4 {
			if err := os.WriteFile(filepath.Join(dir, "f"), fmt.Append(nil, i), 0o666); err != nil {
				t.Fatal(err)
			}
			ask(t, hg, dir, "commit", "-A", "-m", "base")
		}
		nodes := strings.Fields(ask(t, hg, dir, "log", "-T", `{node}\n`))
		known := map[string]bool{}
		for _, n := range nodes {
			known[n] = true
		}
		merged := &Table{}
		for range 2 + rng.IntN(3) {
			text := randomFile(rng, nodes)
			ask(t, hg, dir, "update", "-q", "-r", "3")
			if err := os.WriteFile(filepath.Join(dir, ".hgtags"), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			ask(t, hg, dir, "commit", "-A", "-m", "a head")
			merged.Merge(Parse([]byte(text), nil))
		}
		got, want := live(merged, known), realTags(t, hg, dir)
		if !maps.Equal(got, want) {
			t.Errorf("%s: tags %v, hg has %v", dir, got, want)
		}
		compared += len(want)
		// Local tags are one more text, of which only the newest entry of each
		// known node counts; hg's rules for them are package repo's.
	}
	if compared == 0 {
		t.Error("no tag was compared")
	}
	t.Logf("compared %d tags", compared)
}

func TestMergeTellsWhoWon(t *testing.T) {
	line := func(n byte, name string) string {
		return strings.Repeat(fmt.Sprintf("%02x", n), 20) + " " + name + "\n"
	}
	first := Parse([]byte(line(1, "same")+line(1, "old")+line(2, "old")+line(1, "kept")), nil)
	second := Parse([]byte(line(1, "same")+line(1, "old")+line(3, "kept")+line(4, "new")), nil)
	all := &Table{}
	if won := all.Merge(first); len(won) != 3 {
		t.Errorf("the first file won %q", won)
	}
	if won := all.Merge(second); strings.Join(won, " ") != "same kept new" {
		t.Errorf("the second file won %q", won)
	}
	for name, n := range map[string]byte{"same": 1, "old": 2, "kept": 3, "new": 4} {
		if got := all.ByName[name].Node[0]; got != n {
			t.Errorf("%s is of node %02x, not %02x", name, got, n)
		}
	}
	if h := all.ByName["kept"].History; len(h) != 0 {
		t.Errorf("a node that another one replaced without knowing it is history: %v", h)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"bookmarks-tags", "broken-localtags", "names"} {
		dir := hgtest.Extract(f, name)
		for _, file := range []string{".hgtags", ".hg/localtags"} {
			if text, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
				f.Add(text, text)
			}
		}
	}
	id := strings.Repeat("ab", 20)
	f.Add([]byte(id+" a\n"+node.Null.Hex()+" a\r"), []byte("x\n"+id+" a\n"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		a, b := Parse(one, nil), Parse(two, nil)
		for _, table := range []*Table{a, b} {
			entries := 0
			if len(table.Names) != len(table.ByName) {
				t.Fatalf("%d names, %d entries", len(table.Names), len(table.ByName))
			}
			for _, e := range table.ByName {
				entries += 1 + len(e.History)
			}
			if entries*(node.HexSize+1) > len(one)+len(two) {
				t.Fatalf("%d entries in %d bytes", entries, len(one)+len(two))
			}
		}
		before := len(a.Names)
		won := a.Merge(b)
		if len(a.Names) != len(a.ByName) || len(a.Names) < before || len(won) < len(a.Names)-before {
			t.Fatalf("%d names became %d, %d won", before, len(a.Names), len(won))
		}
	})
}

// TestMergeAll compares the short way with merging one text after the other, for
// heads that have the same file at several ages, and some that have not.
func TestMergeAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	short := 0
	for range 2000 {
		var lines []string
		for i := range 1 + rng.IntN(8) {
			name := i
			if rng.IntN(20) == 0 {
				name = rng.IntN(8)
			}
			lines = append(lines, strings.Repeat(fmt.Sprintf("%02x", rng.IntN(30)), 20)+fmt.Sprintf(" tag%d\n", name))
		}
		if rng.IntN(10) == 0 {
			lines[rng.IntN(len(lines))] = "no tag\n"
		}
		var texts [][]byte
		for range 1 + rng.IntN(5) {
			text := strings.Join(lines[:rng.IntN(len(lines)+1)], "")
			if rng.IntN(12) == 0 {
				text += strings.Repeat("99", 20) + " other\n"
			}
			if rng.IntN(20) == 0 && text != "" {
				text = text[:len(text)-1]
			}
			texts = append(texts, []byte(text))
		}
		want := &Table{}
		for _, text := range texts {
			want.Merge(Parse(text, nil))
		}
		reads := 0
		got, err := MergeAll(len(texts), func(i int) ([]byte, error) { reads++; return texts[i], nil })
		if err != nil {
			t.Fatal(err)
		}
		if reads <= len(texts) {
			short++
		}
		if strings.Join(got.Names, " ") != strings.Join(want.Names, " ") || got.Skipped > 0 != (want.Skipped > 0) {
			t.Fatalf("%q: names %q and %d other lines, want %q and %d", texts, got.Names, got.Skipped, want.Names, want.Skipped)
		}
		for name, e := range want.ByName {
			if g := got.ByName[name]; g.Node != e.Node || fmt.Sprint(g.History) != fmt.Sprint(e.History) {
				t.Fatalf("%q: %s is %v, want %v", texts, name, *g, *e)
			}
		}
	}
	if short < 200 {
		t.Errorf("the short way was taken %d times", short)
	}
}
