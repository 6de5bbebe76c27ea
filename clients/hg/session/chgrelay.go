// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/clients/hg/realhg"
	"hgbroker/protocol/cmdserver"
)

// What is not native goes to a real chg server beside ours, found and started as
// chg's own client does it (mercurial/chgserver.py tells the rules):
//
//	connect; setprocname, attachio, chdir, setumask2, setenv
//	validate ──▶ "unlink PATH", "redirect PATH", "reconnect", "exit N": again, or
//	runcommand ──▶ chunks for the client, among them 'S', which has it run an
//	               editor or a pager, and 'r' at the end
//
// A pager attaches new descriptors in the middle: the client says "attachio" by
// itself, the server asks for them with 'I' 1 and confirms with a result that is
// not the command's.

const (
	// redirections is how often a server may send us elsewhere.
	redirections = 10
	// startLimit is how long a server may take to start.
	startLimit = 60 * time.Second
)

// errExit is an instruction to end with an exit code, everything having been said.
type errExit int

func (e errExit) Error() string { return "the server says to exit" }

// upstream is a connection to the real server.
type upstream struct {
	sock      *socket
	in        *bufio.Reader
	pid, pgid int
	names     bool // it takes setprocname
}

func (u *upstream) close() { unix.Close(u.sock.fd) }

// attached runs a command with the real hg and the client's own descriptors.
func (s *Session) attached(args []string) error {
	u, err := s.upstream(args)
	var exit errExit
	switch {
	case errors.As(err, &exit):
		return s.result(int(exit))
	case err != nil:
		return s.direct(args)
	}
	defer u.close()
	return s.proxy(u, args)
}

// upstream finds a real server that takes the client's configuration and
// environment, and prepares it for the command.
func (s *Session) upstream(args []string) (*upstream, error) {
	if s.real == "" || len(s.line.Config) > 0 {
		return nil, errors.New("no real chg server")
	}
	base := s.address + ".hg"
	address := base
	for range redirections {
		u, err := connectUpstream(address)
		if err != nil {
			if address != base {
				_ = unix.Unlink(base) // it would only send us there again
			}
			if u, err = s.startUpstream(base); err != nil {
				return nil, err
			}
		}
		next, err := s.prepare(u, args)
		if err == nil && next == "" {
			return u, nil
		}
		u.close()
		if err != nil {
			return nil, err
		}
		if address = base; next != "reconnect" {
			address = next
		}
	}
	return nil, errors.New("the real chg server redirects again and again")
}

func connectUpstream(address string) (*upstream, error) {
	if len(address) > maxSunPath {
		return nil, fmt.Errorf("socket %s: the path is too long", address)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: address}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	u := &upstream{sock: &socket{fd: fd}}
	u.in = bufio.NewReaderSize(u.sock, 64<<10)
	text, err := u.chunk(cmdserver.Output)
	var g *cmdserver.Greeting
	if err == nil {
		g, err = cmdserver.DecodeGreeting(text)
	}
	if err == nil && !(slices.Contains(g.Capabilities, "attachio") && slices.Contains(g.Capabilities, "validate") && slices.Contains(g.Capabilities, "setumask2")) {
		err = errors.New("not a chg server")
	}
	if err != nil {
		u.close()
		return nil, err
	}
	u.pid, u.pgid, u.names = g.PID, g.PGID, slices.Contains(g.Capabilities, "setprocname")
	return u, nil
}

// chunk reads one chunk, which must be of that channel.
func (u *upstream) chunk(channel byte) ([]byte, error) {
	h, err := cmdserver.ReadHead(u.in)
	if err != nil {
		return nil, fmt.Errorf("real chg server: %w", err)
	}
	if h.Channel != channel || h.Size > cmdserver.MaxBlock {
		return nil, fmt.Errorf("real chg server: chunk %q of %d bytes", h.Channel, h.Size)
	}
	if h.Wants() {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(u.in, int64(h.Size)))
	if err == nil && len(data) < h.Size {
		err = io.ErrUnexpectedEOF
	}
	return data, err
}

