// SPDX-License-Identifier: GPL-2.0-or-later

package pyre_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/match/pyre"
)

// searchScript answers lines of hexadecimal "pattern text": where re.search
// finds the pattern, line by line of the text from the start of each.
const searchScript = `
import re, sys
for line in sys.stdin:
    pattern, text = [bytes.fromhex(p) for p in line.rstrip('\n').split(' ')]
    for flags in (re.M, re.M | re.I):
        out, at, r = [], 0, re.compile(pattern, flags)
        while at < len(text):
            m = r.search(text, at)
            if not m:
                break
            out.append('%d-%d' % m.span())
            at = text.find(b'\n', m.end()) + 1 or len(text)
        print(' '.join(out))
`

// TestSearchAgainstPython compares where random patterns are found in random
// texts. Patterns that are Unsupported are passed over, but must be the fewer.
func TestSearchAgainstPython(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	var patterns, texts []string
	var in bytes.Buffer
	for range 1500 {
		var p, s strings.Builder
		for range 1 + rng.IntN(4) {
			atom := pick([]string{"a", "b", "ab", ".", "[ab]", "[^a]", `\w`, `\d`, `\s`, `\b`, "^", "$", "(a|ab)", "(?:b|)", "\xe9", "[^\xe9]", `\x41`, "(?i:B)", "x"})
			p.WriteString(atom)
			if !strings.ContainsAny(atom, `^$`) && atom != `\b` {
				p.WriteString(pick([]string{"", "", "", "*", "+", "?", "*?", "+?", "??", "{1,2}", "{2}", "{0,2}?"}))
			}
			if rng.IntN(8) == 0 {
				p.WriteString("|")
			}
		}
		for range rng.IntN(14) {
			s.WriteString(pick([]string{"a", "b", "ab", "A", "B", "x", "\n", " ", "1", "\xe9", "\xc3\xa9", "\n\n", "\r"}))
		}
		if _, err := pyre.CompileSearch(p.String(), false); err != nil {
			continue
		}
		patterns, texts = append(patterns, p.String()), append(texts, s.String())
		fmt.Fprintf(&in, "%s %s\n", hex.EncodeToString([]byte(p.String())), hex.EncodeToString([]byte(s.String())))
	}
	if len(patterns) < 800 {
		t.Fatalf("only %d patterns are supported", len(patterns))
	}
	cmd := hgtest.Python(t, hgtest.Hg(t), "-c", searchScript)
	cmd.Stdin = &in
	lines := strings.Split(strings.TrimSuffix(string(hgtest.Output(t, cmd)), "\n"), "\n")
	if len(lines) != 2*len(patterns) {
		t.Fatalf("%d answers to %d questions", len(lines), len(patterns))
	}
	for i, want := range lines {
		pattern, text := patterns[i/2], []byte(texts[i/2])
		re, err := pyre.CompileSearch(pattern, i%2 == 1)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		ready := re.Prepare(text)
		for at := 0; at < len(text); {
			start, end, ok := re.Find(ready, at)
			if !ok {
				break
			}
			if end-start < re.MinLength() {
				t.Errorf("%q: a match shorter than %d", pattern, re.MinLength())
			}
			got = append(got, fmt.Sprintf("%d-%d", start, end))
			next := bytes.IndexByte(text[end:], '\n')
			if at = end + next + 1; next < 0 {
				break
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q in %q: %v, Python has %q", pattern, text, got, want)
		}
	}
}

// FuzzSearch: any pattern and text are answered, and matches lie in the text.
func FuzzSearch(f *testing.F) {
	f.Add("a|b+?", []byte("xaby\xe9"), true)
	f.Add("^.*$", []byte("one\ntwo"), false)
	f.Add("[^\xe9]{2}", []byte("\xe9\xe9aa"), false)
	f.Fuzz(func(t *testing.T, pattern string, text []byte, fold bool) {
		re, err := pyre.CompileSearch(pattern, fold)
		if err != nil {
			return
		}
		if start, end, ok := re.Find(re.Prepare(text), 0); ok && (start < 0 || end < start || end > len(text)) {
			t.Errorf("%q in %q: %d-%d", pattern, text, start, end)
		}
		last := 0
		for _, s := range re.FindAll(text) {
			if s[0] < last || s[1] < s[0] || s[1] > len(text) {
				t.Errorf("%q in %q: %v", pattern, text, s)
			}
			last = s[1]
		}
	})
}
