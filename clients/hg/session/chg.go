// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"hgbroker/clients/hg/realhg"
	"hgbroker/protocol"
	"hgbroker/protocol/cmdserver"
)

// chgRequests are what chg's client may ask for beside the usual.
var chgRequests = map[string]func(*Session) error{
	"attachio":    (*Session).attachIO,
	"chdir":       (*Session).changeDir,
	"setenv":      (*Session).setEnv,
	"setprocname": (*Session).setProcName,
	"setumask":    (*Session).setUmaskRaw,
	"setumask2":   (*Session).setUmask,
	"validate":    (*Session).validate,
}

// chgEnviron undoes what chg's client did to the environment of the server that
// it started.
func chgEnviron(env []string) []string {
	var kept []string
	locale, clear := "", false
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		switch name {
		case "CHGINTERNALMARK":
		case "CHGORIG_LC_CTYPE":
			locale = "LC_CTYPE=" + value
		case "CHG_CLEAR_LC_CTYPE":
			clear = true
		default:
			kept = append(kept, kv)
		}
	}
	if !clear && locale == "" {
		return kept
	}
	n := 0
	for _, kv := range kept {
		if !strings.HasPrefix(kv, "LC_CTYPE=") {
			kept[n] = kv
			n++
		}
	}
	kept = kept[:n]
	if locale != "" {
		kept = append(kept, locale)
	}
	return kept
}

// attachIO takes over the client's standard descriptors: from now on output goes
// there, and nothing but results to the connection.
func (s *Session) attachIO() error {
	fds, err := s.receiveFiles()
	if err != nil {
		return err
	}
	closeAll(s.files)
	s.files = fds
	return s.result(len(fds))
}

func (s *Session) receiveFiles() ([]int, error) {
	var head [cmdserver.HeadSize]byte
	s.out.Write(cmdserver.AppendHead(head[:0], cmdserver.Input, 1))
	if err := s.out.Flush(); err != nil {
		return nil, err
	}
	if _, err := s.in.ReadByte(); err != nil {
		return nil, err
	}
	fds := s.wire.take()
	if len(fds) != 3 {
		closeAll(fds)
		return nil, fmt.Errorf("attachio: %d descriptors", len(fds))
	}
	return fds, nil
}

// changed drops what was made for the former directory, environment or umask.
func (s *Session) changed() {
	s.workers.drop()
	if s.child != nil {
		s.child.close()
		s.child = nil
	}
}

func (s *Session) changeDir() error {
	block, err := cmdserver.ReadBlock(s.in)
	if err != nil || len(block) == 0 {
		return err
	}
	dir := under(s.dir, string(block))
	if err := os.Chdir(dir); err != nil {
		return fmt.Errorf("chdir: %w", err)
	}
	s.dir = dir
	s.changed()
	return nil
}

func (s *Session) setEnv() error {
	block, err := cmdserver.ReadBlock(s.in)
	if err != nil {
		return err
	}
	env := cmdserver.SplitList(block)
	for _, kv := range env {
		name, value, ok := strings.Cut(kv, "=")
		switch {
		case !ok:
			return errors.New("unexpected value in setenv request")
		case name == protocol.EnvHg && value != "":
			s.real = value
		}
	}
	s.policy = ""
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, protocol.EnvFallback+"="); ok {
			s.policy = value
		}
	}
	s.env = env
	s.changed()
	return nil
}

func (s *Session) setUmask() error {
	block, err := cmdserver.ReadBlock(s.in)
	if err == nil && len(block) != 4 {
		err = errors.New("invalid mask length in setumask2 request")
	}
	return s.mask(block, err)
}

// setUmaskRaw is the older request, whose data has no length.
func (s *Session) setUmaskRaw() error {
	block := make([]byte, 4)
	_, err := io.ReadFull(s.in, block)
	return s.mask(block, err)
}

func (s *Session) mask(block []byte, err error) error {
	if err != nil {
		return err
	}
	s.umask = int(binary.BigEndian.Uint32(block) & 0o777)
	unix.Umask(s.umask)
	s.changed()
	return nil
}

func (s *Session) setProcName() error {
	block, err := cmdserver.ReadBlock(s.in)
	if err != nil {
		return err
	}
	s.name = string(block)
	_ = os.WriteFile("/proc/self/comm", block, 0) // for ps only
	return nil
}

// validate says whether the client may go on with this server. Configuration and
// environment are looked at with each command, so all that can be out of date is
// the program.
func (s *Session) validate() error {
	if _, err := cmdserver.ReadBlock(s.in); err != nil {
		return err
	}
	answer := "\x00"
	if build, err := protocol.BuildID("/proc/self/exe"); err != nil || build != s.build {
		answer = "unlink " + s.address + "\x00reconnect"
	}
	return s.chunk(cmdserver.Result, []byte(answer))
}

// direct runs a command with the real hg, the client's own descriptors, as a plain process, in the session's group, which the client
// signals.
func (s *Session) direct(args []string) error {
	code, err := s.spawn(args)
	if err != nil {
		if err := s.text(cmdserver.Errors, "abort: hgbroker: "+err.Error()+"\n"); err != nil {
			return err
		}
		code = realhg.Failure
	}
	return s.result(code)
}

func (s *Session) spawn(args []string) (code int, err error) {
	if s.real == "" {
		return 0, errors.New("not native, and there is no real hg")
	}
	env, err := realhg.Environ(s.real, s.env)
	if err != nil {
		return 0, err
	}
	attr := &syscall.ProcAttr{Dir: s.dir, Env: env}
	for _, fd := range s.files {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	argv := []string{s.real}
	for _, item := range s.line.Config {
		argv = append(argv, "--config", item)
	}
	s.signals.set(nil, func(syscall.Signal) {}) // until its number is known
	defer s.signals.set(nil, nil)
	pid, err := syscall.ForkExec(s.real, append(argv, args...), attr)
	if err != nil {
		return 0, fmt.Errorf("start the real hg: %w", err)
	}
	s.signals.set(nil, func(sig syscall.Signal) {
		if sig != syscall.SIGINT { // that goes to the whole group
			_ = syscall.Kill(pid, sig)
		}
	})
	var status syscall.WaitStatus
	for {
		if _, err = syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("wait for the real hg: %w", err)
	case status.Signaled():
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}
