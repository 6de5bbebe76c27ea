// SPDX-License-Identifier: GPL-2.0-or-later

package worker

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hgbroker/protocol"
	"hgbroker/worker/hg"
	"hgbroker/worker/hg/hgerr"
)

// Kinds of failure that are the worker's own; the others are hgerr's.
const (
	kindBug         = "Bug"
	kindUnsupported = "Unsupported"
	kindTimeout     = "Timeout"
	kindParams      = "InvalidParams" // of a typed method
)

// outcome is how a command ended: the frame that says so, and what the master
// is told.
type outcome struct {
	frame   protocol.FrameType
	payload []byte
	fin     protocol.Finished
	sound   bool // false: the process must not go on
}

// command runs one ChRun or ChCall. ok is false when the client does not keep
// to the protocol; sound is false when the process must not go on.
func (w *worker) command(c *channel, f *protocol.Frame) (sound, ok bool) {
	out := newOutput(c.conn, f.ID)
	var run *protocol.Run
	var call *protocol.Call
	var err error
	if f.Type == protocol.ChRun {
		run, err = protocol.DecodeRun(f.Payload)
	} else {
		call, err = protocol.DecodeCall(f.Payload)
	}
	wanted := 0
	if run != nil && run.HasFiles {
		wanted = 3
	}
	if err != nil || len(f.Files) != wanted {
		f.CloseFiles()
		return true, false
	}
	var stdin io.Reader
	if wanted > 0 {
		in := os.NewFile(uintptr(f.Files[0]), "stdin")
		defer in.Close()
		stdin = in
		out.files[toStdout] = os.NewFile(uintptr(f.Files[1]), "stdout")
		out.files[toStderr] = os.NewFile(uintptr(f.Files[2]), "stderr")
		f.Files = nil
		defer out.closeFiles()
	}
	timeout := time.Duration(0)
	if run != nil {
		timeout = time.Duration(run.TimeoutMs) * time.Millisecond
	}
	ctx, end := c.begin(f.ID, timeout)
	defer end()
	start := time.Now()
	var o outcome
	w.answering.Store(true)
	if run != nil {
		if stdin == nil {
			stdin = input(run.Stdin)
		}
		o = w.run1(ctx, c, run, stdin, out, start)
	} else {
		o = w.call(ctx, c, call, start)
	}
	// The master knows before the client does, which may ask for a worker next.
	if !w.later(&o.fin) {
		w.report(o.fin)
	}
	out.end(o.frame, o.payload)
	w.answering.Store(false)
	if o.sound {
		w.settle()
	}
	return o.sound, true
}

// run1 runs a command line: with the engine, or with the real hg.
func (w *worker) run1(ctx context.Context, c *channel, run *protocol.Run, stdin io.Reader, out *output, start time.Time) outcome {
	env := c.environ(run.Env)
	if run.Fallback != protocol.FallbackAlways {
		seekable, appends := out.seekable()
		var res hg.Result
		err := w.native(func() (err error) {
			res, err = w.engine.Run(ctx, &hg.Request{Args: run.Args, Dir: run.Dir, Env: env, UID: w.uid, Umask: c.knownUmask(), Stdin: stdin,
				Stdout: stream{o: out, which: toStdout}, Stderr: stream{o: out, which: toStderr},
				Terminal: out.terminal(), Seekable: seekable, Appends: appends, Now: start, Hg: w.hgs.of(run.RealHg, env, start)})
			return err
		})
		out.settle()
		o := w.outcome(ctx, &res, err, out, start)
		o.fin.Command = cmp.Or(res.Command, commandName(run.Args))
		if o.frame != protocol.ChUnsupported || run.Fallback == protocol.FallbackNever || run.RealHg == "" {
			return o
		}
	}
	return w.fallback(ctx, c, run, env, stdin, out, start)
}

// native runs an engine's call. While it does, and the master is gone, time is
// limited (lastCommand).
func (w *worker) native(f func() error) error {
	w.engineMu.Lock()
	defer w.engineMu.Unlock()
	w.ran.Add(1)
	w.inNative.Store(true)
	defer w.inNative.Store(false)
	return guard(f)
}

// lastCommand waits for the end of the master, and then ends a command that
// takes too long: nobody could kill us. It returns at once when quit is closed.
func (w *worker) lastCommand(quit <-chan struct{}) {
	select {
	case <-w.control.gone:
	case <-quit:
		return
	}
	timer := time.NewTimer(w.cfg.last)
	defer timer.Stop()
	select {
	case <-timer.C:
		if w.inNative.Load() {
			w.cfg.exit(exitHung)
		}
	case <-quit:
	}
}

