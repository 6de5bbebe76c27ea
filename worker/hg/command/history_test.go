// SPDX-License-Identifier: GPL-2.0-or-later

package command_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// tangle makes a repository with a tangled history of a few files: edits,
// renames, copies over what is there, removals and revivals, on branches that
// are merged, and the same change made twice.
type tangle struct {
	*rand.Rand
	t       *testing.T
	sh      *hgtest.Shell
	commits int
	names   []string
}

func newTangle(t *testing.T, path string, seed uint64, commits int) *tangle {
	g := &tangle{Rand: rand.New(rand.NewPCG(seed, 3)), t: t, names: []string{"a", "b", "c", "d/a", "d/b", "e f"}}
	dir := t.TempDir()
	g.sh = hgtest.NewShell(t, path, dir)
	g.sh.Must(t, "init")
	rc := "[ui]\nusername = Someone Else <some.one@example.com>\nmerge = internal:union\n[experimental]\nevolution = all\n[merge]\npreferancestor = *\n"
	if err := os.WriteFile(filepath.Join(dir, ".hg", "hgrc"), []byte(rc), 0o644); err != nil {
		t.Fatal(err)
	}
	for range commits {
		g.step()
	}
	for range 3 {
		g.change()
	}
	return g
}

func (g *tangle) tracked() []string {
	out, _, _ := g.sh.Run(g.t, "files", "-0")
	list := strings.Split(out, "\x00")
	list = list[:len(list)-1]
	return list
}

func (g *tangle) lines(n int) string {
	var b strings.Builder
	for range n {
		switch g.IntN(6) {
		case 0:
			b.WriteString("\n")
		case 1:
			b.WriteString("}\n")
		case 2:
			b.WriteString(strings.Repeat(" ", g.IntN(3)) + "x\t= 1;" + strings.Repeat(" ", g.IntN(2)) + "\n")
		default:
			fmt.Fprintf(&b, "line %d\n", g.IntN(1000))
		}
	}
	return b.String()
}

func (g *tangle) edit(path string) {
	full := filepath.Join(g.sh.Dir, path)
	data, _ := os.ReadFile(full)
	lines := strings.SplitAfter(string(data), "\n")
	at := g.IntN(len(lines))
	cut := min(g.IntN(4), len(lines)-at)
	fresh := g.lines(g.IntN(4))
	if g.IntN(4) == 0 && cut > 0 { // only blanks change
		fresh = strings.ReplaceAll(strings.Join(lines[at:at+cut], ""), " ", "  ")
	}
	text := strings.Join(lines[:at], "") + fresh + strings.Join(lines[at+cut:], "")
	if g.IntN(20) == 0 {
		text = strings.TrimSuffix(text, "\n")
	}
	if g.IntN(40) == 0 {
		text += "\x00"
	}
	g.write(full, text)
}

func (g *tangle) write(full, text string) {
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err == nil {
		err = os.WriteFile(full, []byte(text), 0o644)
		if err != nil {
			g.t.Fatal(err)
		}
	}
}

// change changes the working directory.
func (g *tangle) change() {
	files := g.tracked()
	name := g.names[g.IntN(len(g.names))]
	if len(files) < 2 {
		g.write(filepath.Join(g.sh.Dir, name), g.lines(6+g.IntN(20)))
		g.sh.Run(g.t, "add", name)
		return
	}
	file := files[g.IntN(len(files))]
	switch g.IntN(10) {
	case 0:
		g.sh.Run(g.t, "mv", file, name)
	case 1:
		g.sh.Run(g.t, "cp", file, name)
	case 2:
		g.sh.Run(g.t, "cp", "--force", file, name)
	case 3:
		g.sh.Run(g.t, "mv", "--force", file, name)
	case 4:
		if g.IntN(2) == 0 {
			g.sh.Run(g.t, "rm", "-f", file)
		}
	case 5:
		if !slices.Contains(files, name) {
			g.write(filepath.Join(g.sh.Dir, name), g.lines(6+g.IntN(20)))
			g.sh.Run(g.t, "add", name)
		}
	default:
		g.edit(file)
	}
}

func (g *tangle) commit() {
	g.commits++
	g.sh.Run(g.t, "commit", "-m", fmt.Sprintf("commit %d", g.commits), "-u", []string{"Ann <ann@x.org>", "bob.b", "Été <e@x>"}[g.IntN(3)],
		"-d", fmt.Sprintf("%d %d", 1000000*g.commits, 3600*g.IntN(3)))
}

