// SPDX-License-Identifier: GPL-2.0-or-later

package grep_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hgbroker/worker/hg/grep"
	"hgbroker/worker/hg/hgtest"
)

// script answers lines of two words, whose letters stand for lines, with the
// changes that Mercurial finds.
const script = `
import sys
from mercurial import grep
for line in sys.stdin:
    a, b = [[grep.linestate(bytes([ord(c)]), i, 0, 1) for i, c in enumerate(w)] for w in line.rstrip('\n').split(' ')]
    print(' '.join('%s%d' % (sign.decode(), l.linenum) for sign, l in grep.difflinestates(a, b)))
`

// TestChangesAgainstMercurial compares on random lists, long ones too, in which
// some lines are too popular to begin a run.
func TestChangesAgainstMercurial(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	word := func(n, letters int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('a' + rng.IntN(letters))
		}
		return string(b)
	}
	lines := func(word string) []grep.Line {
		list := make([]grep.Line, len(word))
		for i := range list {
			list[i] = grep.Line{Text: word[i : i+1], Number: i}
		}
		return list
	}
	var in bytes.Buffer
	var words [][2]string
	for i := range 400 {
		a, b := word(1+rng.IntN(12), 4), word(1+rng.IntN(12), 4)
		if i%10 == 0 {
			a, b = word(150+rng.IntN(150), 26), word(150+rng.IntN(150), 26)
		}
		words = append(words, [2]string{a, b})
		fmt.Fprintf(&in, "%s %s\n", a, b)
	}
	cmd := hgtest.Python(t, hgtest.Hg(t), "-c", script)
	cmd.Stdin = &in
	answers := strings.Split(strings.TrimSuffix(string(hgtest.Output(t, cmd)), "\n"), "\n")
	if len(answers) != len(words) {
		t.Fatalf("%d answers to %d questions", len(answers), len(words))
	}
	for i, w := range words {
		var got []string
		for _, ch := range grep.Changes(lines(w[0]), lines(w[1])) {
			got = append(got, fmt.Sprintf("%c%d", ch.Sign, ch.Line.Number))
		}
		if strings.Join(got, " ") != answers[i] {
			t.Errorf("%s %s: %v, hg has %s", w[0], w[1], got, answers[i])
		}
	}
}
