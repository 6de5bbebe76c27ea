// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"context"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/status"
)

// What the revset language asks about files: file(), adds(), contains() and
// their like.

var (
	_ revset.FileMatcher   = Revsets{}
	_ revset.Manifests     = Revsets{}
	_ revset.StatusReader  = Revsets{}
	_ revset.FileHistories = Revsets{}
	_ revset.Subrepos      = Revsets{}
)

// plainKinds are the kinds of patterns that may be a query's default.
var plainKinds = []string{"glob", "path", "re", "relglob", "relpath", "relre", "rootfilesin", "rootglob"}

// MatchFiles compiles patterns. Revsets audit the paths in patterns against the
// working directory, whatever revision they are about.
func (v Revsets) MatchFiles(q revset.FileQuery, rev node.Rev) (func(path string) bool, error) {
	if !slices.Contains(plainKinds, q.Default) {
		return nil, hgerr.NewUnsupported("revset with file patterns of the kind %q", q.Default)
	}
	newMatcher := match.New
	for _, p := range slices.Concat(q.Patterns, q.Include, q.Exclude) {
		if strings.HasPrefix(p, "set:") {
			if v.Sets == nil {
				return nil, hgerr.NewUnsupported("revset with a fileset")
			}
			newMatcher = func(o match.Options) (match.Matcher, error) { return v.Sets(o, rev) }
		}
	}
	m, err := newMatcher(match.Options{
		Root: v.Layout.Root, Cwd: v.RelCwd(), Patterns: q.Patterns, Include: q.Include, Exclude: q.Exclude,
		Default: q.Default, Version: v.Config.Version(),
	})
	if err != nil {
		return nil, err
	}
	if files := m.Files(); q.Named && !match.AnyPatterns(m) && len(files) == 1 {
		return func(path string) bool { return path == files[0] }, nil
	}
	return m.Match, nil
}

// ChangedFiles is the status of rev against its first parent. Unlike
// View.ChangedFiles, which sorts the files that a changeset names, it knows what
// a merge takes over from its second parent.
func (v Revsets) ChangedFiles(rev node.Rev) (modified, added, removed []string, err error) {
	if rev == node.WdirRev {
		return nil, nil, nil, hgerr.NewUnsupported("changes of the working directory in a revset")
	}
	b, err := v.ManifestOf(rev)
	if err != nil {
		return nil, nil, nil, err
	}
	p1 := node.NullRev
	if rev >= 0 {
		p1, _ = v.Parents(rev)
	}
	a, err := v.ManifestOf(p1)
	if err != nil {
		return nil, nil, nil, err
	}
	st, err := status.Revisions(context.Background(), a, b, nil, false)
	if err != nil {
		return nil, nil, nil, err
	}
	return st.Modified, st.Added, st.Removed, nil
}

// WalkManifest calls fn for the files of a changeset in order.
func (v Revsets) WalkManifest(rev node.Rev, fn func(path string) bool) error {
	if rev == node.WdirRev {
		return hgerr.NewUnsupported("files of the working directory in a revset")
	}
	m, err := v.ManifestOf(rev)
	if err != nil {
		return err
	}
	for e, err := range m.All() {
		if err != nil || !fn(string(e.Path)) {
			return err
		}
	}
	return nil
}

// CanonPath is the path inside the repository of a name that a user gives.
func (v Revsets) CanonPath(path string) (string, error) {
	cwd := v.RelCwd()
	if cwd == "" {
		cwd = v.Layout.Root
	} else if cwd[0] != '/' {
		cwd = strings.TrimSuffix(v.Layout.Root, "/") + "/" + cwd
	}
	return match.CanonPath(v.Layout.Root, cwd, path, &match.Auditor{Root: v.Layout.Root})
}

// FileRevs are the revisions of a file's history.
func (v Revsets) FileRevs(path string) ([]revset.FileRev, error) {
	f, err := v.Filelog(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := make([]revset.FileRev, f.Len())
	for i := range out {
		out[i] = revset.FileRev{Node: f.Node(node.Rev(i)), Link: f.LinkRev(node.Rev(i))}
	}
	return out, nil
}

// WorkingFiles are the files that the dirstate has, but for removed ones.
func (v Revsets) WorkingFiles() ([]string, error) {
	d, err := v.Dirstate()
	if err != nil {
		return nil, err
	}
	return status.Tracked(d, match.Always()), nil
}
