// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/node"
)

// childrenSpec is the command of the extension children; the dispatcher finds it
// only while that is enabled.
var childrenSpec = Spec{
	Name:    "children",
	Options: join(native(cmdline.Text("r", "rev", ".")), templateOptions()),
	Run: func(c *Context) (int, error) {
		if len(c.Args) > 0 {
			return 0, unsupported("children of a file")
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
		ctx, err := c.templates(v).Changectx(rev)
		if err != nil {
			return 0, err
		}
		p, err := c.changesetPrinter(v, false, false)
		if err != nil {
			return 0, err
		}
		for _, child := range ctx.Children() {
			if err := p.show(child); err != nil {
				return 0, err
			}
		}
		return 0, p.close()
	},
}
