// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Starting exactly one master. There is no pid file and nothing to clean up
// after kill -9: the lock lives as long as the open file description that the
// master inherits.
//
//	1  connect, check the peer's uid, Hello → Welcome within 3 s. Nothing is asked
//	   before the Welcome, so starting over is always safe.
//	2  ECONNREFUSED or ENOENT: open the lock file, flock(LOCK_EX|LOCK_NB).
//	   Taken by someone: a master is alive or being started; wait 1-3 ms, go to 1.
//	3  got it: nobody is alive. Unlink the stale socket, bind, listen, start the
//	   master with descriptor 3 = listener and 4 = lock, close both here, go to 1:
//	   the listener's backlog waits for the master.
const (
	welcomeLimit = 3 * time.Second
	danceLimit   = 10 * time.Second
	backlog      = 4096
	maxSunPath   = 107
)

// ErrNoMaster is wrapped when there is no master and none was to be started.
var ErrNoMaster = errors.New("no master is running")

// Dialer finds the master of its build and configuration, and starts it where
// there is none.
type Dialer struct {
	// Executable is hgbroker's own file. Its identity is the build id.
	Executable string
	// RuntimeDir is where sockets live; "" means RuntimeDir's choice.
	RuntimeDir string
	// Config is what the master is started with; it is part of the socket's name.
	Config MasterConfig
	// Client is who dials, for the master's log: "broker", "hg", "stats".
	Client string
	// Dir is Hello.Dir.
	Dir string
}

// BuildID identifies an executable without reading it: path, size and time of
// the last change. Two builds never share a master.
func BuildID(executable string) (string, error) {
	real, err := filepath.EvalSymlinks(executable)
	if err != nil {
		return "", fmt.Errorf("build id: %w", err)
	}
	st, err := os.Stat(real)
	if err != nil {
		return "", fmt.Errorf("build id: %w", err)
	}
	return short(real, strconv.FormatInt(st.Size(), 10), strconv.FormatInt(st.ModTime().UnixNano(), 10)), nil
}

// short is a hash of s, texts without NUL, of at most twelve hexadecimal digits: the
// path of a socket has not room for much. It tells builds and settings of one user
// apart, and guards nothing, so that it need not be a cryptographic one: starting that
// package alone takes a drop-in hg 50 µs.
func short(s ...string) string {
	h := fnv.New64a()
	h.Write([]byte(strings.Join(s, "\x00")))
	return strconv.FormatUint(h.Sum64()>>16, 16)
}

// RuntimeDir is the directory of sockets: dir itself when it is not empty, else
// $XDG_RUNTIME_DIR/hgbroker when that directory is ours alone, else
// /tmp/hgbroker-UID. It is created where missing, and refused when anybody else
// could put something into it.
func RuntimeDir(dir string) (string, error) {
	if dir == "" {
		dir = "/tmp/hgbroker-" + strconv.Itoa(os.Getuid())
		if xdg := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(xdg) && private(xdg) == nil {
			dir = filepath.Join(xdg, "hgbroker")
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("runtime directory: %w", err)
	}
	if err = private(dir); errors.Is(err, unix.ENOENT) {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("runtime directory: %w", err)
		}
		err = private(dir)
	}
	if err != nil {
		return "", err
	}
	return dir, nil
}

// private checks that dir is a directory of this user that no one else enters.
func private(dir string) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return fmt.Errorf("runtime directory %s: %w", dir, err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("runtime directory %s: not a directory", dir)
	case int(st.Uid) != os.Getuid():
		return fmt.Errorf("runtime directory %s: belongs to user %d", dir, st.Uid)
	case st.Mode&0o777 != 0o700:
		return fmt.Errorf("runtime directory %s: mode is %04o, not 0700", dir, st.Mode&0o777)
	}
	return nil
}

// address is where the master of d listens.
type address struct {
	build, socket, lock string
}

