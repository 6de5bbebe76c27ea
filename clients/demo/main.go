// SPDX-License-Identifier: GPL-2.0-or-later

// Command demo shows hgbroker at work on a machine that has only Go: it builds
// the broker into a temporary directory, unpacks a recorded repository (or takes
// --repo DIR), starts the broker on a pipe and plays an editor's session. It
// prints requests, answers and their times, cold (nothing of the repository is
// held in memory) and warm, and beside them hg's and chg's where they are
// installed. Everything that it started is gone when it ends.
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

	client "hgbroker/clients/go"
	"hgbroker/protocol"
)

const (
	warmRuns = 20 // of each question
	peerRuns = 3  // of hg and chg
	width    = 100
)

func main() {
	repo := pflag.String("repo", "", "an existing repository, instead of a recorded one")
	pflag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *repo); err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

// demo is one session.
type demo struct {
	ctx   context.Context
	out   io.Writer
	c     *client.Client
	repo  string
	env   []string
	hg    string // the real hg and chg, "" without one
	chg   string
	lines []line
}

// line is one line of the table at the end.
type line struct {
	name       string
	cold, warm time.Duration
	hg, chg    time.Duration // 0: not measured
	served     string
	equivalent []string // hg's arguments for the same question
}

func run(ctx context.Context, out io.Writer, repo string) error {
	temp, err := os.MkdirTemp("", "hgbroker-demo-")
	if err != nil {
		return fmt.Errorf("temporary directory: %w", err)
	}
	defer os.RemoveAll(temp)

	exe := filepath.Join(temp, "hgbroker")
	fmt.Fprintf(out, "building the broker ... ")
	start := time.Now()
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", exe, "hgbroker/broker/hgbroker")
	build.Stderr = os.Stderr
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the broker (run this inside its source tree): %w", err)
	}
	fmt.Fprintf(out, "%s\n", time.Since(start).Round(time.Millisecond))

	d := &demo{ctx: ctx, out: out, env: withoutOurs(os.Environ())}
	if repo == "" {
		archive, err := recorded()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "unpacking %s\n", filepath.Base(archive))
		if repo, err = unpack(archive, filepath.Join(temp, "repo")); err != nil {
			return err
		}
		d.env = append(d.env, "HGRCPATH=") // recorded without anybody's configuration
	}
	if d.repo, err = filepath.Abs(repo); err != nil {
		return fmt.Errorf("repository: %w", err)
	}
	if d.repo, err = filepath.EvalSymlinks(d.repo); err != nil {
		return fmt.Errorf("repository: %w", err)
	}
	d.hg, _ = protocol.FindHg("", os.Getenv("PATH"))
	d.chg, _ = exec.LookPath("chg")

	// A runtime directory of its own: the master is the demo's alone, and its
	// only user decides when it ends.
	flags := []string{"--runtime-dir=" + filepath.Join(temp, "run"), "--framing=lsp", "--idle-timeout=10s"}
	d.c, err = client.Start(client.Options{Executable: exe, Args: flags, Env: d.env, Dir: d.repo, Stderr: os.Stderr,
		Notify: func(method string, params json.RawMessage) { fmt.Fprintf(out, "   ◀── %s %s\n", method, params) }})
	if err != nil {
		return err
	}
	defer func() {
		_ = d.c.Close()
		stop := exec.Command(exe, append([]string{"stop"}, flags...)...)
		stop.Env = d.env
		_ = stop.Run()
		awaitEnd(exe)
	}()
	return d.session()
}

// withoutOurs is env without our own variables, so that the demo is the same for
// everybody.
func withoutOurs(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		return strings.HasPrefix(kv, "HGBROKER_")
	})
}

// awaitEnd waits until no process runs exe any more, at most a few seconds: the
// temporary directory goes away after this.
func awaitEnd(exe string) {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		links, _ := filepath.Glob("/proc/[0-9]*/exe")
		if !slices.ContainsFunc(links, func(l string) bool { to, _ := os.Readlink(l); return to == exe }) {
			return
		}
	}
}

