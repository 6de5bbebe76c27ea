// SPDX-License-Identifier: GPL-2.0-or-later

package deflate

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// pack lets Python's zlib pack files, at once and in pieces of odd sizes.
const pack = `
import sys, zlib
for name in sys.argv[1:]:
    data = open(name, "rb").read()
    for level in 6, 9:
        c = zlib.compressobj(level, zlib.DEFLATED, -15)
        open("%s.%d" % (name, level), "wb").write(c.compress(data) + c.flush())
        c = zlib.compressobj(level, zlib.DEFLATED, -15)
        out, size, pos = b"", 1, 0
        while pos < len(data):
            out += c.compress(data[pos:pos + size])
            pos, size = pos + size, size * 7 % 20011
        open("%s.%dp" % (name, level), "wb").write(out + c.flush())
`

// TestLikeZlib compares streams with Python's.
func TestLikeZlib(t *testing.T) {
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(3, 4))
	samples := [][]byte{nil, []byte("a"), bytes.Repeat([]byte("abc"), 100000), bytes.Repeat([]byte{0}, 300000)}
	for range 12 {
		data := make([]byte, rnd.IntN(400000))
		letters := 1 + rnd.IntN(255)
		for i := range data {
			switch back := 1 + rnd.IntN(40000); {
			case rnd.IntN(5) > 0 && back <= i:
				data[i] = data[i-back+rnd.IntN(min(3, back))]
			default:
				data[i] = byte(rnd.IntN(letters))
			}
		}
		samples = append(samples, data)
	}
	var text bytes.Buffer
	for i := range 30000 {
		fmt.Fprintf(&text, "line %d of a text, %x\n", i, rnd.IntN(1<<12))
	}
	samples = append(samples, text.Bytes())
	args := []string{"-c", pack}
	for i, data := range samples {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	hgtest.Output(t, hgtest.Python(t, hgtest.Hg(t), args...))
	for i, data := range samples {
		for suffix, level := range map[string]Level{"6": Level6, "9": Level9, "6p": Level6, "9p": Level9} {
			want, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.%s", i, suffix)))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(Append(nil, data, level), want) {
				t.Errorf("sample %d, level %s: another stream", i, suffix)
			}
		}
	}
}

// FuzzZlib checks that what is packed can be unpacked by another reader.
func FuzzZlib(f *testing.F) {
	f.Add([]byte(""), uint16(1))
	f.Add([]byte("abcabcabc"), uint16(9000))
	f.Add([]byte("\x00\x01\x02\xff"), uint16(3))
	f.Fuzz(func(t *testing.T, data []byte, times uint16) {
		data = bytes.Repeat(data, min(int(times)+1, 300000/(len(data)+1)+1))
		r, err := zlib.NewReader(bytes.NewReader(Zlib(data)))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := io.ReadAll(r); err != nil || !bytes.Equal(back, data) {
			t.Fatalf("%d bytes come back as %d: %v", len(data), len(back), err)
		}
	})
}

func BenchmarkZlib(b *testing.B) {
	data := bytes.Repeat([]byte("some text that repeats, but not all of it: 1234567890\x00\x01"), 4000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Zlib(data)
	}
}
