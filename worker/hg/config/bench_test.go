// SPDX-License-Identifier: GPL-2.0-or-later

package config_test

import (
	"testing"
	"time"

	"hgbroker/worker/hg/config"
)

// BenchmarkLoad loads what an installed hg loads: packaged, system and user files.
func BenchmarkLoad(b *testing.B) {
	s := config.Sources{Getenv: lookup(map[string]string{"HOME": b.TempDir()}), HgPath: "/usr/bin/hg", Cwd: "/"}
	s.DefaultRC = config.FindDefaultRC(s.HgPath)
	b.Run("Load", func(b *testing.B) {
		for b.Loop() {
			if _, err := config.Load(s); err != nil {
				b.Fatal(err)
			}
		}
	})
	c, err := config.Load(s)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("WithRepository", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.WithRepository(s.Cwd); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Fresh", func(b *testing.B) {
		for b.Loop() {
			c.Fresh(time.Now(), nil)
		}
	})
	b.Run("FindDefaultRC", func(b *testing.B) {
		for b.Loop() {
			config.FindDefaultRC(s.HgPath)
		}
	})
	b.Run("Bool", func(b *testing.B) {
		for b.Loop() {
			_, _ = c.Bool("ui", "debug")
		}
	})
}
