// SPDX-License-Identifier: GPL-2.0-or-later

// Command bench measures hgbroker beside its peers: the Go client over stdio,
// the drop-in hg and the first command ever of a master, against hg, chg and an
// open python-hglib server where they are installed, and against two floors, the
// emptiest native command through the same path and a bare socket round trip.
//
// All are asked the same questions in one run, turn by turn, so that a slow
// moment of the machine meets each of them; what each prints is compared with
// what hg prints. The result is a table in Markdown, or JSON. No time is judged.
//
// Everything is built and kept in a temporary directory, and whatever was
// started is stopped, by its process ID, before the directory goes away.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"hgbroker/protocol"
)

// options are the command line.
type options struct {
	repo    string
	rounds  int
	slice   time.Duration
	only    []string
	without []string
	json    bool
}

func main() {
	if echoing() {
		echo()
		return
	}
	var o options
	pflag.StringVar(&o.repo, "repo", "", "an existing repository, instead of one that is made for this run")
	pflag.IntVar(&o.rounds, "rounds", 20, "how often each contender gets its turn at each command")
	pflag.DurationVar(&o.slice, "slice", 20*time.Millisecond, "how long a turn lasts, at least one command and at most 50")
	pflag.StringArrayVar(&o.only, "command", nil, "a command line to measure instead of the usual ones; may be repeated")
	pflag.StringSliceVar(&o.without, "without", nil, "contenders to leave out: stdio, channel, drop-in, cold, hg, chg, hglib, socketpair")
	pflag.BoolVar(&o.json, "json", false, "print JSON instead of a table")
	pflag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr, o); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// run measures and prints. Remarks go to notes.
func run(ctx context.Context, out, notes io.Writer, o options) (err error) {
	if o.rounds < 1 {
		return errors.New("--rounds must be at least 1")
	}
	temp, err := os.MkdirTemp("", "hgbroker-bench-")
	if err != nil {
		return fmt.Errorf("temporary directory: %w", err)
	}
	defer os.RemoveAll(temp)
	bin := filepath.Join(temp, "bin")
	if err := build(ctx, bin); err != nil {
		return err
	}
	hg, _ := protocol.FindHg("", os.Getenv("PATH"))
	repo, err := repository(ctx, o.repo, hg, temp)
	if err != nil {
		return err
	}
	fmt.Fprintf(notes, "repository: %s\n", repo)

	w := &world{ctx: ctx, notes: notes, temp: temp, bin: bin, repo: repo, hg: hg, env: environment(o.repo == "")}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.enter(o.without); err != nil {
		return err
	}
	var lines [][]string
	for _, c := range o.only {
		lines = append(lines, strings.Fields(c))
	}
	if lines == nil {
		if lines, err = w.questions(); err != nil {
			return err
		}
	}
	res, err := w.measure(lines, o.rounds, o.slice)
	if err != nil {
		return err
	}
	if o.json {
		return res.writeJSON(out)
	}
	return res.writeMarkdown(out)
}

// build builds what is measured.
func build(ctx context.Context, bin string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin+"/",
		"hgbroker/broker/hgbroker", "hgbroker/clients/hg")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build (run this inside the source tree): %w", err)
	}
	return nil
}

// environment is what every contender runs with: nothing of ours from outside,
// and plain output for all, since python-hglib's servers know no other. A
// repository made here is measured without anybody's configuration.
func environment(bare bool) []string {
	env := slices.DeleteFunc(slices.Clone(os.Environ()), func(kv string) bool {
		return strings.HasPrefix(kv, "HGBROKER_") || strings.HasPrefix(kv, "HGPLAIN=") || strings.HasPrefix(kv, "CHG")
	})
	env = append(env, "HGPLAIN=1")
	if bare {
		env = append(env, "HGRCPATH=")
	}
	return env
}