func (d *Dialer) address() (*address, error) {
	build, err := BuildID(d.Executable)
	if err != nil {
		return nil, err
	}
	dir, err := RuntimeDir(d.RuntimeDir)
	if err != nil {
		return nil, err
	}
	name := short(strconv.Itoa(Version), build, d.Config.key(), strconv.Itoa(os.Getuid()))
	a := &address{build: build, socket: filepath.Join(dir, "m-"+name+".sock"), lock: filepath.Join(dir, "m-"+name+".lock")}
	if len(a.socket) > maxSunPath {
		return nil, fmt.Errorf("runtime directory %s: a socket's path may have %d bytes", dir, maxSunPath)
	}
	return a, nil
}

// SocketPath is where the master listens, or would.
func (d *Dialer) SocketPath() (string, error) {
	a, err := d.address()
	if err != nil {
		return "", err
	}
	return a.socket, nil
}

// Connect reaches a master that runs already; ErrNoMaster says that none does.
func (d *Dialer) Connect() (*Conn, *Welcome, error) {
	a, err := d.address()
	if err != nil {
		return nil, nil, err
	}
	c, w, err := d.knock(a)
	if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ENOENT) {
		return nil, nil, ErrNoMaster
	}
	return c, w, err
}

// ConnectAny is Connect, and tries the masters of other configurations when this
// one's is not there: for stats and stop, whose user need not know with which
// flags an editor started its broker. Masters of other builds do not answer.
func (d *Dialer) ConnectAny() (*Conn, *Welcome, error) {
	c, w, err := d.Connect()
	if !errors.Is(err, ErrNoMaster) {
		return c, w, err
	}
	a, err := d.address()
	if err != nil {
		return nil, nil, err
	}
	others, err := filepath.Glob(filepath.Join(filepath.Dir(a.socket), "m-*.sock"))
	if err != nil {
		return nil, nil, fmt.Errorf("list sockets: %w", err)
	}
	for _, socket := range others {
		if c, w, err := d.knock(&address{build: a.build, socket: socket}); err == nil {
			return c, w, nil
		}
	}
	return nil, nil, ErrNoMaster
}

// Dial reaches the master, after starting it if need be.
func (d *Dialer) Dial(ctx context.Context) (*Conn, *Welcome, error) {
	a, err := d.address()
	if err != nil {
		return nil, nil, err
	}
	end := time.Now().Add(danceLimit)
	var last error
	for {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if time.Now().After(end) {
			return nil, nil, fmt.Errorf("reach the master at %s: %w", a.socket, last)
		}
		c, w, err := d.knock(a)
		if err == nil {
			return c, w, nil
		}
		if errors.Is(err, errStranger) {
			return nil, nil, err
		}
		last = err
		if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ENOENT) {
			started, err := d.start(a)
			if err != nil {
				return nil, nil, fmt.Errorf("start the master: %w", err)
			}
			if started {
				continue
			}
		}
		time.Sleep(time.Millisecond + rand.N(2*time.Millisecond))
	}
}

var errStranger = errors.New("the socket belongs to someone else, or to another build")

// knock connects and exchanges Hello and Welcome.
func (d *Dialer) knock(a *address) (*Conn, *Welcome, error) {
	c, err := d.connect(a)
	if err != nil {
		return nil, nil, err
	}
	w, err := d.hello(c, a)
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, w, nil
}

// connect connects to a master of this user.
func (d *Dialer) connect(a *address) (*Conn, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	limit := unix.NsecToTimeval(welcomeLimit.Nanoseconds())
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit) // bounds connect as well
	for {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: a.socket})
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("connect: %w", err)
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || int(cred.Uid) != os.Getuid() {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", a.socket, errStranger)
	}
	c, err := NewConn(fd)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return c, nil
}

func (d *Dialer) hello(c *Conn, a *address) (*Welcome, error) {
	if err := c.SetRecvTimeout(welcomeLimit); err != nil {
		return nil, fmt.Errorf("receive timeout: %w", err)
	}
	if err := c.Send(d.greeting(a)); err != nil {
		return nil, err
	}
	w, err := welcomed(c, a)
	if err != nil {
		return nil, err
	}
	_ = c.SetRecvTimeout(0)
	return w, c.SetSendTimeout(0)
}

