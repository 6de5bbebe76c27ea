// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// writes are the changes that TestRandomWrites makes, a line each: a command of hg, in
// which words in capitals stand for something of the repository, or what happens
// without it. None prunes what may be obsolete already: what became of such a
// changeset hg tells in any order.
var writes = strings.Split(strings.TrimSpace(`
!edit FILE
!edit FILE
!edit FILE
!edit new1
!edit src/new2
!delete FILE
!executable FILE
!ignore
!hgrc
commit -A -m STEP
commit -A -m STEP
commit --close-branch -m close
commit --amend -m STEP
commit --amend -m STEP --config experimental.evolution=all
update -r REV
update -C -r REV
merge -r REV
merge --tool :fail -r REV
resolve -m --all
resolve -u --all
revert --no-backup --all -r REV
phase -f -p -r REV
phase -f -d -r REV
phase -f -s -r REV
bookmark -f BOOKMARK
bookmark -f b1 -r REV
bookmark -d BOOKMARK
bookmark -i
tag -f t1 -r REV
tag -f TAG -r REV
tag -l -f local -r REV
tag --remove TAG
branch -f BRANCH
branch -f other
strip --no-backup -r REV
rebase -s REV -d REV --config experimental.evolution=all
rebase -r REV -d REV --keep
rebase --abort
graft --tool :fail -r REV
graft --abort
forget FILE
mv FILE moved-STEP
cp FILE copied-STEP
rm -f FILE
shelve -n shelf
unshelve -n shelf --tool :fail
unshelve --abort
rollback --config ui.rollback=1
bisect -g
bisect -b
bisect --reset
`), "\n")

// reads are asked between writes, half of them each time.
var reads = [][]string{
	{"status"}, {"status", "-A", "-C"}, {"summary"}, {"identify"}, {"heads"}, {"branches", "-c"}, {"tags"}, {"bookmarks"}, {"files"},
	{"parents"}, {"diff", "--nodates"}, {"resolve", "-l"}, {"phase", "-r", "."}, {"shelve", "-l", "-q"}, {"newest"},
	{"log", "-G", "-T", "{rev}:{node|short} {phase} {branch} [{tags}] [{bookmarks}] {instabilities} {p1.rev} {p2.rev} {desc|firstline}\n"},
	{"log", "--hidden", "-T", "{rev} {obsolete} {obsfate}\n"},
	{"log", "-r", "bisect(range) + bisect(good)", "-q"},
}

// writer changes a repository.
type writer struct {
	t    *testing.T
	hg   *hgtest.Shell
	rng  *rand.Rand
	info hgtest.RepoInfo // as of the last step
	step int
	done []string // what was done, for the report
}

func (w *writer) one(of ...string) string {
	if len(of) == 0 {
		return "none"
	}
	return of[w.rng.IntN(len(of))]
}

// word is what a word of a write stands for.
func (w *writer) word(s string) string {
	switch s {
	case "FILE":
		return w.one(w.info.Tracked...)
	case "REV":
		return w.one("tip", ".", "0", "max(draft())", "min(draft())", w.word("NODE"), w.word("NODE"))
	case "NODE":
		return w.one(w.info.Nodes...)
	case "BOOKMARK":
		return w.one("b1", "b2", w.one(w.info.Bookmarks...))
	case "TAG":
		return w.one("t1", w.one(w.info.Tags...))
	case "BRANCH":
		return w.one(w.info.Branches...)
	}
	return strings.ReplaceAll(s, "STEP", fmt.Sprint(w.step))
}