func (g *tangle) step() {
	for range 1 + g.IntN(3) {
		g.change()
	}
	g.commit()
	if g.commits < 4 {
		return
	}
	switch g.IntN(9) {
	case 0, 1:
		g.sh.Run(g.t, "update", "-C", "-r", fmt.Sprintf("max(all()) - %d", 0), "-q")
		g.sh.Run(g.t, "update", "-C", "-q", "-r", fmt.Sprintf("%d", g.IntN(g.commits)))
	case 2, 3, 4:
		tool := []string{":union", ":local", ":other"}[g.IntN(3)]
		if _, _, code := g.sh.Run(g.t, "merge", "-q", "--tool", tool, "-r", "first(reverse(head() - .))"); code <= 1 {
			g.sh.Run(g.t, "resolve", "--mark", "--all", "-q")
			if g.IntN(3) == 0 {
				g.change()
			}
			g.commit()
		}
	case 5:
		// The same change once more, on another branch.
		files := g.tracked()
		if len(files) == 0 {
			return
		}
		file := files[g.IntN(len(files))]
		g.edit(file)
		full := filepath.Join(g.sh.Dir, file)
		text, err := os.ReadFile(full)
		if err != nil {
			return
		}
		g.commit()
		g.sh.Run(g.t, "update", "-C", "-q", "-r", ".^")
		g.write(full, string(text))
		g.edit(g.names[g.IntN(3)])
		g.sh.Run(g.t, "addremove", "-q", "-s", "0")
		g.commit()
	case 6:
		g.change()
		g.sh.Run(g.t, "commit", "--amend", "-m", "amended", "-d", "5 0")
	}
}

func (g *tangle) rev() string {
	return []string{fmt.Sprint(g.IntN(g.commits)), fmt.Sprint(g.IntN(g.commits)), ".", "tip", "max(merge())", "max(head() - .)"}[g.IntN(6)]
}

func (g *tangle) name() string {
	if g.IntN(12) == 0 {
		return []string{"d", "nosuch", "glob:*", "."}[g.IntN(4)]
	}
	return g.names[g.IntN(len(g.names))]
}

// flags are some of the given options.
func (g *tangle) flags(percent int, list ...string) []string {
	var out []string
	for _, f := range list {
		if g.IntN(100) < percent {
			out = append(out, f)
		}
	}
	return out
}

func (g *tangle) annotate() []string {
	args := append([]string{"annotate"}, g.flags(18, "-u", "-f", "-d", "-n", "-c", "-l", "--no-follow", "-a", "-w", "-b", "-B", "-Z", "--follow", "-v")...)
	args = append(args, g.flags(4, "-q", "--debug", "-l", "--no-line-number", "-X d", "-Tjson")...)
	switch g.IntN(8) {
	case 0:
		args = append(args, "-r", "wdir()")
	case 1:
	default:
		args = append(args, "-r", g.rev())
	}
	if g.IntN(3) == 0 {
		args = append(args, "--skip", []string{g.rev(), "all()", "::" + g.rev(), "merge()", "0:5"}[g.IntN(5)])
	}
	if g.IntN(6) == 0 {
		args = append(args, "-T", []string{"{lines}", `{lines % "{rev}:{node|short} {path} {lineno} {date|hgdate} {user|person}: {line}"}`, `{path}\n{lines % "{author} {line}"}`, "json", `{lines % "{desc|firstline}: {date}|{date|json}|{date|isodate}|{date(date, '%H')}|{date|user} {line}"}`, "{rev}"}[g.IntN(6)])
	}
	for range 1 + g.IntN(2) {
		args = append(args, g.name())
	}
	return args
}

func (g *tangle) log() []string {
	args := []string{"log", "-T", "{rev} "}
	args = append(args, g.flags(70, "-f")...)
	args = append(args, g.flags(15, "--follow-first", "--removed", "-G", "-l3", "-M", "-C")...)
	if g.IntN(6) == 0 {
		args = append(args, "-v")
		args = slices.Delete(args, 1, 3)
	}
	for g.IntN(3) == 0 {
		args = append(args, "-r", g.rev())
	}
	if g.IntN(5) == 0 {
		args = append(args, g.flags(15, "--config=diff.ignorews=1", "--config=diff.ignoreblanklines=1", "--config=diff.ignorewseol=1")...)
		return append(args, "-L", fmt.Sprintf("%s,%d:%d", g.name(), g.IntN(8), 1+g.IntN(16)))
	}
	for range g.IntN(3) {
		args = append(args, g.name())
	}
	return args
}

