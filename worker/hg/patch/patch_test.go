// SPDX-License-Identifier: GPL-2.0-or-later

package patch

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/bdiff"
	"hgbroker/worker/hg/hgtest"
)

// made is one line of testdata/oracle.py.
type made struct {
	Old, New, Gone string
	Options        []string
	Context        int
	Names          []string
	Header, Out    string
	Binary         bool
}

func TestLikeHg(t *testing.T) {
	texts, binaries, bad := 0, 0, 0
	identifiers := false
	for _, v := range hgtest.HgVersions(t)[:1] {
		identifiers = strings.HasPrefix(v.Number, "7")
	}
	hgtest.Oracle(t, "oracle.py", []string{"1", "1200"}, func(m made) {
		old, new, want := hgtest.FromLatin1(m.Old), hgtest.FromLatin1(m.New), hgtest.FromLatin1(m.Out)
		if m.Binary {
			binaries++
			if got := string(appendBinary(nil, []byte(new))); got != want {
				if bad++; bad <= 3 {
					t.Errorf("binary patch of %d bytes differs", len(new))
				}
			}
			return
		}
		texts++
		has := func(name string) bool { return slices.Contains(m.Options, name) }
		w := Writer{OldDate: "DATE1", NewDate: "DATE2", Options: Options{
			Context: m.Context, NoDates: has("nodates"), NoPrefix: has("noprefix"), Git: has("git"), ShowFunc: has("showfunc"), Identifiers: identifiers,
			Whitespace: bdiff.Options{IgnoreAllSpace: has("ignorews"), IgnoreSpaceAmount: has("ignorewsamount"),
				IgnoreSpaceAtEOL: has("ignorewseol"), IgnoreBlankLines: has("ignoreblanklines")},
		}}
		c := &Change{Old: &File{}, New: &File{}, OldName: m.Names[0], NewName: m.Names[1]}
		if m.Gone == "old" {
			c.Old, old = nil, ""
		}
		if m.Gone == "new" {
			c.New, new = nil, ""
		}
		if old != "" || new != "" {
			w.unified(c, []byte(old), []byte(new))
		}
		if got := string(w.text); got != want || string(w.header) != hgtest.FromLatin1(m.Header) {
			if bad++; bad <= 3 {
				t.Errorf("%v -U%d %s\nold %q\nnew %q\ngot %q %q\nhg  %q %q", m.Options, m.Context, m.Gone, old, new, w.header, got, m.Header, want)
			}
		}
	})
	t.Logf("%d texts and %d binary contents compared with hg's mdiff", texts, binaries)
	if texts == 0 || binaries == 0 {
		t.Error("nothing compared")
	}
}

// FuzzStat counts whatever text there is.
func FuzzStat(f *testing.F) {
	f.Add([]byte("diff --git a/x b/x\n"), []byte("@@ -1 +1 @@\n-a\n+b\r+c\n"))
	f.Add([]byte("diff -r 012 -r 123 a b\n"), []byte("Binary file a b has changed\n"))
	f.Add([]byte("diff --git a/x b/y\nrename from x\nrename to y\n"), []byte("diff -r \r\ndiff"))
	f.Fuzz(func(t *testing.T, header, text []byte) {
		var s Stat
		if s.Add(header, text) != nil {
			return
		}
		s.End()
		var out bytes.Buffer
		s.Append(&out, 80, func(name string) int { return len(name) })
		if (out.Len() > 0) != (len(s.Files) > 0) {
			t.Fatalf("%d files make %q", len(s.Files), &out)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	var old, new bytes.Buffer
	for i := range 20000 {
		fmt.Fprintf(&old, "\tline %d of a text\n", i)
		if i%400 == 7 {
			fmt.Fprintf(&new, "\tchanged %d\n", i)
		} else {
			fmt.Fprintf(&new, "\tline %d of a text\n", i)
		}
	}
	w := Writer{Options: Options{Context: 3}}
	c := &Change{Old: &File{Data: old.Bytes()}, New: &File{Data: new.Bytes()}, OldName: "f", NewName: "f"}
	b.SetBytes(int64(old.Len()))
	for b.Loop() {
		w.Write(c)
	}
}
