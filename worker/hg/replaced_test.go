// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"os"
	"path/filepath"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// TestReplaced puts other files and directories in the place of those that an
// engine has looked at, between two commands of it, and asks hg as well.
func TestReplaced(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	y := hgtest.NewTally(t)
	runners := []hgtest.Named{engineRunner("warm", inst, false), engineRunner("cold", inst, true), {Name: "hg", Runner: hgtest.NewReal(t, version.Path)}}
	w := newWork(t, version.Path)
	top := filepath.Dir(w.Dir)
	at := func(name string) string { return filepath.Join(top, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		must(os.Symlink(to, at(name)+".new"))
		must(os.Rename(at(name)+".new", at(name)))
	}
	swap := func(a, b string) {
		t.Helper()
		must(os.Rename(at(a), at("other")))
		must(os.Rename(at(b), at(a)))
		must(os.Rename(at("other"), at(b)))
	}
	text := func(name, text string) {
		t.Helper()
		must(os.MkdirAll(filepath.Dir(at(name)), 0o777))
		must(os.WriteFile(at(name), []byte(text), 0o666))
	}
	repository := func(name string, commits int) {
		t.Helper()
		must(os.MkdirAll(at(name+"/sub/dir"), 0o777))
		r := w.in(at(name))
		r.do("init")
		for range commits {
			r.commit()
		}
		r.write("sub/dir/new", "not added\n")
		text(name+"/.hg/hgrc", "%include ../../included\n[alias]\nown = log -T '"+name+" {rev}\\n'\n")
	}
	must(os.MkdirAll(at("x/y"), 0o777))
	must(os.MkdirAll(at("z/y"), 0o777))
	text("included", "[alias]\nfrom = root\n")
	repository("x/y/r", 2)
	repository("x/y/s", 3)
	repository("z/y/r", 4)
	link("x", "link")
	link("x/y/r", "direct")
	asked := []string{"x/y/r", "direct", "link/y/r/sub/dir"}
	var cmds []hgtest.Command
	for _, args := range [][]string{{"root", "-T", `{reporoot} {storepath}\n`}, {"own"}, {"from"}, {"status"}} {
		cmds = append(cmds, hgtest.Command{Args: args})
	}
	steps := []struct {
		name string
		do   func()
	}{
		{"nothing", func() {}},
		{"another link in the path", func() { link("z", "link"); link("z/y/r", "direct") }},
		{"a link in the place of a directory, to itself", func() { must(os.Rename(at("x"), at("v"))); link("v", "x"); link("x/y/r", "direct") }},
		{"the directory again", func() { must(os.Remove(at("x"))); must(os.Rename(at("v"), at("x"))) }},
		{"the repository moved away and another in its place", func() { swap("x/y/r", "x/y/s") }},
		{"a directory above it", func() { swap("x", "z") }},
		{"another .hg", func() { swap("x/y/r/.hg", "z/y/r/.hg") }},
		{"another store", func() { swap("x/y/r/.hg/store", "z/y/r/.hg/store"); swap("x/y/r/.hg/dirstate", "z/y/r/.hg/dirstate") }},
		{"the included file", func() { text("x/included", "[alias]\nfrom = identify -i\n") }},
		{"the included file, again", func() { text("x/included", "[alias]\nfrom = identify -n\n") }},
		{"no configuration", func() { must(os.Remove(at("x/y/r/.hg/hgrc"))) }},
		{"empty configuration", func() { must(os.Symlink(os.DevNull, at("x/y/r/.hg/hgrc"))) }},
		{"a configuration by a link", func() {
			text("far", "[alias]\nown = identify -n\nfrom = identify -i\n")
			must(os.Remove(at("x/y/r/.hg/hgrc")))
			link("../../../../far", "x/y/r/.hg/hgrc")
		}},
		{"what the link leads to", func() { text("far", "[alias]\nown = identify -i\nfrom = identify -n\n") }},
		{"a requirement", func() {
			old, err := os.ReadFile(at("x/y/r/.hg/requires"))
			must(err)
			text("x/y/r/.hg/requires", string(old)+"exp-dirstate-of-tomorrow\n")
		}},
		{"no requirement", func() { must(os.Remove(at("x/y/r/.hg/requires"))); must(os.Remove(at("x/y/r/.hg/hgrc"))) }},
		{"no .hg", func() { must(os.Rename(at("x/y/r/.hg"), at("x/y/gone"))) }},
		{".hg again", func() { must(os.Rename(at("x/y/gone"), at("x/y/r/.hg"))) }},
		{".hg by a link", func() { must(os.Rename(at("x/y/r/.hg"), at("x/y/gone"))); link("../gone", "x/y/r/.hg") }},
		{".hg by another link", func() { link("../s/.hg", "x/y/r/.hg") }},
		{"a file called .hg", func() { must(os.Remove(at("x/y/r/.hg"))); text("x/y/r/.hg", "") }},
		{"a directory above it that has one", func() { must(os.Rename(at("x/y/gone"), at("x/.hg"))) }},
	}
	for _, step := range steps {
		step.do()
		for _, dir := range asked {
			t.Run(step.name+"/"+dir, func(t *testing.T) { hgtest.Compare(t, y, at(dir), cmds, runners...) })
		}
	}
}
