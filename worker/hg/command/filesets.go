// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/ignore"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/mergestate"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
	"hgbroker/worker/hg/status"
)

// fileMatcher is c.matcher for patterns that may be filesets, which are
// evaluated in rev; ask its Err after the last Match. quiet is fileset.New's.
func (c *Context) fileMatcher(v *repo.View, patterns, include, exclude []string, rev node.Rev, quiet bool) (*fileset.Matcher, error) {
	return c.newFileMatcher(v, match.Options{Patterns: patterns, Include: include, Exclude: exclude, NoFS: rev != node.WdirRev, Nested: c.nestedIn(v)}, rev, quiet)
}

// newFileMatcher is fileMatcher with some more options.
func (c *Context) newFileMatcher(v *repo.View, o match.Options, rev node.Rev, quiet bool) (*fileset.Matcher, error) {
	o.Root, o.Cwd, o.Default, o.Version = v.Layout.Root, v.RelCwd(), "relpath", c.Config.Version()
	return fileset.New(o, &filesets{c: c, v: v, auditor: &match.Auditor{Root: v.Layout.Root}}, rev, quiet)
}

// matcherIn is c.matcher for patterns that may be filesets, which are evaluated
// in rev. What goes wrong while files are tested is told by matchError.
func (c *Context) matcherIn(v *repo.View, patterns, include, exclude []string, rev node.Rev) (match.Matcher, error) {
	return c.withSets(v, match.Options{
		Root: v.Layout.Root, Cwd: v.RelCwd(), Patterns: patterns, Include: include, Exclude: exclude,
		Default: "relpath", NoFS: rev != node.WdirRev, Version: c.Config.Version(), Nested: c.nestedIn(v),
	}, rev, false)
}

// nestedIn is match.Options.Nested of a view.
func (c *Context) nestedIn(v *repo.View) func(dir string) (bool, error) {
	return func(dir string) (bool, error) { return c.isSub(v, dir) }
}

// withSets is match.New for patterns among which there may be filesets.
func (c *Context) withSets(v *repo.View, o match.Options, rev node.Rev, quiet bool) (match.Matcher, error) {
	if !slices.ContainsFunc(slices.Concat(o.Patterns, o.Include, o.Exclude), fileset.IsSet) {
		o.Fail = c.onMatchFailure()
		return match.New(o)
	}
	if c.Opts.On("subrepos") {
		subs, err := v.Subrepos(rev)
		if err != nil || len(subs) > 0 {
			return nil, unsupportedUnless(err, "filesets in subrepositories")
		}
	}
	m, err := fileset.New(o, &filesets{c: c, v: v, auditor: &match.Auditor{Root: v.Layout.Root}}, rev, quiet)
	if err != nil {
		return nil, err
	}
	c.sets = append(c.sets, m)
	return m.Matcher, nil
}

// onMatchFailure returns what keeps the first failure of a pattern that takes
// too long to be decided, for MatchError.
func (c *Context) onMatchFailure() func(error) {
	first := new(atomic.Pointer[error])
	c.failures = append(c.failures, first)
	return func(err error) { first.CompareAndSwap(nil, &err) }
}

// MatchError is the first error that a fileset met while files were tested: what
// the command printed is not to be trusted then.
func (c *Context) MatchError() error {
	for _, first := range c.failures {
		if err := first.Load(); err != nil {
			return *err
		}
	}
	for _, m := range c.sets {
		if err := m.Err(); err != nil {
			return err
		}
	}
	return nil
}

// filesets is the repository as the fileset language asks it.
type filesets struct {
	c       *Context
	v       *repo.View
	auditor *match.Auditor

	dirstate *dirstate.Dirstate // nil before it is needed
	rules    *ignore.Rules      // nil before they are needed
}

func (s *filesets) dir() (*dirstate.Dirstate, error) {
	var err error
	if s.dirstate == nil {
		s.dirstate, err = s.c.dirstate(s.v)
	}
	return s.dirstate, err
}

func (s *filesets) Revs(spec string) ([]node.Rev, error) {
	set, err := s.c.eval(s.v, []string{spec})
	if err != nil {
		return nil, err
	}
	return set.Revs()
}

func (s *filesets) Pair(base, rev string) (a, b node.Rev, err error) {
	a, b, warnings, err := revset.Pair(s.c.Context, repo.Revsets{View: s.v}, []string{base, rev}, s.c.revsetOptions())
	for _, w := range warnings {
		s.c.warnRaw(w)
	}
	return a, b, err
}

func (s *filesets) FirstParent(rev node.Rev) node.Rev {
	p1 := node.NullRev
	switch {
	case rev == node.WdirRev:
		p1, _ = s.v.WdirParents()
	case rev >= 0:
		p1, _ = s.v.Parents(rev)
	}
	return p1
}

func (s *filesets) Status(base, rev node.Rev, m match.Matcher, want fileset.StatusLists) (*status.Result, error) {
	if m == nil {
		m = match.Always()
	}
	if p1, _ := s.v.WdirParents(); want.Quiet && rev == node.WdirRev && base == p1 {
		wc, _, err := s.c.workingCopy(s.v, m)
		if err != nil {
			return nil, err
		}
		wc.Bad = nil
		wc.ListUnknown, wc.ListIgnored, wc.ListClean = want.Unknown, want.Ignored, want.Clean
		return status.Status(s.c, wc)
	}
	return s.c.statusOf(s.v, base, rev, m, want.Unknown, want.Ignored, want.Clean)
}

