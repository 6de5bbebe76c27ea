// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os/exec"
	"slices"
	"strings"
	"time"
)

// git asks the twin of the repository what comes nearest to the question, where
// git has one like it. Its answers look different and are not compared.
type git struct {
	process
	dir string
}

func startGit(w *world) (contender, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, absent("no git on PATH")
	}
	if w.twin == "" {
		return nil, absent("no git twin of the repository (--git, --twin)")
	}
	env := append(w.env[:len(w.env):len(w.env)], "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_PAGER=cat")
	return &git{process{w: w, program: program, env: env}, w.twin}, nil
}

func (*git) bare() {}

// gits are the questions that git knows too; where hg's ends in an empty word,
// the last word of what is asked is added to git's.
var gits = []struct{ hg, git []string }{
	{[]string{"root"}, []string{"rev-parse", "--show-toplevel"}},
	{[]string{"identify"}, []string{"rev-parse", "--short", "HEAD"}},
	{[]string{"log", "-r", ".", "-T", "{node}"}, []string{"rev-parse", "HEAD"}},
	{[]string{"log", "-r", "."}, []string{"log", "-1"}},
	{[]string{"log", "-l10"}, []string{"log", "--all", "-10"}},
	{[]string{"log", "-G", "-l10"}, []string{"log", "--all", "--graph", "-10"}},
	{[]string{"log", "-l50", "-T", "json"}, []string{"log", "--all", "-50", "--format=%H%n%P%n%D%n%an <%ae>%n%at%n%B"}},
	{[]string{"log"}, []string{"log", "--all"}},
	{[]string{"log", "-k", ""}, []string{"log", "--all", "-i", "-F", "--grep"}},
	{[]string{"status"}, []string{"status", "--porcelain"}},
	{[]string{"bookmarks"}, []string{"branch", "-v"}},
	{[]string{"tags"}, []string{"tag"}},
	{[]string{"files"}, []string{"ls-files"}},
	{[]string{"cat", ""}, []string{"show"}},
	{[]string{"log", "-T", `{node|short} {desc|firstline}\n`}, []string{"log", "--all", "--format=%h %s"}},
	{[]string{"annotate", ""}, []string{"blame", "HEAD", "--"}},
	{[]string{"log", ""}, []string{"log", "--all", "--"}},
}

func (g *git) ask(args []string) ([]byte, time.Duration, error) {
	for _, q := range gits {
		open := q.hg[len(q.hg)-1] == ""
		if open && len(args) == len(q.hg) && !strings.HasPrefix(args[len(args)-1], "-") && slices.Equal(args[:len(args)-1], q.hg[:len(q.hg)-1]) {
			last := args[len(args)-1]
			if args[0] == "cat" {
				last = "HEAD:" + last
			}
			return g.process.ask(slices.Concat([]string{"-C", g.dir}, q.git, []string{last}))
		}
		if !open && slices.Equal(args, q.hg) {
			return g.process.ask(slices.Concat([]string{"-C", g.dir}, q.git))
		}
	}
	return nil, 0, errOther
}
