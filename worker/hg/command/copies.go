// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"fmt"
	"maps"
	"slices"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/copies"
	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
)

// copyTracer finds copies as the configuration wants.
func (c *Context) copyTracer(v *repo.View) (*copies.Tracer, error) {
	if on, err := c.Config.Bool("devel", "debug.copies"); err != nil || on && c.Debug {
		return nil, unsupported("devel.debug.copies")
	}
	if on, err := c.Config.Bool("devel", "copy-tracing.trace-all-files"); err != nil || on {
		return nil, unsupported("devel.copy-tracing.trace-all-files")
	}
	return &copies.Tracer{
		Repo: v,
		From: copies.SourceOf(c.Config.GetOr("experimental", "copies.read-from", "filelog-only")),
		Off:  c.Config.GetOr("experimental", "copytrace", "on") == "off",
		Ancestor: func(a, b node.Rev) (node.Rev, error) {
			// Which of several it is depends on merge.preferancestor, a revset.
			query := fmt.Sprintf("ancestor(rev(%d), rev(%d))", a, b)
			rev, _, err := revset.Single(c.Context, repo.Revsets{View: v}, query, c.revsetOptions())
			return rev, err
		},
		Checkout: func() (copies.Checkout, error) {
			d, err := c.dirstate(v)
			return checkedOut{d}, err
		},
		RemovedFiles: func(rev node.Rev) ([]string, error) {
			_, _, removed, err := v.ChangedFiles(rev)
			return removed, err
		},
		Check: c.Err,
	}, nil
}

// checkedOut is the dirstate as copy tracing asks it.
type checkedOut struct{ *dirstate.Dirstate }

func (d checkedOut) Tracked(path string) bool {
	e, ok := d.Lookup(path)
	return ok && e.Item.Tracked()
}

// pathCopies finds what the files of b are copies of in a.
func (c *Context) pathCopies(v *repo.View, a, b node.Rev, mt match.Matcher) (map[string]string, error) {
	t, err := c.copyTracer(v)
	if err != nil {
		return nil, err
	}
	if p1, _ := v.WdirParents(); a != b && a != node.NullRev && b != node.NullRev && !(b == node.WdirRev && a == p1) {
		v.HiddenCount() // hg asks for their common ancestor in what is visible
	}
	return t.Between(a, b, mt.Match)
}

// copySpecs are the commands that show what copy tracing finds.
func copySpecs() []*Spec {
	rev := func() []Option { return native(cmdline.Text("r", "rev", "")) }
	return []*Spec{
		{Name: "debugpathcopies", Options: walkOptions, Run: runDebugPathCopies},
		{Name: "debugrename", Options: rev, Run: runDebugRename},
		{Name: "debugp1copies", Options: rev, Run: func(c *Context) (int, error) { return c.recordedCopies(0) }},
		{Name: "debugp2copies", Options: rev, Run: func(c *Context) (int, error) { return c.recordedCopies(1) }},
	}
}

// runDebugPathCopies is hg debugpathcopies REV1 REV2 [FILE]...
func runDebugPathCopies(c *Context) (int, error) {
	if len(c.Args) < 2 {
		return 0, unsupported("debugpathcopies without two revisions")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	a, err := c.visible(c.Args[0], ".")
	if err != nil {
		return 0, err
	}
	b, err := c.visible(c.Args[1], ".")
	if err != nil {
		return 0, err
	}
	// hg takes -I and -X here and does not look at them.
	mt, err := c.matcher(v, c.Args[2:], nil, nil, a == node.WdirRev)
	if err != nil {
		return 0, err
	}
	found, err := c.pathCopies(v, a, b, mt)
	if err != nil {
		return 0, err
	}
	c.printCopies(found)
	return 0, nil
}

func (c *Context) printCopies(found map[string]string) {
	for _, dest := range slices.Sorted(maps.Keys(found)) {
		c.Printf("%s -> %s\n", found[dest], dest)
	}
}

// recordedCopies is hg debugp1copies and hg debugp2copies.
func (c *Context) recordedCopies(parent int) (int, error) {
	if len(c.Args) > 0 {
		return 0, unsupported("debugp%dcopies with arguments", parent+1)
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	rev := node.WdirRev
	if spec := c.Opts.Text("rev"); spec != "" {
		if rev, err = c.visible(spec, ""); err != nil {
			return 0, err
		}
	}
	if rev == node.WdirRev {
		return 0, c.uncommittedCopies(v, parent)
	}
	t, err := c.copyTracer(v)
	if err != nil {
		return 0, err
	}
	p1, p2, err := t.OfChangeset(rev)
	if err != nil {
		return 0, err
	}
	c.printCopies([...]map[string]string{p1, p2}[parent])
	return 0, nil
}

// uncommittedCopies are those that a commit would record, by the parent that has the
// source.
func (c *Context) uncommittedCopies(v *repo.View, parent int) error {
	p1, p2 := v.WdirParents()
	st, err := c.statusOf(v, p1, node.WdirRev, match.Always(), false, false, false)
	if err != nil {
		return err
	}
	d, err := c.dirstate(v)
	if err != nil {
		return err
	}
	changed := setOf(slices.Concat(st.Added, st.Modified))
	found := map[string]string{}
	for dest, source := range d.Copies() {
		if !changed[dest] {
			continue
		}
		at := -1
		for i, p := range [2]node.Rev{p2, p1} {
			m, err := v.ManifestOf(p)
			if err != nil {
				return err
			}
			if m.Has(source) {
				at = 1 - i
			}
		}
		if at == parent {
			found[dest] = source
		}
	}
	if len(found) > 1 {
		return unsupported("several copies of the working directory, in the order of a table")
	}
	c.nullParent(v, "", p1)
	c.printCopies(found)
	return nil
}

// runDebugRename is hg debugrename [-r REV] [FILE]...
func runDebugRename(c *Context) (int, error) {
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	rev, err := c.visible(c.Opts.Text("rev"), ".")
	if err != nil {
		return 0, err
	}
	if rev == node.WdirRev {
		return 0, unsupported("debugrename of the working directory")
	}
	c.nullParent(v, c.Opts.Text("rev"), rev)
	mt, err := c.matcher(v, c.Args, nil, nil, false)
	if err != nil {
		return 0, err
	}
	m, err := v.ManifestOf(rev)
	if err != nil {
		return 0, err
	}
	return 0, c.manifestFiles(v, rev, m, mt, func(e manifest.Entry) error {
		path := string(e.Path)
		f, err := v.FilelogPart(path)
		if err != nil {
			return err
		}
		defer f.Close()
		flrev, err := f.FindNear(e.Node, rev)
		if err != nil {
			return err
		}
		src, id, copied, err := f.Renamed(flrev)
		switch {
		case err != nil:
			return err
		case copied:
			c.Printf("%s renamed from %s:%s\n", v.PathTo(path), src, id.Hex())
		default:
			c.Printf("%s not renamed\n", v.PathTo(path))
		}
		return c.Err()
	})
}
