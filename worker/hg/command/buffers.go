// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"hgbroker/worker/hg/annotate"
	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
)

// What an editor asks about one file whose text it may have changed and not
// saved: the typed methods hg/lineDiff and hg/annotate.

// Buffer is a file, and the text that an editor holds of it.
type Buffer struct {
	Path     string // as a user gives it: relative to the working directory of the command, or absolute
	Rev      string // what it is compared with, or annotated as of
	Contents []byte // the unsaved text
	Unsaved  bool   // Contents counts; without it, the file on disk does
}

// LineDiff is where a buffer differs from a revision of its file.
type LineDiff struct {
	Path   string // from the root
	Hunks  []Hunk
	Binary bool // one of the two is binary: there are no hunks
}

// Hunk is a run of lines that differ. Lines count from 1; of no lines, the start
// is the line before them, as in unified diffs.
type Hunk struct{ OldStart, OldLines, NewStart, NewLines int }

// LineDiff compares a buffer with its file in a revision; "" is ".".
func (c *Context) LineDiff(b Buffer) (*LineDiff, error) {
	v, err := c.View()
	if err != nil {
		return nil, err
	}
	rev, err := c.Single(b.Rev, ".")
	if err != nil {
		return nil, err
	}
	path, err := c.CanonPath(b.Path)
	if err != nil {
		return nil, err
	}
	if rev == node.WdirRev {
		return nil, unsupported("hg/lineDiff with the working directory")
	}
	old, _, err := c.FileIn(v, rev, path)
	if err != nil {
		return nil, err
	}
	text, err := c.bufferText(v, b, path)
	if err != nil {
		return nil, err
	}
	out := &LineDiff{Path: path, Binary: isBinary(old) || isBinary(text)}
	if out.Binary {
		return out, nil
	}
	// The blocks end with an empty one behind the last lines.
	a1, b1 := 0, 0
	for _, k := range bdiff.Blocks(old, text) {
		if n, m := int(k.A1)-a1, int(k.B1)-b1; n > 0 || m > 0 {
			h := Hunk{OldStart: a1, OldLines: n, NewStart: b1, NewLines: m}
			if n > 0 {
				h.OldStart++
			}
			if m > 0 {
				h.NewStart++
			}
			out.Hunks = append(out.Hunks, h)
		}
		a1, b1 = int(k.A2), int(k.B2)
	}
	return out, nil
}

// FileIn is a file's text in a changeset, and its entry in the manifest.
func (c *Context) FileIn(v *repo.View, rev node.Rev, path string) ([]byte, manifest.Entry, error) {
	var entry manifest.Entry
	m, err := v.ManifestOf(rev)
	if err != nil {
		return nil, entry, err
	}
	entry, ok, err := m.Lookup(path)
	if err != nil {
		return nil, entry, err
	}
	if !ok {
		return nil, entry, hgerr.Abortf(hgerr.FileNotInRevision, "%s: no such file in rev %s", path, v.Node(rev).Short())
	}
	f, err := v.FilelogPart(path)
	if err != nil {
		return nil, entry, err
	}
	defer f.Close()
	at, err := f.FindNear(entry.Node, rev)
	if err != nil {
		return nil, entry, err
	}
	data, err := f.Data(at)
	return data, entry, err
}

// bufferText is the buffer's text, or that of the file on disk.
func (c *Context) bufferText(v *repo.View, b Buffer, path string) ([]byte, error) {
	if b.Unsaved {
		return b.Contents, nil
	}
	for _, section := range []string{"encode", "decode"} {
		if len(c.Config.Items(section)) > 0 {
			return nil, unsupported("[%s] filters", section)
		}
	}
	full := filepath.Join(v.Layout.Root, path)
	fi, err := os.Lstat(full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hgerr.Abortf(hgerr.FileNotInRevision, "%s: No such file or directory", path)
	}
	if err != nil || !fi.Mode().IsRegular() && fi.Mode()&fs.ModeSymlink == 0 {
		return nil, unsupported("%s in the working directory, which is no file", path)
	}
	return readWorking(full)
}

// AnnotateBuffer annotates a file as of Rev, or, when that is "" or wdir(), a
// buffer on top of the working directory's parents. path is from the root.
func (c *Context) AnnotateBuffer(b Buffer, noFollow bool, compare bdiff.Options) (a *annotate.Annotation, path string, err error) {
	v, err := c.View()
	if err != nil {
		return nil, "", err
	}
	if path, err = c.CanonPath(b.Path); err != nil {
		return nil, "", err
	}
	q := AnnotateQuery{Path: path, Rev: b.Rev, NoFollow: noFollow, Space: compare}
	rev := node.WdirRev
	if b.Rev != "" {
		if rev, err = c.Single(b.Rev, "."); err != nil {
			return nil, "", err
		}
	}
	if rev == node.WdirRev {
		d, err := c.dirstate(v)
		if err != nil {
			return nil, "", err
		}
		if _, known := d.Lookup(path); !known {
			return nil, "", hgerr.Abortf(hgerr.FileNotInRevision, "%s: not tracked", path)
		}
		if q.Buffer, err = c.bufferText(v, b, path); err != nil {
			return nil, "", err
		}
		if q.Buffer == nil {
			q.Buffer = []byte{}
		}
	}
	a, err = c.Annotate(q)
	return a, path, err
}
