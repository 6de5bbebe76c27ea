// SPDX-License-Identifier: GPL-2.0-or-later

package command_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg"
	"hgbroker/worker/hg/hgtest"
)

// engine answers as the given version of hg does.
func engine(version hgtest.Version) hgtest.Named {
	e := hg.New(hg.Options{})
	inst := hg.Installation{Path: version.Path, Version: version.Number}
	return hgtest.Named{Name: "engine", Runner: hgtest.RunnerFunc(func(dir string, args, env []string) ([]byte, []byte, int, bool, error) {
		var out, errOut bytes.Buffer
		res, err := e.Run(context.Background(), &hg.Request{
			Args: args, Dir: dir, Env: env, UID: os.Getuid(), Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut,
			Now: time.Now(), Hg: inst,
		})
		return out.Bytes(), errOut.Bytes(), res.ExitCode, true, err
	})}
}

// patterns draws file patterns for a repository.
type patterns struct {
	*rand.Rand
	hgtest.RepoInfo
	root string
	sub  string // directory that the command runs in
}

func (p *patterns) pick(list []string) string {
	if len(list) == 0 {
		return "nosuch"
	}
	return list[p.IntN(len(list))]
}

// relative is a path as named from p.sub.
func (p *patterns) relative(file string) string {
	rel, err := filepath.Rel("/"+p.sub, "/"+file)
	if err != nil {
		return file
	}
	return rel
}

func (p *patterns) file() string {
	switch p.IntN(12) {
	case 0:
		return p.pick(p.Loose)
	case 1:
		return p.pick([]string{"nosuch", "no/such", "x.bak", "..", ""})
	case 2, 3, 4:
		return p.pick(p.Dirs)
	}
	return p.pick(p.Files)
}

// glob turns a path into a glob that matches it and maybe others.
func (p *patterns) glob(file string) string {
	dir, base := path.Split(file)
	switch p.IntN(6) {
	case 0:
		return dir + "*"
	case 1:
		return dir + "*" + path.Ext(base)
	case 2:
		return "**" + path.Ext(base)
	case 3:
		return dir + "{" + base + ",nosuch}"
	case 4:
		if base != "" && base[0] < 0x80 {
			return dir + "[!" + "z]" + base[1:]
		}
	}
	return file
}

// plain is a pattern without a kind.
func (p *patterns) plain() string {
	switch p.IntN(10) {
	case 0:
		return p.root + "/" + p.file()
	case 1:
		return p.file()
	}
	return p.relative(p.file())
}

var sizes = []string{"0", "1", ">10", "<=20", "1k", "0-30", "> 0.01k", "x"}

// set is a fileset.
func (p *patterns) set(depth int) string {
	if depth > 0 && p.IntN(3) > 0 {
		a, b := p.set(depth-1), p.set(depth-1)
		switch p.IntN(7) {
		case 0, 1:
			return a + " and " + b
		case 2:
			return a + " or " + b
		case 3:
			return "(" + a + ") - " + b
		case 4:
			return "not (" + a + ")"
		case 5:
			return "(" + a + " | " + b + ")"
		}
		return p.pick([]string{a + " &", a + ", " + b, "-" + a, "(" + a, a + " " + b})
	}
	quoted := func(s string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
	}
	switch p.IntN(16) {
	case 0, 1, 2:
		return p.pick([]string{"added()", "modified()", "removed()", "deleted()", "missing()", "unknown()", "ignored()", "clean()"})
	case 3:
		return p.pick([]string{"tracked()", "exec()", "symlink()", "copied()", "binary()", "portable()", "hgignore()", "resolved()", "unresolved()", "subrepo()"})
	case 4:
		return "size(" + quoted(p.pick(sizes)) + ")"
	case 5:
		return "grep(" + quoted(p.pick([]string{"a", "^[a-m]", "[0-9]$", "(?i)LINE", "(", "e.*\\n"})) + ")"
	case 6:
		return "eol(" + p.pick([]string{"unix", "dos", "mac", "win", "x"}) + ")"
	case 7:
		return "encoding(" + quoted(p.pick([]string{"ascii", "UTF-8", "latin1"})) + ")"
	case 8:
		return "revs(" + quoted(p.pick([]string{"tip", "0", "all()", ".", "nosuch", "first(all(), 3)", "none()"})) + ", " + p.set(depth) + ")"
	case 9:
		return "status(" + quoted(p.pick([]string{".", "0", "tip", ""})) + ", " + quoted(p.pick([]string{"tip", "1", "wdir()", "."})) + ", " + p.set(depth) + ")"
	case 10:
		return p.pick([]string{"foo()", "adddd()", "added(x)", "1(2)", "()", "foo:bar", "'\\x4'", "'a", "^", "size()", "revs(a)", "subrepo('x')", "set:'added()'"})
	case 11, 12:
		return p.pick([]string{"path", "re", "relglob", "relpath", "relre", "rootglob"}) + ":" + quoted(p.file())
	}
	return quoted(p.glob(p.relative(p.file())))
}

