// SPDX-License-Identifier: GPL-2.0-or-later

// Command hg is a drop-in for Mercurial's hg: it hands its arguments, its
// environment and its own standard descriptors to a worker, and exits with the
// command's code. Whatever is not native it leaves to the real hg, by becoming
// it: signals, terminal and exit code are then the real hg's own.
//
// It knows no command and no flag of hg's. HGBROKER_FALLBACK says what to do
// with a command that is not native: auto (the default), never (an error and
// exit code 255), always (step aside at once).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	client "hgbroker/clients/go"
	"hgbroker/protocol"
)

// maxNested bounds how often a real hg may start us, who start it: a wrapper
// around us that is taken for the real hg would go on for ever.
const maxNested = 3

// failure is the exit code of what hg calls an abort.
const failure = 255

func main() {
	policy := os.Getenv(protocol.EnvFallback)
	if os.Getenv(protocol.EnvNested) != "" || policy == "always" {
		os.Exit(become())
	}
	code, err := run()
	if err == nil {
		os.Exit(code)
	}
	var lost *lostError
	switch {
	case errors.As(err, &lost):
		// Something may have been printed already, so nobody can take over.
		fmt.Fprintf(os.Stderr, "abort: hgbroker: %v\n", err)
		os.Exit(failure)
	case policy == "never":
		fmt.Fprintf(os.Stderr, "hgbroker: %v\n", err)
		os.Exit(failure)
	}
	os.Exit(become())
}

// lostError is the end of a command that began.
type lostError struct{ error }

// run has a worker do it. An error other than lostError says that nothing was
// printed.
func run() (int, error) {
	// On a terminal hg pages and colours, which no worker does.
	if _, plain := os.LookupEnv("HGPLAIN"); !plain && isTerminal(1) {
		return 0, errors.New("not native: output to a terminal, with pager and colours")
	}
	exe, err := hgbroker()
	if err != nil {
		return 0, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return 0, fmt.Errorf("working directory: %w", err)
	}
	config, err := protocol.MasterConfigFromEnv(os.Getenv)
	if err != nil {
		return 0, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	d, err := client.Connect(ctx, protocol.Dialer{Executable: exe,
		RuntimeDir: os.Getenv(protocol.EnvRuntimeDir), Config: config, Client: "hg"})
	if err != nil {
		return 0, err
	}
	real, _ := protocol.FindHg(os.Getenv(protocol.EnvHg), os.Getenv("PATH"))
	umask := unix.Umask(0o077)
	unix.Umask(umask)
	end, err := d.Run(ctx, client.Command{Args: os.Args[1:], Dir: dir, Env: os.Environ(), Umask: umask,
		Class: protocol.Reader, RealHg: real, Files: []int{0, 1, 2}})
	switch {
	case err != nil && errors.Is(err, protocol.ErrWorkerLost):
		return 0, &lostError{err}
	case ctx.Err() != nil && (err != nil || end.Exit == nil || end.Exit.Canceled):
		fmt.Fprintln(os.Stderr, "interrupted!")
		return failure, nil
	case err != nil:
		return 0, err
	case end.Unsupported != nil:
		return 0, errors.New(end.Unsupported.Message)
	case end.Failed != nil:
		return 0, &lostError{errors.New(end.Failed.Message)}
	case end.Exit == nil:
		return 0, &lostError{errors.New("the worker did not say how the command ended")}
	}
	return end.Exit.Code, nil
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// hgbroker is the executable that becomes the master: $HGBROKER_EXE, or the one
// beside this, or the first on PATH.
func hgbroker() (string, error) {
	if exe := os.Getenv(protocol.EnvExecutable); exe != "" {
		return exe, nil
	}
	var dirs []string
	if self, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Dir(self))
	}
	for _, dir := range append(dirs, filepath.SplitList(os.Getenv("PATH"))...) {
		if !filepath.IsAbs(dir) {
			continue
		}
		p := filepath.Join(dir, "hgbroker")
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", errors.New("hgbroker is neither beside this hg, nor on PATH, nor in " + protocol.EnvExecutable)
}

// become replaces this process by the real hg, and returns only when that fails.
func become() int {
	real, err := protocol.FindHg(os.Getenv(protocol.EnvHg), os.Getenv("PATH"))
	depth, _ := strconv.Atoi(os.Getenv(protocol.EnvNested))
	if err == nil && depth >= maxNested {
		err = fmt.Errorf("%s starts this one again and again", real)
	}
	if err == nil {
		env := append(slices.DeleteFunc(os.Environ(), func(kv string) bool {
			return strings.HasPrefix(kv, protocol.EnvNested+"=")
		}), protocol.EnvNested+"="+strconv.Itoa(depth+1))
		err = syscall.Exec(real, append([]string{real}, os.Args[1:]...), env)
	}
	fmt.Fprintf(os.Stderr, "abort: hgbroker: cannot run the real hg: %v\n", err)
	return failure
}
