// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/image"
)

// TestTexts reads a long history, again from the image of its texts that is made
// then, and again when the history has grown or is another one.
func TestTexts(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	y := hgtest.NewTally(t)
	s := newShelf(t)
	r := newLongRepo(t, 2100)
	runners := []hgtest.Named{
		shelfRunner(t, "leased, warm", inst, s, 100),
		shelfRunner(t, "leased, cold", inst, newShelf(t), 1),
		{Name: "hg", Runner: hgtest.NewReal(t, version.Path)},
	}
	texts := func() *image.Image {
		for key, data := range s.kept {
			if key.Kind == image.Texts {
				return must(image.Open(data, nil))
			}
		}
		return nil
	}
	compare := func() {
		t.Helper()
		var cmds []hgtest.Command
		for range 2 {
			for _, args := range [][]string{
				{"log", "-T", `{rev}:{node} {author} {date|hgdate} {branch} {files} {desc}\n`},
				{"log"}, {"log", "-v"}, {"log", "-q", "-l", "1500"}, {"log", "-T", `{rev} {node|short} {tags} {phase} {desc|firstline}\n`}, {"log", "-T", "{index} {rev}\n"},
				{"log", "-k", "NUMBER 1999"}, {"log", "-r", `grep("about it") and desc("re:17$")`, "-T", "{rev}\n"}, {"log", "-r", `reverse(keyword("stone")) and 3:9`, "-q"},
				{"log", "-k", "number 17"}, {"log", "-r", "desc(\"number 2\") and user(ada)", "-T", "{rev}\n"}, {"log", "-r", "tip~70:"},
			} {
				cmds = append(cmds, hgtest.Command{Args: args})
			}
		}
		hgtest.Compare(t, y, r.dir, cmds, runners...)
	}
	compare()
	first := texts()
	if first == nil {
		t.Fatal("no image of texts was kept")
	}
	for range 3 {
		r.commit()
	}
	compare()
	if texts().Fingerprint() != first.Fingerprint() {
		t.Error("three commits made another image of all texts")
	}
	// Another history of the same length in the same place.
	r.word = "!"
	r.write(2103)
	compare()
	if texts().Fingerprint() == first.Fingerprint() {
		t.Error("the image of texts is still that of the history before")
	}
	// Obsolete changesets, of which those who print them together leave some to one.
	real := hgtest.NewReal(t, version.Path)
	r.put("store/phaseroots", []byte("1 "+nodeOf(t, real, r.dir, "600")+"\n"))
	for _, ids := range [][]string{{"700"}, {"701", "2000"}, {"900"}, {"2050"}, {"1070", "tip"}} {
		args := []string{"debugobsolete", "--config", "experimental.evolution=all"}
		for _, rev := range ids {
			args = append(args, nodeOf(t, real, r.dir, rev))
		}
		if _, errOut, code, _, err := real.Run(r.dir, args, nil); err != nil || code != 0 {
			t.Fatal(err, string(errOut))
		}
	}
	compare()
	var cmds []hgtest.Command
	for _, args := range [][]string{{"log"}, {"log", "-v"}, {"log", "-q"}, {"log", "-r", "all()"}, {"log", "-T", "{rev} {desc|firstline}\n"}} {
		cmds = append(cmds, hgtest.Command{Args: append(args, "--config", "experimental.evolution=all")},
			hgtest.Command{Args: append(args[:len(args):len(args)], "--hidden")})
	}
	hgtest.Compare(t, y, r.dir, cmds, runners...)
}
