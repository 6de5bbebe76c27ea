// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hgbroker/worker/hg/hgtest"
)

// evolveLines are what is asked beside random lines in repositories with evolve and
// topic: what clients run, and what one of these extensions changes.
var evolveLines = strings.Split(strings.TrimSpace(`
hg log
hg log --hidden
hg log --hidden -v
hg log -G
hg log -G --hidden -T '{rev} {node|short} {topic} {topics} {obsfate}\n'
hg log -T '{rev} {namespaces % "{namespace}={names}({builtin}) "}\n'
hg log -Tjson
hg log -Tjson -v -l3
hg log --hidden -T '{rev} {succsandmarkers % "{get(succsandmarkers, \"successors\")} {obsfateverb(successors, markers)}"} {predecessors} {successorssets}\n'
hg log --hidden -T '{rev} {predecessors} {successorssets} {instabilities} {whyunstable}\n'
hg log --style compact
hg log --style default
hg log --style status --hidden
hg log --style show
hg log --color=always
hg log --color=always --hidden -G
hg log -r . -T '{topic|json} {topics|json} {join(topics, "+")}{ifcontains("t", topics, "y")}\n'
hg log -r 'wdir()' -T '{extras} {topic}|{branch}\n'
hg log -r 'draft()' -T '{rev} {topic}\n'
hg log -r 'obsolete()' --hidden -T '{rev}:{obsfate}\n'
hg log -r 'orphan() + phasedivergent() + contentdivergent()'
hg log -r tip
hg log -r 0
hg log -r default
hg log -r s1
hg log -r t1
hg log -r 'topic("feature")'
hg log -r 'stack()'
hg log -r 'successors(0)' --hidden
hg log -r 'predecessors(tip)' --hidden
hg log -r 'allsuccessors(all())' --hidden -T '{rev} '
hg log -r 'successors(all())' --hidden -T '{rev} '
hg log -r 'allpredecessors(tip)' --hidden -T '{rev} '
hg log -r 'allprecursors(head())' -T '{rev} '
hg log -r 'precursors(draft())' --hidden -T '{rev} '
hg log -r 'predecessors(draft() + null)' --hidden -T '{rev} '
hg log -r 'reverse(allsuccessors(obsolete()))' --hidden -T '{rev} '
hg log -r 'successors()'
hg log -r 'predecessors(nosuch)'
hg log -r 'nosuchfunction(1)'
hg log -r 'topic()' -T '{rev} {topic}\n'
hg log -r 'topic(feature)' -T '{rev} {topic}\n'
hg log -r 'topic("re:^f")' -T '{rev} {topic}\n'
hg log -r 'topic(tip + 0)' -T '{rev} {topic}\n'
hg log -r 'topic("literal:feature")' -T '{rev}\n'
hg log -r 'sort(topic(), -rev) - obsolete()' -T '{rev}\n'
hg log -r 'branch("re:.")' -T '{rev} '
hg log -r 'branch(tip)' -T '{rev} '
hg log -r 'default//feature + default:feature'
hg log -b default -T '{rev} '
hg log --only-branch stable -T '{rev} '
hg log -r 'draft()#stack[1]'
hg log -r 'branch(default)'
hg log -b default -l2
hg log -T '{topicidx}\n'
hg log --hidden -T '{obsorigin}\n'
hg log --debug -l2
hg log -r feature
hg log -r 'head()' -q
hg log -r nosuch
hg log -r abc
hg parents
hg parents -q
hg parents --template '{rev}'
hg id
hg id -Tjson
hg identify -nibtB
hg summary
hg sum -q
hg status
hg status -A
hg status -v
hg st --rev 0
hg branch
hg branches
hg branches -c
hg heads
hg heads -t
hg heads default
hg tip
hg bookmarks
hg tags
hg phase
hg phase -r 'all()'
hg diff
hg diff -c tip
hg annotate a
hg cat a
hg files
hg manifest
hg export
hg export tip
hg export 'draft()'
hg paths
hg config ui.username
hg config experimental.evolution
hg config extensions
hg config
hg root
hg version -q
hg verify
hg debugobsolete
hg debugnamecomplete
hg debugnamecomplete f
hg outgoing .
hg incoming .
hg grep -r tip a
hg resolve -l
hg stack
hg topics
hg obslog
hg evolve --list
hg odiff
hg t
hg sta
hg b
hg bra
hg --config revsetalias.mine='topic(x)' log -r mine -q
hg --config revsetalias.mine='topic(x)' log -r 0 -q
hg --config revsetalias.mine='draft() and not obsolete()' log -r mine -q
hg --config alias.lt="log -T '{rev} {topic}\n'" lt
hg --config alias.lt="log -r 'topic()'" lt
hg --config templates.line='{rev} {topic} {desc}\n' log -T line
hg --config templates.line='{rev} {topicidx}\n' log -T line
hg --config command-templates.log='{rev} {topic}\n' log
hg --config experimental.evolution=createmarkers log
hg --config experimental.evolution= log
`), "\n")

