// SPDX-License-Identifier: GPL-2.0-or-later

// Package prompt_test runs the prompt snippets in the real shells, with the
// drop-in hg built from this tree. The real hg is forbidden: what the snippets
// ask must be native.
package prompt_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shell is how a snippet is used in one shell. The script shows the prompt once
// in each directory of its arguments, with a line break after each.
type shell struct {
	name, script string
	args         []string
}

var shells = []shell{
	{"bash", `. ./hgbroker.bash; PS1='${hg_prompt:+ ($hg_prompt)}'
for d; do cd -- "$d"; hg_prompt_update; printf '%s\n' "${PS1@P}"; done`, []string{"--norc", "--noprofile", "-c"}},
	{"zsh", `. ./hgbroker.zsh; setopt prompt_subst; PROMPT='${hg_prompt:+ ($hg_prompt)}'
for d; do cd -- $d; hg_prompt_update; print -P -- "$PROMPT"; done`, []string{"-f", "-c"}},
	{"fish", `source ./hgbroker.fish
for d in $argv; cd $d; hgbroker_prompt; echo; end`, []string{"--no-config", "-c"}},
}

var built string // directory of the executables

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "hgb")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../../broker/hgbroker", "../hg")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the executables: %v\n%s", err, out)
			return 1
		}
		built = dir
		return m.Run()
	}())
}

// world is the executables, and an environment in which the drop-in is hg.
type world struct {
	t    *testing.T
	base string
	real string // hg, or ""
	env  []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	// Not t.TempDir, whose path may be too long for a socket.
	base, err := os.MkdirTemp("", "hgb")
	if err != nil {
		t.Fatal(err)
	}
	if base, err = filepath.EvalSymlinks(base); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, base: base}
	hg := os.Getenv("HGBROKER_TEST_HG")
	if hg == "" {
		hg = "hg"
	}
	w.real, _ = exec.LookPath(hg)
	rt := filepath.Join(base, "rt")
	if err := os.Mkdir(rt, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "HG") {
			w.env = append(w.env, kv)
		}
	}
	w.env = append(w.env, "PATH="+built+":"+os.Getenv("PATH"), "HOME="+base, "HGRCPATH=", "HGUSER=test", "LC_ALL=C.UTF-8", "TERM=dumb",
		"HGBROKER_RUNTIME_DIR="+rt, "HGBROKER_FALLBACK=never")
	t.Cleanup(func() {
		stop := exec.Command(filepath.Join(built, "hgbroker"), "stop")
		stop.Env = w.env
		_ = stop.Run()
		os.RemoveAll(base)
	})
	return w
}

// run runs a program and returns what it prints.
func (w *world) run(dir, program string, args ...string) string {
	w.t.Helper()
	cmd := exec.Command(program, args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, w.env, &out, &errs
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("%s %q: %v\n%s%s", program, args, err, out.Bytes(), errs.Bytes())
	}
	return out.String()
}

// recorded unpacks a recorded repository.
func (w *world) recorded(name string) string {
	w.t.Helper()
	into := filepath.Join(w.base, name)
	if err := os.Mkdir(into, 0o700); err != nil {
		w.t.Fatal(err)
	}
	w.run(".", "tar", "-xzf", "../../testdata/repos/"+name+".tar.gz", "-C", into)
	return filepath.Join(into, "repo")
}

// made is a repository that the real hg makes: two changesets that change the
// same file in different ways, and what the script does with them.
func (w *world) made(name, script string) string {
	w.t.Helper()
	hg := "set -e\nhg() { \"" + w.real + "\" \"$@\"; }\n"
	first, dir := filepath.Join(w.base, "first"), filepath.Join(w.base, "made", name)
	if _, err := os.Stat(first); err != nil {
		w.run(w.base, "sh", "-c", hg+`hg init first; cd first
printf '[extensions]\nrebase=\nhistedit=\nshelve=\nmq=\nhgext.transplant=\n[ui]\nmerge=:fail\n' > .hg/hgrc
echo a > a; hg commit -qAm a
echo b > a; hg commit -qm b
hg update -q 0; echo c > a; hg commit -qm c`)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		w.t.Fatal(err)
	}
	w.run(w.base, "cp", "-a", first, dir)
	w.run(dir, "sh", "-c", hg+script)
	return dir
}

