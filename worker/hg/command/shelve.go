// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/store"
)

var shelveSpec = Spec{
	Name: "shelve",
	Options: func() []Option {
		return join(
			others(cmdline.Flag("A", "addremove"), cmdline.Flag("u", "unknown"), cmdline.Flag("", "cleanup"), cmdline.Text("", "date", ""),
				cmdline.Flag("d", "delete"), cmdline.Flag("e", "edit"), cmdline.Flag("k", "keep")),
			native(cmdline.Flag("l", "list")),
			others(cmdline.Text("m", "message", ""), cmdline.Text("n", "name", "")), native(cmdline.Flag("p", "patch")),
			others(cmdline.Flag("i", "interactive")), native(cmdline.Flag("", "stat")),
			walkOptions())
	},
	Run: runShelve,
}

// shelf is one shelved change: files in .hg/shelved whose names begin alike.
// NAME.shelve has lines KEY=VALUE, among them node=, the changeset that it is
// kept as; NAME.patch is a patch, and NAME.hg a bundle (Mercurial's shelve.py).
type shelf struct {
	name  string
	mtime int64
}

// runShelve lists what is shelved, newest first, or shows it; everything else that
// shelve does writes.
func runShelve(c *Context) (int, error) {
	if !c.Opts.On("list") && !c.Opts.On("patch") && !c.Opts.On("stat") {
		return 0, unsupported("shelve that writes")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	dir := filepath.Join(v.Layout.Dot, "shelved")
	shelves, err := listShelves(dir)
	if err != nil {
		return 0, err
	}
	shown, err := c.shelfShown(shelves)
	if err != nil {
		return 0, err
	}
	label := "shelve.newest"
	for _, s := range shelves {
		if len(shown) > 0 && !slices.Contains(shown, s.name) {
			continue
		}
		c.PrintLabel(label, s.name)
		label = "shelve.name"
		if c.Quiet {
			c.Print("\n")
			continue
		}
		_, offset := c.Now.In(c.Local).Zone()
		age := "(" + dates.Age(dates.Date{Unix: s.mtime, Offset: -offset}, c.Now, true) + ")"
		desc, rev, err := c.shelfSummary(v, dir, s.name)
		if err != nil {
			return 0, err
		}
		c.Print(pad(16 - len(s.name)))
		c.PrintLabel("shelve.age", age)
		c.Print(pad(12-len(age)) + desc + "\n")
		if err := c.showShelf(v, rev, dir, s.name); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

func listShelves(dir string) ([]shelf, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var list []shelf
	for _, e := range entries {
		name := e.Name()
		if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
			name = name[:dot]
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		fi, err := os.Stat(filepath.Join(dir, name+".shelve"))
		if err != nil {
			if _, err := os.Stat(filepath.Join(dir, name+".hg")); err != nil {
				continue
			}
			if fi, err = os.Stat(filepath.Join(dir, name+".patch")); err != nil {
				continue
			}
		}
		list = append(list, shelf{name, fi.ModTime().Unix()})
	}
	slices.SortFunc(list, func(a, b shelf) int {
		return cmp.Or(cmp.Compare(b.mtime, a.mtime), strings.Compare(b.name, a.name))
	})
	return list, nil
}

// shelfSummary is the first line of a shelf's description, and its changeset: null
// when only its patch is left.
func (c *Context) shelfSummary(v *repo.View, dir, name string) (string, node.Rev, error) {
	info, _, err := store.ReadFile(filepath.Join(dir, name+".shelve"))
	if err != nil {
		return "", node.NullRev, err
	}
	for line := range bytes.Lines(info) {
		digits, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("node="))
		if !ok {
			continue
		}
		id, ok := node.FromHex(string(digits))
		if !ok {
			return "", node.NullRev, unsupported("a shelf with an odd node")
		}
		rev, ok := v.Rev(id)
		if !ok || rev < 0 {
			break
		}
		desc, err := repo.Revsets{View: v}.Desc(rev)
		if err != nil {
			return "", node.NullRev, err
		}
		if strings.HasPrefix(desc, "#") {
			return "", node.NullRev, unsupported("a shelf whose description looks like a comment")
		}
		line, _, _ := strings.Cut(desc, "\n")
		return strings.TrimRight(line, pythonSpace), rev, nil
	}
	patch, stamp, err := store.ReadFile(filepath.Join(dir, name+".patch"))
	if err != nil || !stamp.Exists {
		return "", node.NullRev, unsupported("a shelf without a patch")
	}
	for line := range bytes.Lines(patch) {
		if !bytes.HasPrefix(line, []byte("#")) {
			return strings.TrimRight(string(line), pythonSpace), node.NullRev, nil
		}
	}
	return "", node.NullRev, nil
}
