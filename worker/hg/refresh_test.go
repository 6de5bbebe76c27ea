// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/snapshot"
)

// seeing are command lines that look at all that can change in a repository.
func seeing() []hgtest.Command {
	var cmds []hgtest.Command
	for _, args := range [][]string{
		{"log", "-T", `{rev}:{node} {p1.rev} {p2.rev} {phase} {branch} [{tags}] [{bookmarks}] {activebookmark} {desc|firstline}\n`},
		{"log", "--hidden", "-T", `{rev} {obsolete} {instabilities} {phase}\n`},
		{"log", "-G", "-T", `{rev} {node|short}\n`},
		{"log", "-r", "heads(all()) + draft() + ."},
		{"identify"}, {"identify", "-r", "tip"}, {"parents"}, {"heads"}, {"heads", "-t"}, {"tip", "-v"},
		{"branch"}, {"branches"}, {"branches", "-c"}, {"bookmarks"}, {"tags"}, {"tags", "-v"}, {"phase", "-r", "all()"},
		{"status"}, {"status", "-A"}, {"status", "--change", "."}, {"files"}, {"manifest", "-r", "tip"}, {"cat", "-r", ".", "f"},
	} {
		cmds = append(cmds, hgtest.Command{Args: args})
	}
	return cmds
}

// work is a repository that a test changes with real hg.
type work struct {
	*hgtest.Shell
	t *testing.T
	n int
}

func newWork(t *testing.T, path string) *work {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "repo")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return &work{Shell: hgtest.NewShell(t, path, dir, "HGUSER=test"), t: t}
}

// do runs hg with what its commands need here; it must succeed.
func (w *work) do(args ...string) string {
	w.t.Helper()
	return w.Must(w.t, append(args, "--config", "extensions.strip=", "--config", "extensions.share=", "--config", "ui.merge=:union")...)
}

func (w *work) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

// commit changes the file f and commits.
func (w *work) commit(more ...string) {
	w.t.Helper()
	w.n++
	w.write("f", fmt.Sprintf("content %d\n", w.n))
	w.do(append([]string{"commit", "-A", "-m", fmt.Sprintf("change %d", w.n)}, more...)...)
}

// in is the same hands in another directory.
func (w *work) in(dir string) *work {
	shell := *w.Shell
	shell.Dir = dir
	return &work{Shell: &shell, t: w.t, n: w.n + 100}
}

// shortLag lets states that stay behind do so in short histories.
func shortLag(t *testing.T) {
	was := snapshot.BranchLag
	snapshot.BranchLag = 2
	t.Cleanup(func() { snapshot.BranchLag = was })
}

// TestRefresh changes a repository in one way after another and asks engines
// that stay open, in every mode, and real hg.
func TestRefresh(t *testing.T) {
	shortLag(t)
	version := hgtest.HgVersions(t)[0]
	for name, init := range map[string][]string{
		"dirstate-v1": {"init"},
		"dirstate-v2": {"init", "--config", "format.use-dirstate-v2=yes", "--config", "storage.dirstate-v2.slow-path=allow"},
	} {
		t.Run(name, func(t *testing.T) {
			inst := Installation{Path: version.Path, Version: version.Number}
			real := hgtest.NewReal(t, version.Path)
			y := hgtest.NewTally(t)
			runners := append(modes(t, inst), hgtest.Named{Name: "hg", Runner: real})
			w := newWork(t, version.Path)
			const config = "[experimental]\nevolution=all\n[storage]\ndirstate-v2.slow-path=allow\n"
			steps := []struct {
				name string
				do   func()
			}{
				{"init", func() {
					w.do(init...)
					w.write(".hg/hgrc", config)
				}},
				{"add", func() { w.write("f", "content\n"); w.do("add") }},
				{"commit", func() { w.commit() }},
				{"more commits", func() { w.commit(); w.commit(); w.commit() }},
				{"file changed", func() { w.write("f", "something else\n") }},
				{"file added", func() { w.write("g", "new\n"); w.do("add", "g") }},
				{"file removed", func() { w.commit(); w.do("remove", "g") }},
				{"revert", func() { w.do("revert", "--all", "--no-backup") }},
				{"public", func() { w.do("phase", "--public", "-r", "1") }},
				{"draft again", func() { w.do("phase", "--draft", "--force", "-r", "1") }},
				{"secret", func() { w.do("phase", "--secret", "--force", "-r", "tip") }},
				{"bookmark", func() { w.do("bookmark", "active") }},
				{"bookmark elsewhere", func() { w.do("bookmark", "-r", "0", "other") }},
				{"bookmark moves", func() { w.commit() }},
				{"bookmark renamed", func() { w.do("bookmark", "--rename", "active", "renamed") }},
				{"bookmark inactive", func() { w.do("bookmark", "--inactive") }},
				{"local tag", func() { w.do("tag", "--local", "-r", "1", "mine") }},
				{"local tag removed", func() { w.do("tag", "--local", "--remove", "mine") }},
				{"global tag", func() { w.do("tag", "-r", "1", "v1") }},
				{"tag moved", func() { w.do("tag", "--force", "-r", "2", "v1") }},
				{"tag removed", func() { w.do("tag", "--remove", "v1") }},
				{"amend", func() { w.write("f", "amended\n"); w.do("commit", "--amend", "-m", "amended") }},
				{"amend a message", func() { w.do("commit", "--amend", "-m", "amended again") }},
				{"update", func() { w.do("update", "-r", "1") }},
				{"update to something hidden", func() { w.do("update", "--hidden", "-r", "min(obsolete())") }},
				{"orphan", func() { w.commit() }},
				{"update away", func() { w.do("update", "-r", "2") }},
				{"branch", func() { w.do("branch", "side") }},
				{"commit on it", func() { w.commit() }},
				{"close", func() { w.commit("--close-branch") }},
				{"update to null", func() { w.do("update", "-r", "null") }},
				{"another root", func() { w.commit() }},
				{"merge", func() { w.do("update", "-r", "3"); w.do("merge", "--tool", ":local", "-r", "side") }},
				{"commit of a merge", func() { w.do("commit", "-m", "merge") }},
				{"conflict", func() {
					w.do("update", "-q", "-r", "1")
					w.commit()
					w.do("update", "-q", "-r", "1")
					w.commit()
					if _, stderr, code := w.Run(w.t, "merge", "-r", "max(children(1) - .)", "--tool", ":fail"); code != 1 {
						w.t.Fatalf("a merge that conflicts: exit code %d, %s", code, stderr)
					}
				}},
				{"resolved", func() { w.do("resolve", "--mark", "--all") }},
				{"merge given up", func() { w.do("update", "--clean", "-r", ".") }},
				{"prune", func() { w.do("debugobsolete", w.do("log", "-r", ".", "-T", "{node}")) }},
				{"strip the tip", func() { w.do("update", "-q", "-r", "1"); w.do("strip", "--no-backup", "--hidden", "-r", "tip") }},
				{"strip in the middle", func() { w.do("strip", "--no-backup", "--hidden", "-r", "3") }},
				{"strip and commit", func() { w.do("strip", "--no-backup", "--hidden", "-r", "2"); w.commit() }},
				{"hgrc", func() {
					w.write(".hg/hgrc", config+"[command-templates]\nlog={rev} {desc}\\n\n")
				}},
				{"hgignore", func() { w.write(".hgignore", "syntax: glob\n*.o\n"); w.write("x.o", ""); w.write("y", "") }},
				{"all gone", func() { w.do("update", "-C", "-r", "null"); w.do("strip", "--no-backup", "--hidden", "-r", "0:") }},
				{"commit after that", func() { w.commit() }},
			}
			for _, step := range steps {
				step.do()
				t.Run(strings.ReplaceAll(step.name, " ", "-"), func(t *testing.T) {
					hgtest.Compare(t, y, w.Dir, seeing(), runners...)
				})
			}
		})
	}
}