// outcome turns what the engine says into a frame. A command line may have
// printed before it failed; out tells.
func (w *worker) outcome(ctx context.Context, res *hg.Result, err error, out *output, start time.Time) outcome {
	o := outcome{sound: true}
	w.fill(&o.fin, res, start)
	o.fin.ExitCode = res.ExitCode
	exit := protocol.Exit{Code: res.ExitCode, Served: o.fin.Served, Generation: res.Generation}
	failure := protocol.Failure{ExitCode: 255}
	cause := context.Cause(ctx)
	var abort *hgerr.Abort
	var damage *hgerr.Damage
	switch {
	case isPanic(err):
		o.sound = false
		failure.Kind, failure.Message = kindBug, err.Error()
	case err == nil && out != nil && out.closedByReader():
		// As below: it noticed only at the end.
		exit.Code = exitInterrupted
		o.fin.ExitCode = exit.Code
	case err == nil && cause == nil:
	case errors.Is(cause, errTimeout) && err != nil:
		failure.Kind, failure.Message = kindTimeout, "the command took too long"
	case cause != nil && err != nil:
		exit.Code, exit.Canceled = exitInterrupted, true
		o.fin.ExitCode = exit.Code
	case err == nil: // it came to its end before it noticed
	case hgerr.IsUnsupported(err) && !(out != nil && out.started()):
		failure.Kind, failure.Message = kindUnsupported, err.Error()
		o.frame = protocol.ChUnsupported
	case out != nil && out.closedByReader():
		// hg ends so too when its output is closed.
		exit.Code = exitInterrupted
		o.fin.ExitCode = exit.Code
	case errors.As(err, &abort):
		failure.Kind, failure.Message, failure.Hint = string(abort.Kind), abort.Message, abort.Hint
		failure.ExitCode = cmp.Or(abort.Code, 255)
		failure.Stderr = abortText(abort)
	case errors.As(err, &damage):
		failure.Kind, failure.Message = string(hgerr.Corrupt), err.Error()
		failure.Stderr = "abort: " + err.Error() + "\n"
	default:
		failure.Kind, failure.Message = kindBug, err.Error()
	}
	if failure.Kind == "" {
		o.frame, o.payload = protocol.ChExit, exit.Encode()
		return o
	}
	if o.frame == 0 {
		o.frame = protocol.ChFailed
	}
	o.fin.Failed, o.fin.ExitCode = failure.Kind, failure.ExitCode
	if !o.sound {
		o.fin.Failed = kindBug
	} else if failure.Kind == kindBug {
		o.fin.Failed = "Internal" // an error without a kind is no reason to end the process
	}
	o.payload = failure.Encode()
	return o
}

// exitInterrupted is hg's exit code when it was interrupted.
const exitInterrupted = 255

// abortText is what hg prints when it aborts.
func abortText(a *hgerr.Abort) string {
	s := cmp.Or(a.Prefix, "abort: ") + a.Message + "\n"
	if a.Hint != "" {
		s += "(" + a.Hint + ")\n"
	}
	return s
}

// valued are hg's global options that take a value (`hg help -v`), by their
// long names; in short form it is -R.
var valued = []string{"repository", "cwd", "config", "encoding", "encodingmode", "color", "pager"}

// commandLine finds, without knowing any command, the command's name and the
// working directory that the global options in front of it ask for. It serves
// counting and guessing only.
func commandLine(args []string, dir string) (name, at string) {
	at = dir
	set := func(option, value string) {
		if option == "repository" || option == "R" || option == "cwd" {
			if !filepath.IsAbs(value) {
				value = filepath.Join(at, value)
			}
			at = value
		}
	}
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			return name, at
		case strings.HasPrefix(a, "--"):
			option, value, joined := strings.Cut(a[2:], "=")
			for _, v := range valued {
				if v != option {
					continue
				}
				if !joined && i+1 < len(args) {
					i++
					value = args[i]
				}
				set(option, value)
			}
		case strings.HasPrefix(a, "-R"):
			value := a[2:]
			if value == "" && i+1 < len(args) {
				i++
				value = args[i]
			}
			set("R", value)
		case strings.HasPrefix(a, "-"):
		case name == "":
			name = a
		}
	}
	return name, at
}

func commandName(args []string) string {
	name, _ := commandLine(args, "/")
	if len(name) > 40 {
		name = name[:40]
	}
	return name
}

// rootAbove is the nearest directory at or above dir that holds a .hg; "" when
// there is none.
func rootAbove(dir string) string {
	if !filepath.IsAbs(dir) {
		return ""
	}
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if st, err := os.Stat(filepath.Join(dir, ".hg")); err == nil && st.IsDir() {
			return dir
		}
		if dir == "/" {
			return ""
		}
	}
}
