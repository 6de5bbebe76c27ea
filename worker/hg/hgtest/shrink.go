// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"errors"
	"slices"

	"hgbroker/worker/hg/hgerr"
)

// shrink drops what it can of a command line on which a runner and a reference
// differ, so that they still do: whoever mends it, or keeps it as a scenario, has
// less to look at. The reference is asked in a new process each time.
func shrink(dir string, c Command, under Named, reference Runner) Command {
	differs := func(c Command) bool {
		got := runAll(under, dir, []Command{c})[0]
		var unsupported *hgerr.Unsupported
		if errors.As(got.err, &unsupported) {
			return false
		}
		want := fresh(reference, dir, c)
		return want.err == nil && !isCrash(want.stderr) && !got.same(want)
	}
	if len(c.Args) == 0 || !differs(c) {
		return c
	}
	if len(c.Env) > 0 {
		if less := (Command{Args: c.Args, Sub: c.Sub}); differs(less) {
			c = less
		}
	}
	for width := 2; width > 0; width-- {
		for i := 0; i+width <= len(c.Args); {
			less := Command{Args: slices.Delete(slices.Clone(c.Args), i, i+width), Env: c.Env, Sub: c.Sub}
			if len(less.Args) > 0 && differs(less) {
				c = less
				continue
			}
			i++
		}
	}
	return c
}
