// SPDX-License-Identifier: GPL-2.0-or-later

package match_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/match"
)

type question struct {
	Root     string   `json:"root"`
	Cwd      string   `json:"cwd"`
	Patterns []string `json:"patterns"`
	Include  []string `json:"include"`
	Exclude  []string `json:"exclude"`
	Default  string   `json:"default"`
	Paths    []string `json:"paths"`
}

type answer struct {
	Crash    string   `json:"crash"`
	Error    string   `json:"error"`
	Hint     string   `json:"hint"`
	Warned   []string `json:"warned"`
	Repr     string   `json:"repr"`
	Files    []string `json:"files"`
	Kind     []bool   `json:"kind"`
	Match    string   `json:"match"`
	Exact    string   `json:"exact"`
	Visit    []string `json:"visit"`
	Children []any    `json:"children"`
}

// mapped replaces the strings of lists.
func mapped(f func(string) string, lists ...*[]string) {
	for _, l := range lists {
		n := make([]string, len(*l))
		for i, s := range *l {
			n[i] = f(s)
		}
		*l = n
	}
}

// ask puts the questions to the real mercurial.match, in directory dir.
func ask(t testing.TB, v hgtest.Version, dir string, questions []question) []answer {
	t.Helper()
	script, err := filepath.Abs("testdata/ask.py")
	if err != nil {
		t.Fatal(err)
	}
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, q := range questions {
		q.Root, q.Cwd, q.Default = hgtest.Latin1(q.Root), hgtest.Latin1(q.Cwd), hgtest.Latin1(q.Default)
		mapped(hgtest.Latin1, &q.Patterns, &q.Include, &q.Exclude, &q.Paths)
		if err := enc.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := hgtest.Python(t, v.Path, script)
	cmd.Dir = dir
	cmd.Stdin = &in
	out := hgtest.Output(t, cmd)
	dec := json.NewDecoder(bytes.NewReader(out))
	answers := make([]answer, len(questions))
	for i := range answers {
		if err := dec.Decode(&answers[i]); err != nil {
			t.Fatal(err)
		}
		a := &answers[i]
		a.Error, a.Hint, a.Repr = hgtest.FromLatin1(a.Error), hgtest.FromLatin1(a.Hint), hgtest.FromLatin1(a.Repr)
		mapped(hgtest.FromLatin1, &a.Files, &a.Warned)
		for j, c := range a.Children {
			if names, ok := c.([]any); ok {
				var list []string
				for _, n := range names {
					list = append(list, hgtest.FromLatin1(n.(string)))
				}
				a.Children[j] = list
			}
		}
	}
	return answers
}

func versionOf(v hgtest.Version) config.Version {
	if strings.HasPrefix(v.Number, "7.") {
		return config.Version{Major: 7, Minor: 2}
	}
	return config.Version{Major: 6, Minor: 3}
}

// mine answers a question with this package.
func mine(q question, v config.Version) (a answer, err error) {
	m, err := match.New(match.Options{
		Root: q.Root, Cwd: q.Cwd, Patterns: q.Patterns, Include: q.Include, Exclude: q.Exclude, Default: q.Default,
		Warn:    func(text string) { a.Warned = append(a.Warned, text) },
		Version: v,
	})
	var abort *hgerr.Abort
	switch {
	case errors.As(err, &abort):
		a.Error, a.Hint = abort.Message, abort.Hint
		return a, nil
	case err != nil:
		return a, err
	}
	a.Repr, a.Files = m.String(), m.Files()
	a.Kind = []bool{m.Always(), m.IsExact(), m.Prefix()}
	bit := map[bool]string{true: "1", false: "0"}
	visits := [...]string{"no", "this", "all"}
	for _, p := range q.Paths {
		a.Match += bit[m.Match(p)]
		a.Exact += bit[m.Exact(p)]
		a.Visit = append(a.Visit, visits[m.VisitDir(p)])
		c := m.VisitChildren(p)
		if c.Visit == match.VisitThis && c.Names != nil {
			var names []string
			for n := range c.Names {
				names = append(names, n)
			}
			slices.Sort(names)
			a.Children = append(a.Children, names)
		} else {
			a.Children = append(a.Children, visits[c.Visit])
		}
	}
	return a, nil
}

func normal(a answer) answer {
	mapped(func(s string) string { return s }, &a.Warned, &a.Files)
	return a
}

// compare asks both and reports how many questions were answered natively.
func compare(t *testing.T, v hgtest.Version, dir string, questions []question) (native int) {
	t.Helper()
	for i, want := range ask(t, v, dir, questions) {
		q := questions[i]
		got, err := mine(q, versionOf(v))
		if hgerr.IsUnsupported(err) {
			continue
		}
		if err != nil {
			t.Errorf("%s: %+v: %v", v.Number, q, err)
			continue
		}
		native++
		if g, w := normal(got), normal(want); !reflect.DeepEqual(g, w) {
			gj, wj := fmt.Sprintf("%+v", g), fmt.Sprintf("%+v", w)
			q.Paths = nil
			t.Errorf("%s: %+v\n got %s\nwant %s", v.Number, q, gj, wj)
		}
	}
	return native
}

// tree makes a repository's root to look for patterns in.
func tree(t *testing.T) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root := dir + "/root"
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(root+"/"+name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+"/"+name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(".hg/requires", "")
	write("a", "")
	write("dir/b.c", "")
	write("dir/sub/x.c", "")
	write("nested/.hg/requires", "")
	write("nested/file", "")
	write("list", "a\r\ndir/sub\n\nglob:*.c\r")
	write("list0", "a\x00re:d.*\x00")
	write("pat", "syntax: glob\n*.c # comment\n\\#a\nre:^dir/s\nsyntax: nonsense\nrootglob:di*\n a \ninclude_me\n")
	write("patbad", "re:(\n")
	write("patin", "include:pat\nsubinclude:dir/subpat\n")
	write("dir/subpat", "syntax: rootglob\nb.*\nsubinclude:sub/subpat\n")
	write("dir/sub/subpat", "x\n")
	write("loop", "include:loop\n")
	if err := os.Symlink("dir", root+"/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(root, dir+"/other"); err != nil {
		t.Fatal(err)
	}
	return root
}

var paths = []string{"", "a", "b", "dir", "dir/b.c", "dir/sub", "dir/sub/x.c", "dir/sub/deep/er", "nested", "nested/file",
	"dira", "x/a", "x/dir/b.c", "list", "#a", "a\n", "A", "\xe9", "dir/\xe9.c", "a/b/c/d", "a,b", "a{b", "a\\b", "a*", "dir/x",
	"sub", "x", "x.c", ".hgignore", "a b", "[", "]", "^", "-", "a[b", "include_me", "_me"}

// atoms are what random patterns are put together from.
var atoms = []string{"a", "b", "dir", "dir", "sub", "x", ".c", "/", "/", "*", "*", "**", "**/", "?", "[ab]", "[!a]", "[^a]", "[]a]", "[", "]",
	"{a,b}", "{", "}", ",", "\\", "\\*", ".", "..", "../", "\xe9", "^", "$", "(", "|", "+", "-", "#", " ", "[a-c]", "[a-", "!"}

var kinds = []string{"", "", "", "glob:", "relglob:", "path:", "relpath:", "re:", "relre:", "rootglob:", "rootfilesin:", "filepath:", "nokind:", "set:"}

var whole = []string{"listfile:list", "listfile0:list0", "listfile:nolist", "include:pat", "include:nopat", "include:patbad", "include:patin", "include:loop",
	"subinclude:pat", ".", "", "..", "../root/a", "../other/a", "path:.", "rootfilesin:.", "rootfilesin:dir", "dir", "dir/", "./dir//sub/", "link/b.c", "link", "nested/file", "nested",
	".hg/requires", "dir/.hg/x", ".HG/x", "hg~1/x", "/etc/passwd", "/", "relre:(?i)A", "relre:(?i)^a", "re:(?i)A", "re:", "relre:", "glob:", "relglob:", "rootglob:",
	"path:", "path:/abs", "path:dir/../a", "rootglob:dir/*/x.c", "glob:dir/**/x.c", "re:.*\\.c$", "relglob:*.c", "relglob:sub", "path:dir", "path:dir/sub", "relpath:dir", "filepath:a", "filepath:dir"}

func randomPattern(r *rand.Rand) string {
	if r.IntN(3) == 0 {
		return whole[r.IntN(len(whole))]
	}
	var b strings.Builder
	b.WriteString(kinds[r.IntN(len(kinds))])
	for range 1 + r.IntN(4) {
		b.WriteString(atoms[r.IntN(len(atoms))])
	}
	return b.String()
}

func TestAgainstHg(t *testing.T) {
	root := tree(t)
	for _, v := range hgtest.HgVersions(t) {
		for _, where := range []struct{ cwd, dir string }{{"", root}, {"dir", root + "/dir"}, {"dir/sub", root + "/dir/sub"}, {filepath.Dir(root), filepath.Dir(root)}} {
			r := rand.New(rand.NewPCG(5, 6))
			var questions []question
			some := func(most int) (list []string) {
				for range r.IntN(most + 1) {
					list = append(list, randomPattern(r))
				}
				return list
			}
			for _, p := range whole {
				questions = append(questions,
					question{Root: root, Cwd: where.cwd, Patterns: []string{p}, Default: "relpath", Paths: paths},
					question{Root: root, Cwd: where.cwd, Include: []string{p}, Default: "relpath", Paths: paths},
					question{Root: root, Cwd: where.cwd, Patterns: []string{"dir"}, Exclude: []string{p}, Default: "relpath", Paths: paths})
			}
			for range 400 {
				q := question{Root: root, Cwd: where.cwd, Default: "relpath", Paths: paths}
				if r.IntN(3) == 0 {
					q.Default = "glob"
				}
				switch r.IntN(4) {
				case 0:
					q.Patterns = some(4)
				case 1:
					q.Patterns, q.Exclude = some(1), some(2)
				case 2:
					q.Include, q.Exclude = some(3), some(1)
				default:
					q.Patterns, q.Include, q.Exclude = some(2), some(2), some(2)
				}
				questions = append(questions, q)
			}
			native := compare(t, v, where.dir, questions)
			t.Logf("%s in %q: %d of %d native", v.Number, where.cwd, native, len(questions))
			if native < len(questions)/3 {
				t.Errorf("only %d of %d questions were answered natively", native, len(questions))
			}
		}
	}
}