// greeting is the first frame to a master.
func (d *Dialer) greeting(a *address) *Frame {
	h := Hello{Protocol: Version, Build: a.build, PID: os.Getpid(), Client: d.Client, Dir: d.Dir}
	return &Frame{Type: DoorHello, Payload: h.AppendJSON(nil)}
}

// welcomed receives and checks the master's Welcome.
func welcomed(c *Conn, a *address) (*Welcome, error) {
	f, err := c.Recv()
	if err != nil {
		return nil, fmt.Errorf("wait for the master's welcome: %w", err)
	}
	f.CloseFiles()
	if f.Type != DoorWelcome {
		return nil, fmt.Errorf("%w: message %d instead of a welcome", ErrProtocol, f.Type)
	}
	w, err := DecodeWelcome(f.Payload)
	if err != nil {
		return nil, fmt.Errorf("%w: welcome: %v", ErrProtocol, err)
	}
	if w.Protocol != Version || w.Build != a.build {
		return nil, fmt.Errorf("%s: %w", a.socket, errStranger)
	}
	return w, nil
}

// start takes the lock and starts a master. false says that somebody else holds
// the lock.
func (d *Dialer) start(a *address) (bool, error) {
	lock, err := unix.Open(a.lock, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return false, fmt.Errorf("open %s: %w", a.lock, err)
	}
	defer unix.Close(lock)
	if err := unix.Flock(lock, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if err == unix.EWOULDBLOCK || err == unix.EINTR {
			return false, nil
		}
		return false, fmt.Errorf("lock %s: %w", a.lock, err)
	}
	// A cleaner of /tmp may have taken the file away between open and flock:
	// then this lock guards nothing.
	var held, named unix.Stat_t
	if unix.Fstat(lock, &held) != nil || unix.Lstat(a.lock, &named) != nil ||
		held.Ino != named.Ino || held.Dev != named.Dev {
		return false, nil
	}
	listener, err := bind(a.socket)
	if err != nil {
		return false, err
	}
	defer unix.Close(listener)
	if err := d.spawn(a, listener, lock); err != nil {
		_ = unix.Unlink(a.socket)
		return false, err
	}
	return true, nil
}

// bind makes the listening socket. The directory is 0700 and nothing can
// connect before listen, so the mode is set without touching the umask, which
// belongs to the whole process.
func bind(path string) (int, error) {
	if err := unix.Unlink(path); err != nil && err != unix.ENOENT {
		return -1, fmt.Errorf("unlink %s: %w", path, err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("bind %s: %w", path, err)
	}
	if err := unix.Chmod(path, 0o600); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("chmod %s: %w", path, err)
	}
	if err := unix.Listen(fd, backlog); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("listen on %s: %w", path, err)
	}
	return fd, nil
}

// spawn starts the master and does not wait for it: it is a session of its own,
// and init's child once this process ends. Its standard streams are the null
// device; it opens its log itself.
func (d *Dialer) spawn(a *address, listener, lock int) error {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer unix.Close(null)
	exe, err := filepath.Abs(d.Executable)
	if err != nil {
		return fmt.Errorf("executable: %w", err)
	}
	argv := append([]string{exe, "master", "--build=" + a.build}, d.Config.args()...)
	pid, err := syscall.ForkExec(exe, argv, &syscall.ProcAttr{
		Dir:   "/",
		Env:   masterEnv(os.Environ()),
		Files: []uintptr{uintptr(null), uintptr(null), uintptr(null), uintptr(listener), uintptr(lock)},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("execute %s: %w", exe, err)
	}
	// Only so that no zombie stays while this process lives.
	go func() {
		var status syscall.WaitStatus
		for {
			if _, err := syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
				return
			}
		}
	}()
	return nil
}
