// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

// Limits that a command on a damaged repository of a few kilobytes must stay
// within.
const (
	damageMemory  = 64 << 20 // bytes allocated
	damageTimeout = 30 * time.Second
)

// damageCommands read every kind of file.
var damageCommands = [][]string{
	{"log", "-T", `{rev}:{node} {phase} {branch} {tags} {bookmarks} {desc}\n`},
	{"log", "-v", "--hidden"},
	{"log", "-G", "-T", `{rev} {obsfate} {files}\n`, "--hidden"},
	{"log", "-r", "head() and (draft() or public())", "-T", "json"},
	{"status", "-A", "-C"},
	{"status", "--change", "tip"},
	{"identify"},
	{"files", "-r", "tip", "-v"},
	{"manifest", "--debug"},
	{"cat", "-r", "tip", "glob:**"},
	{"branches", "-c"},
	{"tags", "-v"},
	{"bookmarks"},
	{"heads"},
	{"phase", "-r", "all()"},
}

// damaged are the repositories, each for the formats that it brings.
var damaged = []string{"obsolescence", "obsstore-v0", "bookmarks-tags", "status-v2", "split-revlogs", "merges-renames", "merging", "zlib", "share", "names", "internal-phase"}

// metadataFiles are the files below dir that the engine reads, without the
// caches and journals, which it does not.
func metadataFiles(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "cache" || name == "wcache" || name == "strip-backup") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() && strings.Contains(path, "/.hg/") && !strings.HasPrefix(name, "undo") && !strings.HasPrefix(name, "last-message") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

// mutation is a way to damage a file.
type mutation struct {
	name string
	to   func(rng *rand.Rand, b []byte) []byte
}

// mutations are tried on every file; those that draw lots differ from file to
// file.
var mutations = []mutation{
	{"emptied", func(_ *rand.Rand, b []byte) []byte { return nil }},
	{"one byte left", func(_ *rand.Rand, b []byte) []byte { return b[:min(1, len(b))] }},
	{"one byte cut off", func(_ *rand.Rand, b []byte) []byte { return b[:max(0, len(b)-1)] }},
	{"cut in the middle", func(rng *rand.Rand, b []byte) []byte { return b[:rng.IntN(len(b)+1)] }},
	{"zeros at the end", func(_ *rand.Rand, b []byte) []byte { return append(b, make([]byte, 100)...) }},
	{"zeros", func(_ *rand.Rand, b []byte) []byte { return make([]byte, len(b)) }},
	{"ff", func(_ *rand.Rand, b []byte) []byte { return slices.Repeat([]byte{0xff}, len(b)) }},
	{"noise", func(rng *rand.Rand, b []byte) []byte {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}},
	{"one bit", func(rng *rand.Rand, b []byte) []byte {
		if len(b) > 0 {
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		}
		return b
	}},
	{"a few bytes", func(rng *rand.Rand, b []byte) []byte {
		for range 4 {
			if len(b) > 0 {
				b[rng.IntN(len(b))] = byte(rng.Uint32())
			}
		}
		return b
	}},
	{"a huge number", func(rng *rand.Rand, b []byte) []byte { return putNumber(rng, b, 0x7fffffff) }},
	{"a negative number", func(rng *rand.Rand, b []byte) []byte { return putNumber(rng, b, 0xffffffff) }},
	{"a large number", func(rng *rand.Rand, b []byte) []byte { return putNumber(rng, b, 0x20000000) }},
	{"a huge number early", func(rng *rand.Rand, b []byte) []byte {
		return append(putNumber(rng, b[:min(len(b), 64)], 0x7fffffff), b[min(len(b), 64):]...)
	}},
	{"doubled", func(_ *rand.Rand, b []byte) []byte { return append(b, b...) }},
	{"a line gone", func(rng *rand.Rand, b []byte) []byte {
		at := rng.IntN(len(b) + 1)
		return append(b[:at:at], b[min(len(b), at+rng.IntN(80)):]...)
	}},
	{"a line more", func(rng *rand.Rand, b []byte) []byte {
		at := rng.IntN(len(b) + 1)
		return slices.Insert(slices.Clone(b), at, []byte("\n\xff\x00:/../ \r\n")...)
	}},
}

// putNumber writes four bytes big-endian at a place that is often a field.
func putNumber(rng *rand.Rand, b []byte, n uint32) []byte {
	if len(b) >= 4 {
		at := rng.IntN(len(b) - 3)
		if rng.IntN(2) == 0 {
			at &^= 3
		}
		binary.BigEndian.PutUint32(b[at:], n)
	}
	return b
}

