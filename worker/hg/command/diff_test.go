// SPDX-License-Identifier: GPL-2.0-or-later

package command_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// now keeps the date of the working directory the same in all answers.
var now = []string{"--config", "devel.default-date=2001-02-03 04:05 +0100"}

// diffFlags draws options that change how a diff looks; log has few of them.
func (p *patterns) diffFlags(few bool) []string {
	var args []string
	for p.IntN(2) == 0 {
		if !few && p.IntN(3) == 0 {
			args = append(args, [][]string{{"-a"}, {"--nodates"}, {"--binary"}, {"--no-binary"}, {"-g", "--no-binary"}}[p.IntN(5)]...)
			continue
		}
		args = append(args, [][]string{
			{"-g"}, {"-g"}, {"--git"}, {"--color=always"}, {"--color=always", "--config", "diff.word-diff=1"}, {"-g", "--color=always"}, {"--no-git"},
			{"--config", "diff.git=yes"}, {"--config", "diff.nodates=1"}, {"--config", "diff.showfunc=1"}, {"--config", "diff.unified=1"},
			{"--config", "diff.unified=x"}, {"--config", "diff.noprefix=1"}, {"--config", "diff.ignorews=1"}, {"--config", "diff.nobinary=1", "-g"},
			{"--config", "experimental.extendedheader.index=full", "-g"}, {"--config", "experimental.extendedheader.index=7", "-g"},
			{"--config", "experimental.extendedheader.index=50"}, {"--config", "experimental.extendedheader.index=odd"},
			{"--config", "diff.merge=1"}, {"--config", "diff.git=maybe"}, {"--debug"}, {"-v"}, {"-q"},
		}[p.IntN(24)]...)
	}
	return args
}

func (p *patterns) rev() string {
	if p.IntN(3) == 0 {
		return p.pick([]string{"tip", ".", "null", "wdir()", "0", "tip^", ".^", "p1(.)", "merge()", "last(merge())", "head()", "nosuch", "none()", "-2"})
	}
	return p.pick(p.Nodes)
}

func (p *patterns) sides() []string {
	switch p.IntN(9) {
	case 0:
		return []string{"-c", p.rev()}
	case 1:
		return []string{"-r", p.rev()}
	case 2:
		return []string{"-r", p.rev(), "-r", p.rev()}
	case 3:
		return []string{"-r", p.pick([]string{"0:tip", "tip:0", ".:", "0::", "0+1", "all()", "none()", "0:null"})}
	case 4:
		return []string{"--from", p.rev(), "--to", p.rev()}
	case 5:
		return []string{p.pick([]string{"--from", "--to", "--from=0", "--to=0"}), p.rev()}
	case 6:
		return append([]string{"-c", p.rev()}, p.pick([]string{"-r", "--from", "--to"}), "0")
	}
	return nil
}

// TestDiff compares hg diff.
func TestDiff(t *testing.T) {
	compare(t, func(p *patterns) []string {
		args := append(append([]string{"diff"}, now...), p.sides()...)
		args = append(args, p.diffFlags(false)...)
		for p.IntN(3) == 0 {
			args = append(args, [][]string{
				{"-w"}, {"-b"}, {"-B"}, {"-Z"}, {"-wB"}, {"-U0"}, {"-U", "1"}, {"-U10"}, {"-Ux"}, {"-p"}, {"--reverse"}, {"--noprefix"},
				{"--stat"}, {"--stat", "--git"}, {"-S"}, {"--root", p.pick(p.Dirs)}, {"--root", "."}, {"--hidden"},
				{"-I", p.any()}, {"-X", p.any()}, {"--stat", "--config", "ui.relative-paths=yes"}, {"--show-function"}, {"--no-nodates"},
			}[p.IntN(23)]...)
		}
		for p.IntN(3) == 0 {
			args = append(args, p.any())
		}
		return args
	})
}

