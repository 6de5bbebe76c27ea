// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// process asks by starting a program for each command.
type process struct {
	w       *world
	program string
	env     []string
	spent   time.Duration // CPU of all that ended, of the processes themselves
}

func (p *process) ask(args []string) ([]byte, time.Duration, error) {
	cmd := p.w.command(p.program, args...)
	cmd.Env = p.env
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if cmd.ProcessState != nil {
		p.spent += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // hg's way to say that there was nothing
	}
	if err != nil {
		return nil, took, fmt.Errorf("%s: %w: %s", filepath.Base(p.program), err, strings.TrimSpace(errOut.String()))
	}
	return out.Bytes(), took, nil
}

func (p *process) close() error { return nil }

func (p *process) cpu() (map[string]time.Duration, error) {
	return map[string]time.Duration{"process": p.spent}, nil
}

func startHg(w *world) (contender, error) {
	if w.hg == "" {
		return nil, absent("no hg on PATH")
	}
	return &process{w: w, program: w.hg, env: w.env}, nil
}

// EnvRhg names Mercurial's own fast subset of hg where it is not on PATH as rhg.
const EnvRhg = "HGBROKER_BENCH_RHG"

// startRhg enters rhg, without its fallback to hg.
func startRhg(w *world) (contender, error) {
	program := os.Getenv(EnvRhg)
	if program == "" {
		var err error
		if program, err = exec.LookPath("rhg"); err != nil {
			return nil, absent("no rhg on PATH (or name it in %s)", EnvRhg)
		}
	}
	return &rhg{process{w: w, program: program, env: w.env}}, nil
}

type rhg struct{ process }

func (r *rhg) ask(args []string) ([]byte, time.Duration, error) {
	return r.process.ask(append([]string{"--config", "rhg.on-unsupported=abort"}, args...))
}
