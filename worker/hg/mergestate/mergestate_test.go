// SPDX-License-Identifier: GPL-2.0-or-later

package mergestate

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

// realState is `hg debugmergestate -T json`.
type realState []struct {
	Commits []struct{ Name, Node string }
	Files   []struct {
		Path, State string
		LocalKey    string `json:"local_key"`
		LocalPath   string `json:"local_path"`
	}
}

// compare compares what stands in a repository's .hg/merge with hg's reading.
func compare(t *testing.T, hg hgtest.Runner, dir string) (files int) {
	t.Helper()
	s, err := Read(filepath.Join(dir, ".hg/merge"))
	if err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	out, stderr, code, _, err := hg.Run(dir, []string{"debugmergestate", "-T", "json"}, hgtest.BaseEnv("HGPLAIN=1"))
	if err != nil || code != 0 {
		t.Fatalf("hg debugmergestate: %d, %v, %s", code, err, stderr)
	}
	var want realState
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(want) != 1 {
		t.Fatalf("%s: hg sees %d merge states", dir, len(want))
	}
	if s == nil {
		s = &State{}
	}
	for _, c := range want[0].Commits {
		got := s.Local
		if c.Name == "other" {
			got = s.Other
		}
		if got.Hex() != c.Node {
			t.Errorf("%s: %s is %v, hg says %s", dir, c.Name, got, c.Node)
		}
	}
	unresolved := 0
	if len(s.Files) != len(want[0].Files) {
		t.Errorf("%s: %d files, hg has %d", dir, len(s.Files), len(want[0].Files))
	}
	for _, f := range want[0].Files {
		i := slices.IndexFunc(s.Files, func(g File) bool { return g.Path == f.Path })
		if i < 0 || s.Files[i].State != f.State || f.LocalKey != "" && (s.Files[i].Rest[0] != f.LocalKey || s.Files[i].Rest[1] != f.LocalPath) {
			t.Errorf("%s: %q is not as hg has it: %+v, %+v", dir, f.Path, f, s.Files)
		}
	}
	out, _, _, _, err = hg.Run(dir, []string{"resolve", "--list", "-T", "{mergestatus}\n"}, hgtest.BaseEnv("HGPLAIN=1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(out)) {
		if line == "U" || line == "P" {
			unresolved++
		}
	}
	if s.Unresolved() != unresolved {
		t.Errorf("%s: %d files are not resolved, hg has %d", dir, s.Unresolved(), unresolved)
	}
	return len(s.Files)
}

func TestAgainstRecordedMerges(t *testing.T) {
	hg := hgtest.NewReal(t, hgtest.Hg(t))
	n := 0
	for _, name := range []string{"merging", "merging-v2", "merging-clean"} {
		n += compare(t, hg, hgtest.Extract(t, name))
	}
	if n == 0 {
		t.Error("no file was compared")
	}
}

// run runs hg in a repository and fails unless it exits with one of the codes.
func run(t *testing.T, hg hgtest.Runner, dir string, codes []int, args ...string) {
	t.Helper()
	env := hgtest.BaseEnv("HGUSER=test", "HGMERGE=:fail")
	_, stderr, code, _, err := hg.Run(dir, append(args, "--config", "ui.interactive=no", "--config", "experimental.merge.checkpathconflicts=yes"), env)
	if err != nil || !slices.Contains(codes, code) {
		t.Fatalf("hg %q: %d, %v, %s", args, code, err, stderr)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestAgainstHg makes a merge with each kind of conflict, and resolves it file
// by file.
func TestAgainstHg(t *testing.T) {
	hg := hgtest.NewReal(t, hgtest.Hg(t))
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ok, conflict := []int{0}, []int{0, 1}
	run(t, hg, dir, ok, "init")
	for _, name := range []string{"content", "deleted here", "deleted there", "légal", "sub/a"} {
		write(t, dir, name, "base of "+name+"\n")
	}
	run(t, hg, dir, ok, "commit", "-A", "-m", "base")
	for _, name := range []string{"content", "deleted there", "légal"} {
		write(t, dir, name, "here\n")
	}
	run(t, hg, dir, ok, "remove", "deleted here")
	write(t, dir, "path", "a file\n")
	run(t, hg, dir, ok, "commit", "-A", "-m", "here")
	run(t, hg, dir, ok, "update", "-r", "0")
	for _, name := range []string{"content", "deleted here", "légal"} {
		write(t, dir, name, "there\n")
	}
	run(t, hg, dir, ok, "remove", "deleted there")
	write(t, dir, "path/below", "a directory\n")
	run(t, hg, dir, ok, "commit", "-A", "-m", "there")
	run(t, hg, dir, ok, "update", "-r", "1")
	run(t, hg, dir, conflict, "merge", "-r", "2")
	if n := compare(t, hg, dir); n < 5 {
		t.Errorf("only %d files are in the merge state", n)
	}
	for _, name := range []string{"content", "deleted here", "légal"} {
		run(t, hg, dir, ok, "resolve", "--mark", "path:"+name)
		compare(t, hg, dir)
	}
	run(t, hg, dir, ok, "resolve", "--unmark", "content")
	compare(t, hg, dir)

	// Without version 2, what version 1 says counts.
	v2 := filepath.Join(dir, ".hg/merge/state2")
	full, err := Read(filepath.Dir(v2))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(v2); err != nil {
		t.Fatal(err)
	}
	old, err := Read(filepath.Dir(v2))
	if err != nil {
		t.Fatal(err)
	}
	if old.Local != full.Local || len(old.Files) == 0 || len(old.Files) >= len(full.Files) {
		t.Errorf("version 1 says %+v, version 2 %+v", old, full)
	}
}

func appendRecord(b []byte, kind byte, payload string) []byte {
	b = append(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	return append(b, payload...)
}

const (
	here  = "1111111111111111111111111111111111111111"
	there = "2222222222222222222222222222222222222222"
)

func TestRead(t *testing.T) {
	v2 := appendRecord(appendRecord(nil, 'L', here), 'O', there)
	file := "a\x00u\x00key\x00a\x00a\x00anode\x00onode\x00"
	v1file := "a\x00u\x00key\x00a\x00a\x00anode\x00"
	withFile := appendRecord(slices.Clone(v2), 'F', file)
	for name, c := range map[string]struct {
		v1, v2      string
		files       int
		unsupported bool
		none        bool
	}{
		"nothing":                  {none: true},
		"version 2":                {v2: string(withFile), files: 1},
		"both":                     {v1: here + "\n" + v1file + "\n", v2: string(withFile), files: 1},
		"version 1":                {v1: here + "\n" + v1file + "\n", files: 1},
		"version 1 is newer":       {v1: there + "\n", v2: string(withFile), files: 0},
		"version 1 has a file":     {v1: here + "\n" + v1file + "\n", v2: string(v2), files: 1},
		"version 1 has resolved":   {v1: here + "\n" + strings.Replace(v1file, "u", "r", 1) + "\n", v2: string(withFile), files: 1},
		"the last record counts":   {v2: string(appendRecord(slices.Clone(withFile), 'F', strings.Replace(file, "u", "r", 1))), files: 1},
		"no conflict":              {v2: string(appendRecord(slices.Clone(v2), 'R', "a\x00o\x00x")), files: 0},
		"wrapped":                  {v2: string(appendRecord(slices.Clone(v2), 't', "C"+file)), files: 1},
		"ignored":                  {v2: string(appendRecord(slices.Clone(v2), 'x', "anything")), files: 0},
		"unknown":                  {v2: string(appendRecord(slices.Clone(v2), 'X', "anything")), unsupported: true},
		"unknown, not even letter": {v2: string(appendRecord(slices.Clone(v2), '1', "anything")), unsupported: true},
	} {
		dir := t.TempDir()
		for file, text := range map[string]string{"state": c.v1, "state2": c.v2} {
			if text != "" {
				write(t, dir, file, text)
			}
		}
		s, err := Read(dir)
		switch {
		case hgerr.IsUnsupported(err) != c.unsupported || !c.unsupported && err != nil:
			t.Errorf("%s: %v", name, err)
		case err == nil && (s == nil) != c.none:
			t.Errorf("%s: state %+v", name, s)
		case s != nil && len(s.Files) != c.files:
			t.Errorf("%s: files %+v", name, s.Files)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	var d *hgerr.Damage
	for _, text := range []string{"x", here + "x\n", here[:39] + "\n", here + "\nno state\n"} {
		if _, err := ParseV1([]byte(text)); !errors.As(err, &d) {
			t.Errorf("version 1 %q: %v", text, err)
		}
	}
	good := appendRecord(nil, 'L', here)
	for name, raw := range map[string][]byte{
		"cut in the head":    good[:4],
		"cut in the payload": good[:len(good)-1],
		"huge":               {'F', 0xff, 0xff, 0xff, 0xff, 'a'},
		"no node":            appendRecord(nil, 'O', "xyz"),
		"no state":           appendRecord(nil, 'F', "a"),
	} {
		if _, err := ParseV2(raw); !errors.As(err, &d) {
			t.Errorf("version 2, %s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"merging", "merging-v2", "merging-clean", "broken-merge-state"} {
		dir := filepath.Join(hgtest.Extract(f, name), ".hg/merge")
		for _, file := range []string{"state", "state2"} {
			if raw, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
				f.Add(raw)
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, parse := range []func([]byte) (*State, error){ParseV1, ParseV2} {
			s, err := parse(raw)
			if err != nil {
				continue
			}
			if n := s.Unresolved(); n > len(s.Files) || len(s.Files) > len(raw) {
				t.Fatalf("%d unresolved of %d files in %d bytes", n, len(s.Files), len(raw))
			}
			for _, list := range s.Extras {
				for i, x := range list {
					if slices.ContainsFunc(list[i+1:], func(o Extra) bool { return o.Key == x.Key }) {
						t.Fatalf("two extra fields %q", x.Key)
					}
				}
			}
		}
	})
}
