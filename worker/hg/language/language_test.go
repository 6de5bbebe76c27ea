// SPDX-License-Identifier: GPL-2.0-or-later

package language

import (
	"strings"
	"testing"
)

// FuzzUnescape: any bytes are a text no longer than they are, or an error.
func FuzzUnescape(f *testing.F) {
	for _, s := range []string{``, `\n\t\\`, `\x41\101\8`, `\x4`, `a\`, "\\\n", `\777`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out, err := Unescape(s)
		if err == nil && len(out) > len(s) {
			t.Fatalf("%q became %q", s, out)
		}
		if err == nil && !strings.Contains(s, `\`) && out != s {
			t.Fatalf("%q became %q", s, out)
		}
	})
}

func TestSuggest(t *testing.T) {
	list := []string{"added", "removed", "adds"}
	for name, want := range map[string]string{"addd": "did you mean one of added, adds?", "remove": "did you mean removed?", "xyz": ""} {
		if got := Suggest(name, list); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
