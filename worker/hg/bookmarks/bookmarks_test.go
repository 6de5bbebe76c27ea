// SPDX-License-Identifier: GPL-2.0-or-later

package bookmarks

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

// ask runs hg and returns its two outputs.
func ask(t *testing.T, hg hgtest.Runner, dir string, args ...string) (stdout, stderr string) {
	t.Helper()
	out, errOut, code, _, err := hg.Run(dir, args, hgtest.BaseEnv())
	if err != nil || code != 0 {
		t.Fatalf("hg %q: %d, %v, %s", args, code, err, errOut)
	}
	return string(out), string(errOut)
}

// randomFile is a bookmarks file that nobody would write by hand.
func randomFile(rng *rand.Rand, nodes []string) string {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	var b strings.Builder
	for range rng.IntN(12) {
		id := nodes[rng.IntN(len(nodes))]
		switch rng.IntN(10) {
		case 0:
			id = pick(id[:39], id+"0", id+"00", "", "xyz", id[:20], "g"+id[1:], strings.Repeat("0", 40), strings.Repeat("ab", 20))
		case 1:
			id = strings.ToUpper(id)
		}
		name := pick("a", "b", "@", "two words", "ü", "it's", `say "x"`, `it's "x"`, `back\slash`, " led", "tab\tin", "ctl\x01", "nbsp\u00a0x", "trail  ")
		b.WriteString(pick("", "", "", "", " ", "\t", "\x0b"))
		b.WriteString(id + pick(" ", " ", " ", " ", " ", " ", "  ", "\t", "") + name)
		b.WriteString(pick("\n", "\n", "\n", "\n", "\r\n", " \n", "\n\n", "\n  \n"))
	}
	return strings.TrimSuffix(b.String(), pick("\n", "x"))
}

func TestParseAgainstHg(t *testing.T) {
	hg := hgtest.NewReal(t, hgtest.Hg(t))
	dir := hgtest.Extract(t, "bookmarks-tags")
	out, _ := ask(t, hg, dir, "log", "-r", "all()", "-T", `{node}\n`)
	nodes := strings.Fields(out)
	known := map[string]bool{strings.Repeat("0", 40): true}
	for _, n := range nodes {
		known[n] = true
	}
	rng := rand.New(rand.NewPCG(1, 2))
	lines, warnings := 0, 0
	for range 60 {
		text := randomFile(rng, nodes)
		if err := os.WriteFile(filepath.Join(dir, ".hg/bookmarks"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		got, want := map[string]string{}, map[string]string{}
		var said strings.Builder
		for _, b := range Parse([]byte(text), ".hg/bookmarks", func(msg string) { fmt.Fprintln(&said, msg) }) {
			if known[b.Node.Hex()] {
				got[b.Name] = b.Node.Hex()
			}
		}
		stdout, stderr := ask(t, hg, dir, "bookmarks", "-T", `{node}\0{bookmark}\0`)
		fields := strings.Split(stdout, "\x00")
		for i := 0; i+1 < len(fields); i += 2 {
			want[fields[i+1]] = fields[i]
		}
		if !maps.Equal(got, want) {
			t.Errorf("%q: bookmarks %q, hg has %q", text, got, want)
		}
		if said.String() != stderr {
			t.Errorf("%q: warnings\n%s, hg says\n%s", text, said.String(), stderr)
		}
		lines += len(got)
		warnings += strings.Count(stderr, "\n")
	}
	t.Logf("compared %d bookmarks and %d warnings", lines, warnings)
	if lines == 0 || warnings == 0 {
		t.Error("nothing was compared")
	}
}

func TestActiveAgainstHg(t *testing.T) {
	hg := hgtest.NewReal(t, hgtest.Hg(t))
	dir := hgtest.Extract(t, "bookmarks-tags")
	out, _ := ask(t, hg, dir, "log", "-r", "0", "-T", "{node}")
	var file strings.Builder
	for _, name := range []string{"a", "b", "two words", "ü", "a b c"} {
		fmt.Fprintf(&file, "%s %s\n", out, name)
	}
	if err := os.WriteFile(filepath.Join(dir, ".hg/bookmarks"), []byte(file.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	marks := Parse([]byte(file.String()), "", func(msg string) { t.Error(msg) })
	for _, text := range []string{"", "a", "a\n", "b\nx\n", "a\r\n", "a\rb\n", "\na\n", " a\n", "a \n", "two words\n", "ü", "none\n", "a\x0b\n"} {
		if err := os.WriteFile(filepath.Join(dir, ".hg/bookmarks.current"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, b := range marks {
			if b.Name == Active([]byte(text)) {
				got = b.Name
			}
		}
		if want, _ := ask(t, hg, dir, "log", "-r", "0", "-T", "{activebookmark}"); got != want {
			// {activebookmark} is empty away from the working directory's parent.
			if want, _ = ask(t, hg, dir, "bookmarks", "-T", "{if(active, bookmark)}"); got != want {
				t.Errorf("%q: active %q, hg has %q", text, got, want)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"bookmarks-tags", "broken-bookmarks", "names"} {
		if text, err := os.ReadFile(filepath.Join(hgtest.Extract(f, name), ".hg/bookmarks")); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		warned := 0
		marks := Parse(text, "x", func(string) { warned++ })
		if n := len(marks) + warned; n > strings.Count(string(text), "\n")+1 {
			t.Fatalf("%d lines of %q", n, text)
		}
		for _, b := range marks {
			line := fmt.Sprintf("%s %s", b.Node.Hex(), b.Name)
			again := Parse([]byte(line), "x", func(msg string) { t.Fatal(msg) })
			if len(again) != 1 || again[0] != b {
				t.Fatalf("%q became %q", b, again)
			}
			if len(b.Node) != node.Size {
				t.Fatal("a node of another size")
			}
		}
		Active(text)
	})
}
