// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/mergestate"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/status"
)

// memRepo answers by rules that spread files over all kinds. Expected outputs
// are not made of it; they come from hg, in package command.
type memRepo struct{}

var names = []string{"a.c", "b.c", "lib/a.h", "lib/con", "lib/deep/x.bin", "README", "build/o.o", "new"}

func kindOf(rev node.Rev, path string) int { return (slices.Index(names, path) + int(rev)) % 7 }

func (memRepo) Revs(spec string) ([]node.Rev, error) {
	if spec == "none()" {
		return nil, nil
	}
	return []node.Rev{1, 4}, nil
}
func (memRepo) Pair(string, string) (a, b node.Rev, err error) { return 2, 3, nil }
func (memRepo) FirstParent(rev node.Rev) node.Rev              { return 0 }
func (memRepo) Status(base, rev node.Rev, m match.Matcher, want StatusLists) (*status.Result, error) {
	r := &status.Result{}
	lists := []*[]string{&r.Modified, &r.Added, &r.Removed, &r.Deleted, &r.Unknown, &r.Ignored, &r.Clean}
	wanted := []bool{true, true, true, true, want.Unknown, want.Ignored, want.Clean}
	for _, f := range names {
		if k := kindOf(rev, f); wanted[k] && (m == nil || m.Match(f)) {
			*lists[k] = append(*lists[k], f)
		}
	}
	return r, nil
}
func (memRepo) Tracked(rev node.Rev, path string) (bool, error) { return kindOf(rev, path) < 4, nil }
func (memRepo) Flag(rev node.Rev, path string) (manifest.Flag, error) {
	return [...]manifest.Flag{0, 'x', 'l'}[kindOf(rev, path)%3], nil
}
func (memRepo) Size(rev node.Rev, path string) (int64, bool, error) {
	return int64(len(path)), kindOf(rev, path) != 3, nil
}
func (memRepo) Data(rev node.Rev, path string) ([]byte, bool, error) {
	return []byte([]string{"text\n", "a\x00b", "dos\r\n", ""}[kindOf(rev, path)%4]), kindOf(rev, path) != 3, nil
}
func (memRepo) Copied(rev node.Rev, path string) (bool, error) { return kindOf(rev, path) == 1, nil }
func (memRepo) MergeState() (*mergestate.State, error)         { return nil, nil }
func (memRepo) Ignored() (match.Matcher, error)                { return match.Exact([]string{"build/o.o"}), nil }
func (memRepo) Subrepos(node.Rev) ([]string, error)            { return nil, nil }

// draw is a random valid expression.
func draw(r *rand.Rand, depth int) string {
	if depth > 0 {
		a, b := draw(r, depth-1), draw(r, depth-1)
		switch r.IntN(7) {
		case 0, 1:
			return "(" + a + " & " + b + ")"
		case 2:
			return "(" + a + " + " + b + ")"
		case 3:
			return "(" + a + " - " + b + ")"
		case 4:
			return "!(" + a + ")"
		case 5:
			return "revs(x, " + a + ")"
		}
		return "status(a, b, " + a + " or " + b + ")"
	}
	leaves := []string{"'a.c'", "lib", "'lib/**'", "re:'.*c'", "relglob:'*.h'", "'**'", "size('> 4')", "size('1k-2k')", "grep(t)", "binary()",
		"eol(dos)", "encoding(ascii)", "copied()", "exec()", "symlink()", "tracked()", "portable()", "hgignore()", "resolved()",
		"modified()", "added()", "removed()", "deleted()", "missing()", "unknown()", "ignored()", "clean()", "revs('none()', '**')", "set:'added()'"}
	return leaves[r.IntN(len(leaves))]
}

// selected evaluates a tree.
func selected(t testing.TB, tree *Tree) []string {
	ev := &evaluator{repo: memRepo{}, options: match.Options{Root: "/r"}, failure: &failure{}}
	m, err := (&scope{evaluator: ev, base: 0, rev: 5}).get(tree)
	if err != nil {
		t.Fatalf("%s: %v", tree, err)
	}
	var out []string
	for _, f := range names {
		if m.Match(f) {
			out = append(out, f)
		}
	}
	return out
}