// write makes one change. Most may fail: then hg has left something behind, or nothing.
func (w *writer) write() {
	words := strings.Fields(w.one(writes...))
	for i, s := range words {
		words[i] = w.word(s)
	}
	path := func() string { return filepath.Join(w.hg.Dir, words[1]) }
	put := func(name, text string) error {
		name = filepath.Join(w.hg.Dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
		return os.WriteFile(name, []byte(text), 0o666)
	}
	var result any
	switch words[0] {
	case "!edit":
		result = put(words[1], fmt.Sprintf("text %d\n", w.rng.IntN(100)))
	case "!delete":
		result = os.Remove(path())
	case "!executable":
		result = os.Chmod(path(), 0o777)
	case "!ignore":
		result = put(".hgignore", w.one("syntax: glob\n*.o\n", "syntax: glob\nnew*\n", "re:^src\n", ""))
	case "!hgrc":
		result = put(".hg/hgrc", "[storage]\ndirstate-v2.slow-path=allow\n"+w.one("", "[ui]\nverbose=1\n", "[experimental]\nevolution=all\n", "[diff]\ngit=1\n"))
	default:
		args := append(words, "--config", "ui.merge=:merge-other")
		for _, name := range []string{"mq", "rebase", "shelve", "strip"} {
			args = append(args, "--config", "extensions."+name+"=")
		}
		_, stderr, code := w.hg.Run(w.t, args...)
		result = fmt.Sprintf("%d %.80s", code, stderr)
	}
	w.done = append(w.done, fmt.Sprintf("%q: %v", words, result))
}

// TestRandomWrites changes random repositories at random, with hg and behind its back,
// and asks an engine that stays, and engines that share images, what it asks hg.
//
//	HGBROKER_DIFFERENTIAL    a quarter of it is how many repositories
//	HGBROKER_SEED            the number of the first one (1)
//	HGBROKER_STEPS           how often each is changed (6)
func TestRandomWrites(t *testing.T) {
	shortLag(t)
	repositories := max(1, number(t, "HGBROKER_DIFFERENTIAL", 4)/4)
	first := number(t, "HGBROKER_SEED", 1)
	steps := number(t, "HGBROKER_STEPS", 6)
	variants := []hgtest.Variant{"evolution", "split,evolution", "", "dirstate-v2,evolution", "share,dirstate-v2", "treemanifest", "no-store"}
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			inst := Installation{Path: version.Path, Version: version.Number}
			real := hgtest.NewReal(t, version.Path)
			generator := hgtest.NewGenerator(t, version.Path)
			y := hgtest.NewTally(t)
			y.MaxErrors = number(t, "HGBROKER_MISMATCHES", 10)
			for i := range repositories {
				seed := uint64(first + i)
				v := variants[int(seed)%len(variants)]
				t.Run(fmt.Sprintf("%d-%v", seed, v), func(t *testing.T) {
					dir := generator.New(t, seed, v)
					// It is the same hg that writes and reads: two that stay spoil each
					// other's cache of branches.
					w := &writer{t: t, hg: &hgtest.Shell{Hg: real, Dir: dir, Env: hgtest.BaseEnv("HGUSER=ada")}, rng: rand.New(rand.NewPCG(seed, 9))}
					w.info = hgtest.Info(t, real, dir)
					runners := []hgtest.Named{engineRunner("warm", inst, false), shelfRunner(t, "leased", inst, newShelf(t), 10),
						{Name: "hg " + version.Number, Runner: real}}
					for w.step = range steps {
						for range 1 + w.rng.IntN(3) {
							w.write()
						}
						if _, stderr, _ := w.hg.Run(t, "summary"); hgtest.Crashed(stderr) {
							t.Logf("hg itself crashes at step %d", w.step)
							return
						}
						w.info = hgtest.Info(t, real, dir)
						cmds := hgtest.RandomCommands(w.rng, w.info, 5)
						for _, args := range reads {
							if w.rng.IntN(2) == 0 {
								cmds = append(cmds, hgtest.Command{Args: args})
							}
						}
						before := y.Mismatches()
						hgtest.Compare(t, y, dir, cmds, runners...)
						if y.Mismatches() > before {
							t.Fatalf("at step %d, after\n%s", w.step, strings.Join(w.done[max(0, len(w.done)-12):], "\n"))
						}
					}
				})
			}
		})
	}
}
