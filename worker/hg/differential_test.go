// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

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

// TestRandomRepositories compares the engine, cold and warm, with real hg on
// generated repositories in every format.
//
//	HGBROKER_DIFFERENTIAL    how many repositories (6)
//	HGBROKER_SEED            the first seed (1)
//	HGBROKER_COMMANDS        command lines for each (80)
func TestRandomRepositories(t *testing.T) {
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
			generator := hgtest.NewGenerator(t, version.Path)
			for i := range repositories {
				seed := uint64(first + i)
				v := variants[int(seed)%len(variants)]
				t.Run(fmt.Sprintf("%d-%v", seed, v), func(t *testing.T) {
					dir := generator.New(t, seed, v)
					info := hgtest.Info(t, real, dir)
					cmds := hgtest.RandomCommands(rand.New(rand.NewPCG(seed, 1)), info, commands)
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
