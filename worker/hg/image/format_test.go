// SPDX-License-Identifier: GPL-2.0-or-later

package image

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// example is the worked example of the package comment, with its checksums as
// another implementation of CRC-32C computes them.
const example = `
	48 47 42 49 4d 41 47 45  01 00 00 00 04 03 02 01
	83 00 00 00 00 00 00 00  01 00 00 00 01 00 00 00
	00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00
	00 00 00 00 00 00 00 00  72 0e a8 ac af 73 7c ae
	07 00 00 00 b7 3f 4b 36  80 00 00 00 00 00 00 00
	03 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00
	00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00
	00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00
	61 62 63`

func exampleBytes(t *testing.T) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.Join(strings.Fields(example), ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWorkedExample(t *testing.T) {
	b := NewBuilder(Store)
	b.Add(7, []byte("a"), nil, []byte("bc"))
	want := exampleBytes(t)
	if got := b.Bytes(); !bytes.Equal(got, want) {
		t.Fatalf("built\n%s\nwant\n%s", hex.Dump(got), hex.Dump(want))
	}
	if b.Size() != int64(len(want)) {
		t.Errorf("Size is %d, the image has %d bytes", b.Size(), len(want))
	}
	m, err := Open(want, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
	if data, ok := m.Section(7); !ok || string(data) != "abc" || cap(data) != 3 {
		t.Errorf("section 7 is %q (room for %d), %v", data, cap(data), ok)
	}
	if _, ok := m.Section(6); ok {
		t.Error("there is a section 6")
	}
	info, err := ReadInfo(bytes.NewReader(want), int64(len(want)))
	if err != nil {
		t.Fatal(err)
	}
	if info.Kind != Store || info.Size != 131 || !slices.Equal(info.Sections, m.Info().Sections) || len(info.Sections) != 1 {
		t.Errorf("ReadInfo says %+v, Open %+v", info, m.Info())
	}
}

func TestSizes(t *testing.T) {
	if HeaderSize != 64 || SectionSize != 32 || Alignment != 64 || Version != 1 {
		t.Error("the format has other sizes than its text says; give it a new version")
	}
}

// several is an image with empty, short and long sections, given out of order.
func several() *Builder {
	b := NewBuilder(Store)
	b.Add(9, bytes.Repeat([]byte("x"), 1000))
	b.Add(2)
	b.Add(4, []byte("four"), []byte(" and more"))
	b.Add(1, make([]byte, 64))
	b.Add(0xffffffff, []byte{0})
	return b
}

func TestBuilderIsAFunctionOfItsSections(t *testing.T) {
	first := several().Bytes()
	for range 5 {
		if !bytes.Equal(several().Bytes(), first) {
			t.Fatal("two builds of the same sections differ")
		}
	}
	m, err := Open(first, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := NewBuilder(m.Info().Kind)
	for _, id := range []ID{4, 0xffffffff, 1, 9, 2} {
		if !other.AddFrom(m, id) {
			t.Fatalf("section %d is missing", id)
		}
	}
	if other.AddFrom(m, 3) {
		t.Error("took over a section that is not there")
	}
	if !bytes.Equal(other.Bytes(), first) {
		t.Error("an image made of another one's sections differs from it")
	}
}

func TestBuilderRefusesASectionTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a section was added twice")
		}
	}()
	several().Add(4, []byte("again"))
}

// failingWriter takes so many bytes and then fails.
type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		n := w.left
		w.left = 0
		return n, io.ErrShortWrite
	}
	w.left -= len(p)
	return len(p), nil
}

func TestWriteToReportsFailure(t *testing.T) {
	b := several()
	for at := range int(b.Size()) {
		n, err := b.WriteTo(&failingWriter{at})
		if !errors.Is(err, io.ErrShortWrite) || n != int64(at) {
			t.Fatalf("a writer that fails after %d bytes: wrote %d, %v", at, n, err)
		}
	}
	if n, err := b.WriteTo(&failingWriter{int(b.Size())}); err != nil || n != b.Size() {
		t.Errorf("wrote %d of %d: %v", n, b.Size(), err)
	}
}

func TestCloseReleasesOnce(t *testing.T) {
	released := 0
	m, err := Open(several().Bytes(), func() error { released++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if released != 1 {
		t.Errorf("released %d times", released)
	}
	if _, ok := m.Section(4); ok {
		t.Error("a closed image has sections")
	}
}

func TestPrivateSource(t *testing.T) {
	var s Source = Private{}
	key := Key{Store, "/somewhere"}
	if s.Lease(key) != nil {
		t.Error("Private knows an image")
	}
	m, err := s.Keep(key, several())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
	if s.Lease(key) != nil {
		t.Error("Private remembers an image")
	}
}

func TestKindNames(t *testing.T) {
	for _, want := range []Kind{Store, Growth, Texts, Checkout, Manifest} {
		if k, ok := ParseKind(want.String()); !ok || k != want {
			t.Errorf("ParseKind(%q) is %v, %v", want, k, ok)
		}
	}
	for _, s := range []string{"", "Store", Kind(6).String()} {
		if _, ok := ParseKind(s); ok {
			t.Errorf("%q is a kind", s)
		}
	}
}

func roundTrip[T Column](t *testing.T, numbers []T) {
	t.Helper()
	b := Bytes(numbers)
	if got := Numbers[T](b); !slices.Equal(got, numbers) {
		t.Errorf("%T: %v became %v", numbers, numbers, got)
	}
	// The same bytes at an address that is not aligned are copied.
	shifted := append([]byte{0}, b...)[1:]
	if got := Numbers[T](shifted); !slices.Equal(got, numbers) {
		t.Errorf("%T, unaligned: %v became %v", numbers, numbers, got)
	}
	if len(b) > 0 {
		if got := Numbers[T](b[:len(b)-1]); !slices.Equal(got, numbers[:len(numbers)-1]) {
			t.Errorf("%T: a number that is cut off became %v", numbers, got)
		}
	}
}

func TestColumns(t *testing.T) {
	roundTrip(t, []int32{0, 1, -1, 1 << 30, -1 << 31})
	roundTrip(t, []uint32{0, 1, 0xffffffff})
	roundTrip(t, []int64{0, -1, 1 << 62, -1 << 63})
	roundTrip(t, []uint64{0, 1<<64 - 1})
	roundTrip(t, []int32{})
	if got := Bytes([]uint32{0x01020304}); !bytes.Equal(got, []byte{4, 3, 2, 1}) {
		t.Errorf("a column is not little-endian: % x", got)
	}
	if got := Bytes([]int64{-2}); !bytes.Equal(got, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) {
		t.Errorf("a column is not little-endian: % x", got)
	}
}
