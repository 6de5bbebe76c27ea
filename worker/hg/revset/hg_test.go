// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// hgPath finds the real hg to compare with, or skips the test.
func hgPath(t testing.TB) string {
	t.Helper()
	if p := os.Getenv("HGBROKER_TEST_HG"); p != "" {
		return p
	}
	p, err := exec.LookPath("hg")
	if err != nil {
		t.Skip("hg is not installed; set HGBROKER_TEST_HG")
	}
	return p
}

func hgEnv() []string {
	env := []string{"HGRCPATH=", "LC_ALL=C.UTF-8", "TZ=UTC", "HGUSER=test"}
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); name == "PATH" || name == "HOME" {
			env = append(env, e)
		}
	}
	return env
}

// hgServer is one hg command server, so that hundreds of commands cost one
// start of Python (`hg help internals.commandserver` describes the wire).
type hgServer struct {
	dir string
	env []string
	in  io.Writer
	out io.Reader
}

// crashed is what run returns as stderr when hg ended with a Python traceback,
// which some expressions make it do.
const crashed = "crashed"

func startHg(t testing.TB, dir string, env ...string) *hgServer {
	t.Helper()
	cmd := exec.Command(hgPath(t), "serve", "--cmdserver", "pipe")
	cmd.Dir = dir
	cmd.Env = append(hgEnv(), env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	s := &hgServer{dir: dir, env: env, in: in, out: out}
	if ch, _ := s.frame(t); ch == 0 {
		t.Fatal("hg serve says nothing")
	}
	return s
}

func (s *hgServer) frame(t testing.TB) (byte, []byte) {
	var head [5]byte
	if _, err := io.ReadFull(s.out, head[:]); err == io.EOF {
		return 0, nil
	} else if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint32(head[1:]))
	if head[0] == 'I' || head[0] == 'L' {
		t.Fatalf("hg asks for input")
	}
	if _, err := io.ReadFull(s.out, body); err != nil {
		t.Fatal(err)
	}
	return head[0], body
}

// run runs one command and returns its stdout and stderr.
func (s *hgServer) run(t testing.TB, args ...string) (stdout, stderr string) {
	t.Helper()
	body := strings.Join(args, "\x00")
	msg := binary.BigEndian.AppendUint32([]byte("runcommand\n"), uint32(len(body)))
	if _, err := s.in.Write(append(msg, body...)); err != nil {
		t.Fatal(err)
	}
	for {
		ch, data := s.frame(t)
		switch ch {
		case 'o':
			stdout += string(data)
		case 'e':
			stderr += string(data)
		case 'r':
			return stdout, stderr
		case 0:
			*s = *startHg(t, s.dir, s.env...)
			return "", crashed
		}
	}
}
