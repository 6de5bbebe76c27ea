// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long one command of a real hg may take; a command server
// that needs longer is killed and the command fails.
const patience = 2 * time.Minute

// CmdServer is one `hg serve --cmdserver pipe` process that is kept open. It
// was started outside of any repository, so that each command finds and loads
// its own; only the interpreter's start is saved. One command at a time.
//
// The wire (CommandServer in Mercurial's wiki): the client writes "runcommand\n", a big-endian 32-bit length
// and the arguments joined by NUL; the server answers with chunks of a channel
// byte, a big-endian 32-bit length and that many bytes: 'o' output, 'e' error,
// 'd' debug, 'r' the result (32-bit exit code), and 'I' or 'L', which ask for
// up to length bytes or a line of input and carry no bytes.
type CmdServer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	log *logBuffer // the process's own stderr
}

// StartCmdServer starts hg as a command server with the environment env.
func StartCmdServer(hg string, env []string) (*CmdServer, error) {
	return startCmdServer(hg, env, "/")
}

// StartCmdServerIn starts one that has the repository at dir open and keeps it,
// as python-hglib does. Its commands are run by RunHere.
func StartCmdServerIn(hg string, env []string, dir string) (*CmdServer, error) {
	return startCmdServer(hg, env, dir, "-R", dir)
}

func startCmdServer(hg string, env []string, dir string, options ...string) (*CmdServer, error) {
	s := &CmdServer{cmd: exec.Command(hg, append(options, "serve", "--cmdserver", "pipe")...), log: new(logBuffer)}
	s.cmd.Dir = dir
	s.cmd.Env = env
	s.cmd.Stderr = s.log
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.in, s.out = in, bufio.NewReaderSize(out, 1<<16)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s serve: %w", hg, err)
	}
	channel, hello, err := s.chunk()
	if err == nil && (channel != 'o' || !bytes.Contains(hello, []byte("runcommand"))) {
		err = fmt.Errorf("unexpected hello %q", hello)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("start %s serve: %w; it said %q", hg, err, s.log)
	}
	return s, nil
}

// chunk reads one chunk; of the input channels it returns only the channel.
func (s *CmdServer) chunk() (channel byte, data []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(s.out, head[:]); err != nil {
		return 0, nil, err
	}
	if head[0] == 'I' || head[0] == 'L' {
		return head[0], nil, nil
	}
	data, err = io.ReadAll(io.LimitReader(s.out, int64(binary.BigEndian.Uint32(head[1:]))))
	if err == nil && len(data) < int(binary.BigEndian.Uint32(head[1:])) {
		err = io.ErrUnexpectedEOF
	}
	return head[0], data, err
}

// Run runs args in dir with an empty standard input. An error leaves the
// server unusable.
func (s *CmdServer) Run(dir string, args []string) (stdout, stderr []byte, code int, err error) {
	return s.RunHere(append([]string{"--cwd", dir}, args...))
}

// RunHere is Run in the directory and repository that the server has.
func (s *CmdServer) RunHere(args []string) (stdout, stderr []byte, code int, err error) {
	watchdog := time.AfterFunc(patience, func() { s.cmd.Process.Kill() })
	defer watchdog.Stop()
	line := strings.Join(args, "\x00")
	request := append([]byte("runcommand\n"), binary.BigEndian.AppendUint32(nil, uint32(len(line)))...)
	if _, err := s.in.Write(append(request, line...)); err != nil {
		return nil, nil, 0, fmt.Errorf("command server: %w; it said %q", err, s.log)
	}
	for {
		channel, data, err := s.chunk()
		if err != nil {
			return nil, nil, 0, fmt.Errorf("command server: %w; it said %q", err, s.log)
		}
		switch channel {
		case 'o':
			stdout = append(stdout, data...)
		case 'e':
			stderr = append(stderr, data...)
		case 'r':
			if len(data) != 4 {
				return nil, nil, 0, fmt.Errorf("command server: result of %d bytes", len(data))
			}
			return stdout, stderr, int(int32(binary.BigEndian.Uint32(data))), nil
		case 'I', 'L':
			if _, err := s.in.Write([]byte{0, 0, 0, 0}); err != nil {
				return nil, nil, 0, fmt.Errorf("command server: %w", err)
			}
		}
	}
}

// Close ends the server by closing its input and waits for it.
func (s *CmdServer) Close() {
	s.in.Close()
	watchdog := time.AfterFunc(10*time.Second, func() { s.cmd.Process.Kill() })
	defer watchdog.Stop()
	io.Copy(io.Discard, s.out)
	s.cmd.Wait()
}

// Real is the reference Runner: real hg behind command servers that are kept
// open, as many for each environment as there are callers at a time.
type Real struct {
	hg string

	mu   sync.Mutex // guards free and shut
	free map[string][]*CmdServer
	shut bool
}

// NewReal returns a Real for the hg at path; its servers end with the test.
func NewReal(t testing.TB, path string) *Real {
	t.Helper()
	r := OpenReal(path)
	t.Cleanup(r.Close)
	return r
}

// OpenReal is NewReal for a program that is no test: the caller closes it.
func OpenReal(path string) *Real {
	return &Real{hg: path, free: make(map[string][]*CmdServer)}
}

// Hg is the path of the hg behind it.
func (r *Real) Hg() string { return r.hg }

// Run runs one command line on a free server. Some get a process of their own:
// those with a --cwd, since the servers use that option, and those that print
// the configuration, to which a server adds an item.
func (r *Real) Run(dir string, args []string, env []string) ([]byte, []byte, int, bool, error) {
	word := commandWord(args)
	if strings.HasPrefix(word, "conf") || strings.HasPrefix(word, "showc") ||
		slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--cw") }) {
		return CLI(r.hg).Run(dir, args, env)
	}
	key := strings.Join(env, "\x00")
	s, err := r.take(key, env)
	if err != nil {
		return nil, nil, 0, false, err
	}
	stdout, stderr, code, err := s.Run(dir, args)
	if err != nil {
		// An exception that hg does not expect ends the whole server. What
		// hg prints then is told by a process of its own.
		s.Close()
		return CLI(r.hg).Run(dir, args, env)
	}
	r.give(key, s)
	return stdout, stderr, code, true, nil
}

func (r *Real) take(key string, env []string) (*CmdServer, error) {
	r.mu.Lock()
	if r.shut {
		r.mu.Unlock()
		return nil, errors.New("run hg: closed")
	}
	if list := r.free[key]; len(list) > 0 {
		s := list[len(list)-1]
		r.free[key] = list[:len(list)-1]
		r.mu.Unlock()
		return s, nil
	}
	r.mu.Unlock()
	return StartCmdServer(r.hg, env)
}

func (r *Real) give(key string, s *CmdServer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shut {
		go s.Close() // ends by itself: its input is closed first
		return
	}
	r.free[key] = append(r.free[key], s)
}

// Close ends all its servers.
func (r *Real) Close() {
	r.mu.Lock()
	free := r.free
	r.free, r.shut = nil, true
	r.mu.Unlock()
	for _, list := range free {
		for _, s := range list {
			s.Close()
		}
	}
}
