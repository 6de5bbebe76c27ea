// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/command"
	"hgbroker/worker/hg/hgtest"
)

// engineRunner answers with an engine of its own that stands for one version of
// hg. Cold ones are new for each command line.
func engineRunner(name string, inst Installation, cold bool) hgtest.Named {
	e := New(Options{})
	return hgtest.Named{Name: name, Runner: hgtest.RunnerFunc(func(dir string, args, env []string) ([]byte, []byte, int, bool, error) {
		if cold {
			e.Close()
			e = New(Options{})
		}
		var out, errOut bytes.Buffer
		umask := hgtest.Umask()
		res, err := e.Run(context.Background(), &Request{
			Args: args, Dir: dir, Env: env, UID: os.Getuid(), Umask: &umask, Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut,
			Now: time.Now(), Hg: inst,
		})
		return out.Bytes(), errOut.Bytes(), res.ExitCode, true, err
	})}
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

// nativeForms is the table of native commands with the options that are native.
func nativeForms() []hgtest.CommandForm {
	var forms []hgtest.CommandForm
	table := command.Table()
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if name == "debugdirstate" {
			continue // shows what the hg that is compared with has written on its way
		}
		form := hgtest.CommandForm{Names: []string{name}}
		for _, c := range cmdline.Commands(release("7.2")) {
			if c.Name == name {
				// "debug-revlog-index" without its dashes is another command's name.
				form.Names = slices.DeleteFunc(slices.Clone(c.Names), func(n string) bool {
					found, err := cmdline.Lookup(n, release("7.2"), nil, false)
					return err != nil || found.Name != name
				})
			}
		}
		var options []command.Option
		if of := table[name].Options; of != nil {
			options = of()
		}
		for _, o := range options {
			if o.Native {
				form.Options = append(form.Options, hgtest.OptionForm{Short: o.Short, Long: o.Long, Value: o.Kind != cmdline.Bool})
			}
		}
		forms = append(forms, form)
	}
	return forms
}

// shown are the configuration items that change what reads print.
var shown = regexp.MustCompile(`^(diff|annotate)\.|^commands\.(status|grep)\.|^command-templates\.(log|graphnode|oneline-summary)$` +
	`|^ui\.(debug|detailed-exit-code|large-file-limit|message-output|quiet|relative-paths|slash|statuscopies|strict|style|textwidth|tweakdefaults|verbose)$` +
	`|^experimental\.(directaccess|evolution|extendedheader\..*|graphshorten|graphstyle\..*|log\.topo|copies\.read-from|evolution\.report-instabilities|revisions\..*|xdiff)$|^phases\.publish$`)

// shownSettings are those that both releases of hg register.
func shownSettings(t *testing.T) []hgtest.Setting {
	text, err := os.ReadFile(filepath.Join("config", "registered.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []hgtest.Setting
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if name := f[0] + "." + f[1]; f[2] == "*" && shown.MatchString(name) {
			list = append(list, hgtest.Setting{Name: name, Bool: f[3] == "bool"})
		}
	}
	if len(list) < 30 {
		t.Fatalf("%d settings in the register", len(list))
	}
	return list
}

// peerOf makes a repository beside dir that has some of its history, and one
// changeset more.
func peerOf(t *testing.T, real hgtest.Runner, dir string, rng *rand.Rand) string {
	sh := &hgtest.Shell{Hg: real, Dir: dir, Env: hgtest.BaseEnv("HGUSER=peer")}
	peer := dir + "-peer"
	args := []string{"clone", "-q", "-U", "--pull", ".", peer}
	if rng.IntN(3) > 0 {
		args = append(args, "-r", "last(all() and not secret(), "+strconv.Itoa(1+rng.IntN(8))+")")
	}
	if _, _, code, _, err := real.Run(sh.Dir, args, sh.Env); err != nil || code != 0 {
		return ""
	}
	if rng.IntN(2) > 0 {
		for _, args := range [][]string{{"-R", peer, "up", "-q", "tip"}, {"-R", peer, "branch", "-q", "peer"}, {"-R", peer, "commit", "-q", "-m", "of the peer", "-d", "1000000000 0"}} {
			real.Run(sh.Dir, args, sh.Env)
		}
	}
	return peer
}

// TestRandomRepositories compares the engine, cold and warm, with real hg on
// generated repositories in every format. Half of the lines come from what clients
// run, half from the table of native commands and their options.
//
//	HGBROKER_DIFFERENTIAL    how many repositories (6)
//	HGBROKER_SEED            the first seed (1)
//	HGBROKER_COMMANDS        command lines for each (80)
//	HGBROKER_VARIANT         a feature that all of them are to have
func TestRandomRepositories(t *testing.T) {
	shortLag(t)
	repositories := number(t, "HGBROKER_DIFFERENTIAL", 6)
	first := number(t, "HGBROKER_SEED", 1)
	commands := number(t, "HGBROKER_COMMANDS", 80)
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			y := hgtest.NewTally(t)
			y.MaxErrors = number(t, "HGBROKER_MISMATCHES", 10)
			real := hgtest.NewReal(t, version.Path)
			inst := Installation{Path: version.Path, Version: version.Number}
			variants := hgtest.Variants()
			if feature := os.Getenv("HGBROKER_VARIANT"); feature != "" {
				variants = slices.DeleteFunc(variants, func(v hgtest.Variant) bool { return !v.Has(feature) })
			}
			generator := hgtest.NewGenerator(t, version.Path)
			forms, settings := nativeForms(), shownSettings(t)
			t.Logf("%d repositories, seeds %d to %d, %d command lines each, from %d commands and %d settings",
				repositories, first, first+repositories-1, commands, len(forms), len(settings))
			for i := range repositories {
				seed := uint64(first + i)
				v := variants[int(seed)%len(variants)]
				t.Run(fmt.Sprintf("%d-%v", seed, v), func(t *testing.T) {
					dir := generator.New(t, seed, v)
					info := hgtest.Info(t, real, dir)
					cmds := hgtest.RandomCommands(rand.New(rand.NewPCG(seed, 1)), info, commands/2)
					rng := rand.New(rand.NewPCG(seed, 4))
					peer := ""
					if seed%3 == 0 { // what a clone leaves behind in its source would help all others
						peer = peerOf(t, real, dir, rng)
					}
					cmds = append(cmds, hgtest.TableCommands(rng, info, forms, settings, peer, commands-len(cmds))...)
					hgtest.Compare(t, y, dir, cmds, engineRunner("cold", inst, true), engineRunner("warm", inst, false),
						hgtest.Named{Name: "hg " + version.Number, Runner: real})
				})
			}
		})
	}
}

// TestRecorded compares the engine with what real hg printed when the
// repositories under testdata were recorded.
func TestRecorded(t *testing.T) {
	y := hgtest.NewTally(t)
	y.MaxErrors = number(t, "HGBROKER_MISMATCHES", 10)
	for _, r := range hgtest.Repos(t) {
		if strings.HasSuffix(r.Name, "-refused") {
			// An hg without its Rust part will not open these two formats
			// unless configured to, since it would be slow. We are not.
			continue
		}
		for _, version := range []string{"6.3.2", "7.2.4"} {
			t.Run(r.Name+"@"+version, func(t *testing.T) {
				dir := hgtest.Extract(t, r.Name)
				hgtest.CompareGoldens(t, y, r.Name, version, dir, engineRunner("engine", Installation{Version: version}, false))
			})
		}
	}
}