func TestPrompts(t *testing.T) {
	w := newWorld(t)
	cases := []struct{ dir, want string }{
		{w.recorded("linear"), " (default)"},
		{w.recorded("status"), " (default +?)"},
		{w.recorded("merging"), " (default +? merge !2)"},
		{w.recorded("bookmarks-tags"), " (default @feature)"},
		{w.recorded("branches"), " (with space)"},
		{w.recorded("empty"), " (default)"},
		{filepath.Join(w.base, "merging", "repo", "sub"), " (default +? merge !2)"},
		{w.base, ""},
		{"/", ""},
	}
	if err := os.Mkdir(filepath.Join(w.base, "merging", "repo", "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	odd := "$(touch pwned)`touch pwned`%F{red}%n\\u \\$(touch pwned)é"
	switch {
	case w.real == "":
		t.Log("no Mercurial (HGBROKER_TEST_HG, or hg on PATH) that could make more repositories")
	case testing.Short():
		t.Log("-short: only recorded repositories")
	default:
		for _, c := range []struct{ name, script, want string }{
			{"rebase", "hg rebase -q -s 2 -d 1 || true", "default rebase !1"},
			{"graft", "hg graft -q 1 || true", "default graft !1"},
			{"merge", "hg merge -q || true", "default + merge !1"},
			{"unshelve", "echo d > a; hg shelve -q; hg update -q 1; hg unshelve -q || true", "default + unshelve !1"},
			{"histedit", `hg update -q 1; echo "edit $(hg log -r 1 -T '{node}')" > ../commands; hg histedit -q -r 1 --commands ../commands || true`, "default + histedit"},
			{"transplant", "hg transplant -q 1 || true", "default ? transplant"},
			{"bisect", "hg bisect --bad 2", "default bisect"},
			{"removed", "rm a", "default +"},
			{"unknown", "echo x > x", "default ?"},
			{"active bookmark", "hg bookmark other; hg bookmark 'my mark'", "default @my mark"},
			{"inactive bookmark", "hg bookmark -i mark", "default"},
			{"branch", "hg branch -q '" + odd + "'", odd},
			{"control", `hg branch -q "$(printf 'x\033[31mred\007')"; hg bookmark "$(printf 'y\033]0;z')"`, "x[31mred @y]0;z"},
		} {
			cases = append(cases, struct{ dir, want string }{w.made(c.name, c.script), " (" + c.want + ")"})
		}
	}
	ran := 0
	for _, s := range shells {
		t.Run(s.name, func(t *testing.T) {
			if _, err := exec.LookPath(s.name); err != nil {
				t.Skipf("no %s on PATH", s.name)
			}
			ran++
			args := append(s.args[:len(s.args):len(s.args)], s.script)
			if s.name != "fish" {
				args = append(args, s.name) // $0
			}
			for _, c := range cases {
				args = append(args, c.dir)
			}
			w.t = t
			lines := strings.Split(w.run(".", s.name, args...), "\n")
			if len(lines) != len(cases)+1 {
				t.Fatalf("%d prompts for %d directories: %q", len(lines)-1, len(cases), lines)
			}
			for i, c := range cases {
				if lines[i] != c.want {
					t.Errorf("in %s: %q, not %q", c.dir, lines[i], c.want)
				}
				if _, err := os.Stat(filepath.Join(c.dir, "pwned")); err == nil {
					t.Errorf("in %s: a branch's name was executed", c.dir)
				}
			}
		})
	}
	if ran == 0 {
		t.Skip("neither bash nor zsh nor fish")
	}
}

// An interactive shell shows what its start-up file, as the README has it, asks for.
func TestInteractive(t *testing.T) {
	w := newWorld(t)
	dir := w.recorded("merging")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		name, file, text string
		args             []string
	}{
		{"bash", "rc", ". " + here + "/hgbroker.bash\nPROMPT_COMMAND=hg_prompt_update\nPS1='${hg_prompt:+ ($hg_prompt)}\\$ '\n",
			[]string{"--noprofile", "--rcfile", filepath.Join(w.base, "rc"), "-i"}},
		{"zsh", ".zshrc", ". " + here + "/hgbroker.zsh\nsetopt prompt_subst\nPROMPT='${hg_prompt:+ ($hg_prompt)} %# '\n", []string{"-d", "-i", "+Z"}},
	} {
		t.Run(s.name, func(t *testing.T) {
			program, err := exec.LookPath(s.name)
			if err != nil {
				t.Skipf("no %s on PATH", s.name)
			}
			if err := os.WriteFile(filepath.Join(w.base, s.file), []byte(s.text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, s.args...)
			cmd.Dir, cmd.Env, cmd.Stdin = w.base, append(w.env[:len(w.env):len(w.env)], "ZDOTDIR="+w.base), strings.NewReader("cd "+dir+"\nfalse\necho code $?\nexit\n")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if !bytes.Contains(out, []byte(" (default +? merge !2)")) || !bytes.Contains(out, []byte("code 1")) {
				t.Errorf("no prompt, or another exit code:\n%s", out)
			}
		})
	}
}

// Outside of repositories no hg is run at all.
func TestOutside(t *testing.T) {
	w := newWorld(t)
	for _, s := range shells {
		t.Run(s.name, func(t *testing.T) {
			if _, err := exec.LookPath(s.name); err != nil {
				t.Skipf("no %s on PATH", s.name)
			}
			hg, mark := filepath.Join(w.base, "spy"), filepath.Join(w.base, s.name+"-ran")
			if err := os.WriteFile(hg, []byte("#!/bin/sh\ntouch '"+mark+"'\necho 'branch: spied'\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			inside := filepath.Join(w.base, s.name)
			if err := os.MkdirAll(filepath.Join(inside, ".hg"), 0o700); err != nil {
				t.Fatal(err)
			}
			ask := func(dir string) string {
				args := append(s.args[:len(s.args):len(s.args)], s.script)
				if s.name != "fish" {
					args = append(args, s.name)
				}
				w := &world{t: t, env: append(w.env[:len(w.env):len(w.env)], "HG_PROMPT_HG="+hg)}
				return w.run(".", s.name, append(args, dir)...)
			}
			if got := ask(w.base); got != "\n" {
				t.Errorf("outside: %q", got)
			}
			if _, err := os.Stat(mark); err == nil {
				t.Error("outside of a repository hg was run")
			}
			if got := ask(inside); got != " (spied)\n" {
				t.Errorf("inside: %q", got)
			}
		})
	}
}
