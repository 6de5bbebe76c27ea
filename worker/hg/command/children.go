// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
)

// childrenSpec is the command of the extension children; the dispatcher finds it
// only while that is enabled.
var childrenSpec = Spec{
	Name:    "children",
	Options: func() []Option { return join(native(cmdline.Text("r", "rev", ".")), templateOptions()) },
	Run:     runChildren,
}

func runChildren(c *Context) (int, error) {
	if len(c.Args) > 1 {
		return 0, unsupported("usage error: children of several files")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	rev, err := c.Single(c.Opts.Text("rev"), ".")
	if err != nil {
		return 0, err
	}
	if rev < 0 || rev == node.WdirRev {
		return 0, unsupported("children of the null revision or the working directory")
	}
	var children []node.Rev
	if len(c.Args) == 1 && c.Args[0] != "" {
		children, err = fileChildren(v, rev, c.Args[0])
	} else {
		ctx, failed := c.templates(v).Changectx(rev)
		if err = failed; err == nil {
			children = ctx.Children()
		}
	}
	if err != nil {
		return 0, err
	}
	p, err := c.changesetPrinter(v, false, false)
	if err != nil {
		return 0, err
	}
	for _, child := range children {
		if err := p.show(child); err != nil {
			return 0, err
		}
	}
	return 0, p.close()
}

// fileChildren are the changesets of the revisions of a file, named from the root,
// that were made from the one in rev; a filelog knows the first changeset with each.
func fileChildren(v *repo.View, rev node.Rev, path string) ([]node.Rev, error) {
	if slices.Contains(strings.Split(path, "/"), "..") {
		// hg asks the store for it, and what that says depends on the name.
		return nil, unsupported("children of a file outside of the repository")
	}
	id, err := v.FileNode(rev, path)
	if err != nil {
		return nil, err
	}
	if id.IsNull() {
		return nil, repo.Revsets{View: v}.NotInManifest(rev, path)
	}
	f, err := v.Filelog(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	at, err := f.FindRev(id)
	if err != nil {
		return nil, err
	}
	var out []node.Rev
	for flrev := at + 1; int(flrev) < f.Len(); flrev++ {
		p1, p2 := f.Parents(flrev)
		for _, p := range [2]node.Rev{p1, p2} {
			if p != at {
				continue
			}
			link := f.LinkRev(flrev)
			if link < 0 || int(link) >= v.Len() || v.Hidden(link) {
				return nil, unsupported("a file revision of a changeset that is hidden")
			}
			out = append(out, link)
		}
	}
	return out, nil
}
