// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
)

// changeset is what real hg tells of one.
type changeset struct {
	id       node.ID
	parents  [2]node.Rev
	phase    string
	shortest string
	flags    obsolete.Flag // without Hidden
}

func number(t *testing.T, text string) node.Rev {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return node.Rev(n)
}

// askAll asks hg about all changesets, hidden ones too.
func askAll(t *testing.T, hg hgtest.Runner, dir string) []changeset {
	t.Helper()
	out := run(t, hg, dir, "log", "--hidden", "-r", "all()", "-T", `{node} {p1.rev} {p2.rev} {phase} {shortest(node, 1)} {obsolete} {instabilities}\n`)
	var list []changeset
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		c := changeset{parents: [2]node.Rev{number(t, f[1]), number(t, f[2])}, phase: f[3], shortest: f[4]}
		c.id, _ = node.FromHex(f[0])
		for _, word := range f[5:] {
			switch word {
			case "obsolete":
				c.flags |= obsolete.Obsolete
			case "orphan":
				c.flags |= obsolete.Orphan
			case "phase-divergent":
				c.flags |= obsolete.PhaseDivergent
			case "content-divergent":
				c.flags |= obsolete.ContentDivergent
			default:
				t.Fatalf("hg says %q of a changeset", word)
			}
		}
		list = append(list, c)
	}
	return list
}

// revs are the revisions that a revset has for hg.
func revs(t *testing.T, hg hgtest.Runner, dir, revset string, more ...string) []int32 {
	t.Helper()
	var out []int32
	for _, f := range strings.Fields(run(t, hg, dir, append([]string{"log", "-r", revset, "-T", `{rev}\n`}, more...)...)) {
		out = append(out, int32(number(t, f)))
	}
	return out
}

// unpin removes all that keeps hidden changesets visible.
func unpin(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"dirstate", "bookmarks", "localtags", "merge"} {
		if err := os.RemoveAll(filepath.Join(dir, ".hg", name)); err != nil {
			t.Fatal(err)
		}
	}
}

// compareWithHg compares all that a snapshot says with hg.
func compareWithHg(t *testing.T, hg hgtest.Runner, dir string, s *Snapshot) (flags [8]int, hiddenCount int) {
	t.Helper()
	all := askAll(t, hg, dir)
	if s.Len() != len(all) {
		t.Fatalf("%s: %d changesets, hg has %d", dir, s.Len(), len(all))
	}
	kids := map[node.Rev][]int32{}
	for i, c := range all {
		rev := node.Rev(i)
		p1, p2 := s.Parents(rev)
		if s.Node(rev) != c.id || p1 != c.parents[0] || p2 != c.parents[1] || s.Phase(rev).String() != c.phase {
			t.Errorf("%s: changeset %d is %v %d %d %v, hg has %+v", dir, rev, s.Node(rev), p1, p2, s.Phase(rev), c)
		}
		if got := s.Flags(rev) &^ obsolete.Hidden; got != c.flags {
			t.Errorf("%s: changeset %d has flags %#x, for hg %#x", dir, rev, got, c.flags)
		}
		for b := range 4 {
			if c.flags&(1<<b) != 0 {
				flags[b]++
			}
		}
		kids[p1] = append(kids[p1], int32(rev))
		if p2 >= 0 && p2 != p1 {
			kids[p2] = append(kids[p2], int32(rev))
		}
		compareShortest(t, dir, s, rev, c)
	}
	for rev := node.NullRev; int(rev) < len(all); rev++ {
		if got := s.Children(rev); !slices.Equal(got, kids[rev]) {
			t.Errorf("%s: children of %d are %v, not %v", dir, rev, got, kids[rev])
		}
	}
	compareLookup(t, dir, s, all)
	visible := revs(t, hg, dir, "all()")
	var got []int32
	for rev := range int32(s.Len()) {
		if s.Flags(node.Rev(rev))&obsolete.Hidden == 0 {
			got = append(got, rev)
		}
	}
	if !slices.Equal(got, visible) {
		t.Errorf("%s: visible are %v, for hg %v", dir, got, visible)
	}
	if s.HiddenCount() != len(all)-len(visible) {
		t.Errorf("%s: %d are hidden, for hg %d", dir, s.HiddenCount(), len(all)-len(visible))
	}
	if heads := revs(t, hg, dir, "heads(all())"); !slices.Equal(s.Heads(), heads) {
		t.Errorf("%s: heads are %v, for hg %v", dir, s.Heads(), heads)
	}
	return flags, len(all) - len(visible)
}

