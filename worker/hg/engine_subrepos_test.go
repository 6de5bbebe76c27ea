// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgtest"
)

// TestManySubrepos looks into more subrepositories than an engine keeps open: all
// stay open for the command, and those of the last one for the next.
func TestManySubrepos(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	maker := hgtest.OpenReal(version.Path)
	defer maker.Close()
	s := &site{&hgtest.Shell{Hg: maker, Dir: filepath.Join(dir, "repo"), Env: hgtest.BaseEnv()}, t}
	if err := os.Mkdir(s.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s.hg("init")
	spec := ""
	const many = 12
	for i := range many {
		name := fmt.Sprintf("s%02d", i)
		inner := s.inside(name)
		inner.write("f", "f\n")
		inner.commit("inside")
		spec += name + " = " + name + "\n"
		inner.write("loose", "?\n")
	}
	s.write(".hgsub", spec)
	s.commit("outside")
	e := New(Options{Repositories: 3})
	defer e.Close()
	inst := Installation{Path: version.Path, Version: version.Number}
	for range 3 {
		var out bytes.Buffer
		if _, err := e.Run(context.Background(), &Request{
			Args: []string{"status", "-S"}, Dir: s.Dir, Env: hgtest.BaseEnv(), UID: os.Getuid(), Stdin: bytes.NewReader(nil),
			Stdout: &out, Stderr: &out, Now: time.Now(), Hg: inst,
		}); err != nil {
			t.Fatal(err)
		}
		if want := s.Must(t, "status", "-S"); out.String() != want || strings.Count(want, "?") != many {
			t.Fatalf("status -S says\n%s\nand hg\n%s", out.String(), want)
		}
		if len(e.repos) != many+1 {
			t.Errorf("%d repositories are open, not %d", len(e.repos), many+1)
		}
	}
	other := filepath.Join(dir, "other")
	s.hg("init", other)
	for range 2 {
		if _, _, _, err := runEngine(e, other, []string{"status"}, hgtest.BaseEnv(), inst); err != nil {
			t.Fatal(err)
		}
	}
	if len(e.repos) > 4 {
		t.Errorf("%d repositories are still open", len(e.repos))
	}
}
