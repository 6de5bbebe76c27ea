// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

func appendHunk(d []byte, start, end int, data []byte) []byte {
	for _, n := range []int{start, end, len(data)} {
		d = binary.BigEndian.AppendUint32(d, uint32(n))
	}
	return append(d, data...)
}

// randomDelta makes a delta of text with a few hunks, and what it leads to.
func randomDelta(rnd *rand.Rand, text []byte) (delta, next []byte) {
	pos := 0
	for range rnd.IntN(5) {
		start := pos + rnd.IntN(len(text)-pos+1)
		end := start + rnd.IntN(min(30, len(text)-start)+1)
		data := bytes.Repeat([]byte{byte('a' + rnd.IntN(26))}, rnd.IntN(30))
		delta = appendHunk(delta, start, end, data)
		next = append(append(next, text[pos:start]...), data...)
		pos = end
	}
	return delta, append(next, text[pos:]...)
}

func TestPatch(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	var p patcher
	for range 300 {
		text := bytes.Repeat([]byte("0123456789"), rnd.IntN(60))
		base := bytes.Clone(text)
		var deltas [][]byte
		for range 1 + rnd.IntN(60) {
			var d []byte
			d, text = randomDelta(rnd, text)
			deltas = append(deltas, d)
			got, err := p.patch(base, slices.Clone(deltas))
			if err != nil || !bytes.Equal(got, text) {
				t.Fatalf("%d deltas: got %q, want %q (%v)", len(deltas), got, text, err)
			}
		}
	}
}

func TestPatchRefuses(t *testing.T) {
	base := []byte("0123456789")
	good := appendHunk(nil, 0, 1, []byte("x"))
	for name, d := range map[string][]byte{
		"short":      good[:11],
		"no data":    good[:12],
		"past end":   appendHunk(nil, 5, 11, nil),
		"reversed":   appendHunk(nil, 5, 4, nil),
		"overlap":    appendHunk(appendHunk(nil, 2, 5, nil), 4, 6, nil),
		"negative":   appendHunk(nil, -1, 4, nil),
		"huge start": appendHunk(nil, 1<<31-1, 1<<31-1, nil),
	} {
		for _, deltas := range [][][]byte{{d}, {good, d}, {d, good}} {
			var p patcher
			if got, err := p.patch(base, slices.Clone(deltas)); err == nil {
				t.Errorf("%s: got %q", name, got)
			}
		}
	}
	for _, deltas := range [][][]byte{{appendHunk(nil, 0, 0, make([]byte, 100))}, {good, appendHunk(nil, 0, 0, make([]byte, 100))}} {
		p := patcher{limit: 50}
		if _, err := p.patch(base, slices.Clone(deltas)); !errors.Is(err, errTooLarge) {
			t.Error(err)
		}
	}
}

// FuzzPatch compares the fragment list with applying one delta after the other.
func FuzzPatch(f *testing.F) {
	f.Add([]byte("0123456789"), appendHunk(nil, 2, 4, []byte("ab")), appendHunk(appendHunk(nil, 0, 1, nil), 9, 9, []byte("z")))
	f.Add([]byte(""), appendHunk(nil, 0, 0, []byte("ab")), []byte{})
	f.Add([]byte("x"), []byte("short"), []byte{})
	f.Fuzz(func(t *testing.T, base, d1, d2 []byte) {
		want, err := patchOne(nil, base, d1, 1<<20)
		if err == nil {
			want, err = patchOne(nil, want, d2, 1<<20)
		}
		p := patcher{limit: 1 << 20}
		got, gotErr := p.patch(base, [][]byte{d1, d2})
		if (err == nil) != (gotErr == nil) || !bytes.Equal(got, want) {
			t.Fatalf("got %q %v, want %q %v", got, gotErr, want, err)
		}
	})
}

func compressed(t testing.TB, data []byte) (z, zs, streamed []byte) {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	var s bytes.Buffer
	e2, err := zstd.NewWriter(&s)
	if err != nil {
		t.Fatal(err)
	}
	// A stream that is flushed does not know its size beforehand.
	e2.Write(data[:len(data)/2])
	e2.Flush()
	e2.Write(data[len(data)/2:])
	e2.Close()
	return b.Bytes(), e.EncodeAll(data, nil), s.Bytes()
}