// any is a pattern of any kind.
func (p *patterns) any() string {
	switch p.IntN(15) {
	case 0, 1:
		return "glob:" + p.glob(p.relative(p.file()))
	case 2, 3:
		return "path:" + p.file()
	case 4:
		return "relpath:" + p.relative(p.file())
	case 5:
		return "relglob:" + p.glob(path.Base(p.file()))
	case 6:
		return "re:" + p.pick([]string{".*", "[a-f]", ".*\\.txt$", "(", "a|b", p.file()})
	case 7:
		return "relre:" + p.pick([]string{"a", "\\.c$", "b/"})
	case 8:
		return "rootfilesin:" + p.pick(p.Dirs)
	case 9:
		return "rootglob:" + p.glob(p.file())
	case 10:
		return p.pick([]string{"listfile:nosuch", "include:nosuch", "foo:bar", "glob:", "glob:.", "relpath:", "path:", "relpath:.", "path:../x", "glob:../../..", "."})
	}
	return p.plain()
}

// removePipes takes the named pipes out of a repository: hg waits for ever when
// it reads one.
func removePipes(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type()&fs.ModeNamedPipe != 0 {
			err = os.Remove(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// number reads a count from the environment.
func number(t *testing.T, name string, def int) int {
	text := os.Getenv(name)
	if text == "" {
		return def
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// compare runs command lines that draw makes in generated repositories, with
// every real hg.
//
//	HGBROKER_DIFFERENTIAL    how many repositories (3)
//	HGBROKER_SEED            the first seed (101)
//	HGBROKER_COMMANDS        command lines for each (60)
func compare(t *testing.T, draw func(p *patterns) []string) {
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			y := hgtest.NewTally(t)
			y.MaxErrors = number(t, "HGBROKER_MISMATCHES", 10)
			real := hgtest.NewReal(t, version.Path)
			generator := hgtest.NewGenerator(t, version.Path)
			variants := hgtest.Variants()
			first := number(t, "HGBROKER_SEED", 101)
			for i := range number(t, "HGBROKER_DIFFERENTIAL", 3) {
				seed := uint64(first + i)
				v := variants[(first+i*5)%len(variants)]
				t.Run(fmt.Sprintf("%d-%v", seed, v), func(t *testing.T) {
					dir := generator.New(t, seed, v)
					removePipes(t, dir)
					p := &patterns{Rand: rand.New(rand.NewPCG(seed, 7)), RepoInfo: hgtest.Info(t, real, dir), root: dir}
					var cmds []hgtest.Command
					for range number(t, "HGBROKER_COMMANDS", 60) {
						p.sub = ""
						if p.IntN(3) == 0 && len(p.Present) > 0 {
							p.sub = p.pick(p.Present)
						}
						cmds = append(cmds, hgtest.Command{Args: draw(p), Sub: p.sub})
					}
					hgtest.Compare(t, y, dir, cmds, engine(version), hgtest.Named{Name: "hg " + version.Number, Runner: real})
				})
			}
		})
	}
}

// TestLogOfFiles compares `log FILE...`, -I and -X.
func TestLogOfFiles(t *testing.T) {
	compare(t, func(p *patterns) []string {
		args := []string{"log", "-T", "{rev}:{node|short} {files}\n"}
		if p.IntN(8) == 0 {
			args = []string{"log"}
		}
		for range 1 + p.IntN(2) {
			switch p.IntN(10) {
			case 0:
				args = append(args, "-I", p.any())
			case 1:
				args = append(args, "-X", p.any())
			case 2:
				args = append(args, "set:"+p.set(1))
			case 3, 4, 5:
				args = append(args, p.plain())
			default:
				args = append(args, p.any())
			}
		}
		for p.IntN(3) == 0 {
			args = append(args, [][]string{
				{"-r", "all()"}, {"-r", "tip:0"}, {"-r", "0+2+1"}, {"-r", "."}, {"-r", "none()"}, {"-l", "2"}, {"-G"},
				{"-k", "a"}, {"-M"}, {"-d", ">2000-01-01"}, {"-b", "default"}, {"-b", "nosuch"}, {"--hidden"}, {"-P", "1"}, {"-u", "a"}, {"-C"},
			}[p.IntN(16)]...)
		}
		return args
	})
}

// TestFilesInRevsets compares the revset predicates that take patterns.
func TestFilesInRevsets(t *testing.T) {
	compare(t, func(p *patterns) []string {
		quoted := func(s string) string {
			return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
		}
		spec := ""
		switch p.IntN(7) {
		case 0, 1:
			spec = "file(" + quoted(p.any()) + ")"
		case 2:
			spec = p.pick([]string{"adds", "modifies", "removes"}) + "(" + quoted(p.any()) + ")"
		case 3:
			spec = p.pick([]string{"adds", "modifies", "removes"}) + "(" + quoted(p.glob(p.relative(p.pick(p.Files)))) + ")"
		case 4:
			spec = "contains(" + quoted(p.any()) + ")"
		case 5:
			spec = "_matchfiles('r:', 'd:" + p.pick([]string{"relpath", "glob", "path"}) + "', " + quoted("p:"+p.any()) + ", " + quoted("i:"+p.any()) + ")"
		case 6:
			spec = "_matchfiles(" + quoted("p:"+p.any()) + ", " + quoted("x:"+p.any()) + ")"
		}
		if p.IntN(4) == 0 {
			spec = p.pick([]string{"tip:0 & ", "none() & ", "not ", "all() - ", "reverse(all()) & "}) + spec
		}
		return []string{"log", "-T", "{rev} ", "-r", spec}
	})
}