// tame runs a command and fails on a panic, a hang, much memory, or an error of
// an unclear kind.
func tame(t *testing.T, what string, e *Engine, dir string, args []string, inst Installation) (native bool) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: hg %q panics: %v\n%s", what, args, p, debug.Stack())
			*e = *New(Options{})
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), damageTimeout)
	defer cancel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	hang := time.AfterFunc(2*damageTimeout, func() { panic(fmt.Sprintf("%s: hg %q hangs", what, args)) })
	stdout, stderr, res, err := runUntil(ctx, e, dir, args, hgtest.BaseEnv(), inst)
	hang.Stop()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > damageMemory {
		t.Errorf("%s: hg %q allocates %d MiB", what, args, n>>20)
	}
	var a *hgerr.Abort
	switch {
	case err == nil && strings.Contains(string(stderr), "abort: \n"):
		t.Errorf("%s: hg %q aborts without a reason", what, args)
	case err == nil, errors.As(err, &a):
	case hgerr.IsUnsupported(err):
		if len(stdout)+len(stderr) > 0 {
			t.Errorf("%s: hg %q printed %q %q and then said %v", what, args, stdout, stderr, err)
		}
	default:
		t.Errorf("%s: hg %q: exit code %d, error of an unclear kind: %v", what, args, res.ExitCode, err)
	}
	return err == nil
}

// TestDamage damages each file of recorded repositories in many ways and runs
// commands in a new engine, and in one that knew the file before.
//
//	HGBROKER_DAMAGE    how often each mutation is tried on each file (1)
func TestDamage(t *testing.T) {
	inst := Installation{Version: "6.3.2"}
	rng := rand.New(rand.NewPCG(uint64(number(t, "HGBROKER_SEED", 1)), 5))
	rounds := number(t, "HGBROKER_DAMAGE", 1)
	tried, native := 0, 0
	for _, name := range damaged {
		t.Run(name, func(t *testing.T) {
			dir := hgtest.Extract(t, name)
			for _, path := range metadataFiles(t, filepath.Dir(dir)) {
				good, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				warm := New(Options{})
				for _, args := range damageCommands[:2] {
					tame(t, name, warm, dir, args, inst)
				}
				for range rounds {
					for i, m := range mutations {
						bad := m.to(rng, slices.Clone(good))
						if err := os.WriteFile(path, bad, info.Mode().Perm()); err != nil {
							t.Fatal(err)
						}
						what := fmt.Sprintf("%s: %s %s", name, strings.TrimPrefix(path, dir+"/"), m.name)
						cold := New(Options{})
						// Two commands that read the file differently, and others in turn.
						for k := range 4 {
							args := damageCommands[(i*4+k+tried)%len(damageCommands)]
							tried += 2
							if tame(t, what, cold, dir, args, inst) {
								native++
							}
							if tame(t, what+", warm", warm, dir, args, inst) {
								native++
							}
						}
						cold.Close()
					}
				}
				warm.Close()
				if err := os.WriteFile(path, good, info.Mode().Perm()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	t.Logf("%d commands on damaged repositories, %d of them answered natively", tried, native)
	if tried == 0 || native == 0 {
		t.Error("nothing was tried")
	}
}

// TestDamageAgainstHg compares the answers that are native on damaged
// repositories with real hg's.
//
//	HGBROKER_DAMAGE_HG    how many damaged repositories (40)
func TestDamageAgainstHg(t *testing.T) {
	version := hgtest.HgVersions(t)[0]
	inst := Installation{Path: version.Path, Version: version.Number}
	real := hgtest.Named{Name: "hg", Runner: hgtest.NewReal(t, version.Path)}
	y := hgtest.NewTally(t)
	rng := rand.New(rand.NewPCG(uint64(number(t, "HGBROKER_SEED", 1)), 6))
	for i := range number(t, "HGBROKER_DAMAGE_HG", 40) {
		name := damaged[i%len(damaged)]
		dir := hgtest.Extract(t, name)
		files := metadataFiles(t, filepath.Dir(dir))
		path := files[rng.IntN(len(files))]
		if filepath.Base(path) == "hgrc" {
			// A build of hg without Rust wants to be told there that it may read
			// the dirstate; package config has tests of damaged files.
			continue
		}
		m := mutations[rng.IntN(len(mutations))]
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, m.to(rng, good), 0o666); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("%d-%s-%s-%s", i, name, filepath.Base(path), strings.ReplaceAll(m.name, " ", "-")), func(t *testing.T) {
			var cmds []hgtest.Command
			for range 5 {
				cmds = append(cmds, hgtest.Command{Args: damageCommands[rng.IntN(len(damageCommands))]})
			}
			hgtest.Compare(t, y, dir, cmds, engineRunner("cold", inst, true), real)
		})
	}
}
