// SPDX-License-Identifier: GPL-2.0-or-later

package hg

// sparseSite is a sparse checkout by patterns and a profile that changes from one
// changeset to the next, with files of all states inside and outside of it.
func sparseSite(s *site) {
	s.write(".hg/hgrc", "[extensions]\nsparse =\n[ui]\nusername = ada\n")
	s.write("a", "1\n", "src/main.c", "main\n", "src/big.bin", "big\n", "doc/x", "x\n", "doc/y", "y\n", "lib/l", "l\n",
		"profiles/one", "# one\n[include]\nlib\n[exclude]\nglob:**.bin\n", ".hgignore", "syntax: glob\n*.o\n")
	s.commit("base")
	s.write("profiles/one", "%include profiles/two\n[include]\nlib\nre:^doc/x$\n", "profiles/two", "[exclude]\n**.bin\n", "doc/y", "y2\n")
	s.commit("another profile")
	s.hg("debugsparse", "--include", "src", "--include", "path:profiles", "--enable-profile", "profiles/one")
	s.write("src/main.c", "main, changed\n", "src/new.c", "new\n", "src/loose.c", "?\n", "a", "lies here again\n", "doc/z", "not tracked\n", "lib/x.o", "ignored\n", "out/x.o", "ignored\n")
	s.hg("add", "-q", "src/new.c")
}

func init() {
	censusSites["sparse"] = sparseSite
	censusSites["sparsemerge"] = func(s *site) {
		sparseSite(s)
		s.hg("revert", "-q", "--all", "--no-backup")
		s.hg("update", "-q", "-C", "0")
		s.write("src/main.c", "main, differently\n")
		s.commit("other", "src/main.c")
		s.hg("merge", "-q", "--tool", ":local", "-r", "1")
		s.write("src/main.c", "main, in a third way\n")
	}
	censusSites["sparseempty"] = func(s *site) {
		sparseSite(s)
		s.write(".hg/sparse", "%include nowhere\n[include]\n/rooted\ndoc\n")
	}
	censusSites["sparsebroken"] = func(s *site) {
		sparseSite(s)
		s.write(".hg/sparse", "[exclude]\na\n[include]\nb\n")
	}
	censusSites["narrowdormant"] = func(s *site) {
		forked(s)
		s.write(".hg/requires", "narrowhg-experimental\nshare-safe\n")
	}
	censusSites["lfsdormant"] = func(s *site) {
		forked(s)
		s.write(".hg/requires", "lfs\nlargefiles\nshare-safe\n", ".hg/hgrc", "[extensions]\nlfs = !\nlargefiles = !\n")
	}
	censusSites["sparsedormant"] = func(s *site) {
		sparseSite(s)
		s.write(".hg/hgrc", "# nothing\n")
	}
}
