// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/store"
	"hgbroker/worker/hg/verify"
)

var verifySpec = Spec{
	Name:    "verify",
	Options: func() []Option { return native(cmdline.Flag("", "full")) },
	Run:     runVerify,
}

// runVerify checks the store. Whether it is sound is found out on all cores;
// only if it is not, or if hg would tell more than that, it is read again step
// by step.
func runVerify(c *Context) (int, error) {
	if len(c.Args) > 0 {
		return 0, unsupported("verify with arguments")
	}
	if n, ok, err := c.Config.Int("verify", "skipflags"); err != nil || ok && n != 0 {
		return 0, unsupported("verify.skipflags")
	}
	v, err := c.View()
	if err != nil {
		return 0, c.unviewed(err)
	}
	v.HiddenCount() // hg looks at what is visible, and may warn
	if v.Layout.Requirements.Has(requires.TreeManifest) {
		return 0, unsupported("verify of tree manifests")
	}
	for _, name := range requires.Since7 {
		if v.Layout.Requirements.Has(name) {
			return 0, unsupported("verify with requirement %s", name)
		}
	}
	if _, err := os.Stat(filepath.Join(v.Store().Path(), v.Store().FilelogPath(".hgsubstate"))); err == nil {
		return 0, unsupported("verify with subrepositories")
	}
	if !c.Verbose {
		report, err := verify.Run(c, v.Store())
		if err := c.Err(); err != nil {
			return 0, err
		}
		if err == nil {
			return c.verified(v, report)
		}
	}
	return c.examine(v)
}

// unviewed is what hg says where not even the changelog can be looked at.
func (c *Context) unviewed(err error) error {
	var a *hgerr.Abort
	if c.Repo == nil || !errors.As(err, &a) || a.Kind != hgerr.Corrupt {
		return err
	}
	found, xerr := verify.Examine(c, c.Repo.Store(), verify.Options{At72: c.At72(), Dirstate: func(verify.Manifests) ([]string, error) { return nil, err }})
	if xerr == nil && found.Abort != nil && len(found.Lines) == 0 {
		return found.Abort
	}
	return err
}

// verified prints that a store is sound.
func (c *Context) verified(v *repo.View, report verify.Report) (int, error) {
	if report.Changesets != v.Len() {
		return 0, unsupported("verify while the store grows")
	}
	var bad []string
	if c.At72() {
		var err error
		if bad, err = c.verifyDirstate(v, v.ManifestOf); err != nil {
			return 0, err
		}
	}
	c.Status("checking changesets\nchecking manifests\ncrosschecking files in changesets and manifests\nchecking files\n")
	if c.At72() {
		c.Status("checking dirstate\n")
	}
	for _, line := range bad {
		c.Warnf("%s\n", line)
	}
	c.Status("checked %d changesets with %d changes to %d files\n", report.Changesets, report.Revisions, report.Files)
	if len(bad) == 0 {
		return 0, nil
	}
	c.Warnf("%d integrity errors encountered!\ndirstate inconsistent with current parent's manifest\n%[1]d dirstate errors\n", len(bad))
	return 1, nil
}

// storeState is what shows that a store has changed: hg verifies under a lock,
// which is not taken here. Somebody else's lock is an error.
func storeState(s *store.Store) (state [3]store.Stamp, err error) {
	if _, err := os.Lstat(filepath.Join(s.Path(), "lock")); err == nil {
		return state, unsupported("verify of a damaged store that somebody has locked")
	}
	for i, name := range []string{s.ChangelogPath(), s.ManifestPath(), "fncache"} {
		if state[i], err = s.Stamp(name); err != nil {
			return state, err
		}
	}
	return state, nil
}

