// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/store"
)

// entry makes an index entry of a revision whose chunk is a whole text.
func entry(rev int32, offset uint64, length, size int32, p1, p2 int32, id node.ID) []byte {
	e := make([]byte, 0, EntrySize)
	e = binary.BigEndian.AppendUint64(e, offset<<16)
	for _, n := range []int32{length, size, rev, rev, p1, p2} {
		e = binary.BigEndian.AppendUint32(e, uint32(n))
	}
	e = append(e, id[:]...)
	return append(e, make([]byte, 12)...)
}

// written is a revlog of whole, raw texts in memory.
func written(flags uint32, texts ...string) (index, data []byte) {
	var prev node.ID
	for i, text := range texts {
		chunk := "u" + text
		id := HashText(prev, node.Null, []byte(text))
		index = append(index, entry(int32(i), uint64(len(data)), int32(len(chunk)), int32(len(text)), int32(i)-1, -1, id)...)
		if flags&FlagInline != 0 {
			index = append(index, chunk...)
		}
		data = append(data, chunk...)
		prev = id
	}
	binary.BigEndian.PutUint32(index, flags|version1)
	return index, data
}

// put writes a revlog into a directory.
func put(t testing.TB, index, data []byte) store.Files {
	t.Helper()
	f := store.Files{Dir: t.TempDir(), Index: "x.i", Data: "x.d", Display: "x"}
	for path, content := range map[string][]byte{f.IndexPath(): index, f.DataPath(): data} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// TestWorkedExample has the bytes of the package comment.
func TestWorkedExample(t *testing.T) {
	index, _ := written(FlagInline|FlagGeneralDelta, "a\n")
	want := "\x00\x03\x00\x01\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x02" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
	if string(index[:32]) != want || string(index[64:]) != "ua\n" || len(index) != EntrySize+3 {
		t.Fatalf("% x", index)
	}
	r, err := Open(put(t, index, nil))
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Text(0)
	if err != nil || string(text) != "a\n" || r.FileSize() != int64(len(index)) || !r.GeneralDelta() || !r.Inline() {
		t.Errorf("%q %v", text, err)
	}
}

func TestRecordSize(t *testing.T) {
	if EntrySize != 64 || len(nullEntry) != EntrySize || hunkHeader != 12 {
		t.Error("sizes of records changed")
	}
}

func TestOutOfRange(t *testing.T) {
	index, data := written(FlagGeneralDelta, "a", "b")
	r, err := Open(put(t, index, data))
	if err != nil {
		t.Fatal(err)
	}
	for _, rev := range []node.Rev{node.NullRev, -2, 2, node.WdirRev, -1 << 31} {
		p1, p2 := r.Parents(rev)
		if p1 != node.NullRev || p2 != node.NullRev || r.Node(rev) != node.Null || r.DataLength(rev) != 0 {
			t.Errorf("revision %d has content", rev)
		}
		if text, err := r.Text(rev); (err == nil) != (rev == node.NullRev) || text != nil {
			t.Errorf("text of %d: %q %v", rev, text, err)
		}
	}
	if rev, ok := r.Rev(node.Null); !ok || rev != node.NullRev {
		t.Error("null is not found")
	}
	if rev, ok := r.Rev(node.Wdir); ok {
		t.Error("wdir is found at", rev)
	}
	if err := r.NoNode(node.Wdir); err.Error() != "x@ffffffffffffffffffffffffffffffffffffffff: no node" {
		t.Error(err)
	}
	missing, err := Open(store.Files{Dir: t.TempDir(), Index: "no.i", Data: "no.d", Display: "no"})
	if err != nil || missing.Len() != 0 {
		t.Error(missing.Len(), err)
	}
}

// TestDamagedIndex checks that each kind of damage is refused when the index is
// parsed.
func TestDamagedIndex(t *testing.T) {
	for name, damage := range map[string]func(b []byte) []byte{
		"one byte":       func(b []byte) []byte { return b[:1] },
		"partial entry":  func(b []byte) []byte { return b[:len(b)-1] },
		"own parent":     func(b []byte) []byte { binary.BigEndian.PutUint32(b[64+24:], 1); return b },
		"later parent":   func(b []byte) []byte { binary.BigEndian.PutUint32(b[64+28:], 7); return b },
		"parent -2":      func(b []byte) []byte { binary.BigEndian.PutUint32(b[64+24:], 0xfffffffe); return b },
		"later base":     func(b []byte) []byte { binary.BigEndian.PutUint32(b[64+16:], 2); return b },
		"negative chunk": func(b []byte) []byte { binary.BigEndian.PutUint32(b[64+8:], 0xffffffff); return b },
	} {
		for _, flags := range []uint32{FlagGeneralDelta, FlagInline | FlagGeneralDelta, 0} {
			index, _ := written(flags, "", "")
			if flags&FlagInline != 0 { // chunks "u" lie between: keep the offsets of the others
				index, _ = written(0, "", "")
				binary.BigEndian.PutUint32(index, flags|version1)
				binary.BigEndian.PutUint32(index[8:], 0)
				binary.BigEndian.PutUint32(index[64+8:], 0)
			}
			if _, err := ParseIndex("x", index); err != nil {
				t.Fatal(err)
			}
			_, err := ParseIndex("x", damage(index))
			var d *hgerr.Damage
			var a *hgerr.Abort
			if !errors.As(err, &d) || !errors.As(err, &a) || a.Message != "index x is corrupted" {
				t.Errorf("%s, flags %x: %v", name, flags, err)
			}
		}
	}
	for _, h := range []uint32{0, 2, 0xdead, 0xd34d, version1 | 1<<20, version1 | 1<<31} {
		index, _ := written(0, "a")
		binary.BigEndian.PutUint32(index, h)
		if _, err := ParseIndex("x", index); !hgerr.IsUnsupported(err) {
			t.Errorf("header %x: %v", h, err)
		}
		if _, err := NewIndex(index); !hgerr.IsUnsupported(err) {
			t.Errorf("header %x: %v", h, err)
		}
	}
}

func TestFlagsAreRefused(t *testing.T) {
	for flag, want := range map[uint16]bool{
		FlagCensored: true, FlagHasCopies: true, 0: true,
		FlagEllipsis: false, FlagExtStored: false, 1: false, 1 << 11: false, FlagEllipsis | FlagCensored: false,
	} {
		index, data := written(0, "a")
		binary.BigEndian.PutUint16(index[6:], flag)
		r, err := Open(put(t, index, data))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Text(0)
		scan := r.Scan(0, 1, func(node.Rev, []byte) error { return nil })
		if want && (err != nil || scan != nil) || !want && (!hgerr.IsUnsupported(err) || !hgerr.IsUnsupported(scan)) {
			t.Errorf("flag %x: %v, %v", flag, err, scan)
		}
	}
}

// TestFlagsOfHeader has the flags that count only where the header says so.
func TestFlagsOfHeader(t *testing.T) {
	for _, c := range []struct {
		header uint32
		flag   uint16
		good   bool
	}{
		{FlagDeltaInfo, FlagsOfDelta, true}, {FlagDeltaInfo, FlagHasMeta, false}, {FlagFilelogMeta, FlagHasMeta, true},
		{FlagFilelogMeta, 1 << 6, false}, {FlagFilelogMeta | FlagDeltaInfo, FlagHasMeta | FlagsOfDelta, true}, {FlagDeltaInfo, FlagExtStored, false},
	} {
		index, data := written(c.header, "a")
		binary.BigEndian.PutUint16(index[6:], c.flag)
		binary.BigEndian.PutUint32(index, c.header|version1)
		r, err := Open(put(t, index, data))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Text(0); (err == nil) != c.good {
			t.Errorf("header %x, flag %x: %v", c.header, c.flag, err)
		}
	}
}

// TestLookup finds every node, in all the ways that a search can take.
func TestLookup(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	x := synthetic(3000)
	r := OpenWithIndex(store.Files{}, x, store.Stamp{})
	for range 5000 {
		rev := node.Rev(rnd.IntN(x.Len()))
		hint := node.Rev(rnd.IntN(2*x.Len()) - 1000)
		if got, ok := r.RevNear(x.Node(rev), hint); !ok || got != rev {
			t.Fatalf("%d near %d: %d %v", rev, hint, got, ok)
		}
	}
	if r.lookup.table == nil {
		t.Error("no table after many searches")
	}
	if _, ok := r.Rev(node.ID{1}); ok {
		t.Error("found a node that is not there")
	}
	for rev := range node.Rev(x.Len()) {
		fresh := OpenWithIndex(store.Files{}, x, store.Stamp{})
		if got, ok := fresh.RevNear(x.Node(rev), rev+3); !ok || got != rev {
			t.Fatalf("%d: %d %v", rev, got, ok)
		}
	}
}

// synthetic is a split index of n revisions in a line, with random nodes.
func synthetic(n int) Index {
	rnd := rand.New(rand.NewPCG(7, 8))
	raw := make([]byte, 0, n*EntrySize)
	for i := range int32(n) {
		var id node.ID
		for j := 0; j < len(id); j += 4 {
			binary.BigEndian.PutUint32(id[j:], rnd.Uint32())
		}
		raw = append(raw, entry(i, uint64(i)*100, 100, 300, i-1, -1, id)...)
	}
	binary.BigEndian.PutUint32(raw, version1)
	x, err := ParseIndex("synthetic", raw)
	if err != nil {
		panic(err)
	}
	return x
}

// FuzzParseIndex takes a whole index file, reads it in all ways, and expects an
// error or an answer.
func FuzzParseIndex(f *testing.F) {
	for _, flags := range []uint32{0, FlagInline, FlagGeneralDelta, FlagInline | FlagGeneralDelta} {
		index, _ := written(flags, "first", "", "second")
		f.Add(index, []byte("ufirst\x00"))
	}
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, raw, data []byte) {
		x, err := ParseIndex("x", raw)
		if err != nil {
			return
		}
		if len(x.Entries()) > len(raw) {
			t.Fatal("more entries than bytes")
		}
		dir := t.TempDir()
		files := store.Files{Dir: dir, Index: "x.i", Data: "x.d", Display: "x"}
		if err := os.WriteFile(filepath.Join(dir, "x.i"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "x.d"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*Revlog{mustOpen(t, files), OpenWithIndex(files, x, store.Stamp{})} {
			for rev := range node.Rev(min(x.Len(), 20)) {
				text, err := r.Text(rev)
				if err == nil {
					p1, p2 := r.Parents(rev)
					if HashText(r.Node(p1), r.Node(p2), text) != r.Node(rev) {
						t.Fatal("wrong text")
					}
				}
				r.Rev(x.Node(rev))
			}
			_ = r.Scan(0, node.Rev(x.Len()), func(node.Rev, []byte) error { return nil })
			r.Close()
		}
		if n := x.Len() / 2; n > 0 {
			half, err := NewIndex(x.Entries()[:n*EntrySize])
			if err != nil {
				t.Fatal(err)
			}
			again, _, appended, err := ReadTail(files, half)
			if err == nil && appended && string(again.Entries()) != string(x.Entries()) {
				t.Fatal("tail differs")
			}
		}
	})
}

func mustOpen(t *testing.T, files store.Files) *Revlog {
	t.Helper()
	r, err := Open(files)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func BenchmarkParseIndex(b *testing.B) {
	raw := synthetic(1 << 20).Entries()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := ParseIndex("x", raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewIndex(b *testing.B) {
	raw := synthetic(1 << 20).Entries()
	for b.Loop() {
		if _, err := NewIndex(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRev(b *testing.B) {
	x := synthetic(1 << 20)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			r := OpenWithIndex(store.Files{}, x, store.Stamp{})
			r.Rev(x.Node(0))
		}
	})
	b.Run("near", func(b *testing.B) {
		for b.Loop() {
			r := OpenWithIndex(store.Files{}, x, store.Stamp{})
			r.RevNear(x.Node(500000), 500100)
		}
	})
	b.Run("table", func(b *testing.B) {
		r := OpenWithIndex(store.Files{}, x, store.Stamp{})
		for i := range 10 {
			r.Rev(x.Node(node.Rev(i)))
		}
		i := node.Rev(0)
		for b.Loop() {
			r.Rev(x.Node(i))
			i = (i + 7919) & (1<<20 - 1)
		}
	})
}

// TestCommon compares indexes, in one piece and in two, that part at each place.
func TestCommon(t *testing.T) {
	const n = 100
	texts := make([]string, n)
	for i := range texts {
		texts[i] = string(rune('a' + i))
	}
	whole, _ := written(0, texts...)
	x, err := NewIndex(whole)
	if err != nil {
		t.Fatal(err)
	}
	for at := range n {
		other := texts
		if at > 0 {
			other = append(append(texts[:at:at], "another"), texts[at:]...)
		}
		index, _ := written(0, other...)
		for _, piece := range []int{1, n / 2, n} {
			y, err := NewGrownIndex(index[:piece*EntrySize], index[piece*EntrySize:])
			if err != nil {
				t.Fatal(err)
			}
			want := at
			if at == 0 {
				want = n
			}
			if got := x.Common(y); got != want || y.Common(x) != want {
				t.Errorf("%d revisions are common, not %d", got, want)
			}
			if got := x.Common(y.Prefix(at)); got != at {
				t.Errorf("%d of %d revisions are common", got, at)
			}
		}
	}
}

func TestSift(t *testing.T) {
	whole := synthetic(1000)
	for _, cut := range []int{1, 600, 1000} {
		raw := whole.Entries()
		x, err := NewGrownIndex(raw[:cut*EntrySize], raw[cut*EntrySize:])
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []node.Rev{0, 599, 600, 999} {
			var f NodeFilter
			f.Add(x.Node(want))
			last, met := node.Rev(x.Len()), false
			x.Sift(&f, func(rev node.Rev) bool {
				if rev >= last {
					t.Errorf("revision %d after %d", rev, last)
				}
				last = rev
				met = met || rev == want
				return !met
			})
			if !met {
				t.Errorf("cut at %d: revision %d was sifted out", cut, want)
			}
			if last != want {
				t.Errorf("cut at %d: %d came after %d, which was the last one to be asked for", cut, last, want)
			}
		}
	}
}

func BenchmarkSift(b *testing.B) {
	x := synthetic(1 << 20)
	b.SetBytes(int64(x.Len() * EntrySize))
	var f NodeFilter
	for i := range 100 {
		f.Add(x.Node(node.Rev(i)))
	}
	for b.Loop() {
		x.Sift(&f, func(node.Rev) bool { return true })
	}
}
