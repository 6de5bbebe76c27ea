// SPDX-License-Identifier: GPL-2.0-or-later

package sparse

import (
	"strings"
	"testing"
)

// FuzzParse feeds anything: what is accepted are lines of it.
func FuzzParse(f *testing.F) {
	f.Add("# c\n%include one\n[include]\nsrc\n/rooted\n[exclude]\n*.bin\n")
	f.Add("[exclude]\na\n[include]\nb\n")
	f.Add("[exclude]\n[include]\nb\n")
	f.Add("outside\n")
	f.Fuzz(func(t *testing.T, text string) {
		warned := 0
		r, err := Parse(text, func(string) { warned++ })
		if err != nil {
			return
		}
		for _, list := range [][]string{r.Include, r.Exclude, r.Profiles} {
			for _, p := range list {
				if p == "" || !strings.Contains(text, p) {
					t.Errorf("%q has the pattern %q", text, p)
				}
			}
		}
		if n := warned + len(r.Include) + len(r.Exclude) + len(r.Profiles); n > strings.Count(text, "\n")+1 {
			t.Errorf("%q came to %d things", text, n)
		}
	})
}

// TestParse has the order of sections that hg refuses, and what it does not notice.
func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"[exclude]\na\n[include]\nb\n":    "sparse config cannot have includes after excludes",
		"[exclude]\n[include]\nb\n":       "",
		"[include]\nx\n[include]\nb\n":    "",
		"x\n":                             "sparse config entry outside of section: x",
		"%include p\n# c\n[exclude]\nx\n": "",
	} {
		_, err := Parse(text, func(string) {})
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