// examine tells what is wrong with a store.
func (c *Context) examine(v *repo.View) (int, error) {
	before, err := storeState(v.Store())
	if err != nil {
		return 0, err
	}
	policy, _ := c.Config.Get("censor", "policy")
	found, err := verify.Examine(c, v.Store(), verify.Options{
		At72:      c.At72(),
		Sparse:    v.Layout.Requirements.Has(requires.SparseRevlog),
		ZstdWords: c.zstdWords(),
		Verbose:   c.Verbose,
		Full:      c.Opts.On("full"),
		Censored:  policy == "" || policy == "abort",
		FullTexts: filepath.Join(v.Layout.Dot, "wcache", "manifestfulltextcache"),
		Dirstate:  func(manifestOf verify.Manifests) ([]string, error) { return c.verifyDirstate(v, manifestOf) },
	})
	if err != nil {
		return 0, err
	}
	after, err := storeState(v.Store())
	if err != nil {
		return 0, err
	}
	if before != after {
		return 0, unsupported("verify while the store changes")
	}
	for _, line := range found.Lines {
		switch {
		case line.Kind == verify.Warning:
			c.Warnf("%s", line.Text)
		case line.Kind == verify.Status, c.Verbose:
			c.Status("%s", line.Text)
		}
	}
	return found.Code, found.Abort
}

// zstdWords are those of the libzstd that comes with hg, for a damaged block.
func (c *Context) zstdWords() string {
	switch v := c.Config.Version(); {
	case v.AtLeast(7, 2):
		return "Data corruption detected"
	case v.AtLeast(6, 4):
		return "" // not known when it changed
	}
	return "Corrupted block detected"
}

// verifyDirstate compares the dirstate with the manifests of its parents. The
// result is a line for each file that does not fit, in hg's order.
func (c *Context) verifyDirstate(v *repo.View, manifestOf verify.Manifests) ([]string, error) {
	d, err := c.dirstate(v)
	if err != nil {
		return nil, err
	}
	p1, p2 := v.WdirParents()
	m1, err := manifestOf(p1)
	if err != nil {
		return nil, err
	}
	m2, err := manifestOf(p2)
	if err != nil {
		return nil, err
	}
	short := node.Null.Short()
	if p1 != node.NullRev {
		short = v.Node(p1).Short()
	}
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	var bad []dirstate.Entry
	for i := range d.Len() {
		e := d.At(i)
		if has := m1.Has(e.Path); e.Item.P1Tracked() && !has || e.Item.Added() && has {
			bad = append(bad, e)
		}
	}
	if err := storedOrder(bad, d, v.Layout.Dot); err != nil {
		return nil, err
	}
	for _, e := range bad {
		switch {
		case e.Item.Added():
			say("%s marked as added, but also in manifest1", e.Path)
		case e.Item.Merged() && !m2.Has(e.Path):
			say("%s marked as modified, but not in either manifest", e.Path)
		default:
			say("%s marked as tracked in p1 (%s) but not in manifest1", e.Path, short)
		}
	}
	for e, err := range m1.All() {
		if err != nil {
			return nil, err
		}
		if entry, ok := d.Lookup(string(e.Path)); !ok || !entry.Item.P1Tracked() {
			say("%s in manifest1, but not marked as tracked in p1 (%s)", e.Path, short)
		}
	}
	return lines, nil
}

// storedOrder sorts entries as they stand in the dirstate file.
func storedOrder(entries []dirstate.Entry, d *dirstate.Dirstate, dot string) error {
	if len(entries) < 2 {
		return nil
	}
	if d.Version() != 1 {
		slices.SortFunc(entries, func(a, b dirstate.Entry) int {
			return slices.Compare(strings.Split(a.Path, "/"), strings.Split(b.Path, "/"))
		})
		return nil
	}
	data, err := os.ReadFile(filepath.Join(dot, "dirstate"))
	if err != nil {
		return err
	}
	places := dirstate.PlacesV1(data)
	for _, e := range entries {
		if _, ok := places[e.Path]; !ok {
			return &hgerr.Damage{Op: "read", Path: "dirstate", Cause: "it changed", Changed: true}
		}
	}
	slices.SortFunc(entries, func(a, b dirstate.Entry) int { return cmp.Compare(places[a.Path], places[b.Path]) })
	return nil
}