func (g *tangle) copies() []string {
	switch g.IntN(9) {
	case 0:
		return append([]string{"debugrename"}, append(g.flags(50, g.name()), "-r", g.rev())...)
	case 1:
		return []string{[]string{"debugp1copies", "debugp2copies"}[g.IntN(2)], "-r", g.rev()}
	case 2, 3, 4:
		side := func() string {
			if g.IntN(8) == 0 {
				return []string{"wdir()", "null"}[g.IntN(2)]
			}
			return g.rev()
		}
		args := []string{"debugpathcopies", side(), side()}
		if g.IntN(4) == 0 {
			args = append(args, "--config", "experimental.copies.read-from="+[]string{"changeset-only", "compatibility"}[g.IntN(2)])
		}
		if g.IntN(8) == 0 {
			args = append(args, "--config", "experimental.copytrace=off")
		}
		return append(args, g.flags(20, g.name(), "-X d")...)
	case 5:
		return []string{"status", "-C", "--change", g.rev()}
	case 6:
		return append([]string{"status", "-C", "--rev", g.rev()}, g.flags(30, g.name())...)
	case 7:
		return []string{"log", "-r", g.rev(), "-T", `{file_copies % "{name}<-{source};"}|{file_copies_switch}\n`, "-C"}
	}
	return []string{"status", "-C", "--rev", g.rev(), "--rev", g.rev()}
}

func (g *tangle) revset() []string {
	quote := func(s string) string { return "'" + s + "'" }
	file := quote(g.name())
	spec := "follow(" + file + ")"
	switch g.IntN(7) {
	case 0:
		spec = "follow(" + file + ", startrev=" + g.rev() + ")"
	case 1:
		spec = "_followfirst(" + file + ", " + g.rev() + "+" + g.rev() + ")"
	case 2:
		spec = "follow(" + quote("glob:**"+g.names[0]) + ")"
	case 3, 4:
		spec = fmt.Sprintf("followlines(%s, %d:%d, startrev=%s)", file, g.IntN(8), 1+g.IntN(14), g.rev())
	case 5:
		spec = fmt.Sprintf("followlines(%s, %d:%d, startrev=%s, descend=%s)", file, 1+g.IntN(8), 2+g.IntN(14), g.rev(), []string{"True", "true", "no", "x"}[g.IntN(4)])
	}
	if g.IntN(4) == 0 {
		spec = []string{"reverse(%s)", "tip:0 & %s", "%s - merge()", "last(%s)", "0 + %s"}[g.IntN(5)]
		spec = strings.ReplaceAll(spec, "%s", "follow("+file+")")
	}
	return []string{"log", "-T", "{rev} ", "-r", spec}
}

// TestHistory compares what follows files and lines through a tangled history.
//
//	HGBROKER_DIFFERENTIAL    how many repositories (1)
//	HGBROKER_SEED            the first seed (1)
//	HGBROKER_COMMANDS        command lines for each (160)
func TestHistory(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			y := hgtest.NewTally(t)
			y.MaxErrors = number(t, "HGBROKER_MISMATCHES", 10)
			real := hgtest.NewReal(t, version.Path)
			first := number(t, "HGBROKER_SEED", 1)
			for i := range number(t, "HGBROKER_DIFFERENTIAL", 1) {
				t.Run(fmt.Sprint(first+i), func(t *testing.T) {
					g := newTangle(t, version.Path, uint64(first+i), 30)
					var cmds []hgtest.Command
					for range number(t, "HGBROKER_COMMANDS", 160) {
						draw := []func() []string{g.annotate, g.annotate, g.log, g.copies, g.revset}[g.IntN(5)]
						cmds = append(cmds, hgtest.Command{Args: draw()})
					}
					hgtest.Compare(t, y, g.sh.Dir, cmds, engine(version), hgtest.Named{Name: "hg " + version.Number, Runner: real})
				})
			}
		})
	}
}
