// SPDX-License-Identifier: GPL-2.0-or-later

// Package subrepo reads what a changeset, or the working directory, records of
// the repositories inside it: the files .hgsub and .hgsubstate
// (mercurial/subrepoutil.py).
//
// It opens no repository and looks at no disk: a Reader hands it the files. What
// [subpaths] would make of the sources is Unsupported as soon as there is a
// source to be mapped.
//
// # Format
//
// .hgsub is in the syntax of an hgrc, %include of other tracked files included.
// Before any heading it has a line for each subrepository, where it is and where
// it came from; a kind other than hg comes first, in brackets:
//
//	vendor/lib = ../lib
//	tools = [git]https://example.org/tools
//
// .hgsubstate has a line for each, in order of the paths, that hg writes when it
// commits: the revision (forty digits of hex for kind hg), a blank, the path.
//
//	8e2f5a2c9e0c1f5f3b7bb1f0f3bd6a2e7d1d6f52 vendor/lib
package subrepo

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgurl"
)

// The names of the two files.
const (
	SpecFile  = ".hgsub"
	StateFile = ".hgsubstate"
)

// State is what is recorded of one subrepository.
type State struct {
	Path   string // from the root of the repository around it
	Source string
	Rev    string // as recorded, "" when nothing is
	Kind   string // "hg", "git", "svn", or what else stands there
}

// Reader reads a file of a changeset or of the working directory. known is
// false of one that is not tracked there.
type Reader func(path string) (data []byte, known bool, err error)

// Options are what reading depends on beside the files.
type Options struct {
	// Mapped says that the configuration has [subpaths].
	Mapped bool
	// Shown is how a file is called in errors; nil is by its path.
	Shown func(path string) string
}

// Read returns the subrepositories by path. Its errors are hg's, or Unsupported.
func Read(read Reader, o Options) ([]State, error) {
	if o.Shown == nil {
		o.Shown = func(path string) string { return path }
	}
	spec, known, err := read(SpecFile)
	if err != nil {
		return nil, err
	}
	var sources *config.Standalone
	if known {
		include := func(_, path string) (string, string, bool, error) {
			if strings.ContainsAny(path, "~$") {
				return "", "", false, hgerr.NewUnsupported("expansion in %%include %s of %s", path, SpecFile)
			}
			text, known, err := read(path)
			if err == nil && !known {
				err = hgerr.Abortf(hgerr.Other, "subrepo spec file '%s' not found", o.Shown(path))
			}
			return path, string(text), true, err
		}
		if sources, err = config.ReadStandalone(SpecFile, string(spec), "", include); err != nil {
			return nil, err
		}
	}
	revs, err := revisions(read, o)
	if err != nil || sources == nil {
		return nil, err
	}
	items := sources.Items("")
	if len(items) > 0 && (o.Mapped || len(sources.Items("subpaths")) > 0) {
		return nil, hgerr.NewUnsupported("[subpaths]")
	}
	list := make([]State, 0, len(items))
	for _, it := range items {
		s := State{Path: it.Name, Source: it.Text, Rev: revs[it.Name], Kind: "hg"}
		if rest, ok := strings.CutPrefix(s.Source, "["); ok {
			if s.Kind, s.Source, ok = strings.Cut(rest, "]"); !ok {
				return nil, hgerr.Abortf(hgerr.Other, "missing ] in subrepository source")
			}
			s.Source = strings.TrimLeft(s.Source, python.Space)
		}
		if _, err := hgurl.Parse(s.Source); err != nil {
			return nil, hgerr.NewUnsupported("source of subrepository %s: %v", s.Path, err)
		}
		s.Source = python.Strip(s.Source)
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b State) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// revisions are the recorded revisions by path.
func revisions(read Reader, o Options) (map[string]string, error) {
	text, known, err := read(StateFile)
	if err != nil || !known {
		return nil, err
	}
	revs := map[string]string{}
	for i, line := range lines(string(text)) {
		if line = strings.TrimLeft(line, python.Space); line == "" {
			continue
		}
		rev, path, ok := strings.Cut(line, " ")
		if !ok {
			return nil, hgerr.Abortf(hgerr.Other, "invalid subrepository revision specifier in '%s' line %d", o.Shown(StateFile), i+1)
		}
		revs[path] = rev
	}
	return revs, nil
}

// lines is bytes.splitlines().
func lines(text string) []string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	if text = strings.TrimSuffix(text, "\n"); text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// Find returns the state of the subrepository at path.
func Find(list []State, path string) (State, bool) {
	i, ok := slices.BinarySearchFunc(list, path, func(s State, path string) int { return strings.Compare(s.Path, path) })
	if !ok {
		return State{}, false
	}
	return list[i], true
}

// Holds tells whether path is a subrepository of the list, or lies in one.
func Holds(list []State, path string) bool {
	return slices.ContainsFunc(list, func(s State) bool {
		rest, ok := strings.CutPrefix(path, s.Path)
		return ok && (rest == "" || rest[0] == '/')
	})
}
