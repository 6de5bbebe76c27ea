// SPDX-License-Identifier: GPL-2.0-or-later

package broker_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
)

// The scenarios run real processes: hgbroker and the drop-in hg, built once.
// Where a test needs a command of known behaviour it has a script as the real
// hg, so that it passes with any engine and on a machine without Mercurial.

var built string // directory of the executables

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "hgb")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		for _, kv := range os.Environ() {
			if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "HGBROKER_") && !strings.HasPrefix(name, "HGBROKER_TEST_") {
				os.Unsetenv(name)
			}
		}
		cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../broker/hgbroker", "../clients/hg")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build the executables:", err)
			return 1
		}
		built = dir
		return m.Run()
	}())
}

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// fakeHg is a real hg of few and known commands.
const fakeHg = `#!/bin/sh
# global options come first: --config VALUE
while [ "$1" = --config ]; do shift 2; done
cmd=$1; [ $# -gt 0 ] && shift
case "$cmd" in
say) printf '%s\n' "$*" ;;
both) echo out1; echo err1 >&2; echo out2; exit 3 ;;
copy) cat ;;
env) printf '%s' "$(eval echo \"\$$1\")" ;;
where) pwd ;;
mask) umask ;;
bytes) printf 'caf\351' ;;
rest) echo $$ > "$1"; exec sleep 1000 ;;
deaf) trap '' INT TERM; echo $$ > "$1"; while :; do sleep 1; done ;;
many) i=0; while [ $i -lt "$1" ]; do echo "line $i of a long output, which goes on for a while to fill the pipes"; i=$((i+1)); done ;;
pour) dd if=/dev/zero bs=65536 count="$1" 2>/dev/null | tr '\0' 'x' ;;
tick) while :; do printf '%65536s' x; echo >> "$1"; done ;;
*) echo "fake: $cmd" ;;
esac
`

// world is a runtime directory of its own, an executable of its own (so that its
// processes can be told from all others) and a fake hg.
type world struct {
	t               *testing.T
	dir             string // where commands run: not a repository
	exe, hg, dropIn string
	runtime         string
	flags           []string
}

func newWorld(t *testing.T, flags ...string) *world {
	t.Helper()
	// Not t.TempDir, whose path may be too long for a socket.
	base, err := os.MkdirTemp("", "hgb")
	if err != nil {
		t.Fatal(err)
	}
	if base, err = filepath.EvalSymlinks(base); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: filepath.Join(base, "dir"), exe: filepath.Join(base, "hgbroker"), dropIn: filepath.Join(base, "hg"),
		hg: filepath.Join(base, "real", "hg"), runtime: filepath.Join(base, "rt")}
	for _, d := range []string{w.dir, filepath.Dir(w.hg), w.runtime} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(w.hg, []byte(fakeHg), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"hgbroker": w.exe, "hg": w.dropIn} {
		if err := os.Link(filepath.Join(built, name), to); err != nil {
			t.Fatal(err)
		}
	}
	w.flags = append([]string{"--runtime-dir=" + w.runtime, "--hg=" + w.hg, "--log=" + filepath.Join(base, "log")}, flags...)
	t.Cleanup(func() {
		_ = exec.Command(w.exe, append([]string{"stop"}, w.flags...)...).Run()
		w.eventually("every process ends after stop", func() bool { return len(w.processes()) == 0 })
		if t.Failed() {
			if b, err := os.ReadFile(filepath.Join(base, "log")); err == nil {
				t.Logf("log:\n%s", tail(b, 8<<10))
			}
			for _, p := range w.processes() {
				_ = unix.Kill(p.pid, unix.SIGKILL)
			}
		}
		os.RemoveAll(base)
	})
	return w
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// eventually polls until ok.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("never came true: %s; processes: %v", what, w.processes())
		}
	}
}

// proc is a process of this world.
type proc struct {
	pid, parent int
	role        string // "master", "worker", or the broker's first flag
}

