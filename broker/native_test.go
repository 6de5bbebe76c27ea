// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
	"hgbroker/worker/hg"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

// shown is what a user sees of one command line.
type shown struct {
	out, err string
	code     int
	native   bool
}

func (s shown) String() string {
	if !s.native {
		return "not native"
	}
	return fmt.Sprintf("exit code %d\nstdout: %q\nstderr: %q", s.code, s.out, s.err)
}

// alone runs a command line with the engine and nothing around it.
func alone(t *testing.T, e *hg.Engine, realHg, dir string, args, env []string) shown {
	t.Helper()
	var out, errOut bytes.Buffer
	res, err := e.Run(context.Background(), &hg.Request{Args: args, Dir: dir, Env: env, UID: os.Getuid(),
		Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errOut, Now: time.Now(),
		Hg: hg.Installation{Path: realHg, Version: hg.FindVersion(realHg)}})
	if hgerr.IsUnsupported(err) {
		return shown{}
	}
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return shown{out.String(), errOut.String(), res.ExitCode, true}
}

// overStdio runs it through a broker whose environment is hgtest's.
func overStdio(t *testing.T, ctx context.Context, c *client.Client, dir string, args, env []string) shown {
	t.Helper()
	p := protocol.RunParams{Args: text(args...), Cwd: protocol.Text(dir), Env: map[string]*protocol.Text{}}
	if p.Args == nil {
		p.Args = []protocol.Text{}
	}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		v := protocol.Text(value)
		p.Env[name] = &v
	}
	r, err := c.Run(ctx, p)
	if client.Kind(err) == protocol.KindUnsupported {
		return shown{}
	}
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return shown{string(r.Stdout), string(r.Stderr), r.ExitCode, true}
}

func (w *world) throughDropIn(dir string, args, env []string) shown {
	w.t.Helper()
	cmd := w.dropInCommand(nil, args...)
	cmd.Dir = dir
	ours := slices.DeleteFunc(slices.Clone(cmd.Env), func(kv string) bool { return !strings.HasPrefix(kv, "HGBROKER_") })
	cmd.Env = append(append(hgtest.BaseEnv(env...), ours...), "HGBROKER_FALLBACK=never")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	if cmd.ProcessState.ExitCode() == 255 && strings.HasPrefix(errOut.String(), "hgbroker: not native") {
		return shown{}
	}
	return shown{out.String(), errOut.String(), cmd.ProcessState.ExitCode(), true}
}

// withEnv starts a broker that never falls back, in hgtest's environment.
func (w *world) withEnv(flags ...string) *client.Client {
	w.t.Helper()
	c, err := client.Start(client.Options{Executable: w.exe, Args: slices.Concat(w.flags, []string{"--fallback=never"}, flags),
		Env: hgtest.BaseEnv(), Dir: w.dir, Stderr: os.Stderr})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return w.initialize(c)
}

// The same command line comes out the same from the engine alone, over stdio
// with a cold and with a warm worker, and through the drop-in hg. That the
// engine alone is right is tested where the engine is.
func TestEveryModeIsTheSame(t *testing.T) {
	w := newWorld(t)
	c := w.withEnv()
	native, all := 0, 0
	for _, repo := range hgtest.Repos(t) {
		if _, err := os.Stat(goldens(t, repo.Name)); err != nil {
			continue
		}
		if testing.Short() && repo.Name != "linear" {
			continue
		}
		dir := hgtest.Extract(t, repo.Name)
		e := hg.New(hg.Options{})
		n := 0
		for g := range hgtest.Goldens(t, repo.Name, hgtest.OldHg) {
			g = g.Expand(dir)
			if slices.ContainsFunc(g.Env, func(kv string) bool { return strings.HasPrefix(kv, "TZ=") }) {
				continue // the engine alone is told the zone
			}
			where := filepath.Join(dir, g.Sub)
			want := alone(t, e, w.hg, where, g.Args, hgtest.BaseEnv(g.Env...))
			all++
			if want.native {
				native++
			}
			for _, mode := range []string{"first", "again"} {
				got := overStdio(t, w.context(), c, where, g.Args, g.Env)
				if strings.HasPrefix(repo.Name, "broken-") && got.native && !want.native {
					continue // whether damage is met depends on what was read before; TestRecorded tells what is right
				}
				if got != want {
					t.Errorf("%s in %s, over stdio, %s:\n%v\nthe engine alone:\n%v", g.Command, repo.Name, mode, got, want)
				}
			}
			if n++; n%10 == 0 {
				if got := w.throughDropIn(where, g.Args, g.Env); got != want {
					t.Errorf("%s in %s, through the drop-in:\n%v\nthe engine alone:\n%v", g.Command, repo.Name, got, want)
				}
			}
		}
		e.Close()
	}
	t.Logf("%d command lines, %d of them native", all, native)
	if all < 100 || native == 0 {
		t.Errorf("only %d command lines were compared, %d of them native", all, native)
	}
}

