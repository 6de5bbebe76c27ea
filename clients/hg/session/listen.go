// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/clients/hg/realhg"
	"hgbroker/protocol"
	"hgbroker/protocol/cmdserver"
)

// envConnection makes a process the session of one connection: the descriptor,
// and for chg where the server listens. It goes no further.
const envConnection = "HGBROKER_CONNECTION"

const (
	// ownerInterval is how often a chg server looks whether its socket is still
	// its own.
	ownerInterval = 2 * time.Second
	// idleLimit is how long a chg server waits for a client (chgserver.idletimeout).
	idleLimit  = time.Hour
	maxSunPath = 107
)

// listener is a server on a unix socket; each connection gets a process.
type listener struct {
	fd      int
	address string // as given; for chg a symbolic link to real
	real    string
	node    unix.Stat_t // of real
	chg     bool
	env     []string
	argv    []string
	build   string

	sessions sync.WaitGroup
}

// listen serves a unix socket until it is told to end.
func listen(args []string, line *cmdserver.Serve) (code int, served bool) {
	s, err := newSession(args, line)
	if err == nil && line.Mode == "unix" {
		// What is not understood here is the real hg's from the beginning: its
		// server hands a loaded Python to each connection.
		var set settings
		if set, err = s.settings(); err == nil && set.foreign {
			err = errors.New("hg serve has hooks, an alias or a log")
		}
	}
	if err != nil {
		return refuse(err, s)
	}
	s.close()
	l := &listener{address: under(s.dir, line.Address), chg: line.Mode == "chgunix", env: os.Environ(), argv: append([]string{os.Args[0]}, args...)}
	if l.chg {
		l.env = chgEnviron(l.env)
	}
	if l.build, err = protocol.BuildID("/proc/self/exe"); err == nil {
		err = l.bind()
	}
	if err != nil {
		s.complain("abort: " + err.Error() + "\n")
		return realhg.Failure, true
	}
	if !l.chg && !slices.Contains(line.Config, "ui.quiet=True") {
		fmt.Fprintf(os.Stdout, "listening at %s\n", line.Address)
	}
	if len(line.PostExec) > 0 {
		if err := detach(line.PostExec); err != nil {
			s.complain("abort: " + err.Error() + "\n")
			l.unlink()
			return realhg.Failure, true
		}
	}
	return l.serve(), true
}

// bind listens at the address. chg's client renames what it finds there, so the
// socket has a name of its own, which tells the build, and the address is a
// symbolic link to it.
func (l *listener) bind() error {
	l.real = l.address
	at := l.address
	if l.chg {
		dir, base := filepath.Split(l.address)
		base, _, _ = strings.Cut(base, ".")
		l.real = dir + base + "-" + l.build
		at = l.real + "." + strconv.Itoa(os.Getpid()) + ".tmp"
	}
	if len(at) > maxSunPath {
		return fmt.Errorf("socket %s: the path is too long", at)
	}
	var err error
	if l.fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if err := unix.Bind(l.fd, &unix.SockaddrUnix{Name: at}); err != nil {
		return fmt.Errorf("listen at %s: %w", at, err)
	}
	if err := unix.Stat(at, &l.node); err != nil {
		return fmt.Errorf("listen at %s: %w", at, err)
	}
	if err := unix.Listen(l.fd, unix.SOMAXCONN); err != nil {
		return fmt.Errorf("listen at %s: %w", at, err)
	}
	if !l.chg {
		return nil
	}
	if err := os.Rename(at, l.real); err != nil {
		return err
	}
	link := l.address + "." + strconv.Itoa(os.Getpid()) + ".tmp"
	if err := os.Symlink(filepath.Base(l.real), link); err != nil {
		return err
	}
	return os.Rename(link, l.address)
}

// owned tells whether the socket is still the one that was bound.
func (l *listener) owned() bool {
	var st unix.Stat_t
	return unix.Stat(l.real, &st) == nil && st.Ino == l.node.Ino && st.Dev == l.node.Dev
}