// TestReplacedRepository moves another repository to where one was.
func TestReplacedRepository(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	y := hgtest.NewTally(t)
	runners := append(modes(t, inst), hgtest.Named{Name: "hg", Runner: hgtest.NewReal(t, version.Path)})
	place := filepath.Join(filepath.Dir(hgtest.Extract(t, "empty")), "place")
	for _, name := range []string{"linear", "obsolescence", "no-share-safe", "plain-store", "dirstate-v2", "branches", "linear"} {
		if err := os.RemoveAll(place); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(hgtest.Extract(t, name), place); err != nil {
			t.Fatal(err)
		}
		hgtest.Compare(t, y, place, seeing(), runners...)
	}
}

// TestShares lets shares of one store, each with a checkout of its own, take
// turns in the same engines.
func TestShares(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	y := hgtest.NewTally(t)
	one, two := newShelf(t), newShelf(t)
	runners := []hgtest.Named{
		engineRunner("private, warm", inst, false),
		shelfRunner(t, "leased, warm", inst, one, 100),
		shelfRunner(t, "leased, cold", inst, two, 1),
		{Name: "hg", Runner: hgtest.NewReal(t, version.Path)},
	}
	source := newWork(t, version.Path)
	source.do("init")
	source.write(".hg/hgrc", "[experimental]\nevolution=all\n[extensions]\nshare=\n")
	for range 4 {
		source.commit()
	}
	parent := filepath.Dir(source.Dir)
	var all []*work
	for _, args := range [][]string{{"a"}, {"b", "--bookmarks"}, {"c", "--relative"}} {
		dir := filepath.Join(parent, args[0])
		source.in(parent).do(append([]string{"share", "--noupdate", source.Dir, dir}, args[1:]...)...)
		all = append(all, source.in(dir))
	}
	a, b, c := all[0], all[1], all[2]
	compare := func(name string) {
		t.Run(name, func(t *testing.T) {
			for _, w := range []*work{source, a, b, c, a} {
				hgtest.Compare(t, y, w.Dir, seeing(), runners...)
			}
		})
	}
	compare("not updated")
	a.do("update", "-r", "1")
	b.do("update", "-r", "3")
	compare("updated")
	a.do("bookmark", "own")
	b.do("bookmark", "common")
	source.do("bookmark", "-r", "0", "of-the-source")
	compare("bookmarks")
	b.write("f", "amended\n")
	b.do("commit", "--amend", "-m", "amended")
	// The source's working directory keeps the old changeset visible, there only.
	compare("hidden, pinned differently")
	a.do("tag", "--local", "-r", "2", "here")
	a.commit()
	c.do("update", "-r", "2")
	compare("local tag")
	source.do("update", "-r", "0")
	source.do("strip", "--no-backup", "--hidden", "-r", "4:")
	compare("stripped under them")
	for _, s := range []*shelf{one, two} {
		stores := 0
		for key := range s.kept {
			if key.Kind == image.Store {
				stores++
			}
		}
		if stores != 1 {
			t.Errorf("four checkouts of one store have %d images", stores)
		}
	}
}
