// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"strconv"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"[ui]\nusername = x\n y\n\n", "\xef\xbb\xbf[a]\r\nb=c\rd =\n", "%include x\n%unset y\n", " x", "[a", "[[a]", "a\n", "; c\n# d\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := newLayer()
		includes := 0
		err := l.parse("f", text, func(string, string) error { includes++; return nil })
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		items := 0
		for s, section := range l.sections {
			for n, v := range section {
				items++
				if v.text != "" && strings.Trim(v.text, " \t\r") != v.text {
					t.Fatalf("%s.%s has white space around %q", s, n, v.text)
				}
				_ = ParseList(v.text)
				_, _ = ParseBytes(v.text)
				line, convErr := strconv.Atoi(strings.TrimPrefix(v.source, "f:"))
				if convErr != nil || line < 1 || line > lines {
					t.Fatalf("source %q of %d lines", v.source, lines)
				}
			}
		}
		if items+includes > lines {
			t.Fatalf("%d items and %d includes in %d lines (%v)", items, includes, lines, err)
		}
		c := newLayer()
		c.update(l)
		c.update(l.copy())
	})
}

func FuzzValues(f *testing.F) {
	for _, s := range []string{"", "a,b", `"a b" c`, `"`, `a"b`, `\"`, "1_0k", "~/$HOME/${x", "//a/../.."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words := ParseList(s)
		if len(words) > len(s)+1 {
			t.Fatalf("%d words from %d bytes", len(words), len(s))
		}
		_, _ = ParseBytes(s)
		src := &Sources{Getenv: func(string) (string, bool) { return "v", true }}
		_ = normalize(src.ExpandPath(s))
		_, _, _, _ = splitOverride(s)
	})
}

func TestRegisteredTable(t *testing.T) {
	for _, release := range []string{"6", "7"} {
		r := newRegistry(registeredText, release)
		text, exact, generic := 0, 0, 0
		for name, section := range r.sections {
			items, err := readItems(section.text, release)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(section.text) {
				if !strings.HasPrefix(line, name+"\t") {
					t.Errorf("section %s has the line %q", name, line)
				}
			}
			text, exact, generic = text+len(section.text), exact+len(items.exact), generic+min(1, len(items.generics))
		}
		if text != len(registeredText) {
			t.Errorf("sections with %d bytes of a table of %d: lines of one do not stand together", text, len(registeredText))
		}
		if exact < 450 || generic < 10 {
			t.Errorf("release %s: %d items, %d sections with patterns", release, exact, generic)
		}
	}
}
