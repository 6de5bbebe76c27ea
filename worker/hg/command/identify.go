// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

var identifySpec = Spec{
	Name: "identify",
	Options: func() []Option {
		return join(
			native(cmdline.Text("r", "rev", ""), cmdline.Flag("n", "num"), cmdline.Flag("i", "id"), cmdline.Flag("b", "branch"),
				cmdline.Flag("t", "tags"), cmdline.Flag("B", "bookmarks")),
			remoteOptions(), formatterOptions())
	},
	Run: runIdentify,
}

// runIdentify prints what the working directory, or a changeset, is. Of several
// parents each is named, joined by "+", and a "+" at the end tells of changes.
func runIdentify(c *Context) (int, error) {
	v, err := c.identified()
	if err != nil {
		return 0, err
	}
	fm, err := c.formatter("identify", v)
	if err != nil {
		return 0, err
	}
	num, id, branch, tags, marks := c.Opts.On("num"), c.Opts.On("id"), c.Opts.On("branch"), c.Opts.On("tags"), c.Opts.On("bookmarks")
	usual := !(num || id || branch || tags || marks)
	rev := node.WdirRev
	switch spec := c.Opts.Text("rev"); {
	case len(c.Args) == 0:
		rev, err = c.Single(spec, "")
	case spec != "":
		if rev, err = c.last(v, spec); err != nil && v.HiddenCount() > 0 {
			err = unsupported("what is not served: %v", err)
		}
	}
	if err != nil {
		return 0, err
	}
	shown := []node.Rev{rev}
	dirty := ""
	if rev == node.WdirRev {
		p1, p2 := v.WdirParents()
		if shown = []node.Rev{p1}; p2 >= 0 {
			shown = append(shown, p2)
		}
		changed, err := c.changed(v, true, false)
		if err != nil {
			return 0, err
		}
		if changed {
			dirty = "+"
		}
	}
	var hashes, numbers, tagList []string
	for _, r := range shown {
		hashes = append(hashes, fm.Hash(v.Node(r)))
		numbers = append(numbers, r.String())
		names, err := v.TagsOf(r)
		if err != nil {
			return 0, err
		}
		tagList = append(tagList, names...)
	}
	var words []string
	fm.StartItem()
	idText := strings.Join(hashes, "+") + dirty
	if usual || id {
		words = append(words, idText)
	}
	if num {
		words = append(words, strings.Join(numbers, "+")+dirty)
	}
	branchName, _ := repo.Revsets{View: v}.Branch(rev)
	bookmarks := v.BookmarksOf(rev)
	if rev == node.WdirRev {
		// The working directory has the bookmarks of its first parents.
		bookmarks = nil
		for _, r := range shown {
			bookmarks = append(bookmarks, v.BookmarksOf(r)...)
		}
	}
	if usual && !c.Quiet {
		if branchName != "default" {
			words = append(words, "("+branchName+")")
		}
		if len(tagList) > 0 {
			words = append(words, strings.Join(tagList, "/"))
		}
		if len(bookmarks) > 0 {
			words = append(words, strings.Join(bookmarks, "/"))
		}
	} else {
		if branch {
			words = append(words, branchName)
		}
		if tags {
			words = append(words, tagList...)
		}
		if marks {
			words = append(words, bookmarks...)
		}
	}
	if rev == node.WdirRev {
		fm.Data("dirty", template.Bytes(dirty))
		fm.Data("parents", fm.strings("node", " ", hashes))
	}
	fm.Data("id", template.Bytes(idText))
	fm.Data("node", template.Bytes(v.Node(rev).Hex()))
	fm.Data("branch", template.Bytes(branchName))
	fm.Data("tags", fm.strings("tag", ":", tagList))
	fm.Data("bookmarks", fm.strings("bookmark", " ", bookmarks))
	if err := fm.context(rev); err != nil {
		return 0, err
	}
	fm.Plain(strings.Join(words, " ") + "\n")
	return 0, fm.finish()
}

// identified is the repository that the command is about: the one around the
// working directory, or the one that its argument names.
func (c *Context) identified() (*repo.View, error) {
	switch {
	case len(c.Args) > 1:
		return nil, unsupported("usage error: identify with several arguments")
	case c.Repo == nil && len(c.Args) == 0:
		return nil, inputError("there is no Mercurial repository here (.hg not found)")
	case len(c.Args) == 0 || c.Args[0] == "":
		return c.View()
	}
	if c.Repo != nil {
		// What this repository's own configuration says does not hold over there.
		if _, err := c.View(); err != nil {
			return nil, err
		}
		for _, it := range c.Config.Items("revsetalias") {
			if strings.HasPrefix(it.Source, c.Repo.Layout.Root+"/") {
				return nil, unsupported("identify SOURCE beside revset aliases of this repository")
			}
		}
	}
	at, err := c.pullPlace("identify", c.Args[0])
	if err != nil {
		return nil, err
	}
	p, err := c.openServed(at)
	if err != nil {
		return nil, err
	}
	return p.View, nil
}