// TestLogPatches compares what log, tip and export print of changes.
func TestLogPatches(t *testing.T) {
	compare(t, func(p *patterns) []string {
		if p.IntN(6) == 0 {
			args := append([]string{"export"}, p.diffFlags(false)...)
			for p.IntN(2) == 0 {
				args = append(args, p.rev())
			}
			for p.IntN(4) == 0 {
				args = append(args, [][]string{{"--switch-parent"}, {"-r", p.rev()}, {"-Tjson"}, {"-T", "{node|short} {parents} {diff}\\n"}, {"-T", "{diff|count}"}, {"-o", "-"}}[p.IntN(6)]...)
			}
			return args
		}
		if p.IntN(8) == 0 {
			return append([]string{"tip", p.pick([]string{"-p", "-g", "-pg", "-pv"})}, p.pick([]string{"-q", "-Tjson", "--style=compact", "--debug"}))
		}
		args := append([]string{"log", p.pick([]string{"-p", "-p", "--stat", "--stat", "-pg", "-p", "-T"})}, []string{}...)
		if args[1] == "-T" {
			args = append(args, p.pick([]string{"{rev} {diffstat}\n", "{diff()}", "{diff('glob:*')}", "{diff('', 'f*')|stringify|count}\n", "{rev}{diff(1,2,3)}", "{splitlines(diff())%'{line}|'}\n"}))
		} else {
			args = append(args, p.diffFlags(true)...)
		}
		if p.IntN(3) == 0 {
			args = append(args, "--stat")
		}
		if p.IntN(3) == 0 {
			args = append(args, "-r", p.pick([]string{p.rev(), "0:5", "merge()", "tip:0"}))
		} else {
			args = append(args, "-l", "6")
		}
		for p.IntN(3) == 0 {
			args = append(args, [][]string{{"-G"}, {"-v"}, {"-Tjson"}, {"--style=default"}, {"-q"}, {p.plain()}, {p.any()}, {"-C"}, {"--hidden"}, {"-M"}}[p.IntN(10)]...)
		}
		return args
	})
}

// oddFiles is a repository whose files have everything that patches show in a
// way of their own: empty ones, last lines without a newline, binary contents,
// links, modes, blanks in names, renames, merges, and an unfinished commit.
func oddFiles(t *testing.T, version hgtest.Version) string {
	dir := t.TempDir()
	hg := hgtest.NewShell(t, version.Path, dir)
	rng := rand.New(rand.NewPCG(7, 7))
	write := func(name, text string) {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	commit := func(message string) { hg.Must(t, "commit", "-A", "-q", "-m", message, "-d", "0 0", "-u", "u") }
	program := func(n int) string {
		var b strings.Builder
		for i := range 80 {
			switch {
			case i%13 == 0:
				b.WriteString("def function" + strconv.Itoa(i) + "(argument, another_argument, and_one_more):\n")
			case i%13 == n%13:
				b.WriteString("    changed(" + strconv.Itoa(rng.IntN(5)) + ")  \n\n")
			case i%7 == 0:
				b.WriteString("\n")
			default:
				b.WriteString("\tline " + strconv.Itoa(i%5) + "\n")
			}
		}
		return b.String()
	}
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(rng.IntN(40))
	}
	hg.Must(t, "init", ".")
	write("empty", "")
	write("no newline", "a\nb")
	write("program.py", program(3))
	write("dir/binary", string(noise))
	write("dir/mode", "mode\n")
	write("dir/carriage", "a\r\n+b\rdiff --git\r@@\r-c\n")
	must(os.Symlink("program.py", filepath.Join(dir, "link")))
	commit("first")
	write("no newline", "a\nb\n")
	write("program.py", program(4))
	noise[700] = 0
	write("dir/binary", string(noise)+strings.Repeat("more\x00", 9000))
	must(os.Chmod(filepath.Join(dir, "dir/mode"), 0o777))
	write("dir/carriage", "a\r\n+b\rdiff -r 0 x\r@@\r-d\n")
	must(os.Remove(filepath.Join(dir, "link")))
	must(os.Symlink("empty", filepath.Join(dir, "link")))
	commit("second")
	hg.Must(t, "mv", "dir/binary", "dir/renamed binary")
	hg.Must(t, "cp", "program.py", "dir/copy.py")
	hg.Must(t, "mv", "program.py", "moved.py")
	write("moved.py", program(5))
	write("no newline", "A\nb\nc")
	commit("third")
	hg.Must(t, "update", "-q", "0")
	write("empty", "no more\n")
	write("other", "\x01\nother\n")
	commit("other head")
	hg.Must(t, "merge", "-q", "2", "--tool", ":local")
	commit("merge")
	hg.Must(t, "rm", "dir/mode")
	hg.Must(t, "cp", "other", "other copy")
	write("other", "")
	write("added", "")
	write("caf\xe9", "latin\n")
	hg.Must(t, "add", "added", "caf\xe9")
	must(os.Chmod(filepath.Join(dir, "empty"), 0o777))
	return dir
}

