// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"os"
	"path/filepath"

	"hgbroker/worker/hg/hgtest"
)

// inside makes a repository below the site's, and returns it as a site.
func (s *site) inside(path string) *site {
	s.t.Helper()
	inner := &site{&hgtest.Shell{Hg: s.Hg, Dir: filepath.Join(s.Dir, path), Env: s.Env}, s.t}
	if err := os.MkdirAll(inner.Dir, 0o777); err != nil {
		s.t.Fatal(err)
	}
	inner.hg("init")
	return inner
}

// nestedSite has a subrepository in a directory, one with blanks in its name, and
// one in a subrepository, in three changesets of which the second changes a
// subrepository.
func nestedSite(s *site) (lib, deep, blank *site) {
	s.write("a", "1\n", ".hgignore", "syntax: glob\n*.o\n")
	s.commit("before")
	lib = s.inside("vendor/lib")
	lib.write("l.c", "one\ntwo\n", "sub/m.c", "m\n", ".hgignore", "syntax: glob\n*.o\n")
	deep = lib.inside("deep")
	deep.write("d", "deep\n", "tool.sh", "#!/bin/sh\n")
	if err := os.Chmod(filepath.Join(deep.Dir, "tool.sh"), 0o777); err != nil {
		s.t.Fatal(err)
	}
	deep.commit("deep one")
	lib.write(".hgsub", "deep = ../deep-source\n")
	lib.commit("lib one")
	blank = s.inside("with blanks")
	blank.write("b b", "blank\n")
	blank.commit("blank one")
	s.write(".hgsub", "# where things come from\nvendor/lib = ../lib-source\nwith blanks = [hg]blank-source\n")
	s.commit("with subrepositories")
	lib.write("l.c", "one\nTWO\n", "new.c", "new\n")
	lib.hg("remove", "-q", "sub/m.c")
	lib.commit("lib two")
	s.write("a", "2\n")
	s.commit("and a newer one")
	return lib, deep, blank
}

func init() {
	censusSites["subclean"] = func(s *site) { nestedSite(s) }
	censusSites["subdirty"] = func(s *site) {
		lib, deep, blank := nestedSite(s)
		deep.write("d", "deep\ndirty\n", "loose", "?\n", "x.o", "?\n")
		lib.write("x.o", "ignored\n", "y.o", "ignored\n")
		lib.hg("move", "-q", "new.c", "newer.c")
		blank.write("b b", "blank two\n")
		blank.commit("blank two")
		if err := os.Remove(filepath.Join(blank.Dir, "b b")); err != nil {
			s.t.Fatal(err)
		}
		fresh := s.inside("fresh")
		fresh.write("f", "fresh\n")
		fresh.commit("fresh one")
		s.write(".hgsub", "vendor/lib = ../lib-source\nwith blanks = [hg]blank-source\nfresh = fresh\n", "a", "3\n")
	}
	censusSites["sublost"] = func(s *site) {
		lib, _, blank := nestedSite(s)
		lib.hg("update", "-q", "0")
		blank.hg("branch", "-q", "another")
		s.write("plain/p", "in a directory that is none by itself\n", ".hgsubstate",
			"ffffffffffffffffffffffffffffffffffffff00 vendor/lib\n"+blank.Must(s.t, "log", "-r", "0", "-T", "{node}")+" with blanks\n")
	}
	censusSites["subgone"] = func(s *site) {
		lib, _, _ := nestedSite(s)
		s.hg("remove", "-q", ".hgsub")
		lib.write("l.c", "three\n")
		lib.hg("commit", "-q", "--amend", "-m", "lib two, rewritten", "--config", "experimental.evolution=all")
	}
	censusSites["subbroken"] = func(s *site) {
		nestedSite(s)
		s.write(".hgsub", "vendor/lib = [hg ../lib-source\n")
	}
	censusSites["subsyntax"] = func(s *site) {
		nestedSite(s)
		s.write(".hgsub", "vendor/lib = ../lib-source\nno assignment\n")
	}
	censusSites["substate"] = func(s *site) {
		nestedSite(s)
		s.write(".hgsubstate", "nonsense\n")
	}
	censusSites["sublinked"] = func(s *site) {
		nestedSite(s)
		if err := os.Rename(filepath.Join(s.Dir, "vendor"), filepath.Join(s.Dir, "elsewhere")); err != nil {
			s.t.Fatal(err)
		}
		if err := os.Symlink("elsewhere", filepath.Join(s.Dir, "vendor")); err != nil {
			s.t.Fatal(err)
		}
	}
	censusSites["submissing"] = func(s *site) {
		lib, _, _ := nestedSite(s)
		if err := os.RemoveAll(lib.Dir); err != nil {
			s.t.Fatal(err)
		}
	}
	censusSites["subkinds"] = func(s *site) {
		nestedSite(s)
		s.write(".hgsub", "vendor/lib = ../lib-source\ntools = [git]git://example.org/tools\n")
	}
}