func goldens(t *testing.T, name string) string {
	t.Helper()
	path, err := hgtest.Testdata("golden", name+".jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Reads are repeated when their worker dies: nobody notices that workers are
// killed all the time.
func TestReadsSurviveKilledWorkers(t *testing.T) {
	w := newWorld(t)
	c := w.withEnv()
	dir := hgtest.Extract(t, "linear")
	want := overStdio(t, w.context(), c, dir, []string{"log", "-r", "tip", "-T", "{node}"}, nil)
	if !want.native || len(want.out) != 40 {
		t.Fatalf("a plain log: %v", want)
	}
	for _, role := range []string{"worker", "master"} {
		t.Run(role, func(t *testing.T) {
			every := map[string]time.Duration{"worker": 15 * time.Millisecond, "master": 60 * time.Millisecond}[role]
			killed := 0
			stop := make(chan struct{})
			var killer sync.WaitGroup
			killer.Go(func() { w.killing(role, every, &killed)(stop) })
			var wg sync.WaitGroup
			var mu sync.Mutex
			answered, lost := 0, 0
			next := make(chan int)
			ctx := w.context()
			for range 16 {
				wg.Go(func() {
					for range next {
						r, err := c.Hg(ctx, dir, "log", "-r", "tip", "-T", "{node}")
						mu.Lock()
						switch {
						case err == nil && string(r.Stdout) == want.out && r.ExitCode == 0:
							answered++
						case client.Kind(err) == protocol.KindWorkerLost || client.Kind(err) == protocol.KindNoMaster:
							lost++
						default:
							t.Errorf("%+v, %v", r, err)
						}
						mu.Unlock()
					}
				})
			}
			// At least 1,000, and until enough was killed to show something.
			n := 0
			for end := time.Now().Add(patience / 2); n < 1000 || time.Since(end) < -12*time.Second; n++ {
				next <- n
			}
			close(next)
			wg.Wait()
			close(stop)
			killer.Wait()
			t.Logf("%d requests, %d %ss killed: %d answered, %d lost", n, killed, role, answered, lost)
			if killed < 5 {
				t.Errorf("only %d were killed", killed)
			}
			// A command may be hit twice, but hardly ever.
			if lost > n/50 {
				t.Errorf("%d of %d requests were lost", lost, n)
			}
		})
	}
}

// The counters say what was run.
func TestStatsCount(t *testing.T) {
	w := newWorld(t)
	c := w.withEnv()
	dir := hgtest.Extract(t, "linear")
	const warm = 20
	for range 1 + warm {
		if got := overStdio(t, w.context(), c, dir, []string{"log", "-r", ".", "-T", "{node}"}, nil); !got.native {
			t.Fatal("log is not native")
		}
	}
	out, err := exec.Command(w.exe, append([]string{"stats", "--json"}, w.flags...)...).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errors.Unwrap(err))
	}
	for _, want := range []string{`"native":21,"warm":`, `"pid":`, `"hits":`, `"misses":`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	plain, err := exec.Command(w.exe, append([]string{"stats"}, w.flags...)...).Output()
	if err != nil || !strings.Contains(string(plain), "\nrequests:\n  native: 21\n") {
		t.Errorf("%v\n%s", err, plain)
	}
	if err := c.Flush(w.context(), dir); err != nil {
		t.Error(err)
	}
	if err := c.Flush(w.context(), ""); err != nil {
		t.Error(err)
	}
}
