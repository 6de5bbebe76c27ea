// SPDX-License-Identifier: GPL-2.0-or-later

package ignore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/ignore"
	"hgbroker/worker/hg/match"
)

func versionOf(v hgtest.Version) config.Version {
	if strings.HasPrefix(v.Number, "7.") {
		return config.Version{Major: 7, Minor: 2}
	}
	return config.Version{Major: 6, Minor: 3}
}

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// lines are what random .hgignore files are made of.
var lines = []string{
	"syntax: glob", "syntax: glob", "syntax: regexp", "syntax: re", "syntax: rootglob", "syntax:  glob  ", "syntax: nonsense", "syntax: include",
	"*.o", "build", "build/", "a*", "**/x", "d/*.c", "[ab]", "{a,b}.c", "*", "?",
	"^build/", `\.o$`, "(?i)A", "a|b", "^$", "/", ".*/x", "d/.*c", "x$",
	"glob:*.c", "re:^a", "regexp:b$", "rootglob:d/*", "relglob:*~", "path:d", "include:more", "subinclude:d/below", "include:nosuch", "includes/x", "subinclude:nosuch",
	"# comment", "a # comment", `\#a`, `a\#b`, `a\\#b`, "", "  ", " indented", "trailing  ", "\xe9", "*\xff*", "tab\t", "a\r",
}

