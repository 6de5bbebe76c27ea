// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"os"
	"path/filepath"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/verify"
)

var verifySpec = Spec{
	Name:    "verify",
	Options: native(cmdline.Flag("", "full")),
	Run:     runVerify,
}

// runVerify checks the store and prints that it is sound; when it is not, the
// real hg says how. Manifests are always read in full.
func runVerify(c *Context) (int, error) {
	if len(c.Args) > 0 {
		return 0, unsupported("verify with arguments")
	}
	if c.Verbose {
		return 0, unsupported("verify --verbose, which looks for the sources of copies")
	}
	if n, ok, err := c.Config.Int("verify", "skipflags"); err != nil || ok && n != 0 {
		return 0, unsupported("verify.skipflags")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	v.HiddenCount() // hg looks at what is visible, and may warn
	if _, err := os.Stat(filepath.Join(v.Store().Path(), v.Store().FilelogPath(".hgsubstate"))); err == nil {
		return 0, unsupported("verify with subrepositories")
	}
	report, err := verify.Run(c, v.Store())
	if err != nil {
		return 0, err
	}
	if report.Changesets != v.Len() {
		return 0, unsupported("verify while the store grows")
	}
	c.Status("checking changesets\nchecking manifests\ncrosschecking files in changesets and manifests\nchecking files\n")
	if c.At72() {
		if err := c.verifyDirstate(v); err != nil {
			return 0, err
		}
		c.Status("checking dirstate\n")
	}
	c.Status("checked %d changesets with %d changes to %d files\n", report.Changesets, report.Revisions, report.Files)
	return 0, nil
}

// verifyDirstate compares the dirstate with the manifest of its first parent.
func (c *Context) verifyDirstate(v *repo.View) error {
	d, err := c.dirstate(v)
	if err != nil {
		return err
	}
	p1, _ := v.WdirParents()
	if p1 == node.WdirRev {
		return nil
	}
	m, err := v.ManifestOf(p1)
	if err != nil {
		return err
	}
	bad := unsupported("verify of a dirstate that does not fit its parent")
	for _, e := range d.Entries() {
		if e.Item.P1Tracked() && !m.Has(e.Path) || e.Item.Added() && m.Has(e.Path) {
			return bad
		}
	}
	for e, err := range m.All() {
		if err != nil {
			return err
		}
		if entry, ok := d.Lookup(string(e.Path)); !ok || !entry.Item.P1Tracked() {
			return bad
		}
	}
	return nil
}
