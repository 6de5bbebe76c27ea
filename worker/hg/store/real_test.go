// SPDX-License-Identifier: GPL-2.0-or-later

package store_test

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/store"
)

// encodeScript reads hex names, one a line, and prints each in the four
// encodings, as hex too.
const encodeScript = `
import sys
from mercurial import store
forms = [store.encodedir, store.encodefilename, store._plainhybridencode, store._pathencode]
for line in sys.stdin:
    name = bytes.fromhex(line)
    print(' '.join(f(name).hex() for f in forms))
`

// names makes paths as a store sees them, with all that the encodings treat
// specially: capitals, reserved bytes and names, dots and blanks at the ends,
// directories that look like revlogs, and lengths around the limits.
func names(n int) []string {
	rnd := rand.New(rand.NewPCG(3, 4))
	parts := []string{
		"a", "A", "_", "foo", "FOO", "Bar_Baz", ".hg", ".i", ".d", "x.i", "x.d", "x.hg", "x.hg.hg", "aux", "AUX", "con", "prn", "nul",
		"com1", "com0", "com9", "lpt5.txt", "aux.c", "auxx", ".", "..", "...", " ", ".hidden", " lead", "trail ", "trail.", ".. x", "~", "~7e",
		"caf\u00e9", "\xff\xfe", "\x01", "q?", "a:b", "back\\slash", "~1", "directory", "UPPERCASELONGDIR", "abcdefg.hij", "abcdefg hij", "-", "con.con", "data",
	}
	list := make([]string, 0, n)
	for len(list) < n {
		var b strings.Builder
		b.WriteString("data/")
		if rnd.IntN(50) == 0 {
			b.Reset()
			b.WriteString("meta/")
		}
		depth := 1 + rnd.IntN(4)
		if rnd.IntN(4) == 0 {
			depth = 1 + rnd.IntN(30)
		}
		for i := range depth {
			if i > 0 {
				b.WriteByte('/')
			}
			switch rnd.IntN(6) {
			case 0: // any bytes
				for range 1 + rnd.IntN(12) {
					c := byte(rnd.IntN(256))
					if c == '/' || c == 0 || c == '\n' {
						c = 'z'
					}
					b.WriteByte(c)
				}
			case 1: // long
				b.WriteString(strings.Repeat(parts[rnd.IntN(len(parts))], 1+rnd.IntN(40)))
			case 2: // two of them
				b.WriteString(parts[rnd.IntN(len(parts))] + parts[rnd.IntN(len(parts))])
			default:
				b.WriteString(parts[rnd.IntN(len(parts))])
			}
		}
		b.WriteString([]string{".i", ".d", ".i", ".n", ""}[rnd.IntN(5)])
		list = append(list, b.String())
	}
	// Every length around the limit, to hit its edge exactly.
	for l := 90; l < 130; l++ {
		for _, c := range []string{"x", "X", "x/", ".x/", "con/", "?"} {
			s := "data/" + strings.Repeat(c, l)
			list = append(list, strings.TrimSuffix(s[:l], "/")+".i")
		}
	}
	return list
}

func TestEncodingLikeMercurial(t *testing.T) {
	list := names(40000)
	var in bytes.Buffer
	for _, name := range list {
		in.WriteString(hex.EncodeToString([]byte(name)) + "\n")
	}
	for _, v := range hgtest.HgVersions(t) {
		cmd := hgtest.Python(t, v.Path, "-c", encodeScript)
		cmd.Stdin = bytes.NewReader(in.Bytes())
		out := hgtest.Output(t, cmd)
		lines := strings.Fields(string(out))
		if len(lines) != 4*len(list) {
			t.Fatalf("%d answers for %d names", len(lines), len(list))
		}
		hashed := 0
		for i, name := range list {
			for e, enc := range []store.Encoding{store.Plain, store.Encoded, store.FnCache, store.DotEncode} {
				want, err := hex.DecodeString(lines[4*i+e])
				if err != nil {
					t.Fatal(err)
				}
				if got := enc.Name(name); got != string(want) {
					t.Errorf("hg %s: encoding %d of %q: got %q, want %q", v.Number, enc, name, got, want)
				}
				if bytes.HasPrefix(want, []byte("dh/")) {
					hashed++
				}
			}
			if got := store.DecodeDir(store.EncodeDir(name)); got != name {
				t.Errorf("decode of %q: %q", name, got)
			}
		}
		t.Logf("hg %s: %d names, %d hashed", v.Number, len(list), hashed)
		if hashed < len(list)/4 {
			t.Errorf("only %d names of %d were hashed", hashed, len(list))
		}
	}
}
