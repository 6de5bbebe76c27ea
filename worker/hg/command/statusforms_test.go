// SPDX-License-Identifier: GPL-2.0-or-later

package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// TestStatusForms compares what status prints in its many forms, and the colors
// of the commands that have some. With HGBROKER_DIFFERENTIAL set, lines that need
// an hg of their own are compared in every state.
func TestStatusForms(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		y := hgtest.NewTally(t)
		y.MaxErrors = 40
		real := hgtest.NewReal(t, version.Path)
		// hg's own process for each: a command server remembers, from one command
		// to the next, which files a verbose status has shown.
		alone := hgtest.Named{Name: "hg " + version.Number, Runner: hgtest.CLI(version.Path)}
		for _, s := range append(statusScenarios[:len(statusScenarios):len(statusScenarios)], rebasing) {
			t.Run(version.Number+"/"+s.name, func(t *testing.T) {
				dir, err := filepath.EvalSymlinks(t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				w := &workshop{&hgtest.Shell{Hg: real, Dir: dir, Env: hgtest.BaseEnv()}, t}
				w.hg("init")
				s.make(w)
				var shared, own []hgtest.Command
				for _, line := range s.lines {
					c, err := hgtest.ParseCommand(line)
					if err != nil {
						t.Fatalf("%s: %v", line, err)
					}
					if s.name == rebasing.name || isItemised(c.Args) {
						own = append(own, c)
					} else {
						shared = append(shared, c)
					}
				}
				if len(shared) > 0 {
					hgtest.Compare(t, y, dir, shared, engine(version), hgtest.Named{Name: "hg " + version.Number, Runner: real})
				}
				thorough := os.Getenv("HGBROKER_DIFFERENTIAL") != "" || s.name == "merge" || s.name == rebasing.name
				if len(own) > 0 && thorough {
					hgtest.Compare(t, y, dir, own, engine(version), alone)
				}
			})
		}
	}
}

func isItemised(args []string) bool {
	for _, a := range args {
		if a == "-Tjson" || strings.HasPrefix(a, "{path} {status}") {
			return true
		}
	}
	return false
}

// disorder is a working directory with files in all states.
func disorder(w *workshop) {
	w.write("a", "a\n", "b", "b\n", "d/one", "1\n", "d/two", "2\n", "e/f/three", "3\n", "e/four", "4\n", ".hgignore", "syntax: glob\n*.o\n", "g/clean", "c\n")
	w.commit("base")
	w.write("a", "changed\n", "d/one", "changed\n", "d/two", "changed\n", "u/x", "x\n", "u/y", "y\n", "e/new", "n\n", "o/x.o", "", "o/y.o", "", "x.o", "")
	w.hg("remove", "e/f/three")
	w.hg("copy", "b", "c")
	w.hg("move", "e/four", "h")
	w.write("later", "l\n")
	w.hg("add", "later", "e/new")
	w.hg("commit", "-q", "-m", "second", "-u", "ada", "-d", "1500000001 0", "c", "b", "d/one")
	w.hg("bookmark", "here")
	w.hg("tag", "--local", "loc")
}

// interrupted leaves something unfinished and conflicting.
func interrupted(args ...string) func(w *workshop) {
	return func(w *workshop) {
		w.write("a", "1\n", "b", "1\n", "sub/c", "1\n")
		w.commit("base")
		w.write("a", "2\n", "b", "2\n", "sub/c", "2\n")
		w.commit("two")
		w.hg("update", "-q", "0")
		w.write("a", "3\n", "b", "3\n", "sub/c", "3\n")
		w.commit("three")
		w.fails(args...)
	}
}

var verboseForms = []string{
	"hg status -v", "hg status --config commands.status.verbose=yes", "hg status -vq", "hg status -v0", "HGPLAIN=1 hg status -v", "hg status -v a",
	"cd sub && hg status -v", "cd sub && hg status -v --config ui.relative-paths=yes", "hg status -v -Tjson", "hg status -v -T '{path} {status} {unresolved} {itemtype} {unfinished}|\\n'",
	"hg status -v -m", "hg status -vc", "hg status -vAC", "hg status -v --color=always", "hg status -v --color=always --config color.status.morestatus=red",
	"hg status -v --config commands.status.skipstates=merge,graft,bisect", "hg summary --color=always", "hg resolve -l --color=always", "hg status --debug --terse m",
	"hg --config ui.tweakdefaults=yes status", "cd sub && hg --config ui.tweakdefaults=yes status", "HGPLAIN=1 hg --config ui.tweakdefaults=yes status",
	"hg --config 'alias.s=status -v --color=always' s", "hg --config 'defaults.status=-v -t mu' status",
}

