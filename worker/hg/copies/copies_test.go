// SPDX-License-Identifier: GPL-2.0-or-later

package copies

import (
	"maps"
	"testing"
)

func TestChain(t *testing.T) {
	got := chain(map[string]string{"b": "a", "x": "y"}, map[string]string{"c": "b", "d": "z", "x": "q"})
	want := map[string]string{"b": "a", "c": "a", "d": "z", "x": "q"}
	if !maps.Equal(got, want) {
		t.Errorf("chain: %v, want %v", got, want)
	}
}

// FuzzDecode reads the extra fields of changesets: what comes out names files of
// the changeset only.
func FuzzDecode(f *testing.F) {
	f.Add("0\x00a\n1\x00b")
	f.Add("-1\x00a")
	f.Add("")
	f.Add("0\x00a\x00b\n")
	f.Add("99\x00a")
	f.Fuzz(func(t *testing.T, text string) {
		files := []string{"one", "two"}
		if found, ok := decodeCopies(files, text); ok {
			for dest := range found {
				if dest != "one" && dest != "two" {
					t.Fatalf("%q is a copy", dest)
				}
			}
		}
		if list, ok := decodeFiles(files, text); ok {
			for _, name := range list {
				if name != "one" && name != "two" {
					t.Fatalf("%q was removed", name)
				}
			}
		}
	})
}
