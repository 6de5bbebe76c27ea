// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// TestStateRevsets compares the predicates that depend on more than the
// changelog with real hg: a bisection, an unfinished merge, lists in files, a
// subrepository, histories with hidden changesets.
func TestStateRevsets(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			real := hgtest.NewReal(t, version.Path)
			write := func(name, text string) {
				t.Helper()
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			hg := func(line string) {
				t.Helper()
				args := append([]string{"--config", "ui.username=ada", "--config", "experimental.evolution=all", "--config", "ui.merge=:fail"}, strings.Fields(line)...)
				_, stderr, code, _, err := real.Run(dir, args, hgtest.BaseEnv())
				if err != nil || code == 255 {
					t.Fatalf("hg %s: %v %s", line, err, stderr)
				}
			}
			hg("init .")
			for i := range 8 {
				write("a", strings.Repeat("line\n", i)+"fix "+string(rune('a'+i))+"\n")
				if i == 3 {
					write("b", "one\ntwo\n")
				}
				hg("commit -A -m c" + string(rune('0'+i)) + " a" + strings.Repeat(" b", i/3%2))
			}
			hg("init sub")
			write("sub/x", "x\n")
			hg("-R sub commit -A -m sub sub/x")
			write(".hgsub", "# one\nsub = sub\n")
			hg("add .hgsub")
			hg("commit -m sub")
			write("sub/x", "y\n")
			hg("-R sub commit -m sub2")
			hg("commit -m sub2 -S")
			hg("update -C 5")
			write("a", "other\n")
			hg("commit -m other")
			hg("bookmark -r 6 other")
			hg("debugobsolete " + nodeOf(t, real, dir, "10") + " --config experimental.evolution=all")
			hg("bisect -U --good 1")
			hg("bisect -U --bad 7")
			hg("bisect -U --skip 3")
			hg("merge 7")
			write("nodes", nodeOf(t, real, dir, "2")+"\n"+nodeOf(t, real, dir, "4")[:12]+"\n\nzz\n")
			write("revs", "3 text\ntip\nnosuch x\n")
			var cmds []hgtest.Command
			for _, expr := range []string{
				"bisect(good)", "bisect(bad)", "bisect(skip)", "bisect(goods)", "bisect(bads)", "bisect(range)", "bisect(pruned)", "bisect(untested)",
				"bisect(ignored)", "bisect(current)", "bisected(GOOD)", "bisect(x)", "conflictlocal()", "conflictother()", "nodefromfile('nodes')",
				"nodefromfile('nosuch')", "nodefromfile('sub')", "extdata(list)", "extdata(nosuch)", "filelog('a')", "filelog('b')", "filelog('glob:*')", "filelog('nosuch')",
				"subrepo()", "subrepo('sub')", "subrepo('re:x')", "matching(8, substate)", "_destmerge()", "_destmerge(7)", "_destmerge(6+7)", "_destmerge(none())",
				"_destupdate()", "_destupdate(clean=1)", "_internal()", "diffcontains('fix a')", "diffcontains('re:^t')", "diffcontains('[')", "stack()", "stack(6)", "hidden()",
				"named('branches')", "sort(all(), random, random.seed=x)", "sort(all(), 'branch random', random.seed='long seed')", "adds('set:a')", "contains('set:b')", "file('set:a or b')",
			} {
				for _, hidden := range [][]string{nil, {"--hidden"}} {
					args := []string{"log", "-T", `{rev}\n`, "-r", expr, "--config", "extdata.list=revs"}
					cmds = append(cmds, hgtest.Command{Args: append(args, hidden...)})
				}
			}
			cmds = append(cmds, hgtest.Command{Args: []string{"log", "-T", `{rev}\n`, "-B", "other"}}, hgtest.Command{Args: []string{"log", "-T", `{rev}\n`, "-B", "nosuch"}})
			y := hgtest.NewTally(t)
			hgtest.Compare(t, y, dir, cmds, engineRunner("engine", Installation{Path: version.Path, Version: version.Number}, false),
				hgtest.Named{Name: "hg " + version.Number, Runner: real})
		})
	}
}

func nodeOf(t *testing.T, hg hgtest.Runner, dir, rev string) string {
	t.Helper()
	out, stderr, code, _, err := hg.Run(dir, []string{"log", "-r", rev, "-T", "{node}", "--hidden"}, hgtest.BaseEnv())
	if err != nil || code != 0 {
		t.Fatalf("node of %s: %v %s", rev, err, stderr)
	}
	return string(out)
}
