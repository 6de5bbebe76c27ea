// SPDX-License-Identifier: GPL-2.0-or-later

package cmdline_test

import (
	"testing"

	"hgbroker/worker/hg/cmdline"
)

func BenchmarkParse(b *testing.B) {
	opts := append(someOptions(), cmdline.GlobalOptions(hg7, "UTF-8", "strict")...)
	args := []string{"-r", "tip", "--template", "{node}", "--limit=1", "--config", "a.b=c"}
	b.Run("Parse", func(b *testing.B) {
		set := cmdline.NewSet(nil, opts)
		for b.Loop() {
			if _, _, err := set.Parse(args, cmdline.Mixed, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Find", func(b *testing.B) {
		for b.Loop() {
			if _, err := cmdline.Lookup("log", hg7, nil, false); err != nil {
				b.Fatal(err)
			}
		}
	})
}
