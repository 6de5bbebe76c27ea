// SPDX-License-Identifier: GPL-2.0-or-later

// Package dropin is the drop-in hg: it hands its arguments, its environment and
// its own standard descriptors to a worker, and ends with the command's code.
// Whatever is not native it leaves to the real hg, by becoming it: signals,
// terminal and exit code are then the real hg's own. A command server is served
// here (package session).
//
// It knows no command and no flag of hg's but those. HGBROKER_FALLBACK says what
// to do with a command that is not native: auto (the default), never (an error
// and exit code 255), always (step aside at once).
package dropin

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hgbroker/clients/hg/realhg"
	"hgbroker/clients/hg/session"
	"hgbroker/protocol"
)

// Main runs hg's command line, os.Args, and returns the exit code; or it becomes
// the real hg and does not return.
func Main() int {
	args := os.Args[1:]
	policy := os.Getenv(protocol.EnvFallback)
	if os.Getenv(protocol.EnvNested) != "" || policy == "always" {
		return realhg.Become(args)
	}
	if session.Wanted(args) {
		if code, served := session.Main(args); served {
			return code
		}
		return realhg.Become(args)
	}
	code, err := run(args)
	if err == nil {
		return code
	}
	var lost *lostError
	switch {
	case errors.As(err, &lost):
		// Something may have been printed already, so nobody can take over.
		os.Stderr.WriteString("abort: hgbroker: " + err.Error() + "\n")
		return realhg.Failure
	case policy == "never":
		os.Stderr.WriteString("hgbroker: " + err.Error() + "\n")
		return realhg.Failure
	}
	return realhg.Become(args)
}

// lostError is the end of a command that began.
type lostError struct{ error }

// run has a worker do it. An error other than lostError says that nothing was
// printed.
func run(args []string) (int, error) {
	// On a terminal hg pages and colours, which no worker does.
	if _, plain := os.LookupEnv("HGPLAIN"); !plain && isTerminal(1) {
		return 0, errors.New("not native: output to a terminal, with pager and colours")
	}
	exe, err := realhg.Hgbroker()
	if err != nil {
		return 0, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	config, err := protocol.MasterConfigFromEnv(os.Getenv)
	if err != nil {
		return 0, err
	}
	dialer := protocol.Dialer{Executable: exe, RuntimeDir: os.Getenv(protocol.EnvRuntimeDir), Config: config, Client: "hg", Dir: dir}
	e, err := dialer.Errand(protocol.Reader)
	// While the master looks for a worker.
	real, _ := realhg.Find()
	command := &protocol.Run{Args: args, Dir: dir, Env: os.Environ(), RealHg: real, HasFiles: true, Fallback: protocol.FallbackNever}
	if err == nil {
		err = e.Begin()
	}
	if err != nil {
		// There is no master yet, or it ends.
		if e, err = start(&dialer); err != nil {
			return 0, err
		}
	}
	if err := e.Run(command, []int{0, 1, 2}); err != nil {
		return 0, &lostError{err}
	}
	end, interrupted, err := wait(e)
	switch {
	case interrupted && (err != nil || end.Exit == nil || end.Exit.Canceled):
		os.Stderr.WriteString("interrupted!\n")
		return realhg.Failure, nil
	case err != nil:
		return 0, &lostError{err}
	case end.Unsupported != nil:
		return 0, errors.New(end.Unsupported.Message)
	case end.Failed != nil:
		return 0, &lostError{errors.New(end.Failed.Message)}
	case end.Exit == nil:
		return 0, &lostError{errors.New("the worker did not say how the command ended")}
	}
	return end.Exit.Code, nil
}

// start starts a master and asks it for a worker.
func start(dialer *protocol.Dialer) (*protocol.Errand, error) {
	conn, _, err := dialer.Dial(context.Background())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	e, err := dialer.Errand(protocol.Reader)
	if err == nil {
		err = e.Begin()
	}
	return e, err
}

// quick is how long a command may run before signals are looked after. A signal
// that comes sooner just ends this process, and with it the command.
const quick = 5 // ms

// wait waits for the end of a command; a signal cancels it.
func wait(e *protocol.Errand) (end *protocol.Ending, interrupted bool, err error) {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(e.Channel.Fd()), Events: unix.POLLIN}}, quick)
		if err == unix.EINTR {
			continue
		}
		if n > 0 {
			end, err := e.Wait()
			return end, false, err
		}
		break
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		end, err = e.Wait()
	}()
	select {
	case <-ended:
		return end, false, err
	case <-signals:
	}
	e.Cancel()
	limit := time.NewTimer(protocol.CancelGrace)
	defer limit.Stop()
	select {
	case <-ended:
	case <-limit.C:
		e.Kill()
		<-ended
	}
	return end, true, err
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}
