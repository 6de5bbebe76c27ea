// SPDX-License-Identifier: GPL-2.0-or-later

package command_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"hgbroker/worker/hg/hgtest"
)

// readScenario is a repository in some state, and command lines to compare there.
type readScenario struct {
	name  string
	make  func(w *workshop)
	lines []string
}

// workshop is a repository while a test makes it.
type workshop struct {
	*hgtest.Shell
	t *testing.T
}

// hg runs a command that has to succeed.
func (w *workshop) hg(args ...string) string { return w.Must(w.t, args...) }

// fails runs a command that stops half-way, such as a merge with conflicts.
func (w *workshop) fails(args ...string) {
	w.t.Helper()
	if _, _, code := w.Run(w.t, args...); code == 0 {
		w.t.Fatalf("hg %q succeeded", args)
	}
}

// write makes files of pairs of name and content.
func (w *workshop) write(pairs ...string) {
	w.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		path := filepath.Join(w.Dir, pairs[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(pairs[i+1]), 0o666); err != nil {
			w.t.Fatal(err)
		}
	}
}

// commit adds what is there and commits it.
func (w *workshop) commit(message string, more ...string) {
	w.t.Helper()
	w.hg(append([]string{"commit", "-q", "-A", "-m", message, "-u", "ada", "-d", "1500000000 7200"}, more...)...)
}

// TestReads compares commands that look into a state which generated
// repositories do not have.
func TestReads(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		y := hgtest.NewTally(t)
		y.MaxErrors = 40
		real := hgtest.NewReal(t, version.Path)
		for _, s := range readScenarios {
			t.Run(version.Number+"/"+s.name, func(t *testing.T) {
				dir, err := filepath.EvalSymlinks(t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				w := &workshop{&hgtest.Shell{Hg: real, Dir: dir, Env: hgtest.BaseEnv()}, t}
				w.hg("init")
				s.make(w)
				var cmds []hgtest.Command
				for _, line := range s.lines {
					c, err := hgtest.ParseCommand(line)
					if err != nil {
						t.Fatalf("%s: %v", line, err)
					}
					cmds = append(cmds, c)
				}
				hgtest.Compare(t, y, dir, cmds, engine(version), hgtest.Named{Name: "hg " + version.Number, Runner: real})
			})
		}
	}
}

// TestReadsGenerated compares random command lines of the same commands on
// generated repositories.
func TestReadsGenerated(t *testing.T) {
	repositories := 4
	if n, err := strconv.Atoi(os.Getenv("HGBROKER_DIFFERENTIAL")); err == nil {
		repositories = n
	}
	for _, version := range hgtest.HgVersions(t) {
		y := hgtest.NewTally(t)
		y.MaxErrors = 40
		real := hgtest.NewReal(t, version.Path)
		variants := hgtest.Variants()
		generator := hgtest.NewGenerator(t, version.Path)
		for i := range repositories {
			seed := uint64(100 + i)
			v := variants[i%len(variants)]
			t.Run(fmt.Sprintf("%s/%d-%v", version.Number, seed, v), func(t *testing.T) {
				dir := generator.New(t, seed, v)
				cmds := hgtest.ReadCommands(rand.New(rand.NewPCG(seed, 2)), hgtest.Info(t, real, dir), 50)
				hgtest.Compare(t, y, dir, cmds, engine(version), hgtest.Named{Name: "hg " + version.Number, Runner: real})
			})
		}
	}
}