// processes lists what runs of this world's executable. A zombie is none.
func (w *world) processes() []proc {
	entries, _ := os.ReadDir("/proc")
	var list []proc
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		exe, err := os.Readlink("/proc/" + e.Name() + "/exe")
		if err != nil || strings.TrimSuffix(exe, " (deleted)") != w.exe {
			continue
		}
		args, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		stat, _ := os.ReadFile("/proc/" + e.Name() + "/stat")
		p := proc{pid: pid}
		if f := bytes.Split(args, []byte{0}); len(f) > 1 {
			p.role = string(f[1])
		}
		if _, rest, ok := bytes.Cut(stat, []byte(") ")); ok {
			var state string
			fmt.Sscan(string(rest), &state, &p.parent)
			if state == "Z" || state == "X" {
				continue
			}
		}
		list = append(list, p)
	}
	return list
}

func (w *world) role(role string) []proc {
	return slices.DeleteFunc(w.processes(), func(p proc) bool { return p.role != role })
}

// start starts a broker without saying initialize.
func (w *world) start(flags ...string) *client.Client {
	w.t.Helper()
	c, err := client.Start(client.Options{Executable: w.exe, Args: append(slices.Clone(w.flags), flags...), Dir: w.dir, Stderr: os.Stderr})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// open starts a broker that runs everything by the fake hg, and initializes it.
func (w *world) open(flags ...string) *client.Client {
	w.t.Helper()
	return w.initialize(w.start(append([]string{"--fallback=always"}, flags...)...))
}

func (w *world) initialize(c *client.Client) *client.Client {
	w.t.Helper()
	if _, err := c.Initialize(w.context(), protocol.InitializeParams{}); err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	w.t.Cleanup(cancel)
	return ctx
}

// run runs a command line of the fake hg.
func (w *world) run(c *client.Client, args ...string) *protocol.RunResult {
	w.t.Helper()
	r, err := c.Hg(w.context(), w.dir, args...)
	if err != nil {
		w.t.Fatalf("%v: %v", args, err)
	}
	return r
}

// masterPID asks the broker's stats.
func (w *world) masterPID(c *client.Client) int {
	w.t.Helper()
	raw, err := c.Stats(w.context())
	if err != nil {
		w.t.Fatal(err)
	}
	var s struct{ Master struct{ PID int } }
	if err := json.Unmarshal(raw, &s); err != nil || s.Master.PID == 0 {
		w.t.Fatalf("stats %s: %v", raw, err)
	}
	return s.Master.PID
}

// pidFrom waits for a file with a process id.
func (w *world) pidFrom(file string) int {
	w.t.Helper()
	pid := 0
	w.eventually("a process id in "+file, func() bool {
		b, err := os.ReadFile(file)
		if err != nil || !bytes.HasSuffix(b, []byte("\n")) {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
		return err == nil
	})
	return pid
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return len(rest) > 0 && rest[0] != 'Z' && rest[0] != 'X'
}

// wire is a broker whose bytes the test reads and writes itself.
type wire struct {
	w   *world
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (w *world) wire(flags ...string) *wire {
	w.t.Helper()
	cmd := exec.Command(w.exe, append(slices.Clone(w.flags), flags...)...)
	cmd.Dir, cmd.Stderr = w.dir, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	x := &wire{w: w, cmd: cmd, in: in, out: bufio.NewReader(out)}
	w.t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	return x
}

func (x *wire) send(lines ...string) {
	x.w.t.Helper()
	if _, err := io.WriteString(x.in, strings.Join(lines, "\n")+"\n"); err != nil {
		x.w.t.Fatal(err)
	}
}

// line reads one answer in lines framing; patience is the pipe's owner's, who
// kills a broker that does not answer.
func (x *wire) line() string {
	x.w.t.Helper()
	kill := time.AfterFunc(patience, func() { x.cmd.Process.Kill() })
	defer kill.Stop()
	s, err := x.out.ReadString('\n')
	if err != nil {
		x.w.t.Fatalf("read an answer: %v", err)
	}
	return strings.TrimSuffix(s, "\n")
}

// exit waits for the broker's end and returns its exit code.
func (x *wire) exit() int {
	x.w.t.Helper()
	kill := time.AfterFunc(patience, func() { x.cmd.Process.Kill() })
	defer kill.Stop()
	_, _ = io.Copy(io.Discard, x.out)
	_ = x.cmd.Wait()
	return x.cmd.ProcessState.ExitCode()
}
