// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"io/fs"
	"os"
	"path/filepath"

	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/patch"
	"hgbroker/worker/hg/repo"
)

// side is a changeset or the working directory while it is compared.
type side struct {
	v        *repo.View
	rev      node.Rev
	onDisk   bool
	date     string
	has      func(path string) bool
	manifest manifest.Manifest
	auditor  match.Auditor
}

func (d *differ) side(rev node.Rev) (*side, error) {
	c, v := d.c, d.v
	s := &side{v: v, rev: rev, onDisk: rev == node.WdirRev}
	if s.onDisk {
		dir, err := c.dirstate(v)
		if err != nil {
			return nil, err
		}
		s.has = checkedOut{dir}.Tracked
		s.auditor.Root = v.Layout.Root
		date, err := c.now()
		if err != nil {
			return nil, err
		}
		s.date = date.String()
		return s, nil
	}
	var err error
	if s.manifest, err = d.manifestOf(rev); err != nil {
		return nil, err
	}
	s.has = s.manifest.Has
	var date dates.Date
	if rev >= 0 {
		if date.Unix, date.Offset, err = (repo.Revsets{View: v}).Date(rev); err != nil {
			return nil, err
		}
	}
	s.date = date.String()
	return s, nil
}

// file reads a file; nil for "".
func (s *side) file(path string) (*patch.File, error) {
	if path == "" {
		return nil, nil
	}
	if s.onDisk {
		return s.workingFile(path)
	}
	e, ok, err := s.manifest.Lookup(path)
	if err != nil || !ok {
		return nil, unsupportedUnless(err, "diff of a file that is in no manifest")
	}
	e.Path = []byte(path)
	data, err := fileData(s.v, e, s.rev)
	return &patch.File{Flag: e.Flag, Data: data}, err
}

func (s *side) workingFile(path string) (*patch.File, error) {
	full := filepath.Join(s.v.Layout.Root, path)
	if err := s.auditor.Audit(path); err != nil {
		return nil, unsupported("diff of a file that hg may not read: %v", err)
	}
	fi, err := os.Lstat(full)
	if err != nil {
		return nil, unsupported("diff of a file that is gone: %v", err)
	}
	f := &patch.File{}
	switch {
	case fi.Mode()&fs.ModeSymlink != 0:
		f.Flag = manifest.Symlink
		var target string
		target, err = os.Readlink(full)
		f.Data = []byte(target)
	case !fi.Mode().IsRegular():
		return nil, unsupported("diff of what is no file")
	default:
		if fi.Mode()&0o100 != 0 {
			f.Flag = manifest.Executable
		}
		f.Data, err = os.ReadFile(full)
	}
	if err != nil {
		return nil, unsupported("diff of a file that cannot be read: %v", err)
	}
	return f, nil
}

func unsupportedUnless(err error, what string) error {
	if err != nil {
		return err
	}
	return unsupported("%s", what)
}

// now is the date of the working directory: the clock's, unless it is configured.
func (c *Context) now() (dates.Date, error) {
	text, set := c.Config.Get("devel", "default-date")
	if !set {
		return dates.Now(c.Now, c.Local), nil
	}
	date, err := dates.Parse(text, c.Now, c.Local)
	if err != nil {
		return date, unsupported("devel.default-date=%s", text)
	}
	return date, nil
}
