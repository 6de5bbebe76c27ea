// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// Runner runs hg command lines: real hg in some form, or what is compared
// with it.
//
// dir is an absolute directory, args the command line without argv[0], env the
// whole environment as NAME=VALUE. native is false where something else than
// the thing under test produced the output. err says that the command could
// not be run at all; an error that wraps *hgerr.Unsupported is counted apart.
// Run may be called by several goroutines at once.
type Runner interface {
	Run(dir string, args []string, env []string) (stdout, stderr []byte, code int, native bool, err error)
}

// RunnerFunc makes a Runner of a function.
type RunnerFunc func(dir string, args []string, env []string) (stdout, stderr []byte, code int, native bool, err error)

// Run calls f.
func (f RunnerFunc) Run(dir string, args []string, env []string) ([]byte, []byte, int, bool, error) {
	return f(dir, args, env)
}

// Named is a Runner with the name that it goes by in messages.
type Named struct {
	Name string
	Runner
}

// CLI starts the executable at its path anew for each command line: an hg, or
// a drop-in for it.
type CLI string

// Run starts one process and waits for it.
func (c CLI) Run(dir string, args []string, env []string) ([]byte, []byte, int, bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, string(c), args...)
	cmd.Dir = dir
	cmd.Env = append(env[:len(env):len(env)], "PWD="+dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		err = nil
	}
	if err != nil {
		return nil, nil, 0, false, fmt.Errorf("run %s: %w", string(c), err)
	}
	return stdout.Bytes(), stderr.Bytes(), cmd.ProcessState.ExitCode(), true, nil
}
