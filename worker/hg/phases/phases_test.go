// SPDX-License-Identifier: GPL-2.0-or-later

package phases_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
	"hgbroker/worker/hg/revlog"
)

// changesets is a changelog with its node lookup.
type changesets struct {
	revlog.Index
	revs map[node.ID]node.Rev
}

func (c changesets) Rev(id node.ID) (node.Rev, bool) { r, ok := c.revs[id]; return r, ok }

func open(t *testing.T, store string) changesets {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(store, "00changelog.i"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	x, err := revlog.ParseIndex("00changelog", raw)
	if err != nil {
		t.Fatal(err)
	}
	c := changesets{x, map[node.ID]node.Rev{}}
	for rev := range node.Rev(x.Len()) {
		c.revs[x.Node(rev)] = rev
	}
	return c
}

func TestPhasesAgainstHg(t *testing.T) {
	hg := hgtest.NewReal(t, hgtest.Hg(t))
	gen := hgtest.NewGenerator(t, hgtest.Hg(t))
	dirs := []string{hgtest.Extract(t, "phases"), hgtest.Extract(t, "broken-phaseroots-unknown"), hgtest.Extract(t, "internal-phase"), hgtest.Extract(t, "archived-phase")}
	for seed := range uint64(8) {
		dirs = append(dirs, gen.New(t, 200+seed, "internal-phase,archived-phase"))
	}
	seen := map[string]int{}
	for _, dir := range dirs {
		c := open(t, filepath.Join(dir, ".hg/store"))
		text, err := os.ReadFile(filepath.Join(dir, ".hg/store/phaseroots"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		roots, err := phases.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range phases.Compute(c, roots) {
			got = append(got, p.String())
			seen[p.String()]++
		}
		out, stderr, code, _, err := hg.Run(dir, []string{"log", "--hidden", "-r", "all()", "-T", `{phase}\n`}, hgtest.BaseEnv("HGPLAIN=1"))
		if err != nil || code != 0 {
			t.Fatalf("hg log: %d, %v, %s", code, err, stderr)
		}
		if want := strings.Fields(string(out)); !slices.Equal(got, want) {
			t.Errorf("%s: phases %v, hg has %v", dir, got, want)
		}
	}
	for _, p := range []phases.Phase{phases.Public, phases.Draft, phases.Secret, phases.Archived, phases.Internal} {
		if seen[p.String()] == 0 {
			t.Errorf("no changeset was %v", p)
		}
	}
}

const digits = "0123456789abcdef0123456789abcdef01234567"

func TestParse(t *testing.T) {
	for text, want := range map[string]int{
		"":                                    0,
		"1 " + digits + "\n":                  1,
		"1 " + digits:                         1,
		"  2\t" + digits + "\r\n":             1,
		"1 " + strings.ToUpper(digits) + "\n": 1,
		"96 " + digits + "\n32 " + digits + "\n0 " + digits + "\n": 3,
		"\n":                        -1,
		"1\n":                       -1,
		"1 " + digits + " x\n":      -1,
		"3 " + digits + "\n":        -1,
		"-1 " + digits + "\n":       -1,
		"257 " + digits + "\n":      -1,
		"1e0 " + digits + "\n":      -1,
		"1 " + digits[1:] + "\n":    -1,
		"1 g" + digits[1:] + "\n":   -1,
		"1 " + digits + digits[:2]:  -1,
		"1 " + digits + "\n\n":      -1,
		"99999999999999999999 x\n":  -1,
		"1 " + digits + "\n1 " + "": -1,
		strings.Repeat("1 ", 10000): -1,
	} {
		roots, err := phases.Parse([]byte(text))
		var d *hgerr.Damage
		switch {
		case want < 0 && !errors.As(err, &d):
			t.Errorf("%.60q: %v, %v", text, roots, err)
		case want >= 0 && (err != nil || len(roots) != want):
			t.Errorf("%.60q: %v, %v", text, roots, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"phases", "broken-phaseroots-unknown", "broken-phaseroots", "internal-phase"} {
		if text, err := os.ReadFile(filepath.Join(hgtest.Extract(f, name), ".hg/store/phaseroots")); err == nil {
			f.Add(text)
		}
	}
	f.Add([]byte("1 x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		roots, err := phases.Parse(text)
		if err != nil {
			return
		}
		// What was understood means the same when it is written again.
		var b strings.Builder
		for _, r := range roots {
			fmt.Fprintf(&b, "%d %s\n", r.Phase, r.Node.Hex())
		}
		again, err := phases.Parse([]byte(b.String()))
		if err != nil || !slices.Equal(again, roots) {
			t.Fatalf("%q: %v became %v, %v", text, roots, again, err)
		}
	})
}
