// SPDX-License-Identifier: GPL-2.0-or-later

package annotate

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzRead reads a text after another one: whatever they have in common, its
// lines are those of reading it alone.
func FuzzRead(f *testing.F) {
	f.Add([]byte("a\nb\nc\n"), []byte("a\nx\nc\n"))
	f.Add([]byte("a\nb"), []byte("a\nb\n"))
	f.Add([]byte("a\na\na\n"), []byte("a\na\n"))
	f.Add([]byte(""), []byte("\n\n"))
	f.Add([]byte("a\r\n \t\n"), []byte("a\n\n  "))
	f.Fuzz(func(t *testing.T, old, text []byte) {
		table := newLineTable(nil)
		var before, after, alone version
		table.read(&before, old, nil)
		table.read(&after, text, &before)
		table.read(&alone, text, nil)
		if !slices.Equal(after.ids, alone.ids) || !slices.Equal(after.ends, alone.ends) {
			t.Fatalf("%q after %q: lines %v at %v, alone %v at %v", text, old, after.ids, after.ends, alone.ids, alone.ends)
		}
		if n := bytes.Count(text, []byte("\n")); len(after.ends) < n || len(after.ends) > n+1 {
			t.Fatalf("%q has %d lines", text, len(after.ends))
		}
	})
}

func TestCommonEnds(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789"), 200)
	for cut := range 40 {
		a, b := bytes.Clone(long), bytes.Clone(long)
		at := cut * 50
		b[at] = 'x'
		if got := commonStart(a, b); got != at {
			t.Errorf("common start %d, want %d", got, at)
		}
		if got := commonEnd(a, b); got != len(a)-at-1 {
			t.Errorf("common end %d, want %d", got, len(a)-at-1)
		}
	}
	if commonStart(long, long) != len(long) || commonEnd(long, long[5:]) != len(long)-5 {
		t.Error("common ends of equal texts")
	}
}
