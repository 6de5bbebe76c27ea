// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"hgbroker/clients/hg/realhg"
	"hgbroker/protocol"
	"hgbroker/protocol/cmdserver"
)

// Session is one client's conversation.
type Session struct {
	args []string         // hg's, as they came
	line *cmdserver.Serve // the same, understood
	chg  bool

	in   *bufio.Reader
	out  *bufio.Writer
	wire *socket // nil: pipes

	build, address string // of the server, when a unix socket is served
	name           string // what the client wants the process to be called

	// What commands get, as it stands now; chg's requests change it.
	env   []string
	dir   string
	umask int
	files []int // attached stdin, stdout, stderr; or none

	encoding  string // of the environment; "" when only hg knows
	current   string // as hg's server has it now: the last command's
	messages  string // encoding of the message channel, "" without
	lastsLong bool   // an interrupt ends a command only, never the session
	policy    string // HGBROKER_FALLBACK
	real      string // the real hg, "" when there is none

	workers lease
	child   *child // nil until it is needed
	signals interrupts
}

// newSession prepares a session. An error says that this is one for the real hg.
func newSession(args []string, line *cmdserver.Serve) (*Session, error) {
	s := &Session{args: args, line: line, chg: line.Mode == "chgunix", env: os.Environ(), policy: os.Getenv(protocol.EnvFallback)}
	exe, err := realhg.Hgbroker()
	if err != nil {
		return nil, err
	}
	config, err := protocol.MasterConfigFromEnv(os.Getenv)
	if err != nil {
		return nil, err
	}
	s.workers.dialer = protocol.Dialer{Executable: exe, RuntimeDir: os.Getenv(protocol.EnvRuntimeDir), Config: config, Client: "hg serve"}
	s.real, _ = realhg.Find()
	if s.dir, err = os.Getwd(); err != nil {
		return nil, err
	}
	if line.Cwd != "" {
		s.dir = under(s.dir, line.Cwd)
		if st, err := os.Stat(s.dir); err != nil || !st.IsDir() {
			return nil, errors.New("--cwd " + line.Cwd + ": not a directory")
		}
	}
	if slices.Contains(strings.Split(os.Getenv("HGPLAIN"), ","), "+strictflags") {
		return nil, errors.New("HGPLAIN=+strictflags") // where -R counts then depends on its place
	}
	s.umask = unix.Umask(0o077)
	unix.Umask(s.umask)
	return s, nil
}

func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// errEnd ends a session with the exit code in it.
type errEnd int

func (e errEnd) Error() string { return "the session ends" }

// requests are what a client may ask for.
var requests = map[string]func(*Session) error{
	"getencoding": (*Session).getEncoding,
	"runcommand":  (*Session).runCommand,
}

// capabilities are the names of what this session's client may ask for.
func (s *Session) capabilities() []string {
	var names []string
	for name := range requests {
		names = append(names, name)
	}
	if s.chg {
		for name := range chgRequests {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// serve greets the client and answers it until it goes; the result is the exit
// code of hg.
func (s *Session) serve() int {
	defer s.close()
	g := cmdserver.Greeting{Capabilities: s.capabilities(), Encoding: s.current, MessageEncoding: s.messages, PID: os.Getpid()}
	g.PGID, _ = unix.Getpgid(0)
	if err := s.chunk(cmdserver.Output, g.Encode()); err != nil {
		return realhg.Failure
	}
	for {
		name, err := cmdserver.ReadRequest(s.in)
		if name == "" && err == nil {
			return 0
		}
		if err == nil {
			handle := requests[name]
			if handle == nil && s.chg {
				handle = chgRequests[name]
			}
			if handle == nil {
				s.complain("abort: unknown command " + name + "\n")
				return s.failure(realhg.Failure)
			}
			err = handle(s)
		}
		var end errEnd
		switch {
		case err == nil:
		case errors.As(err, &end):
			return int(end)
		case errors.Is(err, io.EOF): // within a request
			return s.failure(1)
		default:
			s.complain("abort: " + err.Error() + "\n")
			return s.failure(realhg.Failure)
		}
	}
}

// failure is the exit code of a session that ends early: the process that hg
// forks for a connection exits well.
func (s *Session) failure(code int) int {
	if s.wire != nil {
		return 0
	}
	return code
}

// complain is for what has no channel.
func (s *Session) complain(text string) { os.Stderr.WriteString(text) }

func (s *Session) close() {
	s.workers.close()
	if s.child != nil {
		s.child.close()
		s.child = nil
	}
}

// chunk sends one chunk at once.
func (s *Session) chunk(channel byte, data []byte) error {
	var head [cmdserver.HeadSize]byte
	s.out.Write(cmdserver.AppendHead(head[:0], channel, len(data)))
	s.out.Write(data)
	return s.out.Flush()
}

// result ends a command.
func (s *Session) result(code int) error {
	var b [2 * cmdserver.HeadSize]byte
	s.out.Write(cmdserver.AppendResult(b[:0], code))
	return s.out.Flush()
}

// text sends what a command would have printed.
func (s *Session) text(channel byte, text string) error {
	if len(s.files) > 0 {
		fd := 2
		if channel == cmdserver.Output {
			fd = 1
		}
		_, err := unix.Write(s.files[fd], []byte(text))
		return err
	}
	return s.chunk(channel, []byte(text))
}

// getEncoding tells the encoding that the last command left, as hg does: its
// --encoding, or the environment's.
func (s *Session) getEncoding() error {
	if s.encoding == "" && s.child != nil {
		return s.forward([]byte("getencoding\n"))
	}
	return s.chunk(cmdserver.Result, []byte(s.current))
}

// runCommand runs one command line: natively, or with the real hg.
func (s *Session) runCommand() error {
	block, err := cmdserver.ReadBlock(s.in)
	if err != nil {
		return err
	}
	args := cmdserver.SplitList(block)
	s.current = s.encoding
	for _, o := range cmdserver.EarlyOptions(args, false) {
		if o.Name == "encoding" {
			s.current = o.Value
		}
	}
	why := "the message channel is on"
	if s.messages == "" {
		var ended bool
		if ended, why, err = s.native(args); ended || err != nil {
			return err
		}
	}
	switch {
	case s.policy == "never":
		if err := s.text(cmdserver.Errors, "hgbroker: "+why+"\n"); err != nil {
			return err
		}
		return s.result(realhg.Failure)
	case len(s.files) > 0:
		return s.attached(args)
	}
	return s.relay(args)
}