// TestOptimized: a tree selects the same files before and after each rewrite
// (the order of "and" and "or", differences, joined patterns, merged hints).
func TestOptimized(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	some, rewritten := 0, 0
	for range 3000 {
		expr := draw(r, r.IntN(5))
		raw, err := Parse(expr)
		if err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		plain, err := Analyze(raw)
		if err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		best := Optimize(plain)
		if best.String() != plain.String() {
			rewritten++
		}
		want, got := selected(t, plain), selected(t, best)
		if !slices.Equal(want, got) {
			t.Fatalf("%s: %q, optimized %q", expr, want, got)
		}
		if len(want) > 0 && len(want) < len(names) {
			some++
		}
	}
	if some < 1000 || rewritten < 1000 {
		t.Errorf("only %d select some files, %d are rewritten", some, rewritten)
	}
}

// TestPredicates: the table has the predicates that real hg lists, and says of
// each whether it is native.
func TestPredicates(t *testing.T) {
	entry := regexp.MustCompile(`(?m)^ *"([a-z]+)\(`)
	for _, v := range hgtest.HgVersions(t) {
		out, _, _, _, err := hgtest.CLI(v.Path).Run(t.TempDir(), []string{"help", "filesets.predicates"}, hgtest.BaseEnv())
		if err != nil {
			t.Fatal(err)
		}
		var listed []string
		for _, m := range entry.FindAllStringSubmatch(string(out), -1) {
			listed = append(listed, m[1])
		}
		if len(listed) < 20 {
			t.Fatalf("hg %s lists %q", v.Number, listed)
		}
		native, reasons := 0, ""
		for _, name := range listed {
			p := predicates()[name]
			switch {
			case p == nil:
				t.Errorf("hg %s has %s()", v.Number, name)
				continue
			case p.Partly != "":
				reasons += fmt.Sprintf("; %s but for %s", p.Usage, p.Partly)
			}
			native++
		}
		t.Logf("hg %s: fileset predicates: %d / %d native%s", v.Number, native, len(listed), reasons)
	}
	for _, p := range Predicates() {
		if p.Doc == "" || !strings.HasPrefix(p.Usage, p.Name+"(") || p.eval == nil || p.weight <= 0 {
			t.Errorf("%+v", p)
		}
	}
}

// TestSizes checks the numbers behind size() against what hg documents for it
// (`hg help filesets`).
func TestSizes(t *testing.T) {
	for expr, want := range map[string][2]int64{"1k": {1024, 2047}, "4k - 1MB": {4096, 1048576}, "4.5k": {4608, 4709}} {
		lo, hi, err := parseSizes(expr)
		if err != nil || [2]int64{lo, hi} != want {
			t.Errorf("%s: %d to %d, %v", expr, lo, hi, err)
		}
	}
}

// FuzzCompile: whatever the bytes, an expression is a matcher, hg's error or
// Unsupported.
func FuzzCompile(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		f.Add(draw(r, 3))
	}
	for _, s := range []string{"", "a &", "foo()", "-a", `"\x4"`, "(a", "a b", "a,b", "foo:a", "()", "'a", "^", "a:b:c", "1(a)", "set:set:a", "size(1e5k)",
		"grep('(')", "not not not a", strings.Repeat("(", 500), strings.Repeat("a-", 500) + "a", strings.Repeat("a|", 500) + "a", "r'\\'", "encoding(x)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		m, err := Compile(expr, match.Options{Root: "/nosuch", Version: config.Version{Major: 7, Minor: 2},
			ReadFile: func(string) ([]byte, error) { return nil, errors.New("no files here") }}, memRepo{}, 5)
		var abort *hgerr.Abort
		if err != nil && !errors.As(err, &abort) && !hgerr.IsUnsupported(err) {
			t.Fatalf("%q: %T %v", expr, err, err)
		}
		if err == nil {
			for _, name := range names {
				m.Match(name)
			}
		}
	})
}
