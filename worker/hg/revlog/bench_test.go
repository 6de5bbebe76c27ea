// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/klauspost/compress/zstd"

	"hgbroker/worker/hg/node"
)

// largeChangelog writes a split revlog of n short texts, zstd as hg has them.
func largeChangelog(b *testing.B, n int) *Revlog {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		b.Fatal(err)
	}
	var index, data []byte
	var prev node.ID
	for i := range n {
		text := fmt.Appendf(nil, "%040x\nSome Developer <developer%d@example.com>\n%d 0\nsome/directory/file%d.c\nother/file.h\n\nmodule: change number %d, for a reason that takes a line\n",
			i*7919, i%50, 1136214245+i, i%1000, i)
		chunk := enc.EncodeAll(text, nil)
		if len(chunk) >= len(text) {
			chunk = append([]byte("u"), text...)
		}
		id := HashText(prev, node.Null, text)
		index = append(index, entry(int32(i), uint64(len(data)), int32(len(chunk)), int32(len(text)), int32(i)-1, -1, id)...)
		data = append(data, chunk...)
		prev = id
	}
	binary.BigEndian.PutUint32(index, version1)
	r, err := Open(put(b, index, data))
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// largeManifest writes a split revlog of n texts of about size bytes, each a
// delta of the one before.
func largeManifest(b *testing.B, n, size int) *Revlog {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		b.Fatal(err)
	}
	var text []byte
	for i := 0; len(text) < size; i++ {
		text = fmt.Appendf(text, "directory%04d/file%06d.c\x00%040x\n", i/20, i, i*7919*104729)
	}
	line := bytes.IndexByte(text, '\n') + 1
	var index, data []byte
	var prev node.ID
	for i := range n {
		chunk := text
		base := int32(i)
		if i > 0 {
			at := (i * 104729 % (len(text) / line)) * line
			next := bytes.Clone(text)
			copy(next[at+line-41:], fmt.Appendf(nil, "%040x", i*15485863))
			chunk = appendHunk(nil, at, at+line, next[at:at+line])
			text = next
			base--
		}
		chunk = enc.EncodeAll(chunk, nil)
		id := HashText(prev, node.Null, text)
		e := entry(int32(i), uint64(len(data)), int32(len(chunk)), int32(len(text)), int32(i)-1, -1, id)
		binary.BigEndian.PutUint32(e[16:], uint32(base))
		index = append(index, e...)
		data = append(data, chunk...)
		prev = id
	}
	binary.BigEndian.PutUint32(index, version1|FlagGeneralDelta)
	r, err := Open(put(b, index, data))
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// BenchmarkScan reads 100000 changesets, in order with Scan and with Text.
func BenchmarkScan(b *testing.B) {
	r := largeChangelog(b, 100000)
	defer r.Close()
	b.Run("Scan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var total int
			if err := r.Scan(0, node.Rev(r.Len()), func(_ node.Rev, text []byte) error { total += len(text); return nil }); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(total))
		}
	})
	b.Run("Text", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for rev := range node.Rev(r.Len()) {
				if _, err := r.Text(rev); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkText reads manifests of 4 MB: the end of a chain of 500 deltas, and
// the next one after another.
func BenchmarkText(b *testing.B) {
	r := largeManifest(b, 500, 4<<20)
	defer r.Close()
	b.Run("chain of 500", func(b *testing.B) {
		for b.Loop() {
			r.Close()
			if _, err := r.Text(499); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("next", func(b *testing.B) {
		rev := node.Rev(0)
		for b.Loop() {
			if _, err := r.Text(rev); err != nil {
				b.Fatal(err)
			}
			rev = (rev + 1) % 500
		}
	})
}
