// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/protocol/cmdserver"
)

// hg opens an editor as a command that gets the name of a file. For a client that
// edits itself this command is our own executable, "hgbroker edit FILE", which
// takes the file to the broker and the edited text back, over a unix socket that
// is there for one command:
//
//	hgbroker edit                              broker
//	  │── u32 suffix of the name, u32 text ───▶ │  asks the client (hg/edit)
//	  │ ◀───────────────── 'y', u32 the text ───│  or 'n': hg is to give up
//
// Each side checks that the other is a process of the same user. The directory is
// the runtime directory, which nobody else enters, and the name is random.

// EnvEdit tells the editor where the broker listens.
const EnvEdit = "HGBROKER_EDIT"

// editSocket is the pattern of the sockets' names.
const editSocket = "e-%s.sock"

const maxSunPath = 107

// leftAfter is the age from which a socket that nobody listens on is one that was
// left; a younger one may be about to be.
const leftAfter = time.Minute

// desk is where the texts of one command are edited.
type desk struct {
	ctx      context.Context // the command's
	task     *task
	path     string
	listener *os.File
	open     sync.WaitGroup
}

// newDesk begins to listen. The caller calls close, after ctx has ended.
func newDesk(ctx context.Context, t *task, runtimeDir string) (*desk, error) {
	dir, err := protocol.RuntimeDir(runtimeDir)
	if err != nil {
		return nil, err
	}
	t.s.sweep.Do(func() { sweepDesks(dir) })
	d := &desk{ctx: ctx, task: t, path: filepath.Join(dir, fmt.Sprintf(editSocket, rand.Text()[:10]))}
	if len(d.path) > maxSunPath {
		return nil, fmt.Errorf("socket %s: the path is too long", d.path)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: d.path})
	if err == nil {
		err = unix.Chmod(d.path, 0o600)
	}
	if err == nil {
		err = unix.Listen(fd, 8)
	}
	if err != nil {
		unix.Close(fd)
		_ = unix.Unlink(d.path)
		return nil, fmt.Errorf("listen on %s: %w", d.path, err)
	}
	d.listener = os.NewFile(uintptr(fd), d.path)
	d.open.Go(d.accept)
	return d, nil
}

// sweepDesks removes what brokers left behind that were killed.
func sweepDesks(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, fmt.Sprintf(editSocket, "*")))
	for _, path := range left {
		if st, err := os.Lstat(path); err != nil || time.Since(st.ModTime()) < leftAfter {
			continue
		}
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return
		}
		if unix.Connect(fd, &unix.SockaddrUnix{Name: path}) == unix.ECONNREFUSED {
			_ = unix.Unlink(path)
		}
		unix.Close(fd)
	}
}

// close ends the listening and waits for what is under way.
func (d *desk) close() {
	_ = unix.Unlink(d.path)
	d.listener.Close()
	d.open.Wait()
}

func (d *desk) accept() {
	raw, err := d.listener.SyscallConn()
	if err != nil {
		return
	}
	for {
		fd := -1
		var failed error
		if err := raw.Read(func(l uintptr) bool {
			fd, _, failed = unix.Accept4(int(l), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
			return failed != unix.EAGAIN
		}); err != nil {
			return // closed
		}
		switch {
		case failed == unix.EINTR || failed == unix.ECONNABORTED:
			continue
		case failed != nil:
			d.task.s.log.Printf("accept on %s: %v", d.path, failed)
			return
		}
		conn := os.NewFile(uintptr(fd), "editor")
		d.open.Go(func() { d.serve(conn) })
	}
}

// serve has one text edited.
func (d *desk) serve(conn *os.File) {
	stop := context.AfterFunc(d.ctx, func() { conn.Close() })
	defer func() {
		stop()
		conn.Close()
	}()
	if err := sameUser(conn); err != nil {
		d.task.s.log.Printf("edit: %v", err)
		return
	}
	r := bufio.NewReader(conn)
	suffix, err := cmdserver.ReadBlock(r)
	var text []byte
	if err == nil {
		text, err = cmdserver.ReadBlock(r)
	}
	if err != nil {
		return
	}
	edited, err := d.task.ask(d.ctx, protocol.MethodEdit, protocol.EditParams{ID: []byte(d.task.id),
		Text: protocol.Text(text), Suffix: strings.ToValidUTF8(string(suffix), "")})
	answer := []byte{'n'}
	if err == nil {
		answer = cmdserver.AppendBlock([]byte{'y'}, []byte(edited))
	}
	_, _ = conn.Write(answer)
}

// sameUser checks who is at the other end of a socket.
func sameUser(conn *os.File) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	if cerr := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); cerr != nil {
		return cerr
	}
	if err != nil {
		return fmt.Errorf("peer's credentials: %w", err)
	}
	if int(cred.Uid) != os.Getuid() {
		return fmt.Errorf("the peer is user %d", cred.Uid)
	}
	return nil
}

// editor is the command line that hg is to open files with: executable, for a
// shell.
func editor(executable string) string {
	return "'" + strings.ReplaceAll(executable, "'", `'\''`) + "' edit"
}

// Edit is the editor: it has the file that args name edited by the client of the
// broker that started the hg above it, and returns the exit code.
func Edit(args []string) int {
	if err := edit(os.Getenv(EnvEdit), args); err != nil {
		if err == errNotEdited {
			return 1 // hg says so
		}
		fmt.Fprintf(os.Stderr, "hgbroker edit: %v\n", err)
		return 1
	}
	return 0
}

// errNotEdited is said when the client answered nothing.
var errNotEdited = errors.New("not edited")

func edit(address string, args []string) error {
	switch {
	case address == "":
		return errors.New("this is for an hg that hgbroker runs: no " + EnvEdit)
	case len(args) == 0:
		return errors.New("no file")
	}
	file := args[len(args)-1]
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	conn := os.NewFile(uintptr(fd), address)
	defer conn.Close()
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: address}); err != nil {
		return fmt.Errorf("connect to %s: %w", address, err)
	}
	if err := sameUser(conn); err != nil {
		return err
	}
	suffix := ""
	if base := filepath.Base(file); strings.Contains(base, ".") {
		suffix = base[strings.IndexByte(base, '.'):]
	}
	if _, err := conn.Write(cmdserver.AppendBlock(cmdserver.AppendBlock(nil, []byte(suffix)), text)); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	r := bufio.NewReader(conn)
	if c, err := r.ReadByte(); err != nil || c != 'y' {
		return errNotEdited
	}
	edited, err := cmdserver.ReadBlock(r)
	if err != nil {
		return fmt.Errorf("receive: %w", unexpectedEnd(err))
	}
	// Not another file in its place: hg may keep it open, and it may be a link.
	return os.WriteFile(file, edited, 0o600)
}

func unexpectedEnd(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