// rebasing is for hg processes of their own: a command server that has loaded an
// extension once knows of its states from then on.
var rebasing = readScenario{"rebase", interrupted("rebase", "-q", "--config", "extensions.rebase=", "--tool", ":fail", "-s", "1", "-d", "2"), []string{
	"hg status -v", "hg --config extensions.rebase= status -v", "hg --config extensions.rebase= status -v -Tjson",
	"hg --config extensions.rebase= --config extensions.histedit= status -v", "hg --config extensions.rebase= status -v --config commands.status.skipstates=rebase",
}}

var statusScenarios = []readScenario{
	{"disorder", disorder, []string{
		"hg status", "hg status -A", "hg status -C", "hg status -q", "hg status -n0", "hg status -mardcui", "hg status -S",
		"hg status -t marduic", "hg status --terse u", "hg status -t mardu", "hg status -tmc", "hg status -t i", "hg status -ti -i", "hg status -A -t marduic",
		"hg status -t x", "hg status -t nothing", "hg status -t ''", "hg status -t m --rev 0", "hg status -t mu --change 1", "hg status --config commands.status.terse=mu",
		"hg status --config commands.status.terse=mu --rev 0", "hg status --config commands.status.terse=z", "hg status -t mu d e", "cd d && hg status -t mu", "cd d && hg status -t mu .",
		"hg status -v", "hg status --config commands.status.verbose=maybe",
		"hg status --rev 0", "hg status --rev 0 --rev 1", "hg status --rev 0:1", "hg status --rev 1:0 -A", "hg status --change 1 -C", "hg status --change . -A", "hg status --rev 0 --change 1",
		"hg status --rev nosuch", "hg status --change 'wdir()'", "hg status --rev 'wdir()' --rev 0", "hg status --rev null",
		"cd d && hg status", "cd d && hg status .", "cd d && hg status one ../a", "cd d && hg status --config commands.status.relative=1", "cd d && hg status --config ui.relative-paths=no .",
		"cd d && hg status --config commands.status.relative=x", "cd e && hg status -C 'glob:**'", "hg status 're:.*e$'", "hg status -I d -X 'glob:**two'", "hg status nosuch a", "hg status 'set:modified()'",
		"hg status -Tjson", "hg status -A -Tjson", "hg status -T '{status} {path}{if(source, \" < {source}\")}\\n' -C", "hg status -T '{label(\"red\", path)}\\n' --color=always",
		"hg status --color=always", "hg status -A --color=always", "hg status -C --color=always", "hg status -n --color=always", "hg status -0 --color=always", "hg status --color=always -Tjson",
		"hg status --config ui.color=always", "hg status --config ui.color=yes", "hg status --color=yes", "hg status --color=on", "hg status --color=no", "hg status --color=auto", "hg status --color=x", "hg status --color=ALWAYS",
		"HGPLAIN=1 hg status --color=always", "HGPLAIN=1 HGPLAINEXCEPT=color hg status --color=always", "hg status --color=always --config color.mode=ansi", "hg status --color=always --config color.mode=nosuch",
		"hg status --color=always --config 'color.status.modified=yellow, inverse'", "hg status --color=always --config color.status.modified=none", "hg status --color=always --config color.status.modified=",
		"hg log --color=always", "hg log -v --color=always", "hg log --debug --color=always", "hg log -q --color=always", "hg log -G --color=always", "hg log -Gv --color=always",
		"hg log --color=always -T '{label(\"log.changeset changeset.{phase}\", rev)} {label(\"bold\", separate(\" \", label(\"red\", desc), \"x\"))}\\n'", "hg log --color=always -T '{pad(label(\"green\", rev), 5)}|\\n'",
		"hg log -r nosuch --color=always", "hg log -r '(' --color=always", "hg heads --color=always", "hg tip -v --color=always", "hg parents --color=always", "hg log --config color.log.user=cyan --color=always",
		"hg branches --color=always", "hg bookmarks --color=always", "hg tags --color=always", "hg tags -v --color=always", "hg bookmarks -q --color=always", "hg branches -q --color=always",
		"hg identify --color=always", "hg files --color=always", "hg paths --color=always", "hg root --color=always", "hg phase -r . --color=always", "hg branch --color=always",
		"hg summary --color=always", "hg sum -v --color=always", "hg summary --color=always -R .", "hg grep --color=always 1", "hg grep --color=always -n --all c", "hg grep --color=always -ud --diff chan",
		"hg grep -l --color=always 1", "hg grep --color=always -r 0 '[a-c]'", "hg diff --nodates --color=always", "hg diff --color=always --stat", "hg log -p --color=always", "hg log --stat --color=always", "hg annotate --color=always a",
		"hg export --color=always", "hg locate --color=always", "hg annotate --color=always -undl a", "hg grep --color=always -Tjson 1",
		"hg log -T '{author}\n' --color=always",
		"hg config ui --color=always", "hg manifest --color=always -v", "hg cat a --color=always", "hg status --pager=no", "hg status --pager never", "hg status --pager=auto",
	}},
	{"merge", interrupted("merge", "-q", "--tool", ":fail"), verboseForms},
	{"graft", interrupted("graft", "-q", "--tool", ":fail", "1"), verboseForms},
	{"bisect", func(w *workshop) {
		interrupted("merge", "-q", "--tool", ":fail")(w)
		w.hg("update", "-q", "-C", "1")
		w.hg("bisect", "-g", "0")
		w.hg("bisect", "-b", "1")
	}, verboseForms},
	{"unshelve", func(w *workshop) {
		w.write("a", "1\n", "sub/c", "1\n")
		w.commit("base")
		w.write("a", "2\n")
		w.hg("shelve", "-q")
		w.write("a", "3\n")
		w.commit("other")
		w.fails("unshelve", "-q", "--tool", ":fail")
	}, verboseForms},
	{"resolved", func(w *workshop) {
		interrupted("merge", "-q", "--tool", ":local")
		w.write("a", "1\n", "b", "1\n", "sub/c", "1\n")
		w.commit("base")
		w.write("a", "2\n")
		w.commit("two")
		w.hg("update", "-q", "0")
		w.write("a", "3\n", "b", "3\n")
		w.commit("three")
		w.hg("merge", "-q", "--tool", ":local")
	}, verboseForms},
	{"subrepositories", func(w *workshop) {
		w.write(".hgsub", "nested = nested\n", "a", "a\n", "nested/x", "x\n")
		w.hg("init", "nested")
		w.hg("-R", "nested", "commit", "-q", "-A", "-m", "sub", "-u", "ada", "-d", "0 0")
		w.commit("base")
		w.write("nested/x", "changed\n", "a", "changed\n", "nested/y", "y\n")
	}, []string{"hg status", "hg status -A", "hg status --rev 0", "hg status -S", "hg status nested", "hg status --change 0", "hg status -q"}},
	{"obsolete", func(w *workshop) {
		evolution := "--config=experimental.evolution=all"
		w.write("a", "1\n")
		w.commit("base")
		w.write("a", "2\n")
		w.commit("child")
		w.hg("update", "-q", "0")
		w.hg("commit", evolution, "-q", "--amend", "-m", "base again", "-d", "5 0")
	}, []string{
		"hg --config experimental.evolution=all log --color=always", "hg --config experimental.evolution=all log --hidden -G --color=always",
		"hg --config experimental.evolution=all log --hidden -v --color=always --config color.changeset.obsolete=dim --config color.instability.orphan=red",
		"hg --config experimental.evolution=all heads --color=always --debug", "hg --config experimental.evolution=all summary --color=always",
		"hg --config experimental.evolution=all summary --color=always --config color.trouble.orphan=red --config color.changeset.unstable=bold",
	}},
}
