// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// The bench is only worth something if its reference is: a command server
// must answer as a process of its own does.
func TestCommandServerIsTheCommandLine(t *testing.T) {
	t.Parallel()
	tally := NewTally(t)
	tally.Strict = true
	variants := []Variant{"", "evolution", "share,dirstate-v2", "no-store,zlib"}
	const lines = 12
	for _, v := range HgVersions(t) {
		real := NewReal(t, v.Path)
		g := NewGenerator(t, v.Path)
		for n, variant := range variants {
			t.Run(fmt.Sprintf("%s/%s", v.Number, variant), func(t *testing.T) {
				seed := uint64(100 + n)
				dir := g.New(t, seed, variant)
				cmds := WideCommands(rand.New(rand.NewPCG(seed, 0)), Info(t, real, dir), lines)
				Compare(t, tally, dir, cmds, Named{"command line", CLI(v.Path)}, Named{"command server", real})
			})
		}
	}
}
