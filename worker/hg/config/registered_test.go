// SPDX-License-Identifier: GPL-2.0-or-later

package config

import "testing"

// BenchmarkRegistered is what a process pays for the first items of the table
// that it is asked for.
func BenchmarkRegistered(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		r := newRegistry(registeredText, "7")
		for _, section := range []string{"ui", "extensions", "experimental", "format"} {
			r.section(section)
		}
	}
}