// startUpstream starts a real server, and connects to it under a name of its own
// before that becomes the known one.
func (s *Session) startUpstream(base string) (*upstream, error) {
	own := base + "." + strconv.Itoa(os.Getpid())
	env, err := realhg.Environ(s.real, s.env)
	if err != nil {
		return nil, err
	}
	mark := "CHG_CLEAR_LC_CTYPE="
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, "LC_CTYPE="); ok {
			mark = "CHGORIG_LC_CTYPE=" + value
		}
	}
	attr := &syscall.ProcAttr{Dir: s.dir, Env: append(env, mark, "CHGINTERNALMARK=")}
	for _, fd := range s.files {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	pid, err := syscall.ForkExec(s.real, []string{s.real, "serve", "--no-profile", "--cmdserver", "chgunix", "--address", own,
		"--daemon-postexec", "chdir:/"}, attr)
	if err != nil {
		return nil, fmt.Errorf("start a real chg server: %w", err)
	}
	for end := time.Now().Add(startLimit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if u, err := connectUpstream(own); err == nil {
			return u, os.Rename(own, base)
		}
		var status syscall.WaitStatus
		if got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil); got == pid || err != nil {
			return nil, errors.New("the real chg server did not start")
		}
	}
	_ = syscall.Kill(pid, syscall.SIGTERM)
	return nil, errors.New("the real chg server takes too long to start")
}

// prepare makes the server the client's, as far as the client told us. next is
// where to go instead: "reconnect", or an address.
func (s *Session) prepare(u *upstream, args []string) (next string, err error) {
	var b []byte
	if s.name != "" && u.names {
		b = cmdserver.AppendBlock(append(b, "setprocname\n"...), []byte(s.name))
	}
	if _, err := u.sock.Write(append(b, "attachio\n"...)); err != nil {
		return "", err
	}
	if _, err := u.chunk(cmdserver.Input); err != nil {
		return "", err
	}
	if err := unix.Sendmsg(u.sock.fd, []byte{0}, unix.UnixRights(s.files...), nil, unix.MSG_NOSIGNAL); err != nil {
		return "", fmt.Errorf("attach: %w", err)
	}
	if _, err := u.chunk(cmdserver.Result); err != nil {
		return "", err
	}
	env, err := realhg.Environ(s.real, s.env)
	if err != nil {
		return "", err
	}
	b = cmdserver.AppendBlock([]byte("chdir\n"), []byte(s.dir))
	b = cmdserver.AppendBlock(append(b, "setumask2\n"...), binary.BigEndian.AppendUint32(nil, uint32(s.umask)))
	b = cmdserver.AppendBlock(append(b, "setenv\n"...), []byte(strings.Join(env, "\x00")))
	b = cmdserver.AppendBlock(append(b, "validate\n"...), []byte(strings.Join(args, "\x00")))
	if _, err := u.sock.Write(b); err != nil {
		return "", err
	}
	answer, err := u.chunk(cmdserver.Result)
	if err != nil {
		return "", err
	}
	for _, instruction := range cmdserver.SplitList(answer) {
		verb, what, _ := strings.Cut(instruction, " ")
		switch verb {
		case "":
		case "unlink":
			_ = unix.Unlink(what)
		case "redirect":
			next = what
		case "reconnect":
			if next == "" {
				next = verb
			}
		case "exit":
			code, err := strconv.Atoi(what)
			if err != nil {
				return "", err
			}
			return "", errExit(code)
		default:
			return "", errors.New("real chg server: " + instruction)
		}
	}
	return next, nil
}

