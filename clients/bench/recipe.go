// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// subject is a repository to measure.
type subject struct {
	name, dir string
	twin      string // in git, or ""
	ours      bool   // made here, so nobody's configuration counts
}

// recipes are what testdata/recipe/large.py makes.
var recipes = []string{"r1", "r2", "r3"}

// subjects are the repositories that the options name. What is made for a recipe
// stays in keep, and is made once.
func subjects(ctx context.Context, o *options, hg, temp string) ([]subject, error) {
	keep := o.keep
	if keep == "" {
		keep = temp
	}
	if err := os.MkdirAll(keep, 0o700); err != nil {
		return nil, fmt.Errorf("--keep: %w", err)
	}
	var all []subject
	for _, r := range o.recipes {
		if !slices.Contains(recipes, r) {
			return nil, fmt.Errorf("no recipe %q; there are %s", r, strings.Join(recipes, ", "))
		}
		s, err := cooked(ctx, r, o.scale, hg, keep)
		if err != nil {
			return nil, err
		}
		all = append(all, *s)
	}
	for i, dir := range o.repos {
		s := subject{name: filepath.Base(dir)}
		var err error
		if s.dir, err = repository(ctx, dir, hg, temp); err != nil {
			return nil, err
		}
		if i < len(o.gits) {
			s.twin = o.gits[i]
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		dir, err := repository(ctx, "", hg, temp)
		if err != nil {
			return nil, err
		}
		all = append(all, subject{name: "small", dir: dir, ours: true})
	}
	for i := range all {
		if s := &all[i]; o.twin && s.twin == "" {
			if err := s.twinned(ctx, hg, keep); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// cooked is the repository of a recipe, from the kept ones if it is there.
func cooked(ctx context.Context, recipe string, scale float64, hg, keep string) (*subject, error) {
	name := recipe
	if scale != 1 {
		name = fmt.Sprintf("%s-%g", recipe, scale)
	}
	s := &subject{name: name, dir: filepath.Join(keep, name), ours: true}
	if _, err := os.Stat(s.dir); err == nil {
		return s, nil
	}
	if hg == "" {
		return nil, fmt.Errorf("recipe %s needs a real hg", recipe)
	}
	half := s.dir + ".half"
	if err := os.RemoveAll(half); err != nil {
		return nil, err
	}
	if err := large(ctx, hg, recipe, half, "--scale", fmt.Sprint(scale)); err != nil {
		return nil, err
	}
	main, err := os.ReadFile(filepath.Join(half, ".hg", mainFile))
	if err != nil {
		return nil, fmt.Errorf("recipe %s: %w", recipe, err)
	}
	cmd := exec.CommandContext(ctx, hg, "-R", half, "update", "--quiet", "--rev", strings.TrimSpace(string(main)))
	cmd.Env = environment(true)
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("recipe %s: hg update: %w\n%s", recipe, err, text)
	}
	return s, os.Rename(half, s.dir)
}

// mainFile is where a recipe leaves the changeset to update to, below .hg.
const mainFile = "recipe-main"

// twinned makes the git twin of a repository.
func (s *subject) twinned(ctx context.Context, hg, keep string) error {
	if _, err := exec.LookPath("git"); err != nil || hg == "" {
		return nil // then git is not measured, which is said there
	}
	dir := filepath.Join(keep, s.name+"-git")
	if _, err := os.Stat(dir); err == nil {
		s.twin = dir
		return nil
	}
	half := dir + ".half"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	if err := large(ctx, hg, "twin", s.dir, half); err != nil {
		return err
	}
	s.twin = dir
	return os.Rename(half, dir)
}

// large runs testdata/recipe/large.py.
func large(ctx context.Context, hg string, args ...string) error {
	python, err := hgPython(ctx, hg)
	if err != nil {
		return err
	}
	top, err := source(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, python, append([]string{"-B", filepath.Join(top, "testdata", "recipe", "large.py")}, args...)...)
	cmd.Env = environment(true)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("large.py %s: %w\n%s", strings.Join(args, " "), err, text)
	}
	return nil
}

// hgPython is an interpreter that can import mercurial.
func hgPython(ctx context.Context, hg string) (string, error) {
	own := exec.CommandContext(ctx, hg, "debuginstall", "-T", "{pythonexe}")
	own.Env = environment(true)
	text, _ := own.Output() // says it even where it finds something to complain of
	for _, python := range []string{os.Getenv(EnvPython), string(text), "python3"} {
		if python != "" && exec.CommandContext(ctx, python, "-c", "import mercurial.hg").Run() == nil {
			return python, nil
		}
	}
	return "", errors.New("no Python that can import mercurial (name one in " + EnvPython + ")")
}

// about says in a few words how large a repository is.
func (w *world) about() string {
	var parts []string
	if len(w.entries) > 0 {
		if text, _, err := w.entries[0].ask([]string{"log", "-l1", "-T", "{rev}"}); err == nil && len(text) > 0 {
			parts = append(parts, "newest visible revision "+string(text))
		}
	}
	for _, name := range []string{"00changelog.i", "00changelog.d", "00manifest.d", "obsstore"} {
		if info, err := os.Stat(filepath.Join(w.repo, ".hg", "store", name)); err == nil {
			parts = append(parts, name+" "+amount(info.Size()))
		}
	}
	return strings.Join(parts, ", ")
}