func (d *demo) session() error {
	pid := os.Getpid()
	uri := protocol.Text("file://" + d.repo)
	if err := d.ask("initialize", protocol.InitializeParams{ProcessID: &pid, RootURI: &uri, Capabilities: json.RawMessage("{}"),
		ClientInfo: &protocol.ProgramInfo{Name: "demo"}}, nil); err != nil {
		return err
	}
	if err := d.c.Notify(protocol.MethodInitialized, struct{}{}); err != nil {
		return err
	}
	place := protocol.Place{Repository: protocol.Text(d.repo)}
	if err := d.ask("hg/state", protocol.StateParams{Place: place}, []string{"log", "-r", "p1()+p2()", "-Tjson"}); err != nil {
		return err
	}
	if err := d.ask("hg/status", protocol.StatusParams{Place: place, Copies: true}, []string{"status", "-C"}); err != nil {
		return err
	}
	if err := d.ask("hg/log", protocol.LogParams{Place: place, Limit: 5}, []string{"log", "-l", "5", "-Tjson"}); err != nil {
		return err
	}
	if err := d.hgRun("log", "-G", "-l", "8"); err != nil {
		return err
	}
	if err := d.hgRun("log", "-r", ".", "-T", "{node}"); err != nil {
		return err
	}
	file, err := d.someFile()
	if err != nil {
		return err
	}
	if file != "" {
		if err := d.ask("hg/cat", protocol.CatParams{Place: place, URI: protocol.Text(file)}, []string{"cat", "-r", ".", file}); err != nil {
			return err
		}
	}
	if err := d.cancel(); err != nil {
		return err
	}
	if err := d.stats(); err != nil {
		return err
	}
	d.table()
	return d.c.Shutdown(d.ctx)
}

// ask sends a request cold, then warm, and prints the first exchange.
func (d *demo) ask(method string, params any, equivalent []string) error {
	repeat := method != protocol.MethodInitialize
	if repeat {
		if err := d.c.Flush(d.ctx, ""); err != nil {
			return err
		}
	}
	text, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("encode params: %w", err)
	}
	fmt.Fprintf(d.out, "\n   ──▶ %s %s\n", method, clip(string(text)))
	var raw json.RawMessage
	once := func() (time.Duration, error) {
		start := time.Now()
		err := d.c.Call(d.ctx, method, params, &raw)
		return time.Since(start), err
	}
	l := line{name: method, equivalent: equivalent}
	if l.cold, err = once(); err != nil {
		return err
	}
	d.show(method, raw)
	if repeat {
		var times []time.Duration
		for range warmRuns {
			took, err := once()
			if err != nil {
				return err
			}
			times = append(times, took)
		}
		l.warm = median(times)
		var r struct{ Served string }
		_ = json.Unmarshal(raw, &r)
		l.served = r.Served
	}
	d.lines = append(d.lines, l)
	return nil
}

func (d *demo) hgRun(args ...string) error {
	p := protocol.RunParams{Cwd: protocol.Text(d.repo)}
	for _, a := range args {
		p.Args = append(p.Args, protocol.Text(a))
	}
	if err := d.ask(protocol.MethodRun, p, args); err != nil {
		return err
	}
	d.lines[len(d.lines)-1].name = "hg " + strings.Join(args, " ")
	return nil
}

// show prints an answer: the output of a command as it is, anything else as
// JSON, both cut to what fits a screen.
func (d *demo) show(method string, raw json.RawMessage) {
	if method == protocol.MethodRun {
		var r protocol.RunResult
		if json.Unmarshal(raw, &r) == nil {
			fmt.Fprintf(d.out, "   ◀── exitCode %d, served %s, stdout:\n", r.ExitCode, r.Served)
			all := strings.Split(strings.TrimSuffix(string(r.Stdout), "\n"), "\n")
			for i, l := range all {
				if i == 30 {
					fmt.Fprintf(d.out, "       ... %d lines more\n", len(all)-i)
					break
				}
				fmt.Fprintf(d.out, "       %s\n", l)
			}
			return
		}
	}
	fmt.Fprintf(d.out, "   ◀── %s\n", clip(string(raw)))
}

// clip shortens s to a few lines of the screen.
func clip(s string) string {
	r := []rune(s)
	if len(r) <= 4*width {
		return s
	}
	return fmt.Sprintf("%s ... (%d bytes)", string(r[:4*width]), len(s))
}

