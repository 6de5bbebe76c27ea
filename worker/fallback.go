// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/protocol"
	"hgbroker/worker/hg/hgerr"
)

// nested is the environment variable that counts how deep real hgs were started
// by us inside each other: a hook may call hg, which may be ours.
const nested = "HGBROKER_NESTED"

// maxNested bounds that. A real hg that is ours under another name would start
// itself for ever.
const maxNested = 3

const (
	// patience is how long the real hg may take to end after SIGINT.
	patience = 2 * time.Second
	// trailing is how long output is still read after the real hg ended,
	// when something that it started keeps it open.
	trailing = 2 * time.Second
)

// fallback runs the real hg with the command's arguments, environment,
// directory, umask and streams.
func (w *worker) fallback(ctx context.Context, c *channel, run *protocol.Run, env []string, stdin io.Reader, out *output, start time.Time) outcome {
	line := run.Args
	if len(run.For) > 0 {
		line = run.For
	}
	name, at := commandLine(line, run.Dir)
	o := outcome{sound: true, frame: protocol.ChExit}
	o.fin = protocol.Finished{Command: name, Served: protocol.ServedFallback}
	if len(name) > 40 {
		o.fin.Command = name[:40]
	}
	fail := func(kind, message string) outcome {
		f := protocol.Failure{Kind: kind, Message: message, ExitCode: 255}
		o.frame, o.payload = protocol.ChFailed, f.Encode()
		o.fin.Failed, o.fin.ExitCode = kind, 255
		return o
	}
	depth, err := realHg(run.RealHg, env)
	if err != nil {
		return fail(kindUnsupported, err.Error())
	}
	cmd := exec.Command(run.RealHg, run.Args...)
	cmd.Dir = run.Dir
	cmd.Env = append(without(env, nested), nested+"="+strconv.Itoa(depth+1))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = trailing
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stream{out, toStdout, true}, stream{out, toStderr, true}
	if out.files[toStdout] != nil {
		cmd.Stdout, cmd.Stderr = out.files[toStdout], out.files[toStderr]
	} else if r, ok := stdin.(*bytes.Reader); ok && r.Len() == 0 {
		cmd.Stdin = nil // /dev/null
	}
	if c.umask >= 0 {
		unix.Umask(c.umask & 0o777)
	}
	if err := cmd.Start(); err != nil {
		return fail(string(hgerr.IO), fmt.Sprintf("start the real hg: %v", err))
	}
	// From here on it may have changed something.
	o.fin.Wrote = true
	c.mu.Lock()
	c.watch()
	c.mu.Unlock()
	canceled := endGroup(ctx, cmd)
	err = cmd.Wait()
	o.fin.Repository = rootAbove(at)
	o.fin.DurationUs = uint64(time.Since(start).Microseconds())
	o.fin.ExitCode = exitCode(cmd.ProcessState, err)
	if canceled && errors.Is(context.Cause(ctx), errTimeout) {
		return fail(kindTimeout, "the command took too long")
	}
	o.payload = (&protocol.Exit{Code: o.fin.ExitCode, Served: protocol.ServedFallback, Canceled: canceled}).Encode()
	return o
}

// realHg checks that path is not ourselves, and returns how deep in real hgs of
// ours we are.
func realHg(path string, env []string) (depth int, err error) {
	if path == "" {
		return 0, errors.New("not native, and there is no real hg")
	}
	st, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("the real hg: %w", err)
	}
	ours := []string{"/proc/self/exe"}
	if exe, err := os.Executable(); err == nil {
		ours = append(ours, filepath.Join(filepath.Dir(exe), "hg"))
	}
	for _, our := range ours {
		if us, err := os.Stat(our); err == nil && os.SameFile(st, us) {
			return 0, fmt.Errorf("the real hg: %s is hgbroker's own", path)
		}
	}
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, nested+"="); ok && value != "" {
			if depth, err = strconv.Atoi(value); err != nil || depth < 0 {
				depth = maxNested
			}
		}
	}
	if depth >= maxNested {
		return 0, fmt.Errorf("the real hg: %s starts us again and again (%s=%d)", path, nested, depth)
	}
	return depth, nil
}

func without(env []string, name string) []string {
	kept := make([]string, 0, len(env)+1)
	for _, v := range env {
		if !strings.HasPrefix(v, name+"=") {
			kept = append(kept, v)
		}
	}
	return kept
}

// endGroup waits until the real hg ended, without reaping it, so that its
// process group keeps its number. When ctx ends before, the group is
// interrupted, and killed when that did not help; nothing of it is left then.
func endGroup(ctx context.Context, cmd *exec.Cmd) (canceled bool) {
	pid := cmd.Process.Pid
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
	}()
	select {
	case <-ended:
		return false
	case <-ctx.Done():
	}
	_ = unix.Kill(-pid, unix.SIGINT)
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-ended:
	case <-limit.C:
	}
	_ = unix.Kill(-pid, unix.SIGKILL)
	<-ended
	return true
}

// exitCode is the real hg's exit code as a shell shows it.
func exitCode(st *os.ProcessState, err error) int {
	if st == nil {
		return 255
	}
	ws := st.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}
