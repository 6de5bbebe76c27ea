// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"path/filepath"

	"hgbroker/worker/hg/match"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/sparse"
	"hgbroker/worker/hg/store"
)

// sparse is which files a sparse checkout has, by the rules of the working
// directory's parents. A command reads them once, and warns once.
func (c *Context) sparse(v *repo.View, warn func(string)) (match.Matcher, error) {
	if c.sparseFiles != nil {
		return c.sparseFiles, nil
	}
	o := sparse.Options{Root: v.Layout.Root, Version: c.Config.Version(), Fail: c.onMatchFailure(), Warn: warn}
	var err error
	if o.Config, _, err = store.ReadFile(filepath.Join(v.Layout.Dot, "sparse")); err != nil {
		return nil, err
	}
	if o.Temp, _, err = store.ReadFile(filepath.Join(v.Layout.Dot, "tempsparse")); err != nil {
		return nil, err
	}
	loud, err := c.Config.BoolOr("sparse", "missingwarning", true)
	if err != nil {
		return nil, err
	}
	o.Missing = func(warning string) error {
		switch {
		case loud:
			warn(warning)
		case c.Debug:
			return unsupported("--debug about a missing sparse profile")
		}
		return nil
	}
	p1, p2 := v.WdirParents()
	for _, rev := range [2]node.Rev{p1, p2} {
		if rev < 0 {
			continue
		}
		o.Sides = append(o.Sides, sparse.Side{
			Shown: v.Node(rev).Short(),
			Read:  func(path string) ([]byte, bool, error) { return repo.Revsets{View: v}.FileText(rev, path) },
		})
	}
	c.sparseFiles, err = sparse.New(o)
	return c.sparseFiles, err
}