func TestDecompress(t *testing.T) {
	var d decompressor
	for _, text := range []string{"a", "hello hello hello hello", strings.Repeat("0123456789\n", 100000)} {
		z, zs, streamed := compressed(t, []byte(text))
		for name, chunk := range map[string][]byte{"zlib": z, "zstd": zs, "zstd stream": streamed, "copy": []byte("u" + text)} {
			for _, guess := range []int64{-1, 0, 1, int64(len(text)), 1 << 40} {
				for _, dst := range [][]byte{nil, make([]byte, 0, 10), make([]byte, 0, 2000000)} {
					got, err := d.decompress(dst, chunk, guess, MaxTextSize)
					if err != nil || string(got) != text {
						t.Errorf("%s of %d bytes, guess %d: %d bytes, %v", name, len(text), guess, len(got), err)
					}
				}
			}
			if len(text) > 1 {
				if got, err := d.decompress(nil, chunk, 10, int64(len(text))-1); err == nil {
					t.Errorf("%s: %d bytes beyond the limit", name, len(got))
				}
				if got, err := d.decompress(nil, chunk[:len(chunk)-1], 10, MaxTextSize); err == nil && name != "copy" {
					t.Errorf("%s truncated: %d bytes", name, len(got))
				}
			}
		}
	}
	if got, err := d.decompress(nil, []byte("\x00raw"), 0, MaxTextSize); err != nil || string(got) != "\x00raw" {
		t.Errorf("%q %v", got, err)
	}
	if got, err := d.decompress(nil, nil, 0, MaxTextSize); err != nil || len(got) != 0 {
		t.Errorf("%q %v", got, err)
	}
	if got, err := d.decompress(nil, []byte("?"), 0, MaxTextSize); err == nil {
		t.Errorf("%q", got)
	}
}

// TestDeclaredSizes has a frame that says it holds 512 MiB in a few bytes, as
// first and as second frame of a chunk: nothing may be allocated for it.
func TestDeclaredSizes(t *testing.T) {
	liar := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x20, 1, 0, 0}
	_, honest, _ := compressed(t, []byte("x"))
	var d decompressor
	if _, err := d.decompress(nil, honest, 0, MaxTextSize); err != nil {
		t.Fatal(err)
	}
	for _, chunk := range [][]byte{liar, append(bytes.Clone(honest), liar...)} {
		if bytes := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.decompress(nil, chunk, 0, MaxTextSize); err == nil {
					t.Fatal("no error")
				}
			}
		}).AllocedBytesPerOp(); bytes > 1<<20 {
			t.Errorf("%d bytes allocated", bytes)
		}
	}
}

func FuzzDecompress(f *testing.F) {
	z, zs, streamed := compressed(f, []byte("some text, some text, some text"))
	for _, chunk := range [][]byte{z, zs, streamed, []byte("utext"), []byte("\x00"), []byte("x"), []byte("(")} {
		f.Add(chunk)
	}
	var d decompressor
	f.Fuzz(func(t *testing.T, chunk []byte) {
		const limit = 1 << 20
		got, err := d.decompress(nil, chunk, 100, limit)
		if err == nil && len(got) > limit {
			t.Errorf("%d bytes", len(got))
		}
	})
}

// BenchmarkPatch makes a text of a megabyte from a chain of 200 deltas with
// three hunks each, the shape of a manifest, with the fragment list and by
// applying delta after delta.
func BenchmarkPatch(b *testing.B) {
	for name, size := range map[string]int{"manifest 1MB": 1 << 20, "file 8KB": 8 << 10} {
		base := bytes.Repeat([]byte("0123456789abcdef"), size/16)
		var deltas [][]byte
		for i := range 200 {
			var d []byte
			for j := range 3 {
				at := (i*7919+j*len(base)/3)%(len(base)/4) + j*len(base)/4
				d = appendHunk(d, at, at+60, bytes.Repeat([]byte("x"), 60))
			}
			deltas = append(deltas, d)
		}
		b.Run(name+"/fragments", func(b *testing.B) {
			var p patcher
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := p.patch(base, slices.Clone(deltas)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/one by one", func(b *testing.B) {
			b.SetBytes(int64(size))
			var bufs [2][]byte
			for b.Loop() {
				text := base
				for i, d := range deltas {
					next, err := patchOne(bufs[i&1][:0], text, d, MaxTextSize)
					if err != nil {
						b.Fatal(err)
					}
					text, bufs[i&1] = next, next
				}
			}
		})
	}
}