// evolved makes a repository whose history was rewritten with evolve, under topics.
func evolved(s *site, rng *rand.Rand, evolve, topic bool) {
	extensions := ""
	for name, on := range map[string]bool{"evolve": evolve, "topic": topic} {
		if on {
			extensions += name + " =\n"
		}
	}
	if !evolve {
		extensions += "[experimental]\nevolution = all\n"
	}
	hgrc := "[extensions]\n" + extensions + "[ui]\nusername = Ada <ada@example.org>\n[paths]\ndefault = ../nowhere\n"
	s.write(".hg/hgrc", hgrc)
	with := []string{"--config", "extensions.evolve=", "--config", "extensions.rebase=", "--config", "ui.interactive=no", "--config", "ui.merge=:merge", "--config", "devel.default-date=1600000000 0"}
	hg := func(args ...string) { s.Run(s.t, append(with[:len(with):len(with)], args...)...) } // may have nothing to do
	n := 0
	commit := func() {
		n++
		s.write([]string{"a", "b", "d/c", fmt.Sprint("f", n%5)}[rng.IntN(4)], fmt.Sprint(n, "\n"))
		hg("commit", "-qA", "-m", fmt.Sprint("number ", n), "-d", fmt.Sprint(1500000000+n, " 0"), "-u", []string{"Ada <ada@example.org>", "bob"}[rng.IntN(2)])
	}
	// topic is not on while a repository without it is made: it writes branch caches
	// that mean something else to others.
	s.write("a", "0\n", ".hgignore", "syntax: glob\n*.o\n")
	commit()
	commit()
	hg("phase", "-p", ".")
	for range 12 + rng.IntN(25) {
		switch rng.IntN(16) {
		case 0, 1, 2, 3:
			commit()
		case 4:
			hg("topics", []string{"feature", "fix-1", "other.topic"}[rng.IntN(3)])
			commit()
		case 5:
			hg("topics", "--clear")
		case 6:
			n++
			s.write("a", fmt.Sprint("amended ", n, "\n"))
			hg("amend", "-q", "-d", fmt.Sprint(1500000000+n, " 0"))
		case 7:
			hg("metaedit", "-q", "-m", fmt.Sprint("message ", n), "-d", "1400000000 0")
		case 8:
			hg("prune", "-q", []string{".", "last(draft())", "last(draft(), 2)"}[rng.IntN(3)])
		case 9:
			hg("update", "-q", "-C", fmt.Sprintf("limit(draft(), 1, %d)", rng.IntN(6)))
			n++
			s.write("a", fmt.Sprint("below ", n, "\n"))
			hg("amend", "-q", "-m", fmt.Sprint("amended below ", n))
		case 10:
			hg("fold", "-q", "--exact", "-r", "last(draft() and ::., 2)", "-m", fmt.Sprint("folded ", n), "-d", "1450000000 0")
		case 11:
			hg("rebase", "-q", "-s", "last(draft() and not ::. and not obsolete())", "-d", ".")
		case 12:
			hg("touch", "-q", []string{".", "last(obsolete())", "last(draft())"}[rng.IntN(3)])
		case 13:
			hg("branch", "-q", []string{"stable", "default"}[rng.IntN(2)])
			commit()
		case 14:
			hg("evolve", "-q", "--all")
		case 15:
			hg("phase", "-p", fmt.Sprintf("limit(draft(), %d)", 1+rng.IntN(2)))
		}
	}
	if rng.IntN(3) == 0 {
		hg("topics", "feature")
	}
	if rng.IntN(3) == 0 { // what is checked out becomes obsolete
		s.Run(s.t, "--config", "experimental.evolution=all", "--config", "devel.default-date=1600000000 0", "debugobsolete", strings.TrimSpace(s.Must(s.t, "log", "-r", ".", "-T", "{node}")))
	}
	if rng.IntN(2) == 0 {
		s.write("a", "dirty\n", "unknown", "\n")
	}
	s.hg("bookmark", "-q", "-r", "0", "mark")
	for _, state := range []string{"evolvestate", "rebasestate", "graftstate", "pickstate", "fixup-state", "merge"} {
		os.RemoveAll(filepath.Join(s.Dir, ".hg", state)) // what stopped in a conflict
	}
	if rng.IntN(4) == 0 {
		s.write(".hg/evolvestate", "")
	}
}

