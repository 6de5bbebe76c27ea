// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// Each variant must come out, and in the format that it names.
func TestEveryVariantIsMade(t *testing.T) {
	t.Parallel()
	for _, v := range HgVersions(t) {
		g := NewGenerator(t, v.Path)
		real := NewReal(t, v.Path)
		requires := func(seed uint64, variant Variant) string {
			out, stderr, code, _, err := real.Run(g.New(t, seed, variant), []string{"debugrequires"}, BaseEnv())
			if err != nil || code != 0 {
				t.Errorf("%s: variant %q: debugrequires: %v, exit %d: %s", v.Number, variant, err, code, stderr)
			}
			return string(out)
		}
		made := make(map[string]bool)
		for n, variant := range Variants() {
			made[requires(uint64(n), variant)] = true
		}
		if len(made) < 20 {
			t.Errorf("%s: %d variants came out in only %d sets of requirements", v.Number, len(Variants()), len(made))
		}
		for n, variant := range ForeignVariants() {
			if made[requires(uint64(n), variant)] {
				t.Errorf("%s: variant %q has the requirements of a native one", v.Number, variant)
			}
		}
	}
}

// The same seed gives the same repository, in two processes.
func TestGenerateRepeats(t *testing.T) {
	t.Parallel()
	hg := Hg(t)
	real := NewReal(t, hg)
	state := func(dir string) string {
		var all string
		for _, args := range [][]string{{"log", "--hidden", "-T", "{node} {phase} {tags} {bookmarks}\n"}, {"status", "-A"}, {"identify"}} {
			out, stderr, code, _, err := real.Run(dir, args, BaseEnv())
			if err != nil {
				t.Fatal(err)
			}
			all += fmt.Sprintf("%s%s%d\n", out, filepath.Base(string(stderr)), code)
		}
		return all
	}
	for seed := range uint64(4) {
		if a, b := state(Generate(t, seed, "evolution")), state(Generate(t, seed, "evolution")); a != b {
			t.Errorf("seed %d gave two repositories:\n%s\n%s", seed, a, b)
		}
	}
}

// Command lines are the same for the same seed, read back as they are
// written, and use every production.
func TestRandomCommands(t *testing.T) {
	t.Parallel()
	info := RepoInfo{
		Nodes: []string{"71e61aad0b70f3a5f9f0a2f6d1d0a2bb0c1d2e3f"}, Branches: []string{"default"}, Tracked: []string{"a", "d/b \xff"},
		Files: []string{"a", "d/b \xff", "-x"}, Dirs: []string{"d"}, Present: []string{"d"}, Users: []string{"u"},
	}
	const n = 3000
	words := make(map[string]int)
	var sums [2]uint64
	for i := range sums {
		h := fnv.New64()
		for _, c := range RandomCommands(rand.New(rand.NewPCG(1, 2)), info, n) {
			line := c.String()
			fmt.Fprintln(h, line)
			back, err := ParseCommand(line)
			if err != nil {
				t.Fatal(err)
			}
			if back.String() != line || len(back.Args) != len(c.Args) || back.Sub != c.Sub {
				t.Fatalf("%s reads back as %s", line, back)
			}
			words[commandWord(c.Args)]++
		}
		sums[i] = h.Sum64()
	}
	if sums[0] != sums[1] {
		t.Errorf("the same seed gave two lists of commands")
	}
	if len(words) < len(productions) {
		t.Errorf("%d productions, but only these commands: %v", len(productions), words)
	}
}
