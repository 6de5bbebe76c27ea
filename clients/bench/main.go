// SPDX-License-Identifier: GPL-2.0-or-later

// Command bench measures hgbroker beside its peers: the Go client over stdio, a
// bare channel to a worker, the drop-in hg and the first command ever of a
// master, against hg, chg (with and without its cache of repositories), an open
// python-hglib server, rhg, and git on the same history, where they are
// installed; and against floors: the emptiest native command through the same
// path, a bare socket round trip, a bare walk.
//
// All are asked the same questions in one run, turn by turn, so that a slow
// moment of the machine meets each of them; what each prints is compared with
// what hg prints. Beside that it looks at the moments when nobody is warm, at CPU
// time and at memory. The result is a table in Markdown, JSON, or a page with a
// plot. No time is judged.
//
// The repositories are given, or made by the recipes of testdata/recipe/large.py.
// Everything else is built and kept in a temporary directory, and whatever was
// started is stopped, by its process ID, before the directory goes away. What is
// given is never committed to, but hg itself writes its caches there.
package main

import (
	"context"
	"encoding/json"
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
	repos   []string
	gits    []string
	recipes []string
	scale   float64
	keep    string
	twin    bool
	pace    pace
	many    int
	only    []string
	without []string
	from    []string
	built   string
	page    string
	json    bool
}

// parts of a run beside the contest, which --without can name too.
var parts = []string{"firsts", "commits", "cpu", "memory"}

func main() {
	if beneath() {
		return
	}
	var o options
	pflag.StringArrayVar(&o.repos, "repo", nil, "an existing repository, instead of a small one that is made for this run; may be repeated")
	pflag.StringArrayVar(&o.gits, "git", nil, "the same history in git, of the first --repo, of the second...")
	pflag.StringArrayVar(&o.recipes, "recipe", nil, "a repository to make: "+strings.Join(recipes, ", ")+"; may be repeated")
	pflag.Float64Var(&o.scale, "scale", 1, "how large the recipes are to be made")
	pflag.StringVar(&o.keep, "keep", "", "a directory in which made repositories stay for the next run")
	pflag.BoolVar(&o.twin, "twin", false, "make a git repository of the same history where none is given")
	pflag.IntVar(&o.pace.rounds, "rounds", 20, "how often each contender gets its turn at each command")
	pflag.DurationVar(&o.pace.slice, "slice", 40*time.Millisecond, "how long a turn lasts, at least one command and at most 500")
	pflag.DurationVar(&o.pace.budget, "budget", 5*time.Second, "what a contender may spend on each command; slow ones get fewer turns, at least one")
	pflag.IntVar(&o.many, "many", 8, "how many workers and servers are looked at together for their memory")
	pflag.StringArrayVar(&o.only, "command", nil, "a command line to measure instead of the usual ones; may be repeated")
	var names []string
	for _, s := range starts {
		names = append(names, s.name)
	}
	pflag.StringSliceVar(&o.without, "without", nil, "what to leave out: "+strings.Join(append(names, parts...), ", "))
	pflag.StringArrayVar(&o.from, "from", nil, "measure nothing, print what --json printed into this file; may be repeated")
	pflag.StringVar(&o.built, "built", "", "a directory with hgbroker and our hg, instead of building them")
	pflag.StringVar(&o.page, "page", "", "write the tables into this file too, with a plot bench.svg beside it")
	pflag.BoolVar(&o.json, "json", false, "print JSON instead of tables")
	pflag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr, o); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// run measures and prints. Remarks go to notes.
func run(ctx context.Context, out, notes io.Writer, o options) error {
	if o.pace.rounds < 1 || o.many < 1 || o.scale <= 0 {
		return errors.New("--rounds, --many and --scale must be positive")
	}
	get := measured
	if len(o.from) > 0 {
		get = recalled
	}
	r, err := get(ctx, notes, &o)
	if r == nil {
		return err
	}
	if err != nil {
		o.page = "" // half of a page is none
	}
	return errors.Join(err, r.write(out, &o))
}