// TestReadsRecorded compares on the recorded repositories, damaged ones too.
func TestReadsRecorded(t *testing.T) {
	if os.Getenv("HGBROKER_DIFFERENTIAL") == "" {
		t.Skip("set HGBROKER_DIFFERENTIAL to run it")
	}
	lines := []string{"hg verify", "hg verify -q --full", "hg summary", "hg summary -q", "hg resolve -l", "hg resolve -l -Tjson", "hg grep -r tip e", "hg grep -r 'all()' -l -n e",
		"hg grep --diff -r 'all()' -nu a", "HGUSER=me hg grep a", "hg locate", "hg locate -r tip '*a*'", "hg debugindex -c", "hg debugindex -mv", "hg debugdata -c 0", "hg debugdata -m 0", "hg debugindexdot -m", "hg debugancestor 0 tip",
		"hg debugobsolete", "hg debugobsolete -r 'all()'", "hg debugnamecomplete", "hg debugrequires", "hg debugformat", "hg debugrevspec 'all()'", "hg debugwalk", "hg debugfileset 'all()'", "hg debugfileset -r tip 'all()'", "hg debugsub", "hg paths", "hg paths -Tjson", "hg root -Tjson", "hg shelve -l",
		"hg incoming .", "hg outgoing .", "hg incoming", "hg outgoing -B .", "hg in -B .", "hg debugtemplate -r 'all()' '{rev}:{node|short} {branch}\\n'"}
	for _, version := range hgtest.HgVersions(t) {
		y := hgtest.NewTally(t)
		y.MaxErrors = 40
		real := hgtest.NewReal(t, version.Path)
		for _, r := range hgtest.Repos(t) {
			t.Run(version.Number+"/"+r.Name, func(t *testing.T) {
				dir := hgtest.Extract(t, r.Name)
				var cmds []hgtest.Command
				for _, line := range lines {
					c, err := hgtest.ParseCommand(line)
					if err != nil {
						t.Fatal(err)
					}
					cmds = append(cmds, c)
				}
				hgtest.Compare(t, y, dir, cmds, engine(version), hgtest.Named{Name: "hg " + version.Number, Runner: real})
			})
		}
	}
}

// conflict leaves a merge with files in several states.
func conflict(w *workshop) {
	w.write("a", "1\n2\n3\n", "b", "b\n", "dir/c", "c\n", "gone", "x\n")
	w.commit("base\nmore")
	w.write("a", "1\nlocal\n3\n", "b", "local\n", "dir/c", "local\n", "gone", "changed\n")
	w.commit("local ")
	w.hg("update", "-q", "0")
	w.write("a", "1\nother\n3\n", "b", "other\n", "dir/c", "other\n")
	w.hg("remove", "gone")
	w.commit("other")
	w.hg("bookmark", "-i", "side")
	w.fails("merge", "-q", "--tool", ":fail", "-r", "1")
	w.hg("resolve", "-m", "b")
}

