// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// regressions are what random command lines have found to differ from hg, shrunk, each
// in a repository that shows it.
var regressions = []struct {
	name  string
	make  func(s *site)
	lines []string
}{
	{"a style without the topic", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
	}, []string{
		// hg asks what the template shows before it looks for files.
		"hg annotate -T compact nosuch", "hg cat -T status nosuch", "hg files -T status nosuch", "hg files -vT status nosuch", "hg annotate -T compact -r null 'glob:*'",
	}},
	{"a template without a changeset", func(s *site) {}, []string{
		// debugtemplate knows no keywords then.
		"hg debugtemplate '{desc|json} {rev|json} {files|count} {node|nonempty}\\n'", "hg debugtemplate '{rev % \"a\"}'", "hg debugtemplate '{index|json}{bookmarks|json}'",
	}},
	{"children of a file by a way out of the root", func(s *site) {
		s.write("file.i", "1\n", "src/a", "1\n")
		s.commit("one")
	}, []string{
		"cd src && hg children --config extensions.children= ../file.i", "cd src && hg children --config extensions.children= ../src/a",
		"cd src && hg children --config extensions.children= file.i", "hg children --config extensions.children= src/a",
	}},
	{"newest first in a graph", func(s *site) {}, []string{
		"hg incoming -nG", "hg outgoing -nG ../nosuch", "hg outgoing -nGB ../nosuch", "hg incoming -nG --config ui.detailed-exit-code=1",
	}},
	{"a path to nowhere", func(s *site) {
		s.write(".hg/hgrc", "[paths]\ndefault = ../nowhere\n", "plain/x", "")
	}, []string{
		"hg outgoing", "hg outgoing default", "hg outgoing -q", "hg outgoing -B", "hg outgoing ../nowhere", "hg outgoing plain", "hg incoming", "hg incoming plain",
	}},
	{"patterns of copies", func(s *site) {
		s.write("a", "1\n2\n3\n", "b", "1\n")
		s.commit("one")
		s.hg("rename", "a", "c")
		s.hg("copy", "b", "d")
		s.commit("two")
	}, []string{
		// hg takes these options and does not look at them.
		"hg debugpathcopies -I b 0 1", "hg debugpathcopies -X 'glob:*' 0 1", "hg debugpathcopies 0 1 c", "hg debugpathcopies -I x 1 0",
	}},
	{"nothing checked out beside what makes hg warn", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
		s.commit("two", "--amend", "--config", "experimental.evolution=all")
		s.hg("update", "-q", "null")
		s.write(".hg/bookmarks", "malformed line\n")
	}, nullLines},
	{"nothing checked out beside markers", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
		s.commit("two", "--amend", "--config", "experimental.evolution=all")
		s.hg("update", "-q", "null")
		s.write(".hg/hgrc", "[experimental]\nevolution = all\n")
	}, nullLines},
	{"markers that are not looked at", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
		s.write("b", "1\n")
		s.commit("two")
		s.commit("two again", "--amend", "--config", "experimental.evolution=all")
	}, append([]string{"hg diff -r.", "hg diff -r . -r tip", "hg status --rev .", "hg status --rev 0"}, nullLines...)},
	{"copies beside markers that are not looked at", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
		s.write("b", "1\n")
		s.commit("two")
		s.commit("two again", "--amend", "--config", "experimental.evolution=all")
		s.hg("copy", "a", "c")
		s.commit("three")
		s.hg("commit", "-q", "--close-branch", "-m", "closed", "-u", "ada", "-d", "0 0")
	}, []string{
		"hg status -C --change .", "hg status -A --change .", "hg status -c --change .", "hg status -C --rev .", "hg status -C --change 0", "hg status -C", "hg diff -g -c .",
		"hg diff -g -c tip", "hg diff -g -r .", "hg log -C -r .", "hg phase -r .", "hg phase .", "hg heads .", "hg log -r .", "hg debugrename a -r .",
	}},
	{"a bookmark that is malformed beside markers", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
		s.commit("two", "--amend", "--config", "experimental.evolution=all")
		s.write(".hg/bookmarks", "malformed line\n")
	}, []string{
		"hg log -r .", "hg log -r null", "hg log -r . -G", "hg log -q -r .", "hg log -v -r .", "hg log -r . -p", "hg log -r . -T '{bookmarks}\\n'", "hg parents", "hg tip", "hg heads .",
		"hg log --color=always -r .", "hg log -Tjson -r .", "hg log -T compact -r .",
	}},
	{"of several ancestors the deepest", func(s *site) {
		// Two merges of the same two changesets, of which one has the longer past.
		s.write("a", "1\n")
		s.commit("root")
		s.write("b", "1\n")
		s.commit("left")
		s.hg("update", "-q", "0")
		s.write("c", "1\n")
		s.commit("right")
		s.write("c", "2\n")
		s.commit("right, more")
		for range 2 {
			s.hg("update", "-q", "-C", "1")
			s.hg("merge", "-q", "3")
			s.write("m", s.Must(s.t, "log", "-r", "tip", "-T", "{rev}"))
			s.commit("merge")
		}
	}, []string{"hg debugancestor 4 5", "hg debugancestor 5 4", "hg log -r 'ancestor(4, 5)' -T '{rev}\\n'", "hg debugancestor null 4"}},
	{"a branch without a changeset", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
		s.hg("branch", "-q", "fresh")
	}, []string{"hg log -b . -T '{rev}\\n'", "hg log --only-branch . -T '{rev}\\n'", "hg log -b fresh", "hg log -b default -T '{rev}\\n'", "hg branches", "hg summary"}},
	{"a directory where a file was", func(s *site) {
		s.write("d/f", "1\n", "g", "1\n")
		s.commit("one")
		os.Remove(filepath.Join(s.Dir, "d/f"))
		s.write("d/f/inside", "x\n", "d/other", "x\n")
	}, []string{"hg status rootfilesin:d", "hg status", "hg status d", "hg status -X rootfilesin:d", "hg status -md", "hg status -mdA rootfilesin:d"}},
	{"a repository that is verbose", func(s *site) {
		s.write(".hg/hgrc", "[ui]\nverbose = yes\n[alias]\nmine = log\n")
	}, []string{
		// A command that needs no repository has its aliases, and no more.
		"hg debugcomplete b", "hg debugcomplete mi", "hg debugcomplete -v b", "hg version -q", "hg debugdate 0",
	}},
	{"a missing file whose size is asked for", func(s *site) {
		s.write("a", "1\n", "b", "22\n", "c", "\n")
		s.commit("one")
		os.Remove(filepath.Join(s.Dir, "c"))
	}, []string{"hg files -T '{path} {size}\n'", "hg files -v", "hg files -Tjson -v", "hg files -T '{path} {size} {status}\n'", "hg files -T '{path}\n'"}},
	{"what is hidden is not sent", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
		s.hg("clone", "-q", "-U", ".", s.Dir+"-peer")
		s.write("a", "2\n")
		s.commit("two")
		s.commit("two again", "--amend", "--config", "experimental.evolution=all")
		s.hg("debugobsolete", "--config", "experimental.evolution=all", strings.TrimSpace(s.Must(s.t, "log", "-r", "tip", "-T", "{node}")))
		s.hg("update", "-q", "0", "--config", "experimental.evolution=all")
	}, []string{"hg outgoing --hidden ../repo-peer", "hg outgoing ../repo-peer", "hg outgoing -q --hidden ../repo-peer --config experimental.evolution=all", "hg outgoing --config experimental.evolution=all ../repo-peer"}},
	{"a search from no parent beside markers", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
		s.hg("debugobsolete", "--config", "experimental.evolution=all", strings.Repeat("1", 40))
		s.hg("update", "-q", "null")
		s.write("untracked", "1\n")
	}, []string{"hg grep -f 1 untracked", "hg grep -f 1", "hg grep -f -r tip 1 a", "hg grep -r tip 1"}},
	{"quiet by default in a repository that is verbose", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
	}, []string{
		// What the command line says early stays; what is known late is laid over that alone.
		"hg --config defaults.log=-q log --config ui.verbose=1", "hg log --qui --config ui.verbose=1", "hg log --verb --config ui.quiet=1",
		"hg --config alias.lg='log -q' lg --config ui.verbose=1", "hg --config defaults.log=-q log -v", "hg -v log --no-verbose", "hg --config alias.lg='log -q' lg --no-quiet",
	}},
	{"numbers that Python reads", func(s *site) {
		s.write("a", "1\n2\n3\n")
		s.commit("one")
	}, []string{
		"hg log -q -l 1_0", "hg log -q -l 1__0", "hg log -q -l ' +2 '", "hg log -l $'\\xc2\\xa02'", "hg log -q -l 9223372036854775807", "hg log -qfL a,0_1:2", "hg log -qfL a,-5:9223372036854775807",
		"hg log -fL $'a,1:\\xc2\\xa02'", "COLUMNS=0 hg log -l1 --stat", "COLUMNS=-9 hg log -Gl1 --stat", "COLUMNS=4_0 hg log -T '{termwidth}\\n'", "COLUMNS= hg log -T '{termwidth}\\n'",
	}},
	{"hooks of an alias", func(s *site) {
		s.write("a", "1\n", ".hg/hgrc", "[alias]\nlg = log -q\nouter = lg\n")
		s.commit("one")
	}, []string{
		// hg looks them up by the name of the alias, and not by what it stands for.
		"hg --config hooks.pre-log='echo hook' lg", "hg --config hooks.post-lg='echo hook' lg", "hg --config hooks.pre-outer='echo hook' outer", "hg --config hooks.pre-lg='echo hook' outer",
		"hg --config hooks.fail-lg='echo hook' lg -r nosuch", "hg --config hooks.pre-identify='echo hook' id", "hg --config hooks.pre-history='echo hook' history",
	}},
	{"places with a scheme", func(s *site) {
		s.write("a", "1\n")
		s.commit("one")
	}, []string{"hg -R file:. log -q", "hg -R bundle:. log -q", "hg -R x:y log -q", "hg --config 'paths.a=C:\\x' paths", "hg --config paths.a=c:x paths", "hg --config ui.slash=x status", "hg --config ui.nontty=x log", "hg --config ui.paginate=x status", "hg --config ui.formatjson=x heads", "hg --config ui.formatdebug=1 tags",
		"hg --config commands.status.verbose=x log", "hg --config commands.status.verbose=x status", "hg --config storage.revlog.issue6528.fix-incoming=x id", "hg --config experimental.maxdeltachainspan=x id",
		"hg --config experimental.revisions.prefixhexnode=x tags", "hg --config experimental.sparse-read=x cat a", "hg --config experimental.sparse-read.density-threshold=x status", "hg --config devel.persistent-nodemap=x id", "hg --config debug.revlog.debug-delta=x heads",
		"hg --config format.use-share-safe.automatic-upgrade-of-mismatching-repositories=x status"}},
	{"a file outside of the store", func(s *site) {
		s.write("a", "1\n", "sub/b", "1\n")
		s.commit("one")
	}, []string{"cd sub && hg debugdata a 0", "hg debugindexdot sub/b", "hg debugindex nosuch"}},
}

