// SPDX-License-Identifier: GPL-2.0-or-later

package command_test

import (
	"fmt"
	"os"
	"testing"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgtest"
)

// TestCompletions compares the completion of commands and of their options with
// hg's: of a few commands, or of all with HGBROKER_DIFFERENTIAL.
func TestCompletions(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		y := hgtest.NewTally(t)
		y.Strict = true
		var cmds []hgtest.Command
		add := func(args ...string) {
			cmds = append(cmds, hgtest.Command{Args: append([]string{"debugcomplete"}, args...)})
		}
		for _, word := range []string{"", "s", "st", "status", "debug", "debugi", "log", "nosuch", "bl"} {
			add(word)
			add("-v", word)
		}
		add("-o")
		var number config.Version
		_, err := fmt.Sscanf(version.Number, "%d.%d", &number.Major, &number.Minor)
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range cmdline.Commands(number) {
			if i%8 == 0 || os.Getenv("HGBROKER_DIFFERENTIAL") != "" {
				for _, name := range k.Names {
					add("-o", name)
				}
			}
		}
		hgtest.Compare(t, y, t.TempDir(), cmds, engine(version), hgtest.Named{Name: "hg " + version.Number, Runner: hgtest.NewReal(t, version.Path)})
	}
}