var readScenarios = []readScenario{
	{"empty", func(w *workshop) {}, []string{
		"hg summary", "hg summary -q", "hg resolve -l", "hg resolve -l -Tjson", "hg locate", "hg locate x", "hg summary -v", "hg summary --debug", "hg verify",
	}},
	{"merge", conflict, []string{
		"hg summary --color always", "hg resolve -l --color=always", "hg summary", "hg summary -q", "hg sum -v", "hg summary --debug", "hg --config ui.relative-paths=yes summary",
		"hg resolve -l", "hg resolve --list --all", "hg resolve -l -n", "hg resolve -ln a b", "cd dir && hg resolve -l", "cd dir && hg resolve -l c",
		"cd dir && hg --config ui.relative-paths=yes resolve -l", "hg resolve -l -Tjson", "hg resolve -l -T '{path} {mergestatus} {rev}\\n'",
		"hg resolve -l -I 'set:unresolved()'", "hg resolve -l -a a", "hg resolve -l nosuch", "hg resolve -l -X dir", "hg resolve -l 'glob:**c'",
		"hg resolve -lv", "hg resolve -lq", "hg resolve -l -T debug", "hg resolve -l --tool :fail",
		"hg locate", "hg locate a", "hg locate -f", "hg locate -0", "cd dir && hg locate", "cd dir && hg locate c", "hg locate -r 0", "hg locate -r 0 nosuch c",
		"hg locate gone", "hg locate -I dir", "cd dir && hg locate -I .", "hg locate -r 0 '*o*'", "hg locate nosuch", "hg locate path:a path:a path:b", "hg locate -r1 path:nosuch", "hg locate set:unresolved",
	}},
	{"branches", func(w *workshop) {
		w.write("a", "1\n", "b", "1\n")
		w.commit("one")
		w.write("a", "2\n")
		w.commit("two")
		w.hg("branch", "-q", "stable")
		w.write("a", "3\n")
		w.commit("\n  three\nx")
		w.hg("update", "-q", "0")
		w.hg("bookmark", "here")
		w.hg("tag", "--local", "t1", "t2")
		w.write("c", "3\n")
		w.hg("copy", "b", "b2")
		w.hg("rename", "a", "a2")
		w.hg("copy", "a2", "a3")
		os.Remove(filepath.Join(w.Dir, "b"))
	}, []string{
		"hg summary", "hg summary -q", "hg summary --config phases.new-commit=secret", "hg summary --config phases.new-commit=public", "hg summary --hidden",
	}},
	{"closed", func(w *workshop) {
		w.write("a", "1\n")
		w.commit("one")
		w.hg("branch", "-q", "old")
		w.write("a", "2\n")
		w.commit("two")
		w.hg("phase", "-fs", ".")
		w.commit("close", "--close-branch")
	}, []string{"hg summary", "hg summary -q", "hg locate", "hg summary --debug"}},
	{"new branch", func(w *workshop) {
		w.write("a", "1\n")
		w.commit("one")
		w.hg("branch", "-q", "fresh")
	}, []string{"hg summary", "hg summary -q"}},
	{"null", func(w *workshop) {
		w.write("a", "1\n")
		w.commit("one")
		w.hg("update", "-q", "null")
		w.write("x", "1\n")
	}, []string{"hg summary", "hg summary -q"}},
	{"troubles", func(w *workshop) {
		w.write(".hg/hgrc", "[experimental]\nevolution=all\nevolution.allowdivergence=yes\n[extensions]\nrebase=\n")
		w.write("a", "1\n")
		w.commit("one")
		w.write("b", "1\n")
		w.commit("two")
		w.write("c", "1\n")
		w.commit("three")
		w.hg("update", "-q", "1")
		w.hg("commit", "--amend", "-q", "-m", "two again", "-d", "0 0")
		w.hg("update", "-q", "--hidden", "1")
		w.hg("commit", "--amend", "-q", "-m", "two and again", "-d", "0 0")
		w.hg("update", "-q", "2")
	}, []string{"hg summary", "hg summary --color=always", "hg summary -q", "hg summary --config experimental.evolution=", "hg summary -r 1",
		"hg debugobsolete", "hg debugobsolete --index", "hg debugobsolete -Tjson", "hg debugobsolete -r 'all()'", "hg debugobsolete -r 3", "hg debugobsolete -r tip --index", "hg debugobsolete -T '{prednode|short} {succnodes} {date|isodate} {flag}\\n'", "hg debugobsolete -r 2 --hidden", "hg debugobsolete -v", "hg debugobsolete -Tcbor",
		"hg debugnamecomplete", "hg debugrequires"}},
	{"rebase", func(w *workshop) {
		w.write(".hg/hgrc", "[extensions]\nrebase=\n")
		w.write("a", "1\n")
		w.commit("one")
		w.write("b", "1\n")
		w.commit("two")
		w.write("a", "2\n")
		w.commit("three")
		w.hg("update", "-q", "0")
		w.write("a", "3\n")
		w.commit("four")
		w.fails("rebase", "-q", "-s", "1", "-d", "3", "--tool", ":fail")
	}, []string{"hg summary", "hg summary -q", "hg resolve -l"}},
	{"paths", func(w *workshop) {
		w.write(".hg/hgrc", "[paths]\ndefault = http://joe:secret@host:80/a b?q#br\ndefault:pushurl = ssh://u:p@h//x\ndefault:pushrev = .\nrel = sub/dir\n"+
			"home = ~/x\nmany = a b\nmany:multi-urls = yes\nbm = /x\nbm:bookmarks.mode = mirror\nbm:nosuch = 1\nfile = file:///x/%41\nfrag = /x#y\nempty =\n*:pushrev = tip\nbm:pulled-delta-reuse-policy = forced\n")
	}, []string{
		"hg paths", "hg paths -q", "hg paths -v", "hg paths default", "hg paths -q default", "hg paths -Tjson", "hg paths default -Tjson", "hg paths rel", "hg paths many", "hg paths nosuch", "hg paths -q nosuch", "hg paths empty", "hg paths -Tdebug",
		"hg paths -T '{name} {url} {pushurl}\\n'", "hg paths --config paths.x=path://default", "hg paths --config paths.x=file://elsewhere/x", "hg paths --config paths.x:bookmarks.mode=foo --config paths.x=/y", "hg paths ''",
		"hg config --debug", "hg config --debug paths.rel", "hg config --debug paths.rel -Tjson", "hg config --source paths", "hg config paths.default:pushurl", "hg config -T '{name} {source}\\n'", "HGRCPATH=/nonexistent:/etc/passwd.rc hg config --debug ui",
		"hg root", "hg root -Tjson", "hg root -T '{reporoot} {hgpath} {storepath}\\n'", "hg root -v", "hg root --debug",
	}},
	{"grep", func(w *workshop) {
		w.write("a", "foo bar\nx\nfoo foo\n", "dir/b", "bar\n\nFoo\nno end foo", "bin", "foo\x00\nfoo\n", "latin", "caf\xe9 foo\n\xe9\xe8x\n")
		w.commit("one", "-u", "Ada Lovelace <ada.l@example.com>")
		w.write("a", "bar\nx\nfoo foo\nnew foo\n")
		w.commit("two", "-u", "bob")
		w.hg("rename", "a", "c")
		w.hg("copy", "dir/b", "b2")
		w.commit("three")
		w.hg("update", "-q", "1")
		w.write("dir/b", "bar\nfoo\n", "x y", "foo\r\nfoo")
		w.hg("remove", "bin")
		w.commit("four")
		w.write("a", "bar\nfoo bar\n", "unknown", "foo\n", "added", "foo\n")
		w.hg("add", "added")
		os.Remove(filepath.Join(w.Dir, "x y"))
		os.Symlink("foo/target", filepath.Join(w.Dir, "link"))
		w.hg("add", "link")
		w.hg("phase", "-fs", "2")
	}, []string{
		"HGUSER=me hg grep foo --color=always", "hg grep --color=always -nud -r 0:1 fo*", "hg grep --color=always --diff foo", "hg grep -l --color=always -r 0 foo", "HGUSER=me hg grep foo", "HGUSER=me hg grep foo -n", "HGUSER=me hg grep -i FOO", "HGUSER=me hg grep -l foo", "HGUSER=me hg grep -0 foo", "HGUSER=me hg grep -0l foo",
		"HGUSER='Me <me@x>' hg grep -u foo", "HGUSER='Me <me@x>' hg grep -uv foo", "HGUSER=me hg grep foo dir", "HGUSER=me hg grep foo nosuch a", "cd dir && HGUSER=me hg grep foo", "cd dir && HGUSER=me hg grep foo b",
		"HGUSER=me hg grep foo -I 'glob:**b'", "HGUSER=me hg grep nothing", "hg grep nothing", "HGUSER=me hg grep 'bar$'", "HGUSER=me hg grep '^foo'", "HGUSER=me hg grep 'o.*b'", "HGUSER=me hg grep -a foo", "HGUSER=me hg grep '.\\bfoo'",
		"hg grep -r . foo", "hg grep -r 0 foo", "hg grep -r 0 foo a", "hg grep -r 'all()' foo", "hg grep -r 'all()' -l foo", "hg grep -r 0:2 -nud foo", "hg grep -r 0:2 -nudq foo", "hg grep -r 0:2 -nudv foo", "hg grep -r 'reverse(all())' foo", "hg grep -r 'none()' foo", "hg grep -r 'none()' foo -Tjson",
		"hg grep --diff foo", "hg grep --all foo", "hg grep --diff -n foo", "hg grep --diff -l foo", "hg grep --diff -u foo a", "hg grep --diff -r 1 foo", "hg grep --diff foo dir", "hg grep --diff -r 3:0 'bar' dir/b", "hg grep --diff foo 'glob:**'",
		"hg grep --diff foo bin", "hg grep --diff -a foo bin", "hg grep --diff -Tjson foo", "hg grep --no-all-files foo", "hg grep --no-all-files foo a", "hg grep --no-all-files -r 'all()' foo", "hg grep --all-files --diff foo", "hg grep --all-files --all foo",
		"hg grep -r . -Tjson foo", "hg grep -r 0:1 -Tjson 'o+'", "HGUSER=me hg grep foo -T '{path}:{lineno}:{texts % \"[{text}|{matched}]\"}:{rev}:{user}\\n'", "hg grep -r 0 -T '{texts}\\n' 'fo|ba'", "HGUSER=me hg grep -r 'wdir()' foo", "HGUSER=me hg grep -r 'wdir()' -n foo -T '{rev} {node|short}\\n'",
		"hg grep -r 0 'caf.'", "hg grep -r 0 $'\xe9'", "hg grep -r 0 '[^a-z]x'", "hg grep -r 0 'x*'", "hg grep -r 0 'bar\\n\\n'", "hg grep -r 0 'bar\\s+F'", "hg grep -r 0 -n 'bar\\s+F'", "hg grep -r 0 '('", "hg grep -r 0 '(?i)FOO'", "hg grep -r 0 'fo{2}\\b'", "hg grep -r 0 'o*?o'", "hg grep -r 0 -Tjson '.o*?o'",
		"hg grep -r nosuch foo", "hg grep", "hg grep -r 2 foo --hidden", "HGUSER=me hg grep --debug foo", "HGUSER=me hg grep foo set:added()", "hg grep -r 0 -X dir foo", "hg grep -f foo", "hg grep -r 0 -T debug foo", "hg grep -r0 -Tcbor foo a", "HGUSER=me hg grep -dq foo",
	}},
	{"debug", func(w *workshop) {
		w.write("a", "1\n", "dir/b", "1\n", ".hgignore", "syntax: glob\n*.o\nbuild\n")
		w.commit("one")
		w.hg("tag", "v1", "-d", "0 0", "-u", "u")
		w.write("a", "2\n")
		w.hg("copy", "a", "c")
		w.commit("two")
		w.hg("update", "-q", "0")
		w.hg("branch", "-q", "stable")
		w.write("a", "3\n")
		w.commit("three")
		w.hg("merge", "-q", "-t", ":local", "-r", "2")
		w.commit("merge")
		w.hg("update", "-q", "4")
		w.hg("commit", "-q", "--close-branch", "-m", "close", "-d", "0 0", "-u", "u")
		w.hg("bookmark", "mark")
		w.write("x.o", "o", "build/y", "y", "new", "n", "dir/new", "n")
	}, []string{
		"hg debugancestor 1 3", "hg debugancestor 2 3", "hg debugancestor 0 tip", "hg debugancestor null 1", "hg debugancestor 1", "hg debugancestor nosuch 1", "hg debugancestor 'wdir()' 1", "hg debugancestor ffffffffff 1",
		"hg debugdata -c 0", "hg debugdata -m 0", "hg debugdata a 0", "hg debugdata a 1", "hg debugdata c 0", "hg debugdata a 99", "hg debugdata -c -1", "hg debugdata -c tip", "hg debugdata nosuch 0", "hg debugdata -m -- -2", "hg debugdata -c", "hg debugdata -cm 0", "hg debugdata a -- -1", "cd dir && hg debugdata dir/b 0", "hg debugdata dir/b b8e02f643", "hg debugdata -c a",
		"hg debugindex -c", "hg debugindex -m", "hg debugindex a", "hg debugindex a -v", "hg debugindex -c --debug", "hg debugindex -m -v", "hg debugindex nosuch", "hg debugindex a -Tjson", "hg debugindex -v a -Tjson", "hg debugindex a -T '{rev} {nodeid}\\n'", "hg debugindex -c a",
		"hg debugindexdot -c", "hg debugindexdot a", "hg debugindexdot -m", "hg debugindexdot nosuch",
		"hg debugformat", "hg debugformat --config storage.revlog.zstd.level=3", "hg debugformat -v", "hg verify", "hg verify -q", "hg verify --full", "hg debugnamecomplete", "hg debugnamecomplete m v", "hg debuglabelcomplete s", "hg debugnamecomplete zzz", "hg debugrequires", "hg debugrequirements", "hg debugsub", "hg debugsub -r 0",
		"hg debugdate '2006-02-01 13:00:30'", "hg debugdate '2006-02-01 13:00:30 -0500' '>2005'", "hg debugdate 'nonsense'", "hg debugdate -e '10 mar 2019' '<2000'", "hg debugdate 0", "hg debugdate '1234567890 -3600' 2009", "TZ=America/New_York hg debugdate '2006-02-01 13:00:30'", "hg debugdate '2006-02-01' ''",
		"hg debugrevspec 'all()'", "hg debugrevspec 'reverse(all())'", "hg debugrevspec '1 or wdir()'", "hg debugrevspec 'tip:0 and branch(stable)'", "hg debugrevspec nosuch", "hg debugrevspec '('", "hg debugrevspec -p parsed '1::tip - a(b)'", "hg debugrevspec -p parsed 'all() or \"x\"'", "hg debugrevspec --no-show-revs 'all()'", "hg debugrevspec . --debug", "hg debugrevspec -p parsed 'tip:0'", "hg debugrevspec --no-show-revs -p parsed 'tip^2~1 & ::.'",
		"hg debugtemplate '{1+2} {\"x\"|upper}\\n'", "hg debugtemplate -r 0:1 '{rev} {desc|firstline}\\n'", "hg debugtemplate -r tip '{node|short}|{tags}'", "hg debugtemplate '{rev}|{node}|{files}'", "hg debugtemplate '{nosuch}'", "hg debugtemplate '{'", "hg debugtemplate -r tip '{x'", "hg debugtemplate -r nosuch '{rev}'", "hg debugtemplate plain", "hg debugtemplate '{ui.username}'", "hg debugtemplate '{if(rev, 1, 2)} {date}'", "hg debugtemplate '{revset(\"0\")} {get(dict(a=1), \"a\")}'", "hg debugtemplate -r 'none()' '{rev}'",
		"hg debugwalk", "hg debugwalk a dir", "cd dir && hg debugwalk", "cd dir && hg debugwalk . ../a", "hg debugwalk -I '**b'", "hg debugwalk nosuch", "hg debugwalk x.o", "hg debugwalk 'set:added()'",
		"hg debugfileset 'all()'", "hg debugfileset -r 2 'all()'", "hg debugfileset 'size(\"<3\")'", "hg debugfileset -r 0 'grep(1)'", "hg debugfileset 'unknown() or ignored()'", "hg debugfileset 'nosuch()'", "hg debugfileset '**.o'", "cd dir && hg debugfileset 'b'",
		"hg debugobsolete", "hg debugobsolete -r 0", "hg debugobsolete -Tjson",
	}},
	{"exchange", func(w *workshop) {
		w.write("a", "1\n")
		w.commit("one")
		w.write("a", "2\n")
		w.commit("two")
		w.hg("bookmark", "-r", "0", "both")
		w.hg("bookmark", "-r", "1", "moved")
		w.hg("bookmark", "-r", "1", "here@there")
		w.hg("bookmark", "-r", "1", "gone")
		for _, name := range []string{"same", "more", "apart"} {
			w.hg("clone", "-q", ".", name, "-r", "1")
		}
		w.hg("clone", "-q", ".", "less", "-r", "0")
		w.hg("bookmark", "-d", "gone")
		w.hg("bookmark", "here")
		os.RemoveAll(filepath.Join(w.Dir, "other"))
		in := func(sub string) *workshop {
			return &workshop{&hgtest.Shell{Hg: w.Hg, Dir: filepath.Join(w.Dir, sub), Env: w.Env}, w.t}
		}
		m := in("more")
		m.write("b", "1\n")
		m.commit("theirs")
		m.hg("bookmark", "-f", "moved")
		m.hg("bookmark", "new")
		m.hg("branch", "-q", "side")
		m.write("b", "2\n")
		m.commit("theirs on a branch")
		m.hg("update", "-q", "1")
		m.write("c", "2\n")
		m.commit("second head")
		m.hg("merge", "-q", "-r", "3")
		m.commit("merged")
		m.hg("tag", "-q", "t1", "-d", "0 0", "-u", "u")
		m.write("c", "3\n")
		m.hg("commit", "-qm", "secret", "-s", "-d", "0 0", "-u", "u")
		un := in("unrelated")
		w.hg("init", "unrelated")
		un.write("z", "1\n")
		un.commit("other root")
		w.hg("init", "void")
		w.write(".hgignore", "syntax: glob\n*\n")
		w.write("a", "3\n")
		w.hg("commit", "-qm", "three", "-d", "0 0", "-u", "u")
		w.hg("bookmark", "-f", "both")
		w.write("a", "4\n")
		w.hg("commit", "-qm", "four", "-s", "-d", "0 0", "-u", "u")
		w.write(".hg/hgrc", "[paths]\ndefault = more\nfrag = more#side\npush = /nonexistent\npush:pushurl = file:more\nmirror = more\nmirror:bookmarks.mode = mirror\nignored = more\nignored:bookmarks.mode = ignore\nless = file://"+w.Dir+"/less\n")
	}, []string{
		"hg incoming", "hg in", "hg incoming -q", "hg incoming -v", "hg incoming more", "hg incoming same", "hg incoming less", "hg incoming void", "hg incoming unrelated", "hg incoming -f unrelated", "hg incoming nosuch", "hg incoming -n", "hg incoming -M", "hg incoming -l 2", "hg incoming -l2 -n -M",
		"hg incoming -G", "hg incoming -G -l 2", "hg incoming -G same", "hg incoming -Tjson", "hg incoming -T '{rev}:{node|short} {branch} {phase} {tags} {bookmarks}\\n'", "hg incoming -r 2", "hg incoming -r 1", "hg incoming -r t1", "hg incoming -r nosuch", "hg incoming -b side", "hg incoming -b default", "hg incoming -b nosuch", "hg incoming frag", "hg incoming -B", "hg incoming -Bv", "hg incoming -B same", "hg incoming -B mirror", "hg incoming -Bv mirror", "hg incoming -B ignored", "hg incoming -Bq", "cd same && hg incoming -b default ../less", "cd same && hg out -b default ../less", "cd less && hg incoming -b default ../same", "cd less && hg incoming -b nosuch ../same", "cd less && hg incoming -r 1 ../same", "cd same && hg out -b . ../less", "cd less && hg in '../same#default'", "cd same && hg out '../less#default'", "cd less && hg in '../same#1'",
		"hg outgoing", "hg out", "hg outgoing -q", "hg outgoing -v", "hg outgoing same", "hg outgoing less", "hg outgoing void", "hg outgoing unrelated", "hg outgoing -f unrelated", "hg outgoing nosuch", "hg outgoing -n less", "hg outgoing -M void", "hg outgoing -l 1 void", "hg outgoing -G void", "hg outgoing -G same", "hg outgoing -T '{rev}\\n' void", "hg outgoing -Tjson same", "hg outgoing -Tjson void", "hg outgoing -r 1 void", "hg outgoing -r 3 same", "hg outgoing -r 3", "hg outgoing -r 0 same", "hg outgoing -r nosuch same", "hg outgoing push", "hg outgoing frag", "hg outgoing -B", "hg outgoing -Bv same", "hg outgoing -B void", "hg outgoing -v void",
		"cd more && hg outgoing", "cd more && hg incoming", "cd more && hg outgoing ../void", "cd more && hg outgoing ../void -Tjson", "cd more && hg outgoing -b side", "cd more && hg outgoing -G ../less", "cd more && hg incoming -B", "cd more && hg outgoing -B", "cd void && hg incoming ../less", "cd void && hg outgoing ../less", "cd void && hg incoming", "cd void && hg outgoing", "cd same && hg incoming ..", "cd same && hg outgoing ..", "cd same && hg incoming", "cd less && hg incoming ../same -q", "cd less && hg incoming -B", "cd less && hg out -v", "cd unrelated && hg in ..", "cd unrelated && hg out ..", "cd unrelated && hg out -f ..", "cd unrelated && hg in ../void", "cd unrelated && hg out", "cd unrelated && hg in",
	}},
	{"shelved", func(w *workshop) {
		w.write("a", "1\n")
		w.commit("one")
		for i, name := range []string{"first", "a-name-longer-than-it-should-be", "last"} {
			w.write("a", name+"\n")
			w.hg("shelve", "-q", "-n", name, "-m", "message of "+name+" \n\nmore")
			at := time.Now().Add(-time.Duration(i*i*40+90) * time.Hour)
			for _, end := range []string{".shelve", ".patch", ".hg"} {
				os.Chtimes(filepath.Join(w.Dir, ".hg/shelved", name+end), at, at)
			}
		}
		os.Remove(filepath.Join(w.Dir, ".hg/shelved/last.shelve"))
		w.write("a", "unnamed\n")
		w.hg("shelve", "-q")
		at := time.Now().Add(-20 * 24 * time.Hour)
		os.Chtimes(filepath.Join(w.Dir, ".hg/shelved/default.shelve"), at, at)
	}, []string{
		"hg shelve -l", "hg shelve --list -q", "hg shelve -l first", "hg shelve -l nosuch", "hg shelve -lv", "hg shelve -l --color=always", "hg shelve -l last default", "hg summary", "hg log -G",
		"hg version -q", "hg version -T '{ver}\\n'", "hg version -Tjson", "hg version -q -Tjson", "hg version -T '{extensions}|'", "hg version -v -T '{ver}'", "hg version",
	}},
	{"graft", func(w *workshop) {
		w.write("a", "1\n")
		w.commit("one")
		w.write("a", "2\n")
		w.commit("two")
		w.hg("update", "-q", "0")
		w.write("a", "3\n")
		w.commit("three")
		w.fails("graft", "-q", "-r", "1", "--tool", ":fail")
	}, []string{"hg summary", "hg summary -q", "hg resolve -l", "hg resolve -lTjson"}},
}
