// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// TestExpressions compares what comes of generated expressions (revsets,
// templates, filesets; right and wrong ones) with real hg on generated
// repositories. No expression is asked twice.
//
//	HGBROKER_EXPRESSIONS     how many, over 20 repositories (60, over 2)
//	HGBROKER_SEED            the first seed (1)
func TestExpressions(t *testing.T) {
	count, repositories := number(t, "HGBROKER_EXPRESSIONS", 0), 20
	if count == 0 {
		count, repositories = 60, 2
	}
	first := number(t, "HGBROKER_SEED", 1)
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			y := hgtest.NewTally(t)
			y.MaxErrors = number(t, "HGBROKER_MISMATCHES", 10)
			real := hgtest.NewReal(t, version.Path)
			inst := Installation{Path: version.Path, Version: version.Number}
			generator := hgtest.NewGenerator(t, version.Path)
			variants := []hgtest.Variant{"", "evolution", "internal-phase,evolution", "dirstate-v2,evolution", "dirstate-v2"}
			seen := map[string]bool{}
			for i := range repositories {
				seed := uint64(first + i)
				v := variants[i%len(variants)]
				dir := generator.New(t, seed, v)
				info := hgtest.Info(t, real, dir)
				n := count*(i+1)/repositories - count*i/repositories
				cmds := hgtest.Expressions(rand.New(rand.NewPCG(seed, 3)), info, n, seen)
				hgtest.Compare(t, y, dir, cmds, engineRunner(fmt.Sprintf("engine seed %d", seed), inst, false),
					hgtest.Named{Name: "hg " + version.Number, Runner: real})
			}
			t.Logf("%d distinct expressions", len(seen))
			if len(seen) < count {
				t.Errorf("only %d distinct expressions, not %d", len(seen), count)
			}
		})
	}
}
