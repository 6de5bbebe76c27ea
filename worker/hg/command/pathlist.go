// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"hgbroker/worker/hg/hgurl"
	"hgbroker/worker/hg/template"
)

var pathsSpec = Spec{
	Name:    "paths",
	Options: formatterOptions,
	Run:     runPaths,
}

// runPaths lists [paths], or the place of one name. Only text hides passwords.
func runPaths(c *Context) (int, error) {
	if len(c.Args) > 1 {
		return 0, unsupported("paths with arguments")
	}
	list, err := c.Config.Paths()
	if err != nil {
		return 0, err
	}
	search, all := "", len(c.Args) == 0
	if !all {
		search = c.Args[0]
	}
	fm, err := c.formatter("paths", nil)
	if err != nil {
		return 0, err
	}
	nameFormat := "%s = "
	if c.Quiet {
		nameFormat = "%s\n"
	}
	found := false
	for _, p := range list {
		// An empty name is as good as none.
		if !all && p.Name != search {
			continue
		}
		found = true
		url := p.Raw
		if fm.IsPlain() {
			if url, err = hgurl.HidePassword(url); err != nil {
				return 0, err
			}
		}
		fm.StartItem()
		fm.CondWrite(search == "", "name", nameFormat, template.Bytes(p.Name))
		fm.CondWrite(!c.Quiet, "url", "%s\n", template.Bytes(url))
		showSub := search == "" && !c.Quiet
		for _, o := range p.Sub {
			if showSub {
				fm.Plain(p.Name + ":" + o.Name + " = ")
			}
			fm.CondWrite(showSub, o.Name, "%s\n", template.Bytes(o.Value))
		}
	}
	if err := fm.finish(); err != nil {
		return 0, err
	}
	if search != "" && !found {
		if !c.Quiet {
			c.Warnf("not found!\n")
		}
		return 1, nil
	}
	return 0, nil
}
