// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"hgbroker/worker/hg/image"
)

// asTable is d as it would stand in an image.
func asTable(d *Dirstate) []byte { return bytes.Join(d.Table(), nil) }

// told is all that a Dirstate tells.
func told(d *Dirstate) []any {
	p1, p2 := d.Parents()
	out := []any{p1, p2, d.Version(), d.IgnoreHash(), d.Len(), d.CopyOrder(), d.Copies(), d.Directories()}
	for i := range d.Len() {
		out = append(out, d.At(i))
	}
	for n := range d.Tree().Len() {
		out = append(out, d.Tree().Dir(n), append([]int32{}, d.Tree().Files(n)...), append([]int32{}, d.Tree().Subdirs(n)...))
	}
	return out
}

// checkTable takes a Dirstate through an image.
func checkTable(t *testing.T, d *Dirstate) {
	t.Helper()
	b := asTable(d)
	o, err := OpenTable(b)
	if err == nil {
		err = o.Verify()
	}
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(told(o), told(d)) {
		t.Fatalf("a table tells\n%v\nnot\n%v", told(o), told(d))
	}
	if !bytes.Equal(asTable(o), b) {
		t.Fatal("the table of a table is another one")
	}
	checkTree(t, o)
}

func several() *Dirstate {
	d, err := ParseV1(v1File(
		v1Record('n', 0o100644, 5, 6, "b/c/d"), v1Record('a', 0, -1, -1, "b/x\x00b/c/d"), v1Record('r', 0, 0, 0, "a-"), v1Record('n', 0o100755, 1, 2, "a/z"),
		v1Record('m', 0, -2, -1, "z\x00gone"), v1Record('n', 0, -1, -1, "b/x\x00a/z"), v1Record('n', 0o100644, 1, 2, "\xe9")))
	if err != nil {
		panic(err)
	}
	return d
}

func TestTable(t *testing.T) {
	d := several()
	checkTable(t, d)
	if got := fmt.Sprint(d.CopyOrder(), d.Copies()); got != "[b/x z b/x] map[b/x:a/z z:gone]" {
		t.Error(got)
	}
	checkTable(t, &Dirstate{})
	checkTable(t, ofPaths([]string{"/x", "b", "", "a//b", "a/b", "a/", "a", "/", "//"}))
}

// TestTableExample is the one above the format.
func TestTableExample(t *testing.T) {
	d := New([20]byte{}, [20]byte{}, []Entry{{Path: "d/f", Item: Item{Flags: WdirTracked}}})
	want := strings.Repeat("00000000", 16) + "01000000" + strings.Repeat("00000000", 3) + "02000000" + "03000000" + strings.Repeat("00000000", 4) +
		"00000000030000000100000000000000000000000000000000000000" +
		"00000000000000000000000000000000000000000000000001000000" +
		"00000000010000000200000000000000010000000100000001000000" +
		"00000000" + "01000000" + "642f66"
	if got := hex.EncodeToString(asTable(d)); got != want {
		t.Errorf("\n%s\n%s", got, want)
	}
	checkTable(t, d)
}

// TestDamagedTable cuts a table off everywhere, and changes every byte of it: what
// Verify lets pass tells something, and does not panic.
func TestDamagedTable(t *testing.T) {
	good := asTable(several())
	for n := range good {
		if _, err := OpenTable(good[:n]); !errors.Is(err, image.ErrFormat) {
			t.Errorf("%d bytes: %v", n, err)
		}
		if _, err := OpenTable(append(bytes.Clone(good), good[:n+1]...)); !errors.Is(err, image.ErrFormat) {
			t.Errorf("%d bytes more: %v", n+1, err)
		}
	}
	refused := 0
	for i := range good {
		for _, change := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[i] ^= change
			d, err := OpenTable(bad)
			if err == nil {
				err = d.Verify()
			}
			if err == nil {
				told(d)
			} else if refused++; !errors.Is(err, image.ErrFormat) {
				t.Errorf("byte %d: %v", i, err)
			}
		}
	}
	if refused < len(good) {
		t.Errorf("%d changes of %d bytes were refused", refused, len(good))
	}
}

// FuzzTable opens whatever an image may hold.
func FuzzTable(f *testing.F) {
	f.Add(asTable(several()))
	f.Add(asTable(&Dirstate{}))
	f.Add(asTable(ofPaths([]string{"a/b", "a-b/c"})))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := OpenTable(b)
		if err == nil && d.Verify() == nil {
			told(d)
			checkTree(t, d)
		}
	})
}

func BenchmarkTable(b *testing.B) {
	var entries []string
	for i := range 100_000 {
		entries = append(entries, v1Record('n', 0o100644, int32(i), 1_600_000_000, fmt.Sprintf("dir%03d/sub/some file name %06d.c", i/200, i)))
	}
	d, err := ParseV1(v1File(entries...))
	if err != nil {
		b.Fatal(err)
	}
	table := asTable(d)
	b.Run("plant", func(b *testing.B) {
		for b.Loop() {
			plant(d)
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := OpenTable(table); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		o, err := OpenTable(table)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := o.Verify(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
