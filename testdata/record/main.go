// SPDX-License-Identifier: GPL-2.0-or-later

// Command record makes what testdata records from real Mercurial:
//
//	go run ./testdata/record [--hg PATH] [--hg72 PATH] [--remake] [NAME...]
//
// For each recipe of testdata/recipe (or those named) it makes the repository
// and packs it as testdata/repos/NAME.tar.gz, unless that is there already and
// --remake was not given; lists them all in testdata/repos.json; and runs the
// command lines of testdata/commands.txt in a fresh extraction of each, whose
// answers become testdata/golden/NAME.jsonl.gz, and those that the second
// Mercurial gives otherwise NAME@7.2.jsonl.gz.
//
// It refuses to run with anything but the real Mercurials of these versions.
// No other program writes these files.
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"hgbroker/worker/hg/hgtest"
)

func main() {
	var r recorder
	pflag.StringVar(&r.hg, "hg", "", "the Mercurial "+hgtest.OldHg+" to record (default: HGBROKER_TEST_HG, or hg on PATH)")
	pflag.StringVar(&r.second, "hg72", os.Getenv("HGBROKER_TEST_HG72"), "the Mercurial "+hgtest.NewHg+" to record the differences of (default: HGBROKER_TEST_HG72)")
	pflag.BoolVar(&r.remake, "remake", false, "make repositories anew that are recorded already")
	pflag.Parse()
	if err := r.record(pflag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

type recorder struct {
	hg, second string
	remake     bool
	python     string
	lines      []line
	old, newer *hgtest.Real // behind hg and second
}

// recipe is one entry of make.py --list.
type recipe struct {
	hgtest.Recorded
	Brief bool `json:"brief"` // the first part of commands.txt is enough
}

func (r *recorder) record(names []string) error {
	if err := r.check(); err != nil {
		return err
	}
	recipes, err := r.list()
	if err != nil {
		return err
	}
	for _, n := range names {
		if !slices.ContainsFunc(recipes, func(x recipe) bool { return x.Name == n }) {
			return fmt.Errorf("no recipe %q", n)
		}
	}
	if r.lines, err = readLines(); err != nil {
		return err
	}
	r.old, r.newer = hgtest.OpenReal(r.hg), hgtest.OpenReal(r.second)
	defer r.old.Close()
	defer r.newer.Close()
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	for _, x := range recipes {
		if len(names) == 0 || slices.Contains(names, x.Name) {
			group.Go(func() error { return r.one(x) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if len(names) == 0 {
		if err := sweep(recipes); err != nil {
			return err
		}
	}
	return writeManifest(recipes)
}

// check refuses whatever is not the real Mercurial that was asked for.
func (r *recorder) check() error {
	if r.hg == "" {
		var err error
		if r.hg, err = hgtest.FindHg(); err != nil {
			return err
		}
	}
	if err := must(r.hg, hgtest.OldHg); err != nil {
		return err
	}
	if r.second == "" {
		return fmt.Errorf("needs a Mercurial %s too: --hg72 or HGBROKER_TEST_HG72", hgtest.NewHg)
	}
	if err := must(r.second, hgtest.NewHg); err != nil {
		return err
	}
	var err error
	r.python, err = hgtest.HgPython(r.hg)
	return err
}

func must(hg, version string) error {
	number, err := hgtest.HgNumber(hg)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(number, version) {
		return fmt.Errorf("%s is Mercurial %s; the recordings are of %s", hg, number, version)
	}
	return nil
}

func (r *recorder) list() ([]recipe, error) {
	out, err := r.makePy("--list").Output()
	if err != nil {
		return nil, fmt.Errorf("list recipes: %w", err)
	}
	var list []recipe
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, fmt.Errorf("list recipes: %w", err)
	}
	for i := range list {
		list[i].Hg = hgtest.OldHg
	}
	return list, nil
}

func (r *recorder) makePy(args ...string) *exec.Cmd {
	script, err := hgtest.Testdata("recipe", "make.py")
	if err != nil {
		script = err.Error()
	}
	cmd := exec.Command(r.python, append([]string{script}, args...)...)
	cmd.Env = hgtest.BaseEnv("PYTHONDONTWRITEBYTECODE=1", "RECIPE_PYTHON="+r.python)
	cmd.Stderr = os.Stderr
	return cmd
}

// one makes, packs and records one repository.
func (r *recorder) one(x recipe) error {
	tarball, err := hgtest.Testdata("repos", x.Name+".tar.gz")
	if err != nil {
		return err
	}
	if _, err := os.Stat(tarball); err != nil || r.remake {
		if err := r.pack(x, tarball); err != nil {
			return fmt.Errorf("%s: %w", x.Name, err)
		}
	}
	old, err := r.goldens(x, r.old)
	if err != nil {
		return fmt.Errorf("%s: %w", x.Name, err)
	}
	newer, err := r.goldens(x, r.newer)
	if err != nil {
		return fmt.Errorf("%s: %w", x.Name, err)
	}
	if err := r.write(x, old, newer); err != nil {
		return err
	}
	fmt.Printf("%-28s %4d command lines\n", x.Name, len(old))
	return nil
}

func (r *recorder) pack(x recipe, tarball string) error {
	tmp, err := os.MkdirTemp("", "record")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := r.makePy("--hg", r.hg, "--out", tmp, x.Name).Run(); err != nil {
		return fmt.Errorf("make: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(tarball), 0o755); err != nil {
		return err
	}
	f, err := os.Create(tarball)
	if err != nil {
		return err
	}
	if err := hgtest.Pack(f, filepath.Join(tmp, x.Name)); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// write writes both golden files of x: all that the first answered, and what
// the second answered otherwise.
func (r *recorder) write(x recipe, old, newer []hgtest.Golden) error {
	path, err := hgtest.GoldenPath(x.Name, false)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := hgtest.WriteGoldens(path, old); err != nil {
		return err
	}
	var differing []hgtest.Golden
	for i, g := range newer {
		if g.Key() != old[i].Key() {
			return fmt.Errorf("%s: line %q was run as %s and as %s", x.Name, g.Line, old[i].Command, g.Command)
		}
		if g.Code != old[i].Code || g.Crash != old[i].Crash || string(g.Stdout) != string(old[i].Stdout) || string(g.Stderr) != string(old[i].Stderr) {
			differing = append(differing, g)
		}
	}
	if path, err = hgtest.GoldenPath(x.Name, true); err != nil {
		return err
	}
	if len(differing) == 0 {
		err := os.Remove(path)
		if os.IsNotExist(err) {
			err = nil
		}
		return err
	}
	return hgtest.WriteGoldens(path, differing)
}

// sweep removes recordings that no recipe makes any more.
func sweep(recipes []recipe) error {
	for _, folder := range []string{"repos", "golden"} {
		dir, err := hgtest.Testdata(folder)
		if err != nil {
			return err
		}
		err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name := strings.TrimSuffix(strings.TrimSuffix(d.Name(), ".tar.gz"), ".jsonl.gz")
			name, _, _ = strings.Cut(name, "@")
			if slices.ContainsFunc(recipes, func(x recipe) bool { return x.Name == name }) {
				return nil
			}
			return os.Remove(p)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func writeManifest(recipes []recipe) error {
	var list []hgtest.Recorded
	for _, x := range recipes {
		list = append(list, x.Recorded)
	}
	data, err := json.MarshalIndent(list, "", "\t")
	if err != nil {
		return err
	}
	path, err := hgtest.Testdata("repos.json")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
