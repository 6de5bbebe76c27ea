// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgtest"
)

// archiveSite has files of every kind, long names, other letters, tags.
func archiveSite(s *site) {
	long := "a/" + strings.Repeat("long/", 18) + strings.Repeat("n", 40)
	s.write("plain", "text\n", "empty", "", "run", "#!/bin/sh\n", "sub/dir/file", strings.Repeat("some text that packs\n", 4000), long, "far\n",
		"noise", noise(300<<10, 5), "zeros", strings.Repeat("\x00", 70000), "b\xc3\xa9/\xe2\x82\xac", "euro\n", "latin\xe9", "latin\n")
	if err := os.Chmod(filepath.Join(s.Dir, "run"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	for name, target := range map[string]string{"link": "plain", "longlink": strings.Repeat("target/", 20), "link\xc3\xa9": "b\xc3\xa9/\xe2\x82\xac"} {
		if err := os.Symlink(target, filepath.Join(s.Dir, name)); err != nil {
			s.t.Fatal(err)
		}
	}
	s.commit("first [line] of 2")
	s.hg("copy", "-q", "plain", "copied")
	s.commit("two")
	s.hg("tag", "-q", "-u", "a", "-d", "1500000100 0", "v1", "v1.0")
	s.write("plain", "text\nmore\n", ".hgignore", "x\n")
	s.hg("branch", "-q", "br\xc3\xa1nch")
	s.commit("four", "-d", "1500000201 0")
	s.hg("update", "-q", "0")
	s.hg("remove", "-q", "latin\xe9")
	s.commit("five", "-d", "-100 0")
	s.hg("update", "-q", "-C", "3")
	s.write("last", "last\n")
	s.commit("odd second", "-d", "1500000301 3600")
}

var archiveCommands = []string{
	"-t tar -", "-t tgz -", "-t zip - -X latin*", "-t uzip - -X latin*", "-t zip -",
	"-t tar - -r 0", "-t tar - -r 1 -S", "-t tgz - -r v1", "-t tar - -r 3 --no-decode", "-t tgz - -r 4", "-t zip - -r 4", "-t tar - -r 4", "-t tar -r 5 -", "-t zip -r 3 -X latin* -",
	"-t tar - -p pre/fix", "-t tar - -p %b-%h-%H-%R-%r-%%-%m", "-t tar - -p .", "-t tar - -p ./x/../y", "-t tar - -p ../x", "-t tar - -p /abs", "-t tar - -p a/../../b", "-t tar - -p %", "-t tar - -p %z", "-t tar - -p a{rev}", "-t tar - -p //x",
	"-t tar - -I sub", "-t tar - -X glob:**e* -X latin*", "-t tar - -I nosuch", "-t zip - -I nosuch", "-t tar - -I .hg_archival.txt", "-t tgz - -X .hg_archival.txt -I plain",
	"-t tar - --config ui.archivemeta=no", "-t zip - --config ui.archivemeta=off -I plain", "-t tar - --config experimental.archivemetatemplate={node}", "-t tar - --config experimental.archivemetatemplate={root}{dirty}|{tags}", "-t tar - --config ui.archivemeta=what",
	"-", "-t files -", "-t what -", "-t tbz2 -", "-t txz -", "-t tar - -r null", "-t tar - -r nosuch", "-t tar - -r wdir()", "-t tar - -r none()", "-t tar", "-t tar - x", "-t tar - -q", "-t tar - -v", "-t tar - --debug", "-t tar file.tar", "dest",
}

// TestArchive compares archives on standard output with those of each hg.
func TestArchive(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "rep%o")
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			s := &site{hgtest.NewShell(t, version.Path, dir, "HGENCODING=utf-8"), t}
			s.hg("init", "-q")
			archiveSite(s)
			inst := Installation{Path: version.Path, Version: version.Number}
			runner := engineRunner("cold", inst, true)
			real := hgtest.Named{Name: "hg", Runner: hgtest.NewReal(t, version.Path)}
			y := hgtest.NewTally(t)
			renamed := filepath.Join(filepath.Dir(dir), "repo")
			var cmds []hgtest.Command
			for _, line := range archiveCommands {
				cmds = append(cmds, hgtest.Command{Args: append([]string{"archive"}, strings.Fields(line)...)},
					hgtest.Command{Args: append([]string{"archive"}, strings.Fields(line)...), Env: []string{"HGENCODING=utf-8"}, Sub: "sub"})
			}
			hgtest.Compare(t, y, dir, cmds[:2], runner, real)
			if err := os.Rename(dir, renamed); err != nil {
				t.Fatal(err)
			}
			hgtest.Compare(t, y, renamed, cmds, runner, real)
			hgtest.Compare(t, y, renamed, cmds[:4], runner, hgtest.Named{Name: "hg CLI", Runner: hgtest.CLI(version.Path)})
			if err := os.RemoveAll(filepath.Join(renamed, "dest")); err != nil {
				t.Fatal(err)
			}
			for _, kind := range []string{"zip", "uzip", "tgz", "tar"} {
				archiveToFile(t, renamed, kind, inst)
			}
		})
	}
}

// archiveToFile compares what hg writes to a file as its standard output, where
// it goes back to fill sizes in.
func archiveToFile(t *testing.T, dir, kind string, inst Installation) {
	args := []string{"archive", "-t", kind, "-X", "latin*", "-"}
	var out, errOut bytes.Buffer
	e := New(Options{})
	defer e.Close()
	_, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: hgtest.BaseEnv(), UID: os.Getuid(), Stdin: bytes.NewReader(nil),
		Stdout: &out, Stderr: &errOut, Seekable: true, Now: time.Now(), Hg: inst})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "archive"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(inst.Path, args...)
	cmd.Dir, cmd.Env, cmd.Stdout = dir, hgtest.BaseEnv(), f
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 || !bytes.Equal(out.Bytes(), want) {
		t.Errorf("%s to a file: %d bytes are not hg's %d", kind, out.Len(), len(want))
	}
	if _, err := e.Run(context.Background(), &Request{Args: args, Dir: dir, Env: hgtest.BaseEnv(), UID: os.Getuid(), Stdin: bytes.NewReader(nil),
		Stdout: &out, Stderr: &errOut, Seekable: true, Appends: true, Now: time.Now(), Hg: inst}); (err == nil) == strings.HasSuffix(kind, "zip") {
		t.Errorf("%s behind something: %v", kind, err)
	}
}
