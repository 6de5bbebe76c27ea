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
	Options: join(
		native(cmdline.Text("r", "rev", ""), cmdline.Flag("n", "num"), cmdline.Flag("i", "id"), cmdline.Flag("b", "branch"),
			cmdline.Flag("t", "tags"), cmdline.Flag("B", "bookmarks")),
		others(cmdline.Text("e", "ssh", ""), cmdline.Text("", "remotecmd", ""), cmdline.Flag("", "insecure")),
		formatterOptions()),
	Run: runIdentify,
}

// runIdentify prints what the working directory, or a changeset, is. Of several
// parents each is named, joined by "+", and a "+" at the end tells of changes.
func runIdentify(c *Context) (int, error) {
	if len(c.Args) > 0 {
		return 0, unsupported("identify SOURCE")
	}
	if c.Repo == nil {
		return 0, inputError("there is no Mercurial repository here (.hg not found)")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	fm, err := c.formatter("identify", v)
	if err != nil {
		return 0, err
	}
	num, id, branch, tags, marks := c.Opts.On("num"), c.Opts.On("id"), c.Opts.On("branch"), c.Opts.On("tags"), c.Opts.On("bookmarks")
	usual := !(num || id || branch || tags || marks)
	rev, err := c.Single(c.Opts.Text("rev"), "")
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
		changed, err := c.dirty(v)
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
