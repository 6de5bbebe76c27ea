// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/grep"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/match/pyre"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/status"
)

// fileGrep searches files of revisions and of the working directory, several at
// a time, and remembers what it found in a file revision, since others share it.
type fileGrep struct {
	c  *Context
	v  *repo.View
	re *pyre.Searcher

	known map[fileKey]fileMatches
	lines int // in known
}

type fileKey struct {
	path string
	id   node.ID
}

// fileMatches is what a file has of the pattern.
type fileMatches struct {
	path   string
	lines  []grep.Line
	binary bool
}

// keptLines bounds the lines that are remembered.
const keptLines = 1 << 18

func newFileGrep(c *Context, v *repo.View, re *pyre.Searcher) *fileGrep {
	return &fileGrep{c: c, v: v, re: re, known: map[fileKey]fileMatches{}}
}

func (g *fileGrep) search(path string, data []byte) fileMatches {
	return fileMatches{path, grep.Search(data, g.re), isBinary(data)}
}

// revision searches the files of a revision that match: all of them, or those
// that the changeset names. Files in skip are passed over. They come in order,
// also those without a line.
func (g *fileGrep) revision(rev node.Rev, mt match.Matcher, all bool, skip map[string]bool) ([]fileMatches, error) {
	if rev == node.WdirRev {
		return g.workingDirectory(mt, all)
	}
	m, err := g.v.ManifestOf(rev)
	if err != nil {
		return nil, err
	}
	var entries []manifest.Entry
	if all {
		_, err = eachMatch(m, mt, func(e manifest.Entry) error {
			e.Path = slices.Clone(e.Path)
			entries = append(entries, e)
			return nil
		})
	} else {
		var names []string
		if rev >= 0 {
			if names, err = (repo.Revsets{View: g.v}).Files(rev); err != nil {
				return nil, err
			}
		}
		for _, path := range names {
			if skip[path] || !mt.Match(path) {
				continue
			}
			e, ok, err := m.Lookup(path)
			if err != nil {
				return nil, err
			}
			if ok {
				e.Path = []byte(path)
				entries = append(entries, e)
			}
		}
		slices.SortFunc(entries, func(a, b manifest.Entry) int { return slices.Compare(a.Path, b.Path) })
	}
	if err != nil {
		return nil, err
	}
	return g.entries(entries)
}

// entries searches file revisions.
func (g *fileGrep) entries(entries []manifest.Entry) ([]fileMatches, error) {
	found := make([]fileMatches, len(entries))
	tasks := g.group()
	for i, e := range entries {
		path := string(e.Path)
		if f, ok := g.known[fileKey{path, e.Node}]; ok {
			found[i] = f
			continue
		}
		tasks.Go(func() error {
			data, err := g.data(path, e.Node)
			if err == nil {
				found[i] = g.search(path, data)
			}
			return err
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	for i, e := range entries {
		g.remember(e.Node, found[i])
	}
	return found, g.c.Err()
}

func (g *fileGrep) group() *errgroup.Group {
	var tasks errgroup.Group
	tasks.SetLimit(runtime.GOMAXPROCS(0))
	return &tasks
}

func (g *fileGrep) remember(id node.ID, f fileMatches) {
	key := fileKey{f.path, id}
	if _, ok := g.known[key]; ok {
		return
	}
	if g.lines += 1 + len(f.lines); g.lines > keptLines {
		clear(g.known)
		g.lines = 1 + len(f.lines)
	}
	g.known[key] = f
}

// data is the content of a file revision. It may run beside others.
func (g *fileGrep) data(path string, id node.ID) ([]byte, error) {
	f, err := filelog.Open(g.v.Store(), path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	flrev, err := f.FindRev(id)
	if err != nil {
		return nil, err
	}
	if f.Censored(flrev) {
		return nil, unsupported("grep in a censored file")
	}
	return f.Data(flrev)
}

// inParent is what a file had in another revision.
func (g *fileGrep) inParent(rev node.Rev, path string) ([]grep.Line, error) {
	m, err := g.v.ManifestOf(rev)
	if err != nil {
		return nil, err
	}
	e, ok, err := m.Lookup(path)
	if !ok || err != nil {
		return nil, err
	}
	e.Path = []byte(path)
	found, err := g.entries([]manifest.Entry{e})
	if err != nil {
		return nil, err
	}
	return found[0].lines, nil
}

// workingDirectory searches what is tracked. A file that is missing has nothing.
func (g *fileGrep) workingDirectory(mt match.Matcher, all bool) ([]fileMatches, error) {
	if !all {
		return nil, unsupported("grep --diff in the working directory")
	}
	for _, section := range []string{"encode", "decode"} {
		if len(g.c.Config.Items(section)) > 0 {
			return nil, unsupported("[%s] filters", section)
		}
	}
	d, err := g.c.dirstate(g.v)
	if err != nil {
		return nil, err
	}
	root := g.v.Layout.Root
	auditor := &match.Auditor{Root: root}
	paths := status.Tracked(d, mt)
	found := make([]fileMatches, len(paths))
	tasks := g.group()
	for i, path := range paths {
		if err := auditor.Audit(path); err != nil {
			tasks.Wait()
			return nil, unsupported("grep in a file that hg refuses to read: %v", err)
		}
		tasks.Go(func() error {
			data, err := readWorking(filepath.Join(root, path))
			found[i] = g.search(path, data)
			return err
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	return found, g.c.Err()
}

// readWorking reads a file, or where a symbolic link points to; nothing when it
// is missing.
func readWorking(full string) ([]byte, error) {
	fi, err := os.Lstat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case fi.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(full)
		return []byte(target), err
	case !fi.Mode().IsRegular():
		return nil, unsupported("grep in %s, which is no file", full)
	}
	return os.ReadFile(full)
}