// proxy passes on what client and server say until the command's result.
func (s *Session) proxy(u *upstream, args []string) error {
	jobs := make(chan os.Signal, 4)
	signal.Notify(jobs, syscall.SIGTSTP, syscall.SIGCONT, syscall.SIGWINCH)
	defer signal.Stop(jobs)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case sig := <-jobs:
				_ = syscall.Kill(-u.pgid, sig.(syscall.Signal))
			case <-ended:
				return
			}
		}
	}()
	s.signals.set(nil, func(sig syscall.Signal) {
		to := u.pid
		if sig == syscall.SIGINT {
			to = -u.pgid
		}
		if u.pid > 1 && u.pgid > 1 {
			_ = syscall.Kill(to, sig)
		}
	})
	defer s.signals.set(nil, nil)
	if _, err := u.sock.Write(cmdserver.AppendBlock([]byte("runcommand\n"), []byte(strings.Join(args, "\x00")))); err != nil {
		return err
	}
	var p pagerTalk
	poll := []unix.PollFd{{Fd: int32(s.wire.fd), Events: unix.POLLIN}, {Fd: int32(u.sock.fd), Events: unix.POLLIN}}
	for {
		if u.in.Buffered() == 0 {
			if _, err := unix.Poll(poll, -1); err != nil && err != unix.EINTR {
				return fmt.Errorf("poll: %w", err)
			}
			if poll[0].Revents != 0 {
				if err := s.upwards(u, &p); err != nil {
					return err
				}
			}
			if poll[1].Revents == 0 {
				continue
			}
		}
		ended, err := s.downwards(u, &p)
		if ended || err != nil {
			return err
		}
	}
}

// pagerTalk follows what a pager's descriptors need.
type pagerTalk struct {
	open    bool // the server waits for "attachio", or an empty line
	raw     bool // the next byte of the client comes with descriptors
	line    []byte
	pending int // results that confirm an attachio
}

// said takes bytes of the client.
func (p *pagerTalk) said(data []byte) {
	for _, c := range data {
		switch {
		case p.raw:
			p.raw = false
		case !p.open:
		case c != '\n':
			p.line = append(p.line, c)
		default:
			if string(p.line) == "attachio" {
				p.pending++
			}
			p.open = len(p.line) > 0
			p.line = p.line[:0]
		}
	}
}

// upwards passes on what the client sent, descriptors among it.
func (s *Session) upwards(u *upstream, p *pagerTalk) error {
	var b [4096]byte
	n, err := s.in.Read(b[:])
	if err != nil {
		return err
	}
	fds := s.wire.take()
	defer closeAll(fds)
	p.said(b[:n])
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	if err := unix.Sendmsg(u.sock.fd, b[:n], oob, nil, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("real chg server: %w", err)
	}
	return nil
}

// downwards passes on one chunk of the server; ended is set by the command's
// result.
func (s *Session) downwards(u *upstream, p *pagerTalk) (ended bool, err error) {
	h, err := cmdserver.ReadHead(u.in)
	if err != nil {
		return true, errors.New("the real chg server ended")
	}
	if h.Wants() {
		p.raw = p.open
		var head [cmdserver.HeadSize]byte
		s.out.Write(cmdserver.AppendHead(head[:0], h.Channel, h.Size))
		return false, s.out.Flush()
	}
	if h.Size > cmdserver.MaxBlock {
		return true, fmt.Errorf("real chg server: chunk %q of %d bytes", h.Channel, h.Size)
	}
	data, err := io.ReadAll(io.LimitReader(u.in, int64(h.Size)))
	if err != nil || len(data) < h.Size {
		return true, errors.New("the real chg server ended")
	}
	if err := s.chunk(h.Channel, data); err != nil {
		return true, err
	}
	switch {
	case h.Channel == cmdserver.System:
		p.open = strings.HasPrefix(string(data), "pager\x00")
	case h.Channel == cmdserver.Result && p.pending > 0:
		p.pending--
	case h.Channel == cmdserver.Result:
		return true, nil
	}
	return false, nil
}
