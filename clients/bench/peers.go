// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
)

// process asks by starting a program for each command.
type process struct {
	w       *world
	program string
	env     []string
}

func (p *process) ask(args []string) ([]byte, time.Duration, error) {
	cmd := p.w.command(p.program, args...)
	cmd.Env = p.env
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // hg's way to say that there was nothing
	}
	if err != nil {
		return nil, took, fmt.Errorf("%s: %w: %s", filepath.Base(p.program), err, strings.TrimSpace(errOut.String()))
	}
	return out.Bytes(), took, nil
}

func (p *process) close() error { return nil }

func startHg(w *world) (contender, error) {
	if w.hg == "" {
		return nil, absent("no hg on PATH")
	}
	return &process{w: w, program: w.hg, env: w.env}, nil
}

// chg is Mercurial's own C client, with servers that only we know.
type chg struct {
	process
	dir string // of its sockets
}

func startChg(w *world) (contender, error) {
	program, err := exec.LookPath("chg")
	if err != nil || w.hg == "" {
		return nil, absent("no chg on PATH")
	}
	dir := filepath.Join(w.temp, "chg")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	env := append(w.env[:len(w.env):len(w.env)], "CHGSOCKNAME="+filepath.Join(dir, "server"), "CHGHG="+w.hg)
	return &chg{process{w, program, env}, dir}, nil
}

// close ends the servers that listen in our directory, each by its process ID.
func (c *chg) close() error {
	names, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if n.Type()&os.ModeSocket == 0 {
			continue
		}
		pid, err := listener(filepath.Join(c.dir, n.Name()))
		if err != nil {
			continue // nobody listens any more
		}
		if err := end(pid); err != nil {
			return fmt.Errorf("chg's server %d: %w", pid, err)
		}
	}
	return nil
}

// listener is the process that listens on a socket.
func listener(path string) (pid int, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return 0, err
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Pid), nil
}

// end terminates a process that is not our child, and waits for its end.
func end(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 5000)
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
	return errors.New("does not end")
}

// hglib is a python-hglib client with its server, driven by a small script that
// measures inside of Python, so that our pipe to it does not count.
type hglib struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

//go:embed hglib.py
var hglibScript string

// EnvPython names the interpreter that can import hglib.
const EnvPython = "HGBROKER_BENCH_PYTHON"

func startHglib(w *world) (contender, error) {
	python := os.Getenv(EnvPython)
	if python == "" {
		python = "python3"
	}
	if w.hg == "" || exec.Command(python, "-c", "import hglib").Run() != nil {
		return nil, absent("%s cannot import hglib (name another interpreter in %s)", python, EnvPython)
	}
	cmd := w.command(python, "-c", hglibScript, w.hg, w.repo)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &hglib{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

func (h *hglib) ask(args []string) ([]byte, time.Duration, error) {
	line, err := json.Marshal(args)
	if err != nil {
		return nil, 0, err
	}
	if _, err := h.in.Write(append(line, '\n')); err != nil {
		return nil, 0, err
	}
	if line, err = h.out.ReadBytes('\n'); err != nil {
		return nil, 0, err
	}
	var a struct {
		Ns     int64
		Code   int
		Stdout []byte // base64
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, 0, err
	}
	if a.Code > 1 {
		return nil, 0, fmt.Errorf("hglib: exit code %d", a.Code)
	}
	return a.Stdout, time.Duration(a.Ns), nil
}

func (h *hglib) close() error { return errors.Join(h.in.Close(), h.cmd.Wait()) }

// socketpair is the floor of all floors: 100 bytes to another process of ours
// over a unix socket, and back.
type socketpair struct {
	cmd *exec.Cmd
	fd  int
}

// envEcho makes this program the other process.
const envEcho = "HGBROKER_BENCH_ECHO"

func echoing() bool { return os.Getenv(envEcho) != "" }

// echo sends back what it receives on descriptor 3.
func echo() {
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(3, buf)
		if err != nil || n == 0 {
			return
		}
		if _, err := unix.Write(3, buf[:n]); err != nil {
			return
		}
	}
}

func startSocketpair(*world) (contender, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := protocol.Pair(unix.SOCK_STREAM)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(theirs), "echo")
	defer f.Close()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envEcho+"=1")
	cmd.ExtraFiles = []*os.File{f}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		unix.Close(ours)
		return nil, err
	}
	return &socketpair{cmd, ours}, nil
}

func (*socketpair) bare() {}

func (s *socketpair) ask([]string) ([]byte, time.Duration, error) {
	var buf [100]byte
	start := time.Now()
	if _, err := unix.Write(s.fd, buf[:]); err != nil {
		return nil, 0, err
	}
	for got := 0; got < len(buf); {
		n, err := unix.Read(s.fd, buf[got:])
		if err != nil || n == 0 {
			return nil, 0, fmt.Errorf("read the echo: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
		got += n
	}
	return nil, time.Since(start), nil
}

func (s *socketpair) close() error { return errors.Join(unix.Close(s.fd), s.cmd.Wait()) }
