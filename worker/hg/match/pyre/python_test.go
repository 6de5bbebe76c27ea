// SPDX-License-Identifier: GPL-2.0-or-later

package pyre_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/match/pyre"
)

// script answers, for lines of hexadecimal "pattern name name ...", what
// Python makes of each: "E" for an error, "W" for a warning, or a digit a name.
const script = `
import re, sys, warnings
warnings.simplefilter('error')
for line in sys.stdin:
    parts = [bytes.fromhex(p) for p in line.rstrip('\n').split(' ')]
    try:
        m = re.compile(parts[0]).match
    except re.error:
        print('E')
        continue
    except (FutureWarning, DeprecationWarning):
        print('W')
        continue
    except (OverflowError, RecursionError):
        print('O')
        continue
    print(''.join('1' if m(p) else '0' for p in parts[1:]))
`

type question struct {
	pattern string
	names   []string
}

func askPython(t *testing.T, questions []question) []string {
	t.Helper()
	var in bytes.Buffer
	for _, q := range questions {
		in.WriteString(hex.EncodeToString([]byte(q.pattern)))
		for _, n := range q.names {
			in.WriteString(" " + hex.EncodeToString([]byte(n)))
		}
		in.WriteByte('\n')
	}
	cmd := hgtest.Python(t, hgtest.Hg(t), "-c", script)
	cmd.Stdin = &in
	out := hgtest.Output(t, cmd)
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(questions) {
		t.Fatalf("python answered %d of %d questions", len(lines), len(questions))
	}
	return lines
}

func answer(re *pyre.Regexp, names []string) string {
	var b strings.Builder
	for _, n := range names {
		if re.Match(n) {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	}
	return b.String()
}

// check compares one answer; it reports whether the pattern was taken at all.
func check(q question, want string) (native bool, err error) {
	e, err := pyre.Parse(q.pattern)
	var invalid *pyre.InvalidError
	switch {
	case errors.As(err, &invalid):
		if want != "E" {
			return false, fmt.Errorf("%q: %v, but python answers %s", q.pattern, err, want)
		}
		return true, nil
	case hgerr.IsUnsupported(err):
		return false, nil
	case err != nil:
		return false, err
	}
	re, err := pyre.Compile(e)
	if err != nil {
		return false, err
	}
	if got := answer(re, q.names); got != want {
		return false, fmt.Errorf("%q on %q: %s, want %s", q.pattern, q.names, got, want)
	}
	// A second run answers from the automaton's cache.
	if got := answer(re, q.names); got != want {
		return false, fmt.Errorf("%q on %q, second time: %s, want %s", q.pattern, q.names, got, want)
	}
	return true, nil
}

// pieces are what random patterns are put together from.
var pieces = []string{
	"a", "b", "A", "_", "1", "/", "-", " ", "\n", "\xe9", "\xff", ".", ".", ".*", ".*?", "^", "$", `\Z`, `\A`, `\b`, `\B`,
	"(", ")", "(", ")", "(?:", "(?i:", "(?s:", "(?m:", "(?i)", "(?ms)", "(?-i:", "(?i-s:", "(?P<n>", "(?P<m>", "(?P=n)", "(?=", "(?!", "(?<=", "(?>", "(?#x)",
	"|", "|", "*", "+", "?", "??", "*+", "{2}", "{0}", "{1,2}", "{,2}", "{1,}", "{2,1}", "{", "}", "{}", "{,}", "{a}",
	"[ab]", "[^a]", "[a-c]", "[]a]", "[^]a]", "[a-]", "[-a]", `[\]a]`, `[\w-]`, `[\w-a]`, "[", "]", "[[a]", "[a--b]", "[a&&b]", "[^/]*", `[\xe0-\xff]`, "[c-a]", `[\b]`,
	`\.`, `\d`, `\D`, `\w`, `\W`, `\s`, `\S`, `\\`, `\n`, `\t`, `\x61`, `\x6`, `\0`, `\07`, `\101`, `\1`, `\q`, `\é`, `\-`, `\ `, `\`, `[\0]`, `[\101]`,
}

var letters = []string{"a", "b", "c", "A", "B", "_", "1", "/", "-", " ", "\n", "\xe9", "\xc9", "\xff", ".", "\\", "\x00", "\x08"}

func word(r *rand.Rand, from []string, most int) string {
	var b strings.Builder
	for range r.IntN(most + 1) {
		b.WriteString(from[r.IntN(len(from))])
	}
	return b.String()
}

func TestAgainstPython(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var questions []question
	for range 25000 {
		q := question{pattern: word(r, pieces, 7)}
		for range 12 {
			q.names = append(q.names, word(r, letters, 5))
		}
		questions = append(questions, q)
	}
	native, invalid := 0, 0
	for i, want := range askPython(t, questions) {
		ok, err := check(questions[i], want)
		if err != nil {
			t.Error(err)
		}
		if ok {
			native++
			if want == "E" {
				invalid++
			}
		}
	}
	t.Logf("%d patterns: %d native, of which %d invalid", len(questions), native, invalid)
	if native < len(questions)/3 {
		t.Errorf("only %d of %d patterns were taken", native, len(questions))
	}
}

// TestAny joins patterns as hg does, with bars.
func TestAny(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	good := []string{"a", "b", "ab", "abc", "/", ".", "(?:|.*/)", "[^/]*", "$", "(?:/|$)", `\.`, "c", "(?i:A)", ".*"}
	var questions []question
	var sets [][]*pyre.Expr
	for range 5000 {
		var texts []string
		var set []*pyre.Expr
		for range 1 + r.IntN(6) {
			text := word(r, good, 5)
			e, err := pyre.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			texts, set = append(texts, text), append(set, e)
		}
		q := question{pattern: strings.Join(texts, "|")}
		for range 20 {
			q.names = append(q.names, word(r, letters[:8], 6))
		}
		questions, sets = append(questions, q), append(sets, set)
	}
	for i, want := range askPython(t, questions) {
		re, err := pyre.Compile(pyre.Any(sets[i]))
		if err != nil {
			t.Fatal(err)
		}
		if got := answer(re, questions[i].names); got != want {
			t.Errorf("%q on %q: %s, want %s", questions[i].pattern, questions[i].names, got, want)
		}
	}
}

// TestSharedCache runs one automaton, which has more states than are kept, from
// several goroutines.
func TestSharedCache(t *testing.T) {
	const back = 18
	re := pyre.MustCompile(fmt.Sprintf("[ab]*a[ab]{%d}$", back-1))
	var wg sync.WaitGroup
	for seed := range uint64(2) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 5))
			for range 600 {
				name := make([]byte, 100+r.IntN(200))
				for i := range name {
					name[i] = 'a' + byte(r.IntN(2))
				}
				if got := re.Match(string(name)); got != (name[len(name)-back] == 'a') {
					t.Errorf("%s: %v", name, got)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	for _, p := range pieces {
		f.Add(p, "a/b.c\n")
	}
	f.Add(`(?:|.*/)(?:a|b)*[^/]*\.c(?:/|$)`, "x/a.c")
	f.Add(`((((a{9}){9}){9}){9}){9}`, "aaa")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		e, err := pyre.Parse(pattern)
		if err != nil {
			return
		}
		re, err := pyre.Compile(e)
		if err != nil {
			return
		}
		if first := re.Match(name); re.Match(name) != first {
			t.Errorf("%v once and %v then", first, !first)
		}
	})
}
