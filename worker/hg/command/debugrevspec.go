// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/revset"
)

var debugrevspecSpec = Spec{
	Name: "debugrevspec",
	Options: func() []Option {
		return join(
			native(cmdline.Flag("", "optimize"), cmdline.Option{Long: "show-revs", Default: cmdline.Value{On: true}}),
			others(cmdline.Flag("s", "show-set")),
			native(cmdline.Words("p", "show-stage"), cmdline.Flag("", "no-optimized"), cmdline.Flag("", "verify-optimized")))
	},
	Run: runDebugrevspec,
}

// runDebugrevspec prints the numbers of what a revset names, and its tree at the
// stages that are asked for.
func runDebugrevspec(c *Context) (int, error) {
	if len(c.Args) != 1 {
		return 0, unsupported("usage error: debugrevspec")
	}
	if c.Verbose {
		return 0, unsupported("debugrevspec --verbose, which shows Mercurial's own objects")
	}
	known := revset.StageNames
	if c.Opts.On("no-optimized") {
		known = known[:len(known)-1]
		if c.Opts.On("verify-optimized") {
			return 0, hgerr.Abortf(hgerr.Other, "cannot use --verify-optimized with --no-optimized")
		}
	}
	shown := c.Opts.List("show-stage")
	if len(shown) > 0 && c.Opts.On("optimize") {
		return 0, hgerr.Abortf(hgerr.Other, "cannot use --optimize with --show-stage")
	}
	if slices.Equal(shown, []string{"all"}) {
		shown = known
	}
	for _, name := range shown {
		if !slices.Contains(known, name) {
			return 0, hgerr.Abortf(hgerr.Other, "invalid stage name: %s", name)
		}
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	if v.Len() == 0 {
		return 0, unsupported("debugrevspec in an empty repository, where ranges are odd")
	}
	if len(shown) > 0 && len(c.queueAliases) > 0 {
		return 0, unsupported("debugrevspec -p of mq()")
	}
	opts := c.revsetOptions()
	stages, warnings, failed := revset.Stages(c.Args[0], revset.Lookup(repo.Revsets{View: v}), opts.Aliases)
	for _, s := range stages[:min(len(stages), len(known))] {
		if slices.Contains(shown, s.Name) {
			c.Print("* " + s.Name + ":\n" + s.Tree.String() + "\n")
		}
	}
	for _, w := range warnings {
		c.warnRaw(w)
	}
	if failed != nil && len(stages) < len(known) {
		return 0, failed
	}
	last := stages[len(known)-1]
	revs, err := last.Query().Eval(c.Context, c.revsets(v), opts)
	if err != nil {
		return 0, err
	}
	if c.Opts.On("verify-optimized") {
		return 0, c.verifyOptimized(v, stages, revs)
	}
	if !c.Opts.On("show-revs") {
		return 0, nil
	}
	for rev := range revs.All() {
		c.Printf("%d\n", shownRev(rev))
	}
	return 0, revs.Err()
}

// verifyOptimized compares with what the expression selects before it is optimized.
// That both are the same says nothing.
func (c *Context) verifyOptimized(v *repo.View, stages []revset.Stage, optimized *revset.Set) error {
	var lists [2][]node.Rev
	analyzed, err := stages[len(stages)-2].Query().Eval(c.Context, c.revsets(v), c.revsetOptions())
	if err == nil {
		lists[0], err = analyzed.Revs()
	}
	if err == nil {
		lists[1], err = optimized.Revs()
	}
	if err != nil {
		return err
	}
	if !slices.Equal(lists[0], lists[1]) {
		return unsupported("a revset that is another when it is optimized: %s", strings.TrimSpace(c.Args[0]))
	}
	return nil
}
