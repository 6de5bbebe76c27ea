// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"hgbroker/worker/hg/annotate"
	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/filehistory"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revset"
)

// What the revset language asks about the history of files across renames:
// follow(FILE), followlines().

var _ revset.FileFollower = Revsets{}

func parseError(message string) error {
	return &hgerr.Abort{Kind: hgerr.Input, Message: message, Prefix: "hg: parse error: ", Detailed: hgerr.DetailedInput}
}

// LineRange turns a range of lines as a user gives it, from 1 and with the last
// one, into one from 0 and without.
func LineRange(from, to int64) (lo, hi int, err error) {
	switch {
	case to < from:
		return 0, 0, parseError("line range must be positive")
	case from < 1:
		return 0, 0, parseError("fromline must be strictly positive")
	}
	return int(from - 1), int(to), nil
}

// OneFile is the file that a pattern stands for: a path, or what has a kind and
// matches one file of a changeset; else hg's message says what is wrong.
func (v Revsets) OneFile(pattern string, rev node.Rev, message string) (string, error) {
	if kind, _ := match.Kind(pattern, "", v.Config.Version().AtLeast(7, 0)); kind == "" {
		return v.CanonPath(pattern)
	}
	matches, err := v.MatchFiles(revset.FileQuery{Patterns: []string{pattern}, Default: "glob"}, rev)
	if err != nil {
		return "", err
	}
	found := ""
	count := 0
	add := func(path string) bool {
		if matches(path) {
			found = path
			count++
		}
		return count < 2
	}
	if rev == node.WdirRev {
		var files []string
		files, err = v.WorkingFiles()
		for _, path := range files {
			add(path)
		}
	} else {
		err = v.WalkManifest(rev, add)
	}
	if err == nil && count != 1 {
		err = parseError(message)
	}
	return found, err
}

// CheckFile is hg's error for a changeset that does not have a file.
func (v Revsets) CheckFile(rev node.Rev, path string) error {
	m, err := v.ManifestOf(rev)
	if err != nil || m.Has(path) {
		return err
	}
	return v.NotInManifest(rev, path)
}

// NotInManifest is hg's error about a file that a changeset has not.
func (v Revsets) NotInManifest(rev node.Rev, path string) error {
	err := hgerr.Abortf(hgerr.FileNotInRevision, "%s@%s: not found in manifest", path, v.Node(rev).Hex())
	err.Detailed = hgerr.DetailedStorage
	return err
}

// fileAt is a file as it stands in a changeset, or in the working directory.
func (v Revsets) fileAt(h *filehistory.History, rev node.Rev, path string) (filehistory.Revision, error) {
	if rev == node.WdirRev {
		return h.File(path)
	}
	m, err := v.ManifestOf(rev)
	if err != nil {
		return filehistory.Revision{}, err
	}
	e, ok, err := m.Lookup(path)
	if err != nil {
		return filehistory.Revision{}, err
	}
	if !ok {
		return filehistory.Revision{}, v.NotInManifest(rev, path)
	}
	return h.At(rev, path, e.Node)
}

// FollowFiles yields the changesets that brought the matching files of some
// changesets to what they are there, copies included, from the latest down.
func (v Revsets) FollowFiles(revs []node.Rev, matches func(rev node.Rev) (func(path string) bool, error), firstOnly bool) (func() (node.Rev, bool, error), error) {
	h := filehistory.New(v.View)
	var starts []filehistory.Revision
	for _, rev := range revs {
		if rev == node.WdirRev {
			h.Close()
			return nil, hgerr.NewUnsupported("follow() of a file from the working directory")
		}
		wanted, err := matches(rev)
		if err == nil {
			err = v.WalkManifest(rev, func(path string) bool {
				if !wanted(path) {
					return true
				}
				r, ferr := v.fileAt(h, rev, path)
				if ferr == nil {
					r, ferr = h.Intro(r)
				}
				starts = append(starts, r)
				err = ferr
				return err == nil
			})
		}
		if err != nil {
			h.Close()
			return nil, err
		}
	}
	w, err := h.NewWalk(firstOnly, starts...)
	if err != nil {
		h.Close()
		return nil, err
	}
	return func() (node.Rev, bool, error) {
		rev, _, ok, err := w.Next()
		if !ok {
			h.Close()
		}
		return rev, ok, err
	}, nil
}

// FollowLines yields the changesets that changed some lines of a file, from 0 and
// without the last. It is the file in rev; descend looks at its descendants
// instead, ascending.
func (v Revsets) FollowLines(rev node.Rev, path string, from, to int, descend bool) (func() (node.Rev, bool, error), error) {
	h := filehistory.New(v.View)
	r, err := v.fileAt(h, rev, path)
	if err != nil {
		h.Close()
		return nil, err
	}
	l := &annotate.LineHistory{History: h}
	if l.Compare, err = v.LineCompare(); err != nil {
		h.Close()
		return nil, err
	}
	w := l.Ancestors(r, from, to, false)
	if descend {
		w = l.Descendants(r, from, to)
	}
	return func() (node.Rev, bool, error) {
		c, ok, err := w.Next()
		if !ok || err != nil {
			l.Close()
			h.Close()
			return node.NullRev, false, err
		}
		at, err := h.Changeset(&c.Revision)
		return at, err == nil, err
	}, nil
}

// LineCompare is [diff], as lines are compared in the history of a range.
func (v *View) LineCompare() (o bdiff.Options, err error) {
	for name, to := range map[string]*bool{"ignorews": &o.IgnoreAllSpace, "ignorewsamount": &o.IgnoreSpaceAmount,
		"ignoreblanklines": &o.IgnoreBlankLines, "ignorewseol": &o.IgnoreSpaceAtEOL} {
		if *to, err = v.Config.Bool("diff", name); err != nil {
			return o, err
		}
	}
	if o.Xdiff, err = v.Config.Bool("experimental", "xdiff"); err == nil && o.Xdiff {
		err = hgerr.NewUnsupported("lines followed with experimental.xdiff")
	}
	return o, err
}

// Annotations is what is remembered of files that were annotated.
func (v *View) Annotations() *annotate.Cache { return &v.annotations }
