// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// inPieces writes text in pieces of random lengths.
func inPieces(r *rand.Rand, text []byte) *TextWriter {
	w := &TextWriter{}
	for rest := text; len(rest) > 0; {
		n := 1 + r.IntN(len(rest))
		if r.IntN(2) == 0 {
			n = min(n, 1+r.IntN(5))
		}
		piece := bytes.Clone(rest[:n])
		w.Append(piece)
		clear(piece) // it is the caller's again
		rest = rest[n:]
	}
	return w
}

func TestTextWriter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	alphabet := []string{"a", "plain words ", "\n", "\"", "\\", "\x00", "\x7f", "é", "\u2028", "😀", "changeset:   "}
	for i := range 3000 {
		var b strings.Builder
		most := 40
		if i%100 == 0 {
			most = 60000 // several slabs
		}
		for range r.IntN(most) {
			b.WriteString(alphabet[r.IntN(len(alphabet))])
		}
		text := b.String()
		if i%3 == 0 { // somewhere, often at the end, it is no UTF-8
			at := len(text)
			if r.IntN(2) == 0 {
				at = r.IntN(len(text) + 1)
			}
			text = text[:at] + "\xf0\x9f\x98"[:1+r.IntN(3)] + text[at:]
		}
		w := inPieces(r, []byte(text))
		if got := w.Bytes(); string(got) != text || w.Len() != len(text) {
			t.Fatalf("%d: %q was written, %q came out", i, text, got)
		}
		want := (&RunResult{ExitCode: 3, Stdout: Text(text), Served: "warm", Generation: "g"}).AppendJSON(nil)
		got := bytes.Join((&RunResult{ExitCode: 3, Served: "warm", Generation: "g"}).Parts(w, &TextWriter{}), nil)
		if !bytes.Equal(got, want) {
			t.Fatalf("%d: %q becomes\n%s, want\n%s", i, text, got, want)
		}
	}
}

// FuzzEscapes holds escaping and its reverse against encoding/json.
func FuzzEscapes(f *testing.F) {
	f.Add("plain \"quotes\" \\ \n\r\t\x00\x7f é 😀", "")
	f.Add(strings.Repeat("x", 100)+"\n", `"\u00e9\ud83d\ude00\/\b\f"`)
	f.Fuzz(func(t *testing.T, text, lit string) {
		if utf8.ValidString(text) {
			b := AppendText(nil, text)
			var std string
			if err := json.Unmarshal(b, &std); err != nil || std != text {
				t.Fatalf("%q becomes %s, which reads as %q, %v", text, b, std, err)
			}
			var back Text
			if err := back.UnmarshalJSON(b); err != nil || string(back) != text {
				t.Fatalf("%s reads as %q, %v", b, back, err)
			}
		}
		if !utf8.ValidString(lit) || !json.Valid([]byte(lit)) || !strings.HasPrefix(strings.TrimSpace(lit), `"`) {
			return
		}
		var std string
		if err := json.Unmarshal([]byte(lit), &std); err != nil {
			t.Fatal(err)
		}
		var ours Text
		err := ours.UnmarshalJSON([]byte(lit))
		if err == nil && string(ours) != std || err != nil && !strings.Contains(std, "\ufffd") {
			t.Fatalf("%s reads as %q, %v; encoding/json reads %q", lit, ours, err, std)
		}
	})
}

// FuzzValidJSON: what is condensed is valid if and only if the whole is, and the
// members found are those that encoding/json finds.
func FuzzValidJSON(f *testing.F) {
	for _, s := range []string{`{"a":"b\n\u00e9\\\"","c":[1,{"d":null}]}`, `"\u12"`, `"\u`, `"a`, `"\`, "\"\x01\"", `{"a" "b"}`, `"\u12zz34"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want := json.Valid(b)
		if got := json.Valid(condensed(b)); got != want {
			t.Fatalf("%q is valid: %v; condensed to %q: %v", b, want, condensed(b), got)
		}
		var std map[string]json.RawMessage
		if !want || !utf8.Valid(b) || json.Unmarshal(b, &std) != nil {
			return
		}
		for name, value := range members(b) {
			if !json.Valid(value) {
				t.Fatalf("%q: member %q is %q", b, name, value)
			}
		}
	})
}
