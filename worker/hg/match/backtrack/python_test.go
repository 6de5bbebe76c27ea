// SPDX-License-Identifier: GPL-2.0-or-later

package backtrack_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/match/backtrack"
	"hgbroker/worker/hg/match/pyre"
)

// script answers, for lines of hexadecimal "pattern text text ...", what Python
// makes of each: "E" for an error, "W" for a warning, or for each text where the
// matches are that re.finditer meets, with their groups.
const script = `
import re, sys, warnings
warnings.simplefilter('error')
for line in sys.stdin:
    parts = [bytes.fromhex(p) for p in line.rstrip('\n').split(' ')]
    try:
        r = re.compile(parts[0])
    except re.error:
        print('E')
        continue
    except (FutureWarning, DeprecationWarning):
        print('W')
        continue
    except (OverflowError, RecursionError):
        print('O')
        continue
    out = []
    for p in parts[1:]:
        ms = []
        for m in r.finditer(p):
            ms.append(','.join('%d-%d' % m.span(g) for g in range(r.groups + 1)))
        out.append(';'.join(ms) + '/%d' % (r.match(p) is not None))
    print(' '.join(out))
`

type question struct {
	pattern string
	texts   []string
}

func askPython(t *testing.T, questions []question) []string {
	t.Helper()
	var in bytes.Buffer
	for _, q := range questions {
		in.WriteString(hex.EncodeToString([]byte(q.pattern)))
		for _, n := range q.texts {
			in.WriteString(" " + hex.EncodeToString([]byte(n)))
		}
		in.WriteByte('\n')
	}
	cmd := hgtest.Python(t, hgtest.Hg(t), "-c", script)
	cmd.Stdin = &in
	lines := strings.Split(strings.TrimSuffix(string(hgtest.Output(t, cmd)), "\n"), "\n")
	if len(lines) != len(questions) {
		t.Fatalf("python answered %d of %d questions", len(lines), len(questions))
	}
	return lines
}

func answer(p *backtrack.Pattern, texts []string) (string, error) {
	var out []string
	for _, text := range texts {
		var matches []string
		advance := false
		for at := 0; at <= len(text); {
			loc, err := p.Search(text, at, advance)
			if err != nil {
				return "", err
			}
			if loc == nil {
				break
			}
			var spans []string
			for g := 0; g < len(loc); g += 2 {
				spans = append(spans, fmt.Sprintf("%d-%d", loc[g], loc[g+1]))
			}
			matches = append(matches, strings.Join(spans, ","))
			at, advance = loc[1], loc[0] == loc[1]
		}
		ok, err := p.Match(text)
		if err != nil {
			return "", err
		}
		digit := "0"
		if ok {
			digit = "1"
		}
		out = append(out, strings.Join(matches, ";")+"/"+digit)
	}
	return strings.Join(out, " "), nil
}

var pieces = []string{
	"a", "b", "A", "_", "1", "/", "-", " ", "\n", "\xe9", ".", ".", ".*", ".*?", ".+", "^", "$", `\Z`, `\A`, `\b`, `\B`,
	"(", ")", "(", ")", "(a)", "(b|a)", "(?:", "(?i:", "(?s:", "(?m:", "(?i)", "(?ms)", "(?-i:", "(?P<n>", "(?P<n>a)", "(?P<m>", "(?P=n)", "(?P=m)",
	"(?=", "(?!", "(?<=", "(?<!", "(?=a)", "(?!b)", "(?<=a)", "(?<!a)", "(?<=a|b)", "(?>", "(?#x)",
	"|", "|", "*", "+", "?", "??", "*?", "+?", "*+", "{2}", "{0}", "{1,2}", "{,2}", "{1,}", "{2,1}", "{", "}", "{1,2}?",
	"[ab]", "[^a]", "[a-c]", "[]a]", `[\w-]`, "[", "]", "[[a]", "[c-a]", `[\b]`, `[\1]`, `[\8]`,
	`\.`, `\d`, `\D`, `\w`, `\W`, `\s`, `\\`, `\n`, `\x61`, `\x6`, `\0`, `\101`, `\1`, `\1`, `\2`, `\12`, `\q`, `\-`, `\`,
}

var letters = []string{"a", "b", "a", "b", "c", "A", "B", "_", "1", "/", "-", " ", "\n", "\xe9", "\\"}

func word(r *rand.Rand, from []string, most int) string {
	var b strings.Builder
	for range r.IntN(most + 1) {
		b.WriteString(from[r.IntN(len(from))])
	}
	return b.String()
}

// TestAgainstPython compares all matches and groups of random patterns.
func TestAgainstPython(t *testing.T) {
	r := rand.New(rand.NewPCG(20, 26))
	var questions []question
	for range 8000 {
		q := question{pattern: word(r, pieces, 9)}
		for range 6 {
			q.texts = append(q.texts, word(r, letters, 8))
		}
		questions = append(questions, q)
	}
	wants := askPython(t, questions)
	native, matching, wrong := 0, 0, 0
	for i, q := range questions {
		p, err := backtrack.Compile(q.pattern)
		var bad *pyre.InvalidError
		got := ""
		switch {
		case hgerr.IsUnsupported(err):
			continue
		case errors.As(err, &bad):
			got = "E"
		case err != nil:
			t.Fatal(err)
		default:
			if got, err = answer(p, q.texts); hgerr.IsUnsupported(err) {
				continue
			}
		}
		native++
		if strings.Contains(got, "-") {
			matching++
		}
		if got != wants[i] {
			if wrong++; wrong <= 15 {
				t.Errorf("%q on %q:\n got %s\nwant %s", q.pattern, q.texts, got, wants[i])
			}
		}
	}
	t.Logf("%d of %d patterns native, %d with matches, %d wrong", native, len(questions), matching, wrong)
	if matching < len(questions)/10 {
		t.Errorf("only %d patterns matched anything", matching)
	}
}

// TestBounded has patterns that would take forever.
func TestBounded(t *testing.T) {
	text := strings.Repeat("a", 5000)
	for _, pattern := range []string{`(a*)*b`, `(a|a)*b`, `(a+)+\1b`, `(?=(a+)+b)`} {
		p, err := backtrack.Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Search(text, 0, false); !hgerr.IsUnsupported(err) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, p := range pieces {
		f.Add(p, "ab")
	}
	f.Add(`(?P<x>a+)(?P=x)(?!b)|^c{2,3}?`, "aaaa")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 200 || len(text) > 100 {
			return
		}
		p, err := backtrack.Compile(pattern)
		if err != nil {
			return
		}
		loc, err := p.Search(text, 0, false)
		if err == nil && loc != nil && (loc[0] > loc[1] || loc[1] > len(text)) {
			t.Errorf("%q in %q: %v", pattern, text, loc)
		}
	})
}