func (l *listener) unlink() {
	if l.owned() {
		_ = unix.Unlink(l.real)
	}
	if !l.chg {
		return
	}
	// The real server that stands behind this one notices that, and ends.
	base := l.real + ".hg"
	if real, err := os.Readlink(base); err == nil {
		_ = unix.Unlink(under(filepath.Dir(base), real))
		_ = unix.Unlink(base)
	}
}

// detach does what --daemon-postexec asks for.
func detach(what []string) error {
	_, _ = unix.Setsid() // fails for the leader of a group, which has what it needs
	for _, w := range what {
		if dir, ok := strings.CutPrefix(w, "chdir:"); ok {
			if err := os.Chdir(dir); err != nil {
				return err
			}
		}
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	for fd := range 3 {
		if err := unix.Dup3(null, fd, 0); err != nil {
			return fmt.Errorf("redirect descriptor %d: %w", fd, err)
		}
	}
	unix.Close(null)
	for _, w := range what {
		if file, ok := strings.CutPrefix(w, "unlink:"); ok {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// serve accepts until a signal comes or, for chg, nobody needs the server any
// more. Running sessions are waited for.
func (l *listener) serve() int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	var wake [2]int
	if err := unix.Pipe2(wake[:], unix.O_CLOEXEC); err != nil {
		return realhg.Failure
	}
	got := make(chan os.Signal, 1)
	go func() {
		got <- <-signals
		unix.Close(wake[1])
	}()
	poll := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}, {Fd: int32(wake[0]), Events: unix.POLLIN}}
	timeout := -1
	if l.chg {
		timeout = int(ownerInterval.Milliseconds())
	}
	for last := time.Now(); ; {
		n, err := unix.Poll(poll, timeout)
		if poll[1].Revents != 0 {
			l.unlink()
			l.sessions.Wait()
			if <-got == os.Interrupt {
				os.Stderr.WriteString("interrupted!\n")
			} else {
				os.Stderr.WriteString("killed!\n")
			}
			return realhg.Failure
		}
		switch {
		case err == nil && n > 0:
			last = time.Now()
			l.accept()
		case l.chg && (!l.owned() || time.Since(last) > idleLimit):
			l.unlink()
			l.sessions.Wait()
			return 0
		}
	}
}

// accept starts the session of one connection.
func (l *listener) accept() {
	fd, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC)
	if err != nil {
		if err != unix.EINTR && err != unix.ECONNABORTED {
			time.Sleep(100 * time.Millisecond) // no descriptors left: some will be
		}
		return
	}
	conn := os.NewFile(uintptr(fd), "connection")
	defer conn.Close()
	// A process group of its own, as hg has it: the client signals that.
	p, err := os.StartProcess("/proc/self/exe", l.argv, &os.ProcAttr{
		Env:   append(slices.Clone(l.env), envConnection+"=3 "+l.build+" "+l.real),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, conn}, Sys: &syscall.SysProcAttr{Setpgid: true}})
	if err != nil {
		return // the client sees the end
	}
	l.sessions.Go(func() { _, _ = p.Wait() })
}

// serveConnection is the process that accept starts.
func serveConnection(args []string, line *cmdserver.Serve, connection string) int {
	os.Unsetenv(envConnection)
	fields := strings.SplitN(connection, " ", 3)
	fd, err := strconv.Atoi(fields[0])
	if err != nil || len(fields) != 3 {
		return realhg.Failure
	}
	unix.CloseOnExec(fd)
	s, err := newSession(args, line)
	if err != nil {
		return realhg.Failure
	}
	s.build, s.address = fields[1], fields[2]
	s.wire = &socket{fd: fd}
	s.in, s.out = bufio.NewReader(s.wire), bufio.NewWriterSize(s.wire, 64<<10)
	if err := s.settle(); err != nil {
		// The client cannot know better than to read it.
		_ = s.chunk(cmdserver.Errors, []byte("abort: hgbroker: "+err.Error()+"\n"))
		return s.failure(realhg.Failure)
	}
	s.watch()
	return s.serve()
}
