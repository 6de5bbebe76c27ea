// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/mergestate"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/template"
)

var resolveSpec = Spec{
	Name: "resolve",
	Options: func() []Option {
		return join(
			native(cmdline.Flag("a", "all"), cmdline.Flag("l", "list")),
			others(cmdline.Flag("m", "mark"), cmdline.Flag("u", "unmark")),
			native(cmdline.Flag("n", "no-status")),
			others(cmdline.Flag("", "re-merge")),
			native(cmdline.Text("t", "tool", "")),
			walkOptions(), formatterOptions())
	},
	Run: runResolve,
}

// resolveLetters are what resolve --list shows for a state of the merge.
var resolveLetters = map[string]string{"u": "U", "r": "R", "pu": "P", "pr": "R"}

// runResolve lists the files of a merge; everything else that resolve does
// writes.
func runResolve(c *Context) (int, error) {
	if !c.Opts.On("list") {
		return 0, unsupported("resolve that merges")
	}
	if len(c.Args) > 0 && c.Opts.On("all") {
		return 0, inputError("can't specify --all and patterns")
	}
	if confirm, err := c.Config.Bool("commands", "resolve.confirm"); err != nil || confirm && c.Opts.On("all") {
		return 0, unsupported("resolve that asks before it lists")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	name, err := c.pathNamer(v, false, nil)
	if err != nil {
		return 0, err
	}
	fm, err := c.formatter("resolve", v)
	if err != nil {
		return 0, err
	}
	mt, err := c.fileMatcher(v, c.Args, c.Opts.List("include"), c.Opts.List("exclude"), node.WdirRev, false)
	if err != nil {
		return 0, err
	}
	var files []mergestate.File
	if m := v.MergeState(); m != nil {
		files = slices.SortedFunc(slices.Values(m.Files), func(a, b mergestate.File) int { return strings.Compare(a.Path, b.Path) })
	}
	for _, f := range files {
		if !mt.Match(f.Path) {
			continue
		}
		letter, ok := resolveLetters[f.State]
		if !ok {
			return 0, unsupported("merge state %q of a file", f.State)
		}
		fm.StartItem()
		if err := fm.context(node.WdirRev); err != nil {
			return 0, err
		}
		label := "resolve.resolved"
		if f.Unresolved() {
			label = "resolve.unresolved"
		}
		fm.As(label).CondWrite(!c.Opts.On("no-status"), "mergestatus", "%s ", template.Bytes(letter))
		fm.Data("path", template.Bytes(f.Path))
		fm.As(label).Plain(name(f.Path) + "\n")
	}
	if err := mt.Err(); err != nil {
		return 0, err
	}
	return 0, fm.finish()
}