// someFile is a file of the first parent, "" in an empty checkout.
func (d *demo) someFile() (string, error) {
	r, err := d.c.Hg(d.ctx, d.repo, "files", "-r", ".")
	if err != nil {
		return "", err
	}
	for f := range strings.Lines(string(r.Stdout)) {
		return strings.TrimSuffix(f, "\n"), nil
	}
	return "", nil
}

// cancel asks for everything, streamed, and loses interest at the first piece.
func (d *demo) cancel() error {
	fmt.Fprintf(d.out, "\n   ──▶ hg/run {\"args\":[\"log\",\"-v\"],\"stream\":true}, and $/cancelRequest with the first output\n")
	ctx, cancel := context.WithCancel(d.ctx)
	defer cancel()
	start, pieces := time.Now(), 0
	r, err := d.c.Stream(ctx, protocol.RunParams{Cwd: protocol.Text(d.repo), Args: []protocol.Text{"log", "-v"}},
		func(bool, []byte) { pieces++; cancel() })
	took := time.Since(start).Round(10 * time.Microsecond)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(d.out, "   ◀── error %d, request cancelled, after %s\n", protocol.CodeRequestCancelled, took)
	case err != nil:
		return err
	default:
		fmt.Fprintf(d.out, "   ◀── was done before the cancel came: exitCode %d after %s and %d pieces\n", r.ExitCode, took, pieces)
	}
	return nil
}

func (d *demo) stats() error {
	raw, err := d.c.Stats(d.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\n   ──▶ broker/stats\n")
	var s struct {
		Master struct {
			Cache, Donations, Requests json.RawMessage
			Workers                    json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("decode stats: %w", err)
	}
	for _, part := range []struct {
		name string
		raw  json.RawMessage
	}{{"workers", s.Master.Workers}, {"cache", s.Master.Cache}, {"donations", s.Master.Donations}, {"requests", s.Master.Requests}} {
		fmt.Fprintf(d.out, "   ◀── %s: %s\n", part.name, part.raw)
	}
	return nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// table measures hg and chg on the same questions and prints all times.
func (d *demo) table() {
	fmt.Fprintf(d.out, "\n%-30s %9s %9s %9s %9s  %s\n", "", "cold", "warm p50", "hg", "chg", "served")
	for _, l := range d.lines {
		if l.equivalent != nil {
			l.hg, l.chg = d.peer(d.hg, l.equivalent), d.peer(d.chg, l.equivalent)
		}
		fmt.Fprintf(d.out, "%-30s %9s %9s %9s %9s  %s\n", clipName(l.name), show(l.cold), show(l.warm), show(l.hg), show(l.chg), l.served)
	}
	if d.chg != "" {
		cmd := exec.Command(d.chg, "--kill-chg-daemon")
		cmd.Env, cmd.Dir = d.peerEnv(), d.repo
		_ = cmd.Run()
	}
	if d.hg == "" {
		fmt.Fprintln(d.out, "(no hg is installed here, so there is nothing to compare with)")
	}
}

func clipName(s string) string {
	if len(s) > 30 {
		return s[:27] + "..."
	}
	return s
}

// peerEnv gives chg a server of its own.
func (d *demo) peerEnv() []string {
	return append(slices.Clone(d.env), "CHGSOCKNAME="+filepath.Join(filepath.Dir(d.repo), "chg-demo-"+fmt.Sprint(os.Getpid())))
}

func (d *demo) peer(program string, args []string) time.Duration {
	if program == "" {
		return 0
	}
	var times []time.Duration
	for range peerRuns + 1 {
		cmd := exec.CommandContext(d.ctx, program, args...)
		cmd.Dir, cmd.Env = d.repo, d.peerEnv()
		start := time.Now()
		if err := cmd.Run(); err != nil {
			return 0
		}
		times = append(times, time.Since(start))
	}
	return median(times[1:]) // the first one warms up the file cache, and starts chg's server
}

func show(t time.Duration) string {
	switch {
	case t == 0:
		return "-"
	case t < time.Millisecond:
		return fmt.Sprintf("%d µs", t.Microseconds())
	}
	return fmt.Sprintf("%.1f ms", float64(t.Microseconds())/1000)
}
