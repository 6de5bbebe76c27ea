// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// script writes an executable shell script that plays the real hg.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hg")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func always(hg string, args ...string) protocol.Run {
	return protocol.Run{Args: args, Dir: "/", RealHg: hg, Fallback: protocol.FallbackAlways}
}

func TestRealHgGetsEverything(t *testing.T) {
	h := start(t, nil)
	old := unix.Umask(0o22)
	defer unix.Umask(old)
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/repo/.hg", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/repo/sub", 0o700); err != nil {
		t.Fatal(err)
	}
	hg := script(t, `printf '%s|' "$@"; cat; echo "$A $HGBROKER_NESTED $(pwd) $(umask)"; echo oops >&2; exit 37`)
	p := h.attach()
	p.send(&protocol.Frame{Type: protocol.ChEnviron, Payload: protocol.EncodeEnviron([]string{"PATH=" + os.Getenv("PATH"), "A=1"}, 0o27)})
	p.begin(protocol.Run{Args: []string{"commit", "-m", "a b\xff"}, Dir: dir + "/repo/sub", Env: []string{"A=2"}, Stdin: []byte("in "), RealHg: hg, Fallback: protocol.FallbackAlways})
	a := p.collect()
	x := a.exit(t)
	if want := "commit|-m|a b\xff|in 2 1 " + dir + "/repo/sub 0027\n"; a.out != want || a.err != "oops\n" || x.Code != 37 || x.Served != protocol.ServedFallback || x.Canceled {
		t.Errorf("%q %q %+v\nwant %q", a.out, a.err, x, want)
	}
	fin := h.finished()
	if fin.Command != "commit" || fin.Served != protocol.ServedFallback || !fin.Wrote || fin.Repository != dir+"/repo" || fin.ExitCode != 37 {
		t.Errorf("%+v", fin)
	}
}

func TestUnsupportedGoesOnToTheRealHgWhereThereIsOne(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	run := always(script(t, "echo real"), "unsupported")
	run.Fallback = protocol.FallbackAuto
	p.begin(run)
	if a := p.collect(); a.out != "real\n" || a.exit(t).Served != protocol.ServedFallback {
		t.Errorf("%+v", a)
	}
	run.Fallback = protocol.FallbackNever
	p.begin(run)
	p.collect().failure(t, protocol.ChUnsupported)
}

func TestRealHgEndedBySignal(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	p.begin(always(script(t, "kill -TERM $$")))
	if x := p.collect().exit(t); x.Code != 128+15 {
		t.Errorf("%+v", x)
	}
}

func TestRealHgThatIsNotOne(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "hg")
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	for _, hg := range []string{"", "/nowhere/hg", exe, link} {
		p.begin(always(hg, "log"))
		if f := p.collect().failure(t, protocol.ChFailed); f.Kind != "Unsupported" {
			t.Errorf("%q: %+v", hg, f)
		}
	}
	run := always(script(t, "echo no"), "log")
	run.Env = []string{"HGBROKER_NESTED=3"}
	p.begin(run)
	if f := p.collect().failure(t, protocol.ChFailed); !strings.Contains(f.Message, "again and again") {
		t.Errorf("%+v", f)
	}
	run = always(script(t, "echo no"), "log")
	run.Dir = "/nowhere"
	p.begin(run)
	if f := p.collect().failure(t, protocol.ChFailed); f.Kind != "IO" {
		t.Errorf("%+v", f)
	}
}

// alive tells whether a process exists that is not a zombie.
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	s := string(b)
	return !strings.HasPrefix(s[strings.LastIndexByte(s, ')')+1:], " Z")
}

// pids reads process numbers that a script wrote, once there are n.
func pids(t *testing.T, path string, n int) []int {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		b, _ := os.ReadFile(path)
		f := strings.Fields(string(b))
		if len(f) == n && strings.HasSuffix(string(b), "\n") {
			out := make([]int, n)
			for i := range f {
				out[i], _ = strconv.Atoi(f[i])
			}
			return out
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the script did not start")
	return nil
}

func dead(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Errorf("process %d lives", pid)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestCancelOfTheRealHg(t *testing.T) {
	tests := []struct{ name, body string }{
		{"obeys", `trap 'echo rolled back; exit 255' INT; sleep 1000 & echo $$ $! >"$1"; wait`},
		{"ignores", `trap '' INT; sleep 1000 & echo $$ $! >"$1"; wait; wait`},
	}
	for _, tt := range tests {
		for _, how := range []string{"cancel", "timeout", "client leaves"} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				t.Parallel()
				h := start(t, nil)
				p := h.attach()
				file := filepath.Join(t.TempDir(), "pids")
				run := always(script(t, tt.body), file)
				if how == "timeout" {
					run.TimeoutMs = 300
				}
				p.begin(run)
				both := pids(t, file, 2)
				switch how {
				case "cancel":
					p.send(&protocol.Frame{Type: protocol.ChCancel, ID: p.id})
					a := p.collect()
					if x := a.exit(t); !x.Canceled {
						t.Errorf("%+v", x)
					}
					if tt.name == "obeys" && a.out != "rolled back\n" {
						t.Errorf("%+v", a)
					}
				case "timeout":
					if f := p.collect().failure(t, protocol.ChFailed); f.Kind != "Timeout" {
						t.Errorf("%+v", f)
					}
				default:
					p.conn.Close()
				}
				h.finished()
				dead(t, both[0])
				dead(t, both[1])
			})
		}
	}
}

// A background process of a hook may hold the output open; the command ends
// nevertheless.
func TestGrandchildThatKeepsTheOutput(t *testing.T) {
	h := start(t, nil)
	p := h.attach()
	file := filepath.Join(t.TempDir(), "pids")
	p.begin(always(script(t, `sleep 1000 & echo $! >"$1"; echo done; exit 3`), file))
	a := p.collect()
	if a.out != "done\n" || a.exit(t).Code != 3 {
		t.Errorf("%+v", a)
	}
	pid := pids(t, file, 1)[0]
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		t.Error(err)
	}
}

func TestWithTheInstalledHg(t *testing.T) {
	path := os.Getenv("HGBROKER_TEST_HG")
	if path == "" {
		path, _ = exec.LookPath("hg")
	}
	if path == "" {
		t.Skip("no hg on PATH, and HGBROKER_TEST_HG is not set")
	}
	cmd := exec.Command(path, "log", "-r", "nonsense")
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"HGRCPATH=", "PATH=" + os.Getenv("PATH")}
	var want strings.Builder
	cmd.Stderr = &want
	_ = cmd.Run()
	h := start(t, nil)
	p := h.attach()
	p.send(&protocol.Frame{Type: protocol.ChEnviron, Payload: protocol.EncodeEnviron(cmd.Env, 0o22)})
	run := always(path, "log", "-r", "nonsense")
	run.Dir = cmd.Dir
	p.begin(run)
	if a := p.collect(); a.err != want.String() || a.exit(t).Code != cmd.ProcessState.ExitCode() || a.err == "" {
		t.Errorf("%q, want %q", a.err, want.String())
	}
}
