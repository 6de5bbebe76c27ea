// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/status"
	"hgbroker/worker/hg/template"
)

var filesSpec = Spec{
	Name: "files",
	Options: join(
		native(cmdline.Text("r", "rev", ""), cmdline.Flag("0", "print0")),
		walkOptions(), formatterOptions(), subrepoOptions()),
	Run: runFiles,
}

// sizeOf is the size of a file's revision as hg counts it.
func (c *Context) sizeOf(f *filelog.File, flrev node.Rev) (int64, error) {
	if c.At72() {
		text, err := f.Text(flrev)
		if err != nil {
			return 0, err
		}
		_, _, copied, err := f.Renamed(flrev)
		if err != nil {
			return 0, err
		}
		if !copied && bytes.HasPrefix(text, []byte("\x01\n")) {
			// Whether the mark of metadata counts depends on the filelog's flags.
			return 0, unsupported("size of a file that begins with the mark of metadata")
		}
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
	mt, err := c.matcherIn(v, c.Args, c.Opts.List("include"), c.Opts.List("exclude"), rev)
	if err != nil {
		return 0, err
	}
	fm, err := c.formatter("files", v)
	if err != nil {
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
	// Size and flags are dear, so they are looked up only when somebody sees them.
	detailed := c.Verbose || fm.Hinted("size") || fm.Hinted("flags")
	code := 1
	show := func(path string, size int64, flags string) error {
		code = 0
		fm.StartItem()
		if err := fm.context(rev); err != nil {
			return err
		}
		if detailed {
			fm.Write("size flags", "% 10d %1s ", template.Int(size), template.Bytes(flags))
		}
		fm.Data("path", template.Bytes(path))
		fm.Plain(name(path) + end)
		fm.spill()
		return c.Err()
	}
	if rev == node.WdirRev {
		d, err := c.dirstate(v)
		if err != nil {
			return 0, err
		}
		for _, path := range status.Tracked(d, mt) {
			size, flags := int64(0), ""
			if detailed {
				fi, err := os.Lstat(filepath.Join(v.Layout.Root, path))
				if err != nil {
					if errors.Is(err, fs.ErrNotExist) {
						return 0, hgerr.Abortf(hgerr.Other, "No such file or directory: '%s'", filepath.Join(v.Layout.Root, path))
					}
					return 0, unsupported("details of a file: %v", err)
				}
				size = fi.Size()
				switch {
				case fi.Mode()&os.ModeSymlink != 0:
					flags = "l"
				case fi.Mode()&0o100 != 0:
					flags = "x"
				}
			}
			if err := show(path, size, flags); err != nil {
				return 0, err
			}
		}
		return code, fm.finish()
	}
	m, err := v.ManifestOf(rev)
	if err != nil {
		return 0, err
	}
	if m.Has(".hgsubstate") {
		return 0, unsupported("files with subrepositories")
	}
	err = c.manifestFiles(v, rev, m, mt, func(e manifest.Entry) error {
		size := int64(0)
		if detailed {
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
		return show(string(e.Path), size, e.Flag.String())
	})
	if err != nil {
		return 0, err
	}
	return code, fm.finish()
}
