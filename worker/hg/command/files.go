// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/status"
	"hgbroker/worker/hg/template"
)

var filesSpec = Spec{
	Name: "files",
	Options: func() []Option {
		return join(
			native(cmdline.Text("r", "rev", ""), cmdline.Flag("0", "print0")),
			walkOptions(), formatterOptions(), subrepoOptions())
	},
	Run: runFiles,
}

// sizeOf is the size of a file's revision as hg counts it.
func (c *Context) sizeOf(f *filelog.File, flrev node.Rev) (int64, error) {
	if c.At72() && !f.Censored(flrev) {
		meta, err := f.HasMeta(flrev)
		if err != nil {
			return 0, err
		}
		if meta {
			data, err := f.Data(flrev)
			return int64(len(data)), err
		}
		return f.Revlog.Size(flrev)
	}
	return f.Size(flrev)
}

func runFiles(c *Context) (int, error) {
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	rev, err := c.Single(c.Opts.Text("rev"), "")
	if err != nil {
		return 0, err
	}
	c.nullParent(v, c.Opts.Text("rev"), rev)
	mt, err := c.matcherIn(v, c.Args, c.Opts.List("include"), c.Opts.List("exclude"), rev)
	if err != nil {
		return 0, err
	}
	fm, err := c.formatter("files", v)
	if err != nil {
		return 0, err
	}
	if err := fm.Unnamed(); err != nil && !c.Verbose {
		return 0, err
	}
	name, err := c.pathNamer(v, true, nil)
	if err != nil {
		return 0, err
	}
	end := "\n"
	if c.Opts.On("print0") {
		end = "\x00"
	}
	l := &fileLister{fm: fm, end: end, detailed: c.Verbose || fm.Hinted("size") || fm.Hinted("flags")}
	if err := l.list(c, v, rev, mt, name, c.Opts.On("subrepos")); err != nil {
		return 0, err
	}
	if l.found {
		return 0, fm.finish()
	}
	return 1, fm.finish()
}

// fileLister lists files, those of subrepositories included.
type fileLister struct {
	fm       *output
	end      string
	detailed bool // size and flags, which are dear, are seen by somebody
	found    bool
}

// file shows one file of a repository.
func (l *fileLister) file(c *Context, rev node.Rev, path, shown string, size int64, flags string) error {
	l.found = true
	l.fm.StartItem()
	if c.within == "" {
		if err := l.fm.context(rev); err != nil {
			return err
		}
	}
	if l.detailed {
		l.fm.Write("size flags", "% 10d %1s ", template.Int(size), template.Bytes(flags))
	}
	l.fm.Data("path", template.Bytes(path))
	l.fm.Plain(shown + l.end)
	l.fm.spill()
	return c.Err()
}

// list lists the files of one repository, and of the subrepositories that are
// named or, with all, of each.
func (l *fileLister) list(c *Context, v *repo.View, rev node.Rev, mt match.Matcher, name func(string) string, all bool) error {
	err := l.own(c, v, rev, mt, name)
	if err != nil {
		return err
	}
	subs, err := v.Subrepos(rev)
	if err != nil {
		return err
	}
	for _, s := range subs {
		inner := match.SubDir(s.Path, mt)
		if !all && !mt.Exact(s.Path) && len(inner.Files()) == 0 {
			continue
		}
		if err := l.fm.plainInside(); err != nil {
			return err
		}
		n, err := c.sub(v, s)
		if err != nil {
			return err
		}
		at, err := n.side(rev)
		if err == nil {
			err = l.list(n.Context, n.v, at, inner, func(path string) string { return name(s.Path + "/" + path) }, all || mt.Exact(s.Path))
		}
		var lost *lostRevision
		if errors.As(err, &lost) {
			return lost.abort()
		}
		if err = n.wrap(err); err == nil {
			err = n.MatchError()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// own lists the files of one repository.
func (l *fileLister) own(c *Context, v *repo.View, rev node.Rev, mt match.Matcher, name func(string) string) error {
	if rev == node.WdirRev {
		return l.tracked(c, v, mt, name)
	}
	m, err := v.ManifestOf(rev)
	if err != nil {
		return err
	}
	return c.manifestFiles(v, rev, m, mt, func(e manifest.Entry) error {
		size := int64(0)
		if l.detailed {
			f, err := v.FilelogPart(string(e.Path))
			if err != nil {
				return err
			}
			defer f.Close()
			flrev, err := f.FindNear(e.Node, rev)
			if err != nil {
				return err
			}
			if size, err = c.sizeOf(f, flrev); err != nil {
				return err
			}
		}
		path := string(e.Path)
		return l.file(c, rev, path, name(path), size, e.Flag.String())
	})
}

// tracked lists the files of the working directory.
func (l *fileLister) tracked(c *Context, v *repo.View, mt match.Matcher, name func(string) string) error {
	d, err := c.dirstate(v)
	if err != nil {
		return err
	}
	for _, path := range status.Tracked(d, mt) {
		size, flags := int64(0), ""
		if l.detailed {
			fi, err := os.Lstat(filepath.Join(v.Layout.Root, path))
			if err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					gone := hgerr.Abortf(hgerr.Other, "No such file or directory: '%s'", filepath.Join(v.Layout.Root, path))
					gone.Err = err
					l.fm.StartItem() // which ends the one before
					return gone
				}
				return unsupported("details of a file: %v", err)
			}
			size = fi.Size()
			switch {
			case fi.Mode()&os.ModeSymlink != 0:
				flags = "l"
			case fi.Mode()&0o100 != 0:
				flags = "x"
			}
		}
		if err := l.file(c, node.WdirRev, path, name(path), size, flags); err != nil {
			return err
		}
	}
	return nil
}
