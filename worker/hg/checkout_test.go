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
)

// wideSite is a repository of which the manifest and the dirstate are large enough
// to be shared.
func wideSite(t *testing.T, real hgtest.Runner) *site {
	s := newSite(t, real)
	for i := range 1400 {
		s.write(fmt.Sprintf("dir%02d/file%04d", i/50, i), fmt.Sprintf("text %d\n", i))
	}
	for i := range 300 {
		s.write(fmt.Sprintf("dir-long/%s/%03d", strings.Repeat("name/name", 45), i), fmt.Sprintf("text %d\n", i))
	}
	s.hg("addremove", "-q")
	s.hg("commit", "-m", "wide", "-d", "0 0")
	s.write("dir03/file0151", "another text\n")
	s.hg("mv", "dir00/file0001", "moved")
	s.hg("commit", "-m", "two files", "-d", "1 0")
	s.write("dir04/file0201", "a third text\n")
	s.hg("commit", "-m", "one file", "-d", "2 0")
	return s
}

// TestSharedManifest walks through the states of a wide working directory and
// compares, with images of every kind of usefulness, what is answered from the
// manifest of its parent.
func TestSharedManifest(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	real := hgtest.NewReal(t, version.Path)
	s := wideSite(t, real)
	all := append(modes(t, inst), hgtest.Named{Name: "hg", Runner: real})
	var cmds []hgtest.Command
	for _, line := range []string{
		"hg cat -r . dir03/file0151", "hg manifest", "hg files -r . dir04", "hg status --rev .", "hg status --change .", "hg diff -c .", "hg status",
		"hg diff --nodates -r 0", "hg identify", "hg log -r . -T {files}", "hg files -r 0 dir04", "hg cat -r 0 dir03/file0151", "hg log -p -l2", "hg cat -r . moved",
	} {
		c, err := hgtest.ParseCommand(line)
		if err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, c)
	}
	y := hgtest.NewTally(t)
	compare := func() { hgtest.Compare(t, y, s.Dir, cmds, all...) }
	compare()
	s.hg("update", "-q", "0")
	compare()
	s.hg("update", "-q", "tip")
	s.write("dir05/file0251", "not committed\n")
	compare()
	s.hg("commit", "-m", "committed", "-d", "3 0")
	compare()
	s.hg("update", "-q", "1")
	s.hg("--config", "extensions.strip=", "strip", "-q", "--no-backup", "3")
	compare()
	s.hg("update", "-q", "null")
	hgtest.Compare(t, y, s.Dir, []hgtest.Command{{Args: []string{"status"}}, {Args: []string{"manifest"}}}, all...)
}

// TestSharedDirstate changes the dirstate of a wide working directory in quick
// succession and compares, with images of every kind of usefulness, what is answered
// from it.
func TestSharedDirstate(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	real := hgtest.NewReal(t, version.Path)
	var cmds []hgtest.Command
	for _, line := range []string{"hg status -A -C", "hg locate", "hg summary", "hg debugpathcomplete dir-l"} {
		c, err := hgtest.ParseCommand(line)
		if err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, c)
	}
	y := hgtest.NewTally(t)
	for _, v2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v2=%v", v2), func(t *testing.T) {
			s := wideSite(t, real)
			if v2 {
				s.write(".hg/hgrc", "[storage]\ndirstate-v2.slow-path = allow\n")
				s.hg("--config", "format.use-dirstate-v2=yes", "debugupgraderepo", "--run", "--no-backup", "-q")
			}
			if head, err := os.ReadFile(filepath.Join(s.Dir, ".hg/dirstate")); err != nil || strings.HasPrefix(string(head), "dirstate-v2") != v2 {
				t.Fatalf("a dirstate that begins with %.12q, %v", head, err)
			}
			all := append(modes(t, inst), hgtest.Named{Name: "hg", Runner: real})
			compare := func() { hgtest.Compare(t, y, s.Dir, cmds, all...) }
			compare()
			s.write("dir05/new", "")
			for _, step := range [][]string{
				{"add", "dir05/new"}, {"forget", "dir05/new"}, {"rm", "dir04/file0201"}, {"cp", "dir03/file0151", "dir03/copy"}, {"revert", "dir04/file0201"},
				{"update", "-q", "-C", "0"},
			} {
				s.hg(step...)
				compare()
			}
		})
	}
}

// TestManifestIsReadOnce: what one engine has read of the parent's manifest, another
// finds in the image, and does not look for in the store.
func TestManifestIsReadOnce(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	s := wideSite(t, hgtest.NewReal(t, version.Path))
	shelf := newShelf(t)
	manifest := func() string {
		t.Helper()
		e := New(Options{Images: shelf})
		defer e.Close()
		stdout, stderr, res, err := runEngine(e, s.Dir, []string{"manifest"}, hgtest.BaseEnv(), inst)
		if err != nil || res.ExitCode != 0 || len(stderr) > 0 {
			t.Fatalf("%v, %d, %s", err, res.ExitCode, stderr)
		}
		return string(stdout)
	}
	want := manifest()
	if strings.Count(want, "\n") != 1700 || shelf.kept[image.Key{Kind: image.Manifest, Path: s.Dir}] == nil {
		t.Fatalf("%d files, and the images %v", strings.Count(want, "\n"), len(shelf.kept))
	}
	for _, name := range []string{"00manifest.i", "00manifest.d"} {
		if err := os.Rename(filepath.Join(s.Dir, ".hg/store", name), filepath.Join(s.Dir, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if got := manifest(); got != want {
		t.Errorf("%d bytes without the store's manifest, not %d", len(got), len(want))
	}
	shelf.left("two engines")
}
