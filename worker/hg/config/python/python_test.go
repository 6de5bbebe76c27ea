// SPDX-License-Identifier: GPL-2.0-or-later

package python

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// What Python says to random input is compared in the tests of package config.

func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		"":                  nil,
		"  a  b ":           {"a", "b"},
		`a"b c"'d e'`:       {"ab cd e"},
		`"" ''`:             {"", ""},
		`"\"\\\n" \"`:       {`"\\n`, `"`},
		`a#b # c`:           {"a#b", "#", "c"},
		"a\vb\fc":           {"a\vb\fc"},
		`log -T '{node}\n'`: {"log", "-T", `{node}\n`},
	} {
		if got, err := Split(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q %v, want %q", line, got, err, want)
		}
	}
	for line, want := range map[string]error{`"a`: ErrNoClosingQuotation, "'": ErrNoClosingQuotation, `a\`: ErrNoEscapedCharacter, `"\`: ErrNoEscapedCharacter} {
		if _, err := Split(line); err != want {
			t.Errorf("%q: %v, want %v", line, err, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for s, want := range map[string]int64{" 1_000\n": 1000, "-0": 0, "+7": 7, "007": 7} {
		if n, err := Int(s); n != want || err != nil {
			t.Errorf("%q: %d %v", s, n, err)
		}
	}
	for s, want := range map[string]error{"": ErrValue, "1__0": ErrValue, "_1": ErrValue, "--1": ErrValue, "0x1": ErrValue,
		"9223372036854775808": ErrRange, strings.Repeat("1", 5000): ErrValue} {
		if _, err := Int(s); err != want {
			t.Errorf("%.20q: %v, want %v", s, err, want)
		}
	}
	if f, err := Float("1e999"); !math.IsInf(f, 1) || err != nil {
		t.Error(f, err)
	}
	for _, s := range []string{"", "0x1p-2", "1__0", "_1.5", "1e"} {
		if _, err := Float(s); err != ErrValue {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", `a "b\"" 'c'`, "1_0", "\x00\xff'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words, err := Split(s)
		if err == nil && len(strings.Join(words, "")) > len(s) {
			t.Fatalf("%q: %q", s, words)
		}
		if r := Repr(s); len(r) > 4*len(s)+2 || strings.ContainsAny(r, "\n\x00") {
			t.Fatalf("%q: %s", s, r)
		}
		_, _ = Int(s)
		_, _ = Float(s)
	})
}