// TestEvolve compares commands with the extensions evolve and topic on, which need
// not be installed: `pip install hg-evolve` beside each hg, or the Debian package
// mercurial-evolve.
func TestEvolve(t *testing.T) {
	shortLag(t)
	repositories := number(t, "HGBROKER_DIFFERENTIAL", 2)
	first := number(t, "HGBROKER_SEED", 1)
	ran := false
	for _, version := range hgtest.HgVersions(t) {
		var list []byte
		if out, _, _, _, err := hgtest.CLI(version.Path).Run(t.TempDir(), []string{"--config", "extensions.evolve=", "--config", "extensions.topic=", "version", "-v"}, hgtest.BaseEnv()); err == nil {
			list = out
		}
		if !regexp.MustCompile(`(?m)^ *evolve +external`).Match(list) {
			t.Logf("hg %s has no evolve: pip install hg-evolve, or apt-get install mercurial-evolve", version.Number)
			continue
		}
		ran = true
		t.Run(version.Number, func(t *testing.T) {
			y := hgtest.NewTally(t)
			y.MaxErrors = number(t, "HGBROKER_MISMATCHES", 20)
			inst := Installation{Path: version.Path, Version: version.Number}
			forms, settings := nativeForms(), shownSettings(t)
			t.Logf("%d repositories, seeds %d to %d, with %s", repositories, first, first+repositories-1, strings.TrimSpace(string(list[strings.Index(string(list), "Enabled"):])))
			for i := range repositories {
				seed := uint64(first + i)
				on := []string{"evolve topic", "evolve", "evolve topic", "topic"}[i%4]
				t.Run(fmt.Sprint(seed, " ", on), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(seed, 5))
					dir, err := filepath.EvalSymlinks(t.TempDir())
					if err != nil {
						t.Fatal(err)
					}
					maker := hgtest.OpenReal(version.Path)
					s := &site{&hgtest.Shell{Hg: maker, Dir: filepath.Join(dir, "repo"), Env: hgtest.BaseEnv()}, t}
					if err := os.Mkdir(s.Dir, 0o777); err != nil {
						t.Fatal(err)
					}
					s.hg("init")
					evolved(s, rng, strings.Contains(on, "evolve"), strings.Contains(on, "topic"))
					maker.Close()
					var cmds []hgtest.Command
					for _, line := range evolveLines {
						c, err := hgtest.ParseCommand(line)
						if err != nil {
							t.Fatalf("%s: %v", line, err)
						}
						if c.Args[0] == "diff" || c.Args[0] == "grep" {
							c.Args = append(c.Args, "--config=devel.default-date=2001-02-03 04:05 +0100")
						}
						cmds = append(cmds, c)
					}
					// A server of its own: what an extension did to hg stays in the process.
					real := hgtest.OpenReal(version.Path)
					defer real.Close()
					info := hgtest.Info(t, real, s.Dir)
					info.Tags = append(info.Tags, "feature", "fix-1")
					cmds = append(cmds, hgtest.RandomCommands(rng, info, 40)...)
					cmds = append(cmds, hgtest.TableCommands(rng, info, forms, settings, "", 40)...)
					hgtest.Compare(t, y, s.Dir, cmds, engineRunner("engine", inst, i%3 == 0), hgtest.Named{Name: "hg " + version.Number, Runner: real})
				})
			}
		})
	}
	if !ran {
		t.Skip("no hg has evolve installed: pip install hg-evolve, or apt-get install mercurial-evolve")
	}
}