var files = []string{"a", "b", "a.o", "A", "build", "build/x", "sub/build/y", "d", "d/a.c", "d/e/b.c", "x", "d/x", "#a", "a#b", `a\`, "\xe9", "q\xffq", " indented", "trailing",
	"includes/x", "s/x", "s", "below", "d/below/z", "d/zz", "m.txt", "a~", "tab", "e e", "c/d/e/f/g"}

// said is what hg debugignore prints about a file.
func said(r *ignore.Rules, file string, warn func(string)) (string, error) {
	because, ok := r.Because(file)
	if !ok || because == "" { // hg takes the root for nothing here
		return file + " is not ignored\n", nil
	}
	rules, line, text, err := r.Where(because, warn)
	if err != nil {
		return "", err
	}
	out := file + " is ignored\n"
	if because != file {
		out = file + " is ignored because of containing directory " + because + "\n"
	}
	if rules == "" {
		return "", hgerr.NewUnsupported("a rule that only works beside others")
	}
	return out + fmt.Sprintf("(ignore rule in %s, line %d: '%s')\n", rules, line, text), nil
}

// ruleFiles is how many random files of rules are tried.
const ruleFiles = 40

func TestAgainstDebugignore(t *testing.T) {
	for _, v := range hgtest.HgVersions(t) {
		hg := hgtest.NewReal(t, v.Path)
		root, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if _, stderr, code, _, err := hg.Run(root, []string{"init"}, hgtest.BaseEnv()); err != nil || code != 0 {
			t.Fatalf("%v %s", err, stderr)
		}
		write(t, root+"/more", "syntax: glob\nm.*\ninclude:d/deeper\n")
		write(t, root+"/d/below", "syntax: rootglob\nz*\nsyntax: glob\nb.*\n")
		write(t, root+"/d/deeper", "^c/d\n")
		write(t, root+"/extra", "glob:e *\n")
		r := rand.New(rand.NewPCG(7, 8))
		native, where := 0, 0
		for range ruleFiles {
			var text strings.Builder
			for range r.IntN(7) {
				text.WriteString(lines[r.IntN(len(lines))] + "\n")
			}
			write(t, root+"/.hgignore", text.String())
			var extra []string
			args := []string{"debugignore"}
			if r.IntN(3) == 0 {
				extra = []string{"extra"}
				args = append(args, "--config", "ui.ignore.x=extra")
			}
			var warned strings.Builder
			rules, err := ignore.Load(ignore.Options{Root: root, Files: extra, Version: versionOf(v), Warn: func(s string) { warned.WriteString(s) }})
			if hgerr.IsUnsupported(err) {
				continue
			}
			native++
			want, stderr, _, _, runErr := hg.Run(root, args, hgtest.BaseEnv())
			if runErr != nil {
				t.Fatal(runErr)
			}
			var abort *hgerr.Abort
			if errors.As(err, &abort) {
				warned.WriteString("abort: " + abort.Message + "\n")
			} else if err != nil {
				t.Fatal(err)
			}
			if warned.String() != string(stderr) {
				t.Errorf("%q: stderr %q, want %q", text.String(), warned.String(), stderr)
			}
			if err != nil {
				continue
			}
			if strings.Join(rules.Warnings(), "") != warned.String() {
				t.Errorf("kept %q of %q", rules.Warnings(), warned.String())
			}
			if got := rules.Matcher().String() + "\n"; got != string(want) {
				t.Errorf("%q: %s, want %s", text.String(), got, want)
			}
			r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
			for _, file := range files[:8] {
				got, err := said(rules, file, func(s string) { warned.WriteString(s) })
				if hgerr.IsUnsupported(err) {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				want, stderr, code, _, err := hg.Run(root, append(args, "path:"+file), hgtest.BaseEnv())
				if err != nil || code != 0 {
					t.Fatalf("%q: %s, %v", text.String(), stderr, err)
				}
				where++
				if got != string(want) {
					t.Errorf("%q:\n%s, want\n%s", text.String(), got, want)
				}
			}
		}
		t.Logf("%s: %d of %d rule files, %d files", v.Number, native, ruleFiles, where)
		if native < ruleFiles/2 || where < ruleFiles {
			t.Error("too little was compared")
		}
	}
}

func TestInputs(t *testing.T) {
	root := t.TempDir()
	load := func() *ignore.Rules {
		t.Helper()
		r, err := ignore.Load(ignore.Options{Root: root, Files: []string{"extra"}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	fresh := func(r *ignore.Rules) bool {
		for _, in := range r.Inputs() {
			if !in.Fresh() {
				return false
			}
		}
		return true
	}
	for _, name := range []string{".hgignore", "extra", "sub/rules", "included"} {
		r := load()
		if !fresh(r) {
			t.Errorf("not fresh before %s was written", name)
		}
		text := "glob:x\n"
		if name == ".hgignore" {
			text = "include:included\nsubinclude:sub/rules\n"
		}
		write(t, root+"/"+name, text)
		if fresh(r) {
			t.Errorf("fresh after %s was written; inputs %v", name, r.Inputs())
		}
	}
}

// TestManyRules keeps thousands of rules from making a walk slow.
func TestManyRules(t *testing.T) {
	root := t.TempDir()
	var text strings.Builder
	text.WriteString("syntax: glob\n")
	for i := range 3000 {
		fmt.Fprintf(&text, "generated-%d*\n*.ext%d\ndir%d/**/out\n", i, i, i)
	}
	write(t, root+"/.hgignore", text.String())
	r, err := ignore.Load(ignore.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		for path, want := range map[string]bool{
			fmt.Sprintf("a/b/generated-%d.c", i): true,
			fmt.Sprintf("x/file.ext%d", i):       true,
			fmt.Sprintf("x/dir%d/q/r/out", i):    true,
			fmt.Sprintf("x/dir%d/q/r/outer", i):  false,
			fmt.Sprintf("x/file.ex%d", i):        false,
		} {
			if got := r.Ignored(path); got != want {
				t.Fatalf("%s: %v", path, got)
			}
		}
	}
}

func FuzzParseFile(f *testing.F) {
	for _, l := range lines {
		f.Add(l+"\n", "a/b")
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		r, err := ignore.Load(ignore.Options{Root: "/nonexistent", Files: []string{"/rules"}, ReadFile: func(string) ([]byte, error) { return []byte(text), nil }})
		if err == nil {
			r.PathIgnored(path)
		}
		match.ParseFile(text, nil)
	})
}

// BenchmarkLoad compiles the rules that a large project may have.
func BenchmarkLoad(b *testing.B) {
	root := b.TempDir()
	write(b, root+"/.hgignore", "syntax: regexp\n^build/\n^out/(debug|release)/\n(^|/)CMakeFiles/\n\\.py[co]$\n\\.(o|obj|lo|la|al|libs)$\n(^|/)\\.?\\#[^/]*$\n"+
		"(^|/)core(\\.[0-9]+)?$\n^dist/.*\\.(tar|zip|whl)$\n(^|/)node_modules/\n(^|/)__pycache__/\n\\.sw[a-p]$\n(^|/)target/(debug|release)/\n^tmp/[^/]+\\.tmp$\n"+
		"syntax: glob\n*.orig\n*.rej\n*.bak\n*~\n*.log\n.DS_Store\n*.elc\n*.prof\n*.gcda\n*.gcno\n*.so\n*.dll\n*.exe\ndocs/_build\n.idea\n")
	b.ReportAllocs()
	for b.Loop() {
		r, err := ignore.Load(ignore.Options{Root: root})
		if err != nil || r.Ignored("pkg01/area1/module007/some_file.c") {
			b.Fatal("a file is ignored", err)
		}
	}
}

func BenchmarkIgnored(b *testing.B) {
	root := b.TempDir()
	write(b, root+"/.hgignore", "syntax: glob\n*.o\n*.pyc\n*~\nbuild\nnode_modules\n*.orig\n*.rej\n.DS_Store\ntarget\n*.class\nsyntax: regexp\n^dist/\n\\.sw[op]$\n")
	r, err := ignore.Load(ignore.Options{Root: root})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r.Ignored("mercurial/some/deeply/nested/directory/file_name.py")
	}
}