// compareShortest compares the length of the shortest prefix. hg makes one longer
// that is a number, or that the null ID or the working directory's has too.
func compareShortest(t *testing.T, dir string, s *Snapshot, rev node.Rev, c changeset) {
	t.Helper()
	n := s.Shortest(rev)
	prefix := c.id.Hex()[:n]
	special := strings.Trim(prefix, "0123456789") == "" || strings.Trim(prefix, "f") == "" || strings.Trim(prefix, "0") == ""
	if len(c.shortest) < n || len(c.shortest) > n && !special {
		t.Errorf("%s: changeset %d needs %d digits, hg says %q", dir, rev, n, c.shortest)
	}
}

func compareLookup(t *testing.T, dir string, s *Snapshot, all []changeset) {
	t.Helper()
	byNode := map[string]node.Rev{}
	for i, c := range all {
		byNode[c.id.Hex()] = node.Rev(i)
	}
	names := make([]string, 0, len(all))
	for name := range byNode {
		names = append(names, name)
	}
	slices.Sort(names)
	want := func(digits string) []node.Rev {
		var out []node.Rev
		for _, name := range names {
			if strings.HasPrefix(name, digits) {
				out = append(out, byNode[name])
			}
		}
		return out
	}
	check := func(digits string) {
		w := want(digits)
		if got := s.Prefix(digits, len(all)+1); !slices.Equal(got, w) {
			t.Errorf("%s: nodes with %q are %v, not %v", dir, digits, got, w)
		}
		if got := s.Prefix(digits, 2); !slices.Equal(got, w[:min(2, len(w))]) {
			t.Errorf("%s: the first two nodes with %q are %v, not %v", dir, digits, got, w)
		}
	}
	for _, name := range names {
		id, _ := node.FromHex(name)
		if rev, ok := s.Rev(id); !ok || rev != byNode[name] {
			t.Errorf("%s: %s is changeset %d, %v", dir, name, rev, ok)
		}
		id[node.Size-1] ^= 1
		if rev, ok := s.Rev(id); ok {
			t.Errorf("%s: %v, which does not exist, is changeset %d", dir, id, rev)
		}
		for _, n := range []int{1, 2, 3, 4, 7, 12, 39, 40} {
			check(name[:n])
		}
		check(id.Hex())
	}
	for _, digits := range []string{"0", "f", "00000000", "ffffffff", strings.Repeat("f", 40), strings.Repeat("0", 40)} {
		check(digits)
	}
	for _, bad := range []string{"", "g", "A", "0x", strings.Repeat("0", 41)} {
		if got := s.Prefix(bad, 10); got != nil {
			t.Errorf("%s: nodes with %q: %v", dir, bad, got)
		}
	}
	if rev, ok := s.Rev(node.Null); !ok || rev != node.NullRev {
		t.Errorf("%s: the null ID is changeset %d, %v", dir, rev, ok)
	}
}

