// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// maxRecorded is what testdata/repos and testdata/golden may weigh each.
const maxRecorded = 2 << 20

func TestRecordingsAreComplete(t *testing.T) {
	t.Parallel()
	names := make(map[string]bool)
	for _, r := range Repos(t) {
		if names[r.Name] || r.Name == "" || r.About == "" || r.Recipe == "" || r.Hg != OldHg || r.Dir == "" {
			t.Errorf("manifest: incomplete or repeated entry %+v", r)
		}
		names[r.Name] = true
		if fi, err := os.Stat(Extract(t, r.Name)); err != nil || !fi.IsDir() {
			t.Errorf("%s: no folder %s in the tar: %v", r.Name, r.Dir, err)
		}
		n := 0
		for g := range Goldens(t, r.Name, NewHg) {
			n++
			if g.Code == 0 && g.Crash || len(g.Args) == 0 {
				t.Errorf("%s: implausible golden %+v", r.Name, g)
			}
		}
		if n < 30 {
			t.Errorf("%s: only %d goldens", r.Name, n)
		}
	}
	for _, folder := range []string{"repos", "golden"} {
		dir, err := Testdata(folder)
		if err != nil {
			t.Fatal(err)
		}
		size := int64(0)
		err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name := strings.TrimSuffix(strings.TrimSuffix(d.Name(), ".tar.gz"), ".jsonl.gz")
			if !names[strings.TrimSuffix(name, "@"+NewHg)] {
				t.Errorf("%s belongs to no recorded repository", p)
			}
			fi, err := d.Info()
			size += fi.Size()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if size > maxRecorded {
			t.Errorf("%s weighs %d bytes, more than %d", dir, size, maxRecorded)
		}
	}
}

// A golden must say nothing of the machine that it was recorded on.
func TestGoldensAreOfNoMachine(t *testing.T) {
	t.Parallel()
	root, err := Testdata()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Repos(t) {
		for _, version := range []string{OldHg, NewHg} {
			for g := range Goldens(t, r.Name, version) {
				for _, leak := range []string{"/usr/", root, os.TempDir() + "/record", "dist-packages", "site-packages", "localhost"} {
					if bytes.Contains(g.Stdout, []byte(leak)) || bytes.Contains(g.Stderr, []byte(leak)) {
						t.Errorf("%s: %s: its output holds %q", r.Name, g.Command, leak)
					}
				}
			}
		}
	}
}

// Every so many-th golden of each repository is asked for again.
func TestGoldensAreWhatHgPrints(t *testing.T) {
	t.Parallel()
	versions := HgVersions(t)
	tally := NewTally(t)
	tally.Strict = true
	const step = 29
	for _, v := range versions {
		if !strings.HasPrefix(v.Number, OldHg) && !strings.HasPrefix(v.Number, NewHg) {
			t.Logf("no goldens of Mercurial %s", v.Number)
			continue
		}
		real := NewReal(t, v.Path)
		for at, r := range Repos(t) {
			dir := Extract(t, r.Name)
			n := at
			tally.repository()
			for g := range Goldens(t, r.Name, v.Number) {
				if n++; n%step == 0 {
					g = g.Expand(dir)
					got := runAll(Named{"hg", real}, dir, []Command{g.Command})[0]
					if isCrash(got.stderr) && r.Name == "treemanifest" {
						continue // 7.2 dies in its tags cache or not, by what was run before
					}
					got.stderr = uncrash(got.stderr)
					judge(t, tally, dir, g.Command, "hg "+v.Number+" in "+r.Name+" now", got, "golden", answer{g.Stdout, g.Stderr, g.Code, nil}, g.Crash, nil)
				}
			}
		}
	}
	if tally.Compared() == 0 {
		t.Skipf("no goldens of the installed Mercurial: %v", versions)
	}
}

func TestPackUnpack(t *testing.T) {
	t.Parallel()
	src, dst := t.TempDir(), t.TempDir()
	old := time.Unix(1234567890, 123456789)
	write := func(name, data string, mode fs.FileMode) {
		p := filepath.Join(src, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(data), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, old, old); err != nil {
			t.Fatal(err)
		}
	}
	write("repo/latin-\xe9", "x", 0o644)
	write("repo/"+strings.Repeat("l", 200), "long", 0o644)
	write("repo/run", "", 0o755)
	write("repo/.hg/sharedpath", src+"/other/.hg", 0o644)
	if err := os.Symlink("t\xe9", filepath.Join(src, "repo/link")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(src, "repo/pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Pack(&b, src); err != nil {
		t.Fatal(err)
	}
	if err := Unpack(&b, dst); err != nil {
		t.Fatal(err)
	}
	// The size of sharedpath may differ with the folder's name.
	list := func(dir string) string {
		os.Truncate(filepath.Join(dir, "repo/.hg/sharedpath"), 0)
		os.Chtimes(filepath.Join(dir, "repo/.hg/sharedpath"), old, old)
		return strings.ReplaceAll(fingerprint(filepath.Join(dir, "repo")), dir, "")
	}
	shared, err := os.ReadFile(filepath.Join(dst, "repo/.hg/sharedpath"))
	if err != nil || string(shared) != dst+"/other/.hg" {
		t.Errorf("sharedpath is %q, %v; want it below %s", shared, err, dst)
	}
	if a, b := list(src), list(dst); a != b {
		t.Errorf("packed\n%s\nunpacked\n%s", a, b)
	}
}

func TestUnpackRefusesNamesOutside(t *testing.T) {
	t.Parallel()
	src := t.TempDir()
	if err := os.WriteFile(filepath.Join(src, "xx"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Pack(&b, src); err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{nil, b.Bytes()[:20], []byte("no gzip")} {
		if err := Unpack(bytes.NewReader(data), t.TempDir()); err == nil {
			t.Errorf("unpacked %q", data)
		}
	}
}
