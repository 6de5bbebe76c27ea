// SPDX-License-Identifier: GPL-2.0-or-later

package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"hgbroker/protocol/cmdserver"
)

// The drop-in and hgbroker are built once; each test compares them with the real
// hg, run in the same way in a copy of the same repository.

var built string // directory of the executables

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "hgb")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		for _, kv := range os.Environ() {
			name, _, _ := strings.Cut(kv, "=")
			if strings.HasPrefix(name, "HG") && !strings.HasPrefix(name, "HGBROKER_TEST_") || strings.HasPrefix(name, "CHG") {
				os.Unsetenv(name)
			}
		}
		cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../../broker/hgbroker", ".")
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

// world is a real hg, a drop-in with a runtime directory of its own, and a
// repository of three changesets.
type world struct {
	t            *testing.T
	base         string
	real, dropIn string
	env          []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	real := os.Getenv("HGBROKER_TEST_HG")
	if real == "" {
		real = "hg"
	}
	real, err := exec.LookPath(real)
	if err != nil {
		t.Skip("no Mercurial to compare with (HGBROKER_TEST_HG, or hg on PATH)")
	}
	// Not t.TempDir, whose path may be too long for a socket.
	base, err := os.MkdirTemp("", "hgb")
	if err != nil {
		t.Fatal(err)
	}
	if base, err = filepath.EvalSymlinks(base); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, base: base, real: real, dropIn: filepath.Join(built, "hg")}
	rt := filepath.Join(base, "rt")
	if err := os.Mkdir(rt, 0o700); err != nil {
		t.Fatal(err)
	}
	w.env = append(os.Environ(), "HGRCPATH=", "HGUSER=test", "LC_ALL=C.UTF-8", "LANGUAGE=", "HGBROKER_RUNTIME_DIR="+rt, "HGBROKER_HG="+real)
	t.Cleanup(func() {
		stop := exec.Command(filepath.Join(built, "hgbroker"), "stop")
		stop.Env = w.env
		_ = stop.Run()
		os.RemoveAll(base)
	})
	w.hg(w.real, base, "init", "first")
	first := filepath.Join(base, "first")
	for i, name := range []string{"a", "b", "caf\xc3\xa9"} {
		w.write(filepath.Join(first, name), strings.Repeat(name+"\n", 3))
		w.hg(w.real, first, "commit", "-qAm", "add "+name, "-d", fmt.Sprintf("%d 0", i))
	}
	return w
}

func (w *world) write(path, text string) {
	w.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// hg runs one command that must go well.
func (w *world) hg(hg, dir string, args ...string) string {
	w.t.Helper()
	cmd := exec.Command(hg, args...)
	cmd.Dir, cmd.Env = dir, w.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s %q: %v\n%s", hg, args, err, out)
	}
	return string(out)
}

// both does the same with the real hg and with ours, each in a directory of the
// same name with a copy of the repository, and compares.
func (w *world) both(what string, do func(hg, dir string) []any) {
	w.t.Helper()
	var got [2][]any
	for i, hg := range []string{w.real, w.dropIn} {
		dir := filepath.Join(w.base, "repo")
		if err := os.RemoveAll(dir); err != nil {
			w.t.Fatal(err)
		}
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(w.base, "first"))); err != nil {
			w.t.Fatal(err)
		}
		got[i] = do(hg, dir)
	}
	if len(got[0]) == 0 || len(got[0]) != len(got[1]) {
		w.t.Fatalf("%s: %d answers by hg, %d by ours", what, len(got[0]), len(got[1]))
	}
	for i := range got[0] {
		if !reflect.DeepEqual(got[0][i], got[1][i]) {
			w.t.Errorf("%s:\nhg:   %+v\nours: %+v", what, got[0][i], got[1][i])
		}
	}
}

// answer is what came for one request. How a channel's bytes are cut into chunks
// does not count: hg sends one for each write of a command's.
type answer struct {
	request string
	o, e, m string
	r       string
	asked   string // channels and sizes of requests for input
	ended   bool   // the stream ended instead of a result
}

// client is the client of a command server.
type client struct {
	t      *testing.T
	cmd    *exec.Cmd // nil: somebody else's
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
	hello  *cmdserver.Greeting
	inputs []string
}

// serve starts a server on pipes, and reads its greeting, if there is one.
func (w *world) serve(hg, dir string, env []string, args ...string) *client {
	w.t.Helper()
	c := &client{t: w.t, cmd: exec.Command(hg, args...)}
	c.cmd.Dir, c.cmd.Env, c.cmd.Stderr = dir, append(w.env[:len(w.env):len(w.env)], env...), &c.stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		w.t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	kill := time.AfterFunc(patience, func() { c.cmd.Process.Kill() })
	w.t.Cleanup(func() { kill.Stop() })
	c.greet()
	return c
}

// greet reads the greeting, which must be one chunk that arrives in one piece.
func (c *client) greet() {
	var b [4096]byte
	n, _ := c.out.Read(b[:])
	if n == 0 {
		return
	}
	h, err := cmdserver.ReadHead(bytes.NewReader(b[:n]))
	if err != nil || h.Channel != cmdserver.Output || h.Size != n-cmdserver.HeadSize {
		c.t.Fatalf("the greeting is not one chunk in one read: %q", b[:n])
	}
	if c.hello, err = cmdserver.DecodeGreeting(b[cmdserver.HeadSize:n]); err != nil {
		c.t.Fatalf("greeting %q: %v", b[:n], err)
	}
}

// greeting is what two servers' greetings have in common.
func (c *client) greeting() string {
	if c.hello == nil {
		return ""
	}
	return fmt.Sprint(c.hello.Capabilities, c.hello.Encoding, c.hello.MessageEncoding, c.hello.PGID != 0,
		c.cmd == nil || c.hello.PID == c.cmd.Process.Pid)
}

func (c *client) run(args ...string) answer {
	return c.ask(string(cmdserver.AppendBlock([]byte("runcommand\n"), []byte(strings.Join(args, "\x00")))))
}

func (c *client) ask(request string) answer {
	c.t.Helper()
	a := answer{request: request}
	_, _ = io.WriteString(c.in, request)
	for {
		h, err := cmdserver.ReadHead(c.out)
		if err != nil {
			a.ended = true
			return a
		}
		if h.Wants() {
			a.asked += fmt.Sprintf("%c%d ", h.Channel, h.Size)
			input := ""
			if len(c.inputs) > 0 {
				input, c.inputs = c.inputs[0], c.inputs[1:]
			}
			_, _ = c.in.Write(cmdserver.AppendBlock(nil, []byte(input)))
			continue
		}
		data := make([]byte, h.Size)
		if _, err := io.ReadFull(c.out, data); err != nil {
			c.t.Fatalf("%q: chunk %c of %d: %v", request, h.Channel, h.Size, err)
		}
		switch h.Channel {
		case cmdserver.Output:
			a.o += string(data)
		case cmdserver.Errors:
			a.e += string(data)
		case cmdserver.Message:
			a.m += string(data)
		case cmdserver.Result:
			a.r = fmt.Sprintf("%q", data)
			return a
		case cmdserver.Debug:
		default:
			c.t.Fatalf("%q: channel %c", request, h.Channel)
		}
	}
}

// end closes the server's input and tells how it ended.
func (c *client) end() string {
	c.in.Close()
	rest, _ := io.ReadAll(c.out)
	_ = c.cmd.Wait()
	return fmt.Sprintf("exit code %d, %q, %q", c.cmd.ProcessState.ExitCode(), rest, c.stderr.String())
}
