// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"hgbroker/clients/hg/realhg"
	"hgbroker/protocol/cmdserver"
)

// child is a real command server on pipes, for the commands of one session that
// are not native.
type child struct {
	process  *os.Process
	in       *os.File
	out      *bufio.Reader
	read     *os.File // below out
	greeting *cmdserver.Greeting
}

// start starts the session's real server with the session's arguments. One that
// does not greet has said why on stderr: the session ends with its exit code.
func (s *Session) start() error {
	if s.real == "" {
		return errors.New("not native, and there is no real hg")
	}
	env, err := realhg.Environ(s.real, s.env)
	if err != nil {
		return err
	}
	ours, in, err := pipe()
	if err != nil {
		return err
	}
	out, theirs, err := pipe()
	if err != nil {
		ours.Close()
		in.Close()
		return err
	}
	// A process group of its own: a client that interrupts us means one process
	// or the whole group, and hg must hear of it once.
	p, err := os.StartProcess(s.real, append([]string{s.real}, s.childArgs()...), &os.ProcAttr{Dir: s.childDir(), Env: env,
		Files: []*os.File{ours, theirs, os.Stderr}, Sys: &syscall.SysProcAttr{Setpgid: true}})
	ours.Close()
	theirs.Close()
	if err != nil {
		in.Close()
		out.Close()
		return fmt.Errorf("start the real hg: %w", err)
	}
	c := &child{process: p, in: in, out: bufio.NewReaderSize(out, 64<<10), read: out}
	head, err := cmdserver.ReadHead(c.out)
	var text []byte
	if err == nil && head.Channel == cmdserver.Output && head.Size <= cmdserver.MaxBlock {
		text, err = io.ReadAll(io.LimitReader(c.out, int64(head.Size)))
	}
	if err == nil {
		c.greeting, err = cmdserver.DecodeGreeting(text)
	}
	if err != nil {
		return errEnd(c.close())
	}
	s.child = c
	return nil
}

func pipe() (r, w *os.File, err error) {
	if r, w, err = os.Pipe(); err != nil {
		err = fmt.Errorf("pipe: %w", err)
	}
	return r, w, err
}

// childArgs are the arguments of a real server on pipes that does what this
// session's would do.
func (s *Session) childArgs() []string {
	if s.line.Mode == "pipe" {
		return s.args
	}
	var args []string
	for _, item := range s.line.Config {
		args = append(args, "--config", item)
	}
	if s.line.Repository != "" {
		args = append(args, "-R", s.line.Repository)
	}
	if s.line.Encoding != "" {
		args = append(args, "--encoding", s.line.Encoding)
	}
	if s.line.EncodingMode != "" {
		args = append(args, "--encodingmode", s.line.EncodingMode)
	}
	return append(args, "serve", "--cmdserver", "pipe")
}

// childDir is where it starts: its arguments may still have a --cwd.
func (s *Session) childDir() string {
	if s.line.Mode == "pipe" {
		return ""
	}
	return s.dir
}

// close ends the server by the end of its input and returns its exit code.
func (c *child) close() int {
	c.in.Close()
	io.Copy(io.Discard, c.out)
	c.read.Close()
	st, err := c.process.Wait()
	if err != nil {
		return realhg.Failure
	}
	if ws, ok := st.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return st.ExitCode()
}

// relay has the real server run a command, and passes on what it and the client
// say to each other.
func (s *Session) relay(args []string) error {
	if s.child == nil {
		if err := s.start(); err != nil {
			return err
		}
	}
	return s.forward(cmdserver.AppendBlock([]byte("runcommand\n"), []byte(strings.Join(s.unjoined(args), "\x00"))))
}

// forward passes a request on, and what is said up to its result.
func (s *Session) forward(request []byte) error {
	c := s.child
	s.signals.set(nil, func(sig syscall.Signal) { _ = c.process.Signal(sig) })
	err := s.converse(c, request)
	s.signals.set(nil, nil)
	if err == nil {
		return nil
	}
	if errors.Is(err, errChild) {
		// It died in the middle of a command, and so does the session.
		s.child = nil
		return errEnd(s.failure(c.close()))
	}
	return err
}

// errChild says that it was the real server that failed.
var errChild = errors.New("the real command server ended")

// unjoined spells --cwd=DIR as two words: a server restores its directory only
// after a command with the word --cwd.
func (s *Session) unjoined(args []string) []string {
	options := cmdserver.EarlyOptions(args, false)
	for _, o := range slices.Backward(options) {
		if o.Name == "cwd" && o.Words == 1 {
			args = slices.Concat(args[:o.At], []string{"--cwd", o.Value}, args[o.At+1:])
		}
	}
	return args
}

func (s *Session) converse(c *child, request []byte) error {
	if _, err := c.in.Write(request); err != nil {
		return errChild
	}
	var head [cmdserver.HeadSize]byte
	for {
		if c.out.Buffered() == 0 {
			if err := s.out.Flush(); err != nil {
				return err
			}
		}
		h, err := cmdserver.ReadHead(c.out)
		if err != nil {
			_ = s.out.Flush()
			return errChild
		}
		s.out.Write(cmdserver.AppendHead(head[:0], h.Channel, h.Size))
		if h.Wants() {
			if err := s.out.Flush(); err != nil {
				return err
			}
			data, err := cmdserver.ReadBlock(s.in)
			if err != nil {
				return err
			}
			if _, err := c.in.Write(cmdserver.AppendBlock(nil, data)); err != nil {
				return errChild
			}
			continue
		}
		if _, err := io.CopyN(s.out, c.out, int64(h.Size)); err != nil {
			_ = s.out.Flush()
			return errChild
		}
		if h.Channel == cmdserver.Result {
			// A client that has the result may send the next signal at once: that
			// one is for the session.
			s.signals.set(nil, nil)
			return s.out.Flush()
		}
	}
}
