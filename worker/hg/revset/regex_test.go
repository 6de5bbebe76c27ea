// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const searchAll = `
import re
from mercurial import registrar
cmdtable = {}
command = registrar.command(cmdtable)
@command(b'searchall', [], b'')
def searchall(ui, repo):
    texts = [bytes.fromhex(l.strip()) for l in open(repo.vfs.join(b'texts').decode())]
    for line in open(repo.vfs.join(b'patterns').decode()):
        pattern, fold = line.strip().split(',')
        try:
            x = re.compile(bytes.fromhex(pattern), re.I if fold == 'true' else 0)
            ui.write(b''.join(b'1' if x.search(t) else b'0' for t in texts) + b'\n')
        except re.error:
            ui.write(b'error\n')
`

// TestRegexps compares searches with Python's re, for random expressions that
// the translation takes.
func TestRegexps(t *testing.T) {
	atoms := []string{"a", "b", "A", "é", "\xe9", `\n`, "\n", "$", "^", "|", "(", "(?:", ")", "[ab]", "[^a]", `[a-\n]`, `[\s]`, `[^\w]`, "[]a]", "[[a]", "[a&&b]",
		`\b`, `\B`, `\d`, `\s`, `\S`, `\w`, `\W`, `\Z`, `\A`, ".", "*", "+", "?", "{2}", "{1,}", "{0,2}", "{,2}", "*?", "+?", "??", `\.`, `\x61`, `\xe9`, `[\xe0-\xff]`,
		" ", "\t", "\v", "1", "_", "-", "[-a]", "[a-]", `\-`, "/", `\/`, "{", "}", "]", "(?i)", `\1`, `\e`, `\0`}
	texts := []string{"", "a", "b", "ab", "a\n", "ab\n\n", "aé b", "A1_", "\v", "\n", "é", "\xe9", "a-b/c", "aab", "x\na\n", "]", "{2}", "[a", "_", "\xc9"}
	dir := t.TempDir()
	hg := initHg(t, dir)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, ".hg", name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	type search struct {
		pattern string
		fold    bool
		m       *matcher
	}
	var searches []search
	var patterns, subjects strings.Builder
	r := rand.New(rand.NewPCG(31, 32))
	gaveUp := false
	for len(searches) < 5000 {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(atoms[r.IntN(len(atoms))])
		}
		s := search{pattern: b.String(), fold: r.IntN(2) == 0}
		var err error
		if s.m, err = compileRegexp(s.pattern, s.fold, func(error) { gaveUp = true }); err != nil {
			continue
		}
		searches = append(searches, s)
		fmt.Fprintf(&patterns, "%s,%v\n", hex.EncodeToString([]byte(s.pattern)), s.fold)
	}
	for _, text := range texts {
		fmt.Fprintf(&subjects, "%s\n", hex.EncodeToString([]byte(text)))
	}
	write("texts", subjects.String())
	write("patterns", patterns.String())
	write("searchall.py", searchAll)
	write("hgrc", "[extensions]\nsearchall="+filepath.Join(dir, ".hg", "searchall.py")+"\n")
	out, stderr := hg.run(t, "searchall")
	want := strings.Split(strings.TrimSpace(out), "\n")
	if len(want) != len(searches) {
		t.Fatalf("%d answers: %s", len(want), stderr)
	}
	for i, s := range searches {
		got := ""
		for j, text := range texts {
			gaveUp = false
			answer := map[bool]string{true: "1", false: "0"}[s.m.match(text)]
			if gaveUp && j < len(want[i]) {
				answer = want[i][j : j+1]
			}
			got += answer
		}
		if got != want[i] {
			t.Errorf("%q (without case %v): %s, want %s", s.pattern, s.fold, got, want[i])
		}
	}
}