// TestOddPatches compares diffs of odd files with many options; with all of them
// if HGBROKER_DIFFERENTIAL is set.
func TestOddPatches(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			dir := oddFiles(t, version)
			y := hgtest.NewTally(t)
			var cmds []hgtest.Command
			forms := [][]string{{}, {"-g"}, {"-a"}, {"-g", "--no-binary"}, {"--stat"}, {"-g", "--stat"}, {"-p", "-U1"}, {"-w"}, {"-b", "-g"}, {"-B", "-U0"}, {"-Z"}, {"--noprefix"},
				{"--config", "experimental.xdiff=1"}, {"--config", "experimental.xdiff=1", "-wg"}, {"--color=always"}, {"--color=always", "--config", "diff.word-diff=1", "-g"},
				{"--stat", "--color=always"}, {"-g", "--config", "experimental.extendedheader.index=short"}, {"--root", "dir", "-g"}, {"--root", "dir", "--stat", "--config", "experimental.extendedheader.index=5"}}
			all := os.Getenv("HGBROKER_DIFFERENTIAL") != ""
			for i, form := range forms {
				for j, sides := range [][]string{{}, {"--reverse"}, {"-c", "1"}, {"-c", "2"}, {"-c", "merge()"}, {"-r", "2"}, {"-r", "0:2"}, {"-r", "2", "-r", "0"}, {"--from", "3", "--to", "2"},
					{"-r", "null", "-r", "tip"}, {"-r", "tip", "-r", "null"}, {"-r", "null", "-r", "null"}, {"-r", "null"}} {
					if !all && (i+j)%3 != 0 {
						continue
					}
					args := append(append(append([]string{"diff"}, now...), form...), sides...)
					cmds = append(cmds, hgtest.Command{Args: args})
				}
			}
			for _, args := range [][]string{{"log", "-p"}, {"log", "--stat"}, {"log", "-G", "--stat"}, {"log", "-pg", "-v", "dir"}, {"log", "--stat", "-Tjson"}, {"log", "-p", "-Tjson", "-r", "2"},
				{"log", "-T", "json(diffstat)"}, {"log", "-T", "{rev}:{diffstat}\n"}, {"log", "-T", "{diff('dir')}"}, {"log", "-T", "{diff('set:binary()')}"}, {"tip", "-p"}, {"tip", "-pg"},
				{"export", "-r", "all()"}, {"export", "-g", "0", "2", "--switch-parent", "4"}, {"export", "-Tjson", "2"}, {"export", "-T", "{rev}{diff}", "1"}, {"export", "-v", "1"}, {"export", "none()"},
				{"log", "-p", "--stat", "--color=always"}, {"log", "-pG", "--config", "diff.word-diff=1", "--color=always"}, {"export", "tip", "--color=always"}} {
				cmds = append(cmds, hgtest.Command{Args: args})
			}
			for i := range cmds {
				if i%7 == 3 {
					cmds[i].Env = []string{"HGPLAIN=1"}
				}
				if i%5 == 1 {
					cmds[i].Env = []string{"COLUMNS=" + strconv.Itoa(20+i%90)}
				}
			}
			hgtest.Compare(t, y, dir, cmds, engine(version), hgtest.Named{Name: "hg " + version.Number, Runner: hgtest.NewReal(t, version.Path)})
		})
	}
}

// BenchmarkDiff measures the diff of two changesets of a large file.
func BenchmarkDiff(b *testing.B) {
	version := hgtest.HgVersions(b)[0]
	dir := b.TempDir()
	hg := hgtest.NewShell(b, version.Path, dir)
	hg.Must(b, "init", ".")
	var text bytes.Buffer
	for i := range 50000 {
		text.WriteString("\tline " + strconv.Itoa(i*7919%30011) + "\n")
	}
	for rev := range 2 {
		lines := bytes.SplitAfter(text.Bytes(), []byte("\n"))
		if rev > 0 {
			for i := 0; i < len(lines); i += 900 {
				lines[i] = []byte("changed\n")
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "file"), bytes.Join(lines, nil), 0o666); err != nil {
			b.Fatal(err)
		}
		hg.Must(b, "commit", "-A", "-q", "-m", "m", "-u", "u")
	}
	for _, r := range []hgtest.Named{engine(version), {Name: "hg", Runner: hgtest.NewReal(b, version.Path)}} {
		b.Run(r.Name, func(b *testing.B) {
			for b.Loop() {
				if out, _, _, _, err := r.Run(dir, []string{"diff", "-c", "1"}, hgtest.BaseEnv()); err != nil || len(out) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}
