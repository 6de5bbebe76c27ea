// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// TestInflateWords compares what is said of damaged streams with Python.
func TestInflateWords(t *testing.T) {
	seen := map[string]int{}
	type answer struct {
		Stream string
		Words  string
		Size   int
	}
	hgtest.Oracle(t, "inflate.py", []string{"1", "30000"}, func(a answer) {
		out, words := inflate(raw(a.Stream), maxText)
		if words != a.Words || len(out) != a.Size {
			t.Errorf("%q: %d bytes, %q; Python has %d, %q", a.Stream, len(out), words, a.Size, a.Words)
		}
		seen[a.Words]++
	})
	t.Log(seen)
	if len(seen) < 14 {
		t.Errorf("only %d kinds of damage", len(seen))
	}
}

// TestZstdWords compares what is made of damaged zstd frames, or said of them,
// with the compressor of each hg.
func TestZstdWords(t *testing.T) {
	words := map[string]string{"6.3.2": "Corrupted block detected", "7.2.4": "Data corruption detected"}
	compared := 0
	for _, version := range hgtest.HgVersions(t) {
		if words[version.Number] == "" {
			continue
		}
		compared++
		t.Run(version.Number, func(t *testing.T) {
			l := &log{name: "data/a", zstdWords: words[version.Number]}
			told, left := 0, 0
			cmd := hgtest.Python(t, version.Path, filepath.Join("testdata", "zstd.py"), "1", "12000")
			for line := range bytes.Lines(hgtest.Output(t, cmd)) {
				var a struct{ Frame, Words, Text string }
				if err := json.Unmarshal(line, &a); err != nil {
					t.Fatal(err)
				}
				out, err := l.unzstd(raw(a.Frame))
				var f *failure
				switch {
				case errors.As(err, &f):
					if f.text != a.Words {
						t.Errorf("%x: %q; hg has %q", raw(a.Frame), f.text, a.Words)
					}
					told++
				case err != nil:
					left++
				case a.Words != "" || string(out) != string(raw(a.Text)):
					t.Errorf("%x: %d bytes; hg has %q", raw(a.Frame), len(out), a.Words)
				}
			}
			t.Log("told", told, "left to hg", left)
			if told < 1000 {
				t.Error("nearly all is left to hg")
			}
		})
	}
	if compared == 0 {
		t.Skip("no hg whose words are known")
	}
}

// TestDeltaWords compares what becomes of deltas with hg's C code.
func TestDeltaWords(t *testing.T) {
	seen := map[string]int{}
	type answer struct {
		Text   string
		Deltas []string
		Words  string
		Result string
	}
	hgtest.Oracle(t, "deltas.py", []string{"1", "60000"}, func(a answer) {
		deltas := make([][]byte, len(a.Deltas))
		for i, d := range a.Deltas {
			deltas[i] = raw(d)
		}
		out, err := applyDeltas(raw(a.Text), deltas)
		words := ""
		if f := (*failure)(nil); errors.As(err, &f) {
			words = f.text
		}
		if words != a.Words || string(out) != string(raw(a.Result)) {
			t.Errorf("%q %q: %q, %q; hg has %q, %q", a.Text, a.Deltas, out, words, a.Result, a.Words)
		}
		seen[a.Words]++
	})
	t.Log(seen)
	if len(seen) != 3 {
		t.Errorf("only %d kinds", len(seen))
	}
}

func FuzzInflate(f *testing.F) {
	f.Add([]byte("x\x9cKLJN\x04\x00\x05\xcd\x01\xef"))
	f.Add([]byte("x\x9c\x05"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		if out, words := inflate(stream, 1<<16); len(out) > 1<<16 || out != nil && words != "" {
			t.Error(len(out), words)
		}
	})
}

func FuzzApplyDeltas(f *testing.F) {
	f.Add([]byte("0123456789"), []byte("\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x01x"), []byte("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01y"))
	f.Fuzz(func(t *testing.T, text, a, b []byte) {
		for _, deltas := range [][][]byte{{a}, {a, b}, {b, a, a}} {
			if out, err := applyDeltas(text, deltas); err == nil && len(out) > len(text)+len(a)*2+len(b) {
				t.Error(len(out))
			}
		}
	})
}

func FuzzManifestLines(f *testing.F) {
	f.Add([]byte("a\x000123456789012345678901234567890123456789\nb\x000123456789012345678901234567890123456789x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, err := manifestLines(text)
		if err != nil {
			return
		}
		total := 0
		for _, line := range lines {
			total += len(line)
			if _, _, _, err := parseEntry(line); err != nil {
				continue
			}
		}
		if total != len(text) {
			t.Error(total, len(text))
		}
	})
}

func raw(text string) []byte { return []byte(hgtest.FromLatin1(text)) }
