// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"hgbroker/worker/hg/hgtest"
)

// site is a repository of TestCensus while it is made by a real hg.
type site struct {
	*hgtest.Shell
	t *testing.T
}

// newSite is an empty repository.
func newSite(t *testing.T, real hgtest.Runner) *site {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{&hgtest.Shell{Hg: real, Dir: filepath.Join(dir, "repo"), Env: hgtest.BaseEnv()}, t}
	if err := os.Mkdir(s.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s.hg("init")
	return s
}

func (s *site) hg(args ...string) { s.Must(s.t, args...) }

// stops runs a command that leaves conflicts.
func (s *site) stops(args ...string) {
	s.t.Helper()
	if _, _, code := s.Run(s.t, args...); code == 0 {
		s.t.Fatalf("hg %q succeeded", args)
	}
}

// write makes files of pairs of name and content.
func (s *site) write(pairs ...string) {
	s.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		path := filepath.Join(s.Dir, pairs[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(pairs[i+1]), 0o666); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *site) commit(message string, more ...string) {
	s.t.Helper()
	s.hg(append([]string{"commit", "-q", "-A", "-m", message, "-u", "Ada Lovelace <ada@example.org>", "-d", "1500000000 -7200"}, more...)...)
}

// ageShelves gives what is shelved a date long ago: its age is printed in words, and
// must not change meanwhile.
func (s *site) ageShelves() {
	shelved, err := filepath.Glob(filepath.Join(s.Dir, ".hg", "shelved", "*"))
	if err != nil || len(shelved) == 0 {
		s.t.Fatal(shelved, err)
	}
	for i, path := range shelved {
		when := time.Unix(1500000000+int64(i), 0)
		if err := os.Chtimes(path, when, when); err != nil {
			s.t.Fatal(err)
		}
	}
}

// censusSites make the repositories of testdata/census.txt that are not recorded
// ones. Each starts in a new repository.
var censusSites = map[string]func(s *site){
	"history": historySite,
	"merge": func(s *site) {
		forked(s)
		s.stops("merge", "-q", "--tool", ":fail")
		s.hg("resolve", "-q", "-m", "b")
	},
	"rebase": func(s *site) {
		forked(s)
		s.stops("rebase", "-q", "--config", "extensions.rebase=", "--tool", ":fail", "-s", "1", "-d", "2")
	},
	"graft": func(s *site) {
		forked(s)
		s.stops("graft", "-q", "--tool", ":fail", "1")
	},
	"update": func(s *site) {
		forked(s)
		s.write("a", "dirty\n")
		s.stops("update", "-q", "-m", "--tool", ":fail", "1")
	},
	"bisect": func(s *site) {
		for _, text := range []string{"1", "2", "3", "4", "5", "6"} {
			s.write("a", text+"\n", ".hgignore", "syntax: glob\n*.o\n")
			s.commit("number " + text)
		}
		s.hg("bisect", "-q", "--good", "0")
		s.hg("bisect", "-q", "--bad", "5")
		s.hg("bisect", "-q", "--skip", "2")
	},
	"unshelve": func(s *site) {
		s.write("a", "1\n", "sub/c", "1\n", ".hgignore", "")
		s.commit("base")
		s.write("a", "2\n")
		s.hg("shelve", "-q")
		s.write("a", "3\n")
		s.commit("other")
		s.stops("unshelve", "-q", "--tool", ":fail")
		s.ageShelves()
	},
	"histedit": func(s *site) {
		forked(s)
		s.write("../plan", "edit "+s.Must(s.t, "log", "-r", "2", "-T", "{node|short}")+"\n")
		s.stops("histedit", "-q", "--config", "extensions.histedit=", "--commands", "../plan", "2")
	},
	"shelve": func(s *site) {
		s.write("a", "1\n2\n3\n", "sub/c", "1\n", ".hgignore", "")
		s.commit("base")
		s.write("a", "1\n2\nchanged\n", "new", "new\n")
		s.hg("add", "-q", "new")
		s.hg("shelve", "-q", "-n", "first", "-m", "what is shelved first")
		s.write("sub/c", "2\n")
		s.hg("shelve", "-q")
		s.write("a", "0\n1\n2\n3\n")
		s.hg("shelve", "-q", "-n", "a-name-that-is-too-long-for-its-column")
		s.write("a", "dirty\n")
		s.ageShelves()
	},
	"mq": func(s *site) {
		forked(s)
		s.hg("tag", "-q", "--local", "here", "-r", "1")
		mq := func(args ...string) { s.hg(append([]string{"--config", "extensions.mq="}, args...)...) }
		s.write("a", "patched\n")
		mq("qnew", "-q", "-d", "1500000001 0", "-u", "ada", "-m", "the first patch\nand more", "first.diff")
		s.write("b", "patched\n", "n", "new\n")
		s.hg("add", "-q", "n")
		mq("qnew", "-q", "-d", "1500000002 0", "-u", "ada", "-m", "the second", "second.diff")
		s.write("n", "newer\n")
		mq("qnew", "-q", "-d", "1500000003 0", "-u", "ada", "third.diff")
		mq("qnew", "-q", "-d", "1500000004 0", "-u", "ada", "-m", "guarded", "guarded.diff")
		mq("qpop", "-q")
		mq("qpop", "-q")
		mq("qguard", "guarded.diff", "+stable")
		s.write("a", "patched and dirty\n")
	},
	"share": func(s *site) {
		source := s.Dir + "-source"
		inner := &site{&hgtest.Shell{Hg: s.Hg, Dir: source, Env: s.Env}, s.t}
		if err := os.MkdirAll(source, 0o777); err != nil {
			s.t.Fatal(err)
		}
		inner.hg("init")
		forked(inner)
		inner.hg("bookmark", "-r", "1", "shared")
		if err := os.RemoveAll(filepath.Join(s.Dir, ".hg")); err != nil {
			s.t.Fatal(err)
		}
		if err := os.Remove(s.Dir); err != nil {
			s.t.Fatal(err)
		}
		inner.hg("--config", "extensions.share=", "share", "-q", "-B", source, s.Dir)
		s.write("a", "dirty\n")
	},
	"pulled": func(s *site) {
		source := s.Dir + "-source"
		inner := &site{&hgtest.Shell{Hg: s.Hg, Dir: source, Env: s.Env}, s.t}
		if err := os.MkdirAll(source, 0o777); err != nil {
			s.t.Fatal(err)
		}
		inner.hg("init")
		forked(inner)
		s.write(".hg/hgrc", "[paths]\ndefault = "+source+"\n")
		s.hg("pull", "-q", "-r", "1")
		s.hg("update", "-q", "1")
		s.write("a", "mine\n")
		s.commit("only here")
		s.hg("bookmark", "mine")
		s.write("a", "mine too\n")
		s.commit("and here")
		inner.hg("bookmark", "-r", "2", "theirs")
	},
	"norepo": func(s *site) {
		if err := os.RemoveAll(filepath.Join(s.Dir, ".hg")); err != nil {
			s.t.Fatal(err)
		}
	},
}

// recordedSites are scenarios that are recorded repositories.
var recordedSites = map[string]string{"empty": "empty", "evolve": "obsolescence", "names": "names", "subrepo": "subrepo"}

// forked has two heads that conflict.
func forked(s *site) {
	s.write("a", "1\n", "b", "1\n", "sub/c", "1\n", ".hgignore", "syntax: glob\n*.o\n")
	s.commit("base")
	s.write("a", "2\n", "b", "2\n", "sub/c", "2\n")
	s.commit("two")
	s.hg("update", "-q", "0")
	s.write("a", "3\n", "b", "3\n", "sub/c", "3\n")
	s.commit("three")
}

// historySite has some of everything in its history, and files in all states.
func historySite(s *site) {
	s.write(".hg/hgrc", "[ui]\nusername = Ada Lovelace <ada@example.org>\n")
	s.write("README", "first line\nsecond line\nthird  line\n", "src/main.c", "int main(void)\n{\n\treturn 0;\n}\n", "src/gone.c", "gone\n",
		"src/old.c", "line one\nline two\nline three\n", "data.bin", "\x00\x01\x02binary\n", "tool.sh", "#!/bin/sh\n", ".hgignore", "syntax: glob\n*.o\n", "src/extra.rc", "[ui]\nfrom = rc\n")
	if err := os.Chmod(filepath.Join(s.Dir, "tool.sh"), 0o777); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Symlink("README", filepath.Join(s.Dir, "link")); err != nil {
		s.t.Fatal(err)
	}
	s.commit("first <&> \"quoted\"\n\nwith a body\tand a tab")
	s.hg("tag", "-q", "-r", "0", "-u", "ada", "-d", "1500000100 0", "v1")
	s.hg("move", "-q", "src/old.c", "src/moved.c")
	s.write("README", "first line\nsecond line, changed\nthird line\nfourth line\n")
	s.commit("second: a rename", "-u", "bob", "-d", "1496000000 0")
	s.hg("update", "-q", "1")
	s.hg("branch", "-q", "stable")
	s.write("src/main.c", "int main(void)\n{\n\treturn 1;\n}\n", "data.bin", "\x00\x01\x02other\n")
	s.hg("remove", "-q", "src/gone.c")
	s.commit("stable: no line of gone.c")
	s.hg("branch", "-q", "closing")
	s.write("c", "c\n")
	s.commit("to be closed")
	s.hg("commit", "-q", "--close-branch", "-m", "closed", "-u", "ada", "-d", "1500000300 0")
	s.hg("update", "-q", "2")
	s.hg("merge", "-q", "-r", "3")
	s.commit("merge stable")
	s.hg("bookmark", "-q", "-r", "3", "other")
	s.hg("bookmark", "-q", "work")
	s.hg("copy", "-q", "README", "src/copy.txt")
	s.write("src/copy.txt", "first line\nsecond line, changed\nthird line\nfourth line\nfifth\n", "latin", "caf\xe9\n", "crlf", "one\r\ntwo\r\n")
	s.hg("--encoding", "utf-8", "commit", "-q", "-A", "-m", "la deuxième: é à", "-u", "Zoé <zoe@example.org>", "-d", "1500000400 0")
	s.hg("tag", "-q", "--local", "-r", "2", "v0.9")
	s.hg("phase", "-q", "--public", "2")
	s.hg("update", "-q", "3")
	s.write("secret", "s\n")
	s.commit("secret", "--secret")
	s.hg("update", "-q", "work")
	s.write("README", "zeroth line\nfirst line\nsecond line, changed\nthird line \n\nfourth line\n", "src/new.txt", "new\n", "loose.txt", "?\n", "build/x.o", "o")
	s.hg("add", "-q", "src/new.txt")
	s.hg("copy", "-q", "src/main.c", "src/main2.c")
	s.hg("move", "-q", "crlf", "src/crlf")
	s.hg("remove", "-q", "tool.sh")
	if err := os.Remove(filepath.Join(s.Dir, "latin")); err != nil {
		s.t.Fatal(err)
	}
}