// count reads a number of repositories from the environment.
func count(t *testing.T, name string, def int) int {
	text := os.Getenv(name)
	if text == "" {
		return def
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestAgainstHg compares snapshots of generated and recorded repositories with
// real hg. HGBROKER_SNAPSHOTS sets how many are generated (24).
func TestAgainstHg(t *testing.T) {
	hg := hgtest.NewReal(t, hgtest.Hg(t))
	gen := hgtest.NewGenerator(t, hgtest.Hg(t))
	var flags [8]int
	hidden, changesets := 0, 0
	check := func(dir string) {
		unpin(t, dir)
		s := load(t, dir, nil)
		if err := s.Verify(); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		f, h := compareWithHg(t, hg, dir, s)
		for i := range f {
			flags[i] += f[i]
		}
		hidden += h
		changesets += s.Len()
	}
	variants := []hgtest.Variant{"evolution", "split,evolution", "internal-phase,archived-phase,evolution", "evolution,zlib", ""}
	for i := range count(t, "HGBROKER_SNAPSHOTS", 24) {
		v := variants[i%len(variants)]
		t.Run(fmt.Sprintf("%d-%s", 300+i, v), func(t *testing.T) {
			dir := gen.New(t, uint64(300+i), v)
			if obsoletes := revs(t, hg, dir, "obsolete() and draft()", "--hidden"); i%2 == 0 && len(obsoletes) > 0 {
				// What rewrites a public changeset is phase-divergent.
				run(t, hg, dir, "phase", "--hidden", "--public", "-r", fmt.Sprint(obsoletes[len(obsoletes)/2]))
			}
			check(dir)
		})
	}
	for _, name := range []string{"linear", "merges-renames", "branches", "obsolescence", "obsstore-v0", "phases", "empty", "split-revlogs"} {
		t.Run(name, func(t *testing.T) { check(hgtest.Extract(t, name)) })
	}
	t.Logf("%d changesets, of them %d obsolete, %d orphan, %d phase-divergent, %d content-divergent, %d hidden",
		changesets, flags[0], flags[1], flags[2], flags[3], hidden)
	for i := range 4 {
		if flags[i] == 0 {
			t.Errorf("no changeset had flag %#x", 1<<i)
		}
	}
	if hidden == 0 {
		t.Error("no changeset was hidden")
	}
}

// write changes a file of a working directory.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestRefreshIsABuild changes a repository in every way that real hg has and
// compares a snapshot that is brought up to date with one made from nothing.
func TestRefreshIsABuild(t *testing.T) {
	hg := hgtest.NewReal(t, hgtest.Hg(t))
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	evolve := []string{"--config", "experimental.evolution=all", "--config", "extensions.strip="}
	do := func(args ...string) { run(t, hg, dir, append(args, evolve...)...) }
	n := 0
	commit := func(more ...string) {
		n++
		write(t, dir, "f", strings.Repeat(fmt.Sprintf("line %d\n", n), 50))
		do(append([]string{"commit", "-A", "-m", fmt.Sprintf("change %d", n)}, more...)...)
	}
	steps := []struct {
		name string
		do   func()
	}{
		{"init", func() { do("init") }},
		{"first commit", func() { commit() }},
		{"commits", func() { commit(); commit(); commit() }},
		{"public", func() { do("phase", "--public", "-r", "1") }},
		{"secret", func() { commit("--secret") }},
		{"phase back", func() { do("phase", "--draft", "--force", "-r", "1") }},
		{"bookmark", func() { do("bookmark", "-r", "2", "mark") }},
		{"bookmark removed", func() { do("bookmark", "--delete", "mark") }},
		{"amend", func() { write(t, dir, "f", "amended\n"); do("commit", "--amend", "-m", "amended") }},
		{"amend again", func() { write(t, dir, "f", "again\n"); do("commit", "--amend", "-m", "again") }},
		{"pruned", func() { do("debugobsolete", strings.TrimSpace(run(t, hg, dir, "log", "-r", "3", "-T", "{node}"))) }},
		{"another head", func() { do("update", "-q", "-r", "0"); commit() }},
		{"closed branch", func() { do("branch", "side"); commit(); commit("--close-branch") }},
		{"strip in the middle", func() { do("strip", "--no-backup", "-r", "2") }},
		{"strip the tip", func() { do("strip", "--no-backup", "-r", "tip", "--hidden") }},
		{"commits that split the index", func() {
			for range 4 {
				n++
				write(t, dir, "f", fmt.Sprint(n))
				// An inline index is split when it passes 128 KiB.
				do("commit", "-A", "-m", randomText(n, 60_000))
			}
		}},
		{"commit behind it", func() { commit() }},
		{"strip of a split index", func() { do("strip", "--no-backup", "-r", "tip") }},
		{"strip of everything", func() { do("strip", "--no-backup", "-r", "0", "--hidden") }},
		{"commit after that", func() { commit() }},
	}
	var prev, chain *Snapshot
	for _, step := range steps {
		step.do()
		fresh := load(t, dir, nil)
		refreshed := fresh
		if prev != nil {
			refreshed = load(t, dir, prev)
			sameSections(t, step.name, refreshed, fresh)
			grown(t, step.name, readFiles(t, dir, prev), prev, fresh)
		}
		// And one that is never merged as long as it can grow.
		var next *Snapshot
		if chain != nil {
			next = grown(t, step.name+", again", readFiles(t, dir, chain), chain, fresh)
			chain.Close()
		}
		if chain = next; chain == nil {
			chain = openBytes(t, imageOf(t, fresh))
		}
		if err := refreshed.Verify(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		refreshed.SetBranches(&BranchColumns{Names: []string{"default"}, Of: make([]uint32, refreshed.Len()-refreshed.BranchesKnown())})
		prev = openBytes(t, imageOf(t, refreshed))
	}
	if prev.Len() != 1 {
		t.Errorf("%d changesets at the end", prev.Len())
	}
}

// grown brings prev up to date beside its image, and compares. It returns nil
// when prev cannot grow.
func grown(t *testing.T, what string, f *Files, prev, fresh *Snapshot) *Snapshot {
	t.Helper()
	s := Grow(f, prev)
	defer s.Close()
	s.SetBranches(&BranchColumns{Names: []string{"default"}, Of: make([]uint32, s.Len()-s.BranchesKnown())})
	b, err := s.Growth()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if b == nil {
		if prev.Len() > 0 && f.Prior == prev.Len() && prev.Markers().Len() == s.Markers().Len() {
			t.Errorf("%s: no growth", what)
		}
		return nil
	}
	img := mustOpen(t, b.Bytes())
	if err := VerifyGrowth(img); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	g, err := OpenGrown(prev, img)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if err := g.Verify(); err != nil {
		t.Errorf("%s, grown: %v", what, err)
	}
	if !g.HasBranches() {
		t.Errorf("%s: what is known of branches is lost", what)
	}
	askEverything(g)
	again, err := OpenGrown(prev, mustOpen(t, b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	sameSections(t, what+", merged", openBytes(t, imageOf(t, g)), fresh)
	return again
}

// randomText does not compress well.
func randomText(seed, size int) string {
	var b strings.Builder
	x := uint64(seed)*0x9e3779b97f4a7c15 + 1
	for b.Len() < size {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b.WriteString(strconv.FormatUint(x, 36))
	}
	return b.String()
}

// A file that cannot be understood is an error, not another answer.
func TestBuildRefuses(t *testing.T) {
	dir := hgtest.Extract(t, "obsolescence")
	for name, damage := range map[string]func(f *Files){
		"phaseroots": func(f *Files) { f.PhaseRoots = []byte("x") },
		"obsstore":   func(f *Files) { f.ObsStore = f.ObsStore[:len(f.ObsStore)-1] },
	} {
		f := readFiles(t, dir, nil)
		damage(f)
		if _, err := Build(f, nil); err == nil {
			t.Errorf("damaged %s: accepted", name)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ".hg/store/obsstore")); errors.Is(err, os.ErrNotExist) {
		t.Error("the repository has no markers")
	}
}