// TestOutsideExtensions checks which evolve is known: one by name, of a known release,
// beside Mercurial's own files, and no other that Python could find first.
func TestOutsideExtensions(t *testing.T) {
	prefix := t.TempDir()
	packages := filepath.Join(prefix, "lib/python3.11/site-packages")
	put := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	metadata := filepath.Join(packages, "hgext3rd/evolve/metadata.py")
	put(filepath.Join(prefix, "bin/hg"), "")
	put(filepath.Join(packages, "mercurial/defaultrc/mergetools.rc"), "")
	home := t.TempDir()
	inst := Installation{Path: filepath.Join(prefix, "bin/hg"), Version: "7.2.4"}
	for _, c := range []struct {
		name, release, item, env string
		version                  string
		refused                  string // part of why
	}{
		{"known", "12.0.0", "evolve=", "", "7.2.4", ""},
		{"by its full name", "11.1.10", "hgext3rd.evolve=", "", "7.2.4", ""},
		{"disabled", "", "evolve=!", "", "7.2.4", ""},
		{"by a path", "12.0.0", "evolve=/somewhere", "", "7.2.4", "extension evolve"},
		{"not installed", "", "evolve=", "", "7.2.4", "extension evolve"},
		{"too new", "13.0.0", "evolve=", "", "7.2.4", "13.0.0"},
		{"for another hg", "12.0.0", "evolve=", "", "6.3.2", "12.0.0"},
		{"old", "10.5.3", "evolve=", "", "6.3.2", ""},
		{"from elsewhere", "12.0.0", "evolve=", "PYTHONPATH=/x", "7.2.4", "PYTHONPATH"},
		{"a name that Mercurial has none of", "12.0.0", "hgext.evolve=", "", "7.2.4", "hgext.evolve"},
		{"twice", "12.0.0", "hgext3rd.evolve= --config extensions.evolve=", "", "7.2.4", "extension"},
	} {
		os.Remove(metadata)
		if c.release != "" {
			put(metadata, "# of the test\n__version__ = b'"+c.release+"'\ntestedwith = b'7.2'\n")
		}
		args := append([]string{"--config"}, strings.Fields("extensions."+c.item)...)
		env := append(hgtest.BaseEnv(), "HOME="+home)
		if c.env != "" {
			env = append(env, c.env)
		}
		inst.Version = c.version
		_, _, _, _, err := engineRunner("engine", inst, false).Run(t.TempDir(), append(args, "version", "-q"), env)
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s: %v, not for %s", c.name, err, c.refused)
		}
	}
	put(metadata, "__version__ = b'12.0.0'\n")
	put(filepath.Join(home, ".local/lib/python3.11/site-packages/hgext3rd/evolve/metadata.py"), "__version__ = b'12.0.0'\n")
	inst.Version = "7.2.4"
	if _, _, _, _, err := engineRunner("engine", inst, false).Run(t.TempDir(), []string{"--config", "extensions.evolve=", "version", "-q"}, append(hgtest.BaseEnv(), "HOME="+home)); err == nil {
		t.Error("an evolve in the user's own packages, too, was taken")
	}
}

func TestSays(t *testing.T) {
	for _, c := range []struct {
		text, name string
		want       bool
	}{
		{"topic()", "topic(", true}, {"not topic (x)", "topic(", true}, {"mytopic(x)", "topic(", false}, {"topics(x)", "topic(", false}, {"topic", "topic(", false},
		{"{topicidx}", "topicidx", true}, {"{topicidx|x}", "topicidx", true}, {"topicidxs", "topicidx", false}, {"x topicidxs topicidx", "topicidx", true},
		{"successors(1)", "successors!", false}, {"{successors}", "successors!", true}, {"{successorssets}", "successors!", false}, {"successors (1) + successors", "successors!", true},
		{".#stack[1]", "#s", true}, {".# s", "#s", true}, {".#g[1]", "#s", false}, {"s#g", "#s", false}, {"", "#s", false},
	} {
		if got := says(c.text, c.name); got != c.want {
			t.Errorf("says(%q, %q) = %v", c.text, c.name, got)
		}
	}
}