// write writes what was asked for.
func (r *report) write(out io.Writer, o *options) error {
	if o.page != "" {
		if err := r.writePage(o.page); err != nil {
			return err
		}
	}
	if o.json {
		return r.writeJSON(out)
	}
	_, err := io.WriteString(out, r.markdown())
	return err
}

// recalled joins what was measured before; of what is there twice, the last counts.
func recalled(_ context.Context, _ io.Writer, o *options) (*report, error) {
	var all report
	for _, name := range o.from {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var r report
		if err := json.Unmarshal(b, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		results := all.Results
		for _, res := range r.Results {
			if i := slices.IndexFunc(results, func(had result) bool { return had.Repository == res.Repository }); i >= 0 {
				results[i].join(&res)
				continue
			}
			results = append(results, res)
		}
		all = r
		all.Results = results
	}
	return &all, nil
}

// measured measures every repository. Interrupted, it has what was measured till then.
func measured(ctx context.Context, notes io.Writer, o *options) (*report, error) {
	temp, err := os.MkdirTemp("", "hgbroker-bench-")
	if err != nil {
		return nil, fmt.Errorf("temporary directory: %w", err)
	}
	defer os.RemoveAll(temp)
	bin := filepath.Join(temp, "bin")
	if err := build(ctx, o.built, bin); err != nil {
		return nil, err
	}
	hg, _ := protocol.FindHg("", os.Getenv("PATH"))
	subjects, err := subjects(ctx, o, hg, temp)
	if err != nil {
		return nil, err
	}
	r := &report{Date: time.Now().UTC().Format(time.DateOnly), Machine: thisMachine(), Versions: versions(ctx, hg)}
	for i, s := range subjects {
		fmt.Fprintf(notes, "repository: %s\n", s.dir)
		w := &world{ctx: ctx, notes: notes, temp: filepath.Join(temp, fmt.Sprint(i)), bin: bin, repo: s.dir, twin: s.twin, hg: hg,
			env: environment(s.ours), without: o.without}
		if err := os.Mkdir(w.temp, 0o700); err != nil {
			return nil, err
		}
		res := &result{Repository: s.name, Rounds: o.pace.rounds, Load: loadAverage()}
		err := errors.Join(w.all(o, res), w.close())
		if err != nil && ctx.Err() == nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		res.Load += " before, " + loadAverage() + " after"
		r.Results = append(r.Results, *res)
		if err != nil {
			return r, fmt.Errorf("%s: %w", s.name, ctx.Err()) // interrupted: the rest is worth to be seen
		}
	}
	return r, nil
}

// all measures everything about one repository.
func (w *world) all(o *options, res *result) (err error) {
	wanted := func(part string) bool { return err == nil && !slices.Contains(w.without, part) }
	if wanted("firsts") {
		res.Firsts, err = w.firsts(o.pace)
	}
	if wanted("commits") && w.hg != "" {
		res.Commits, err = w.afterCommit(o.pace)
	}
	if wanted("memory") {
		res.Memory, err = w.memories(o.many)
	}
	if err != nil {
		return err
	}
	if err := w.enter(); err != nil {
		return err
	}
	res.About = w.about()
	var lines [][]string
	for _, c := range o.only {
		lines = append(lines, unquoted(c))
	}
	if lines == nil {
		if lines, err = w.questions(); err != nil {
			return err
		}
	}
	if err := w.measure(lines, o.pace, res); err != nil {
		return err
	}
	if wanted("cpu") {
		res.CPU, err = w.cpu([][]string{{"log", "-r", "."}, typical}, o.pace.budget/2)
	}
	return err
}

// build builds what is measured, or copies it from where it was built: all that
// runs from bin is ours.
func build(ctx context.Context, built, bin string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin+"/",
		"hgbroker/broker/hgbroker", "hgbroker/clients/hg")
	if built != "" {
		cmd = exec.CommandContext(ctx, "cp", "-R", built+"/.", bin)
	}
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build (inside the source tree, or name a --built one): %w", err)
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