// entry is a file in the manifest of a changeset.
func (s *filesets) entry(rev node.Rev, path string) (manifest.Entry, bool, error) {
	m, err := s.v.ManifestOf(rev)
	if err != nil {
		return manifest.Entry{}, false, err
	}
	e, ok, err := m.Lookup(path)
	e.Path = []byte(path)
	return e, ok, err
}

func (s *filesets) Tracked(rev node.Rev, path string) (bool, error) {
	if rev == node.WdirRev {
		d, err := s.dir()
		if err != nil {
			return false, err
		}
		e, ok := d.Lookup(path)
		return ok && e.Item.Tracked(), nil
	}
	_, ok, err := s.entry(rev, path)
	return ok, err
}

func (s *filesets) Flag(rev node.Rev, path string) (manifest.Flag, error) {
	if rev != node.WdirRev {
		e, ok, err := s.entry(rev, path)
		if !ok {
			return manifest.Regular, err
		}
		return e.Flag, err
	}
	fi, err := os.Lstat(filepath.Join(s.v.Layout.Root, path))
	switch {
	case err != nil:
		return manifest.Regular, nil
	case fi.Mode()&fs.ModeSymlink != 0:
		return manifest.Symlink, nil
	case fi.Mode()&0o100 != 0:
		return manifest.Executable, nil
	}
	return manifest.Regular, nil
}

// onDisk is the absolute path of a file in the working directory; ok is false
// when hg would not look at it.
func (s *filesets) onDisk(path string) (full string, ok bool, err error) {
	err = s.auditor.Audit(path)
	var a *hgerr.Abort
	if errors.As(err, &a) {
		return "", false, nil
	}
	return filepath.Join(s.v.Layout.Root, path), err == nil, err
}

func (s *filesets) Size(rev node.Rev, path string) (int64, bool, error) {
	if rev == node.WdirRev {
		full, ok, err := s.onDisk(path)
		if !ok {
			return 0, false, err
		}
		fi, err := os.Lstat(full)
		if err != nil {
			return 0, false, unreadable(err)
		}
		return fi.Size(), true, nil
	}
	e, ok, err := s.entry(rev, path)
	if !ok || err != nil {
		return 0, false, err
	}
	f, err := s.v.FilelogPart(path)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	flrev, err := f.FindNear(e.Node, rev)
	if err != nil {
		return 0, false, err
	}
	size, err := s.c.sizeOf(f, flrev)
	return size, err == nil, err
}

func (s *filesets) Data(rev node.Rev, path string) ([]byte, bool, error) {
	if rev != node.WdirRev {
		e, ok, err := s.entry(rev, path)
		if !ok || err != nil {
			return nil, false, err
		}
		data, err := fileData(s.v, e, rev)
		return data, err == nil, err
	}
	for _, section := range []string{"encode", "decode"} {
		if len(s.c.Config.Items(section)) > 0 {
			return nil, false, unsupported("[%s] filters", section)
		}
	}
	full, ok, err := s.onDisk(path)
	if !ok {
		return nil, false, err
	}
	fi, err := os.Lstat(full)
	if err != nil {
		return nil, false, unreadable(err)
	}
	switch {
	case fi.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(full)
		return []byte(target), err == nil, unreadable(err)
	case fi.IsDir():
		return nil, false, nil
	case !fi.Mode().IsRegular():
		return nil, false, unsupported("fileset that reads %s, which is no file", path)
	}
	data, err := os.ReadFile(full)
	return data, err == nil, unreadable(err)
}

// unreadable is the error that is left of a failed look at a file: none when hg
// passes over such files.
func unreadable(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) {
		return nil
	}
	return err
}

func (s *filesets) Copied(rev node.Rev, path string) (bool, error) {
	if rev == node.WdirRev {
		d, err := s.dir()
		if err != nil {
			return false, err
		}
		source := d.Copies()[path]
		if _, ok, err := s.onDisk(path); source == "" || source == path || !ok {
			return false, err
		}
		p1, _ := s.v.WdirParents()
		_, ok, err := s.entry(p1, source)
		return ok, err
	}
	e, ok, err := s.entry(rev, path)
	if !ok || err != nil {
		return false, err
	}
	f, err := s.v.FilelogPart(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	flrev, err := f.FindNear(e.Node, rev)
	if err != nil {
		return false, err
	}
	source, _, copied, err := f.Renamed(flrev)
	return copied && source != path, err
}

func (s *filesets) MergeState() (*mergestate.State, error) { return s.v.MergeState(), nil }

func (s *filesets) Ignored() (match.Matcher, error) {
	if s.rules == nil {
		var err error
		if s.rules, err = s.c.ignoreRules(s.v, s.c.warnRaw); err != nil {
			return nil, err
		}
	}
	return s.rules.Matcher(), nil
}

// Subrepos are the paths of the subrepositories of a revision.
func (s *filesets) Subrepos(rev node.Rev) ([]string, error) {
	list, err := s.v.Subrepos(rev)
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(list))
	for i, state := range list {
		paths[i] = state.Path
	}
	return paths, nil
}