var nullLines = []string{
	"hg diff", "hg diff nosuch", "hg diff -r .", "hg diff -r . nosuch", "hg diff -c .", "hg diff --from . nosuch", "hg diff --to . nosuch", "hg diff --stat nosuch",
	"hg annotate a", "hg export", "hg export .", "hg export -r null", "hg debugrename a", "hg files", "hg files -r .", "hg files -r . nosuch", "hg cat a", "hg manifest",
	"hg status", "hg status nosuch", "hg status --rev . nosuch", "hg status --change .", "hg log -l1 .", "hg id", "hg parents", "hg export --config=diff.git=1",
	"hg phase -r .", "hg phase .", "hg heads .", "hg log -r .", "hg cat -r . a", "hg cat -r . a nosuch", "hg annotate -r . a", "hg id -r .", "hg manifest -r .", "hg parents -r .", "hg status -C --change .", "hg bookmarks -l",
}

// TestRegressions compares what once differed.
func TestRegressions(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		y := hgtest.NewTally(t)
		y.MaxErrors = 20
		inst := Installation{Path: version.Path, Version: version.Number}
		real := hgtest.NewReal(t, version.Path)
		for _, r := range regressions {
			t.Run(version.Number+"/"+r.name, func(t *testing.T) {
				s := newSite(t, real)
				r.make(s)
				var cmds []hgtest.Command
				for _, line := range r.lines {
					c, err := hgtest.ParseCommand(line)
					if err != nil {
						t.Fatalf("%s: %v", line, err)
					}
					cmds = append(cmds, c)
				}
				hgtest.Compare(t, y, s.Dir, cmds, engineRunner("engine", inst, true), hgtest.Named{Name: "hg " + version.Number, Runner: real})
			})
		}
	}
}
